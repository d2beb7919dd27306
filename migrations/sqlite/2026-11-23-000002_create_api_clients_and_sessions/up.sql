-- For each allowed_ column: NULL admits all, an array admits what it lists.
CREATE TABLE api_clients (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    client_id TEXT NOT NULL UNIQUE CHECK (client_id <> ''),
    title TEXT NOT NULL,
    secret_hash TEXT,
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    allowed_providers TEXT CHECK (json_type(allowed_providers) = 'array'),
    allowed_intents TEXT CHECK (json_type(allowed_intents) = 'array'),
    allowed_origins TEXT CHECK (json_type(allowed_origins) = 'array'),
    -- What it may do by itself, such as admin:read. Nothing unless said.
    scopes TEXT NOT NULL DEFAULT '[]' CHECK (json_type(scopes) = 'array'),
    created_at TEXT NOT NULL
) STRICT;

-- A refresh token and an access token name their session by its id, which is never used again.
-- social_auth_id is what the session was opened with. It has no foreign key and no index, which every sign-in would pay for: like the
-- audit log's it may outlive its row, since ids are never used again, and a user's sessions are found by user_id.
CREATE TABLE sessions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    social_auth_id INTEGER,
    api_client_id INTEGER REFERENCES api_clients (id) ON DELETE CASCADE,
    refresh_hash BLOB NOT NULL CHECK (length(refresh_hash) = 32),
    previous_hash BLOB CHECK (length(previous_hash) = 32),
    rotated_at TEXT,
    created_at TEXT NOT NULL,
    authenticated_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    address TEXT,
    user_agent TEXT,
    revoked_at TEXT,
    revoked_reason TEXT,
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
) STRICT;
CREATE INDEX sessions_user_id_id ON sessions (user_id, id);
CREATE INDEX sessions_api_client_id ON sessions (api_client_id) WHERE api_client_id IS NOT NULL;
