CREATE TABLE nonces (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX nonces_expires_at ON nonces (expires_at);

CREATE TABLE link_tickets (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider TEXT NOT NULL CHECK (provider <> ''),
    uid TEXT NOT NULL CHECK (uid <> ''),
    payload TEXT NOT NULL CHECK (json_valid(payload) AND json_type(payload) = 'object'),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    redeemed_at TEXT
) STRICT;
CREATE INDEX link_tickets_user_id ON link_tickets (user_id);
CREATE INDEX link_tickets_expires_at ON link_tickets (expires_at);
