-- What undoing an unlink needs. kept_data is the extract of the profile: no token, no secret, sealed or not.
CREATE TABLE unlinked_accounts (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    social_auth_id INTEGER NOT NULL UNIQUE,
    provider TEXT NOT NULL CHECK (provider <> ''),
    uid TEXT NOT NULL CHECK (uid <> ''),
    client_id TEXT,
    email TEXT,
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    kept_data TEXT NOT NULL CHECK (json_valid(kept_data) AND json_type(kept_data) = 'object'),
    linked_at TEXT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind <> ''),
    actor_id INTEGER,
    reason TEXT NOT NULL CHECK (reason <> ''),
    unlinked_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    restored_at TEXT,
    CHECK (email IS NOT NULL OR NOT email_verified)
) STRICT;
CREATE INDEX unlinked_accounts_user_id_id ON unlinked_accounts (user_id, id);
CREATE INDEX unlinked_accounts_expires_at ON unlinked_accounts (expires_at);

-- What is to happen when a social account that nobody has wants a user: refuse it, or associate it with user_id, once.
-- user_id has no foreign key: a refusal outlives the user whom the account was taken from.
CREATE TABLE standing_orders (
    provider TEXT NOT NULL CHECK (provider <> ''),
    uid TEXT NOT NULL CHECK (uid <> ''),
    kind TEXT NOT NULL CHECK (kind IN ('refuse', 'associate')),
    user_id INTEGER NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind <> ''),
    actor_id INTEGER,
    reason TEXT NOT NULL CHECK (reason <> ''),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (provider, uid)
) STRICT;
CREATE INDEX standing_orders_user_id ON standing_orders (user_id);
CREATE INDEX standing_orders_expires_at ON standing_orders (expires_at);

-- The last time that staff had a stored access token checked with its provider, and what came of it; outcome is NULL until then.
CREATE TABLE token_checks (
    social_auth_id INTEGER NOT NULL PRIMARY KEY REFERENCES social_auth (id) ON DELETE CASCADE,
    checked_at TEXT NOT NULL,
    outcome TEXT CHECK (outcome <> '')
) STRICT;

-- Why an inactive user is inactive.
CREATE TABLE deactivations (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    actor_kind TEXT NOT NULL CHECK (actor_kind <> ''),
    actor_id INTEGER,
    reason TEXT NOT NULL CHECK (reason <> ''),
    at TEXT NOT NULL
) STRICT;
