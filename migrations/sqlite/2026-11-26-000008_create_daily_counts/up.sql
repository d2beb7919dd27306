-- What the audit log and the providers' checks add up to, kept up in the background; sign-ins write none of it.
-- '' stands for no provider and no reason, so that the key has no NULL. An action `outage` is a check that a provider could not answer.
CREATE TABLE daily_counts (
    day TEXT NOT NULL,
    provider TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action <> ''),
    reason TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (day, provider, action, reason)
) STRICT, WITHOUT ROWID;

-- The same by the hour, for the last two days.
CREATE TABLE hourly_counts (
    hour TEXT NOT NULL,
    provider TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action <> ''),
    reason TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (hour, provider, action, reason)
) STRICT, WITHOUT ROWID;

-- An index of the audit log by blocks of its ids: which kinds of entries a block holds, and which ids an hour has.
-- actor_id is 0 where entries of this kind of actor are not told apart.
CREATE TABLE audit_kinds (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    actor_kind TEXT NOT NULL CHECK (actor_kind <> ''),
    actor_id INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action <> ''),
    provider TEXT NOT NULL,
    UNIQUE (actor_kind, actor_id, action, provider)
) STRICT;

CREATE TABLE audit_blocks (
    kind_id INTEGER NOT NULL REFERENCES audit_kinds (id) ON DELETE CASCADE,
    block INTEGER NOT NULL,
    PRIMARY KEY (kind_id, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_hours (
    hour TEXT NOT NULL PRIMARY KEY,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What providers' checks came to, by five minutes, for the last day. Each instance writes its own rows.
CREATE TABLE provider_checks (
    period_at TEXT NOT NULL,
    provider TEXT NOT NULL,
    instance TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind <> ''),
    count INTEGER NOT NULL CHECK (count > 0),
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    PRIMARY KEY (period_at, provider, instance, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE provider_latencies (
    period_at TEXT NOT NULL,
    provider TEXT NOT NULL,
    instance TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (period_at, provider, instance, bucket)
) STRICT, WITHOUT ROWID;

-- The last of each, for good.
CREATE TABLE provider_health (
    provider TEXT NOT NULL PRIMARY KEY,
    accepted_at TEXT,
    outage_at TEXT,
    outage_kind TEXT,
    CHECK ((outage_at IS NULL) = (outage_kind IS NULL))
) STRICT, WITHOUT ROWID;
