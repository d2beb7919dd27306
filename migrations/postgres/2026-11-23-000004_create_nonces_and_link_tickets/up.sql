CREATE TABLE nonces (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(hash) = 32),
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);
CREATE INDEX nonces_expires_at ON nonces (expires_at);

CREATE TABLE link_tickets (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(hash) = 32),
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider TEXT COLLATE "C" NOT NULL CHECK (provider <> ''),
    uid TEXT COLLATE "C" NOT NULL CHECK (uid <> ''),
    payload JSONB NOT NULL CHECK (jsonb_typeof(payload) = 'object'),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    redeemed_at TIMESTAMPTZ
);
CREATE INDEX link_tickets_user_id ON link_tickets (user_id);
CREATE INDEX link_tickets_expires_at ON link_tickets (expires_at);
