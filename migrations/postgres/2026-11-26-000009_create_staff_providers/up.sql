-- Who at which provider signs in as which member of staff. An account has one of them at each provider.
CREATE TABLE staff_providers (
    provider TEXT COLLATE "C" NOT NULL CHECK (provider <> ''),
    uid TEXT COLLATE "C" NOT NULL CHECK (uid <> ''),
    staff_id BIGINT NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (provider, uid),
    UNIQUE (staff_id, provider)
);

-- Browsers that were sent to a provider and are expected back: state and browser as SHA-256 of what they hold. The row goes with its
-- use. `purpose` says what the answer is good for.
CREATE TABLE authorizations (
    state_hash BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(state_hash) = 32),
    browser_hash BYTEA NOT NULL CHECK (octet_length(browser_hash) = 32),
    purpose TEXT NOT NULL CHECK (purpose <> ''),
    provider TEXT COLLATE "C" NOT NULL CHECK (provider <> ''),
    staff_session_id BIGINT REFERENCES staff_sessions (id) ON DELETE CASCADE,
    next TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX authorizations_expires_at ON authorizations (expires_at);
CREATE INDEX authorizations_staff_session_id ON authorizations (staff_session_id);

-- The provider that a session was opened through; none for a password or a link.
ALTER TABLE staff_sessions ADD COLUMN provider TEXT CHECK (provider <> '');
