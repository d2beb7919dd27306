-- No foreign keys: entries outlive the users and social accounts they name. No AUTOINCREMENT: entries are only ever removed from
-- the old end, and never the newest, so that a new one has a higher id than all before it without a counter to write.
-- detail is what a member of staff did, where the other columns do not say it.
CREATE TABLE audit_log (
    id INTEGER NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind <> ''),
    actor_id INTEGER,
    action TEXT NOT NULL CHECK (action <> ''),
    reason TEXT,
    detail TEXT CHECK (json_valid(detail) AND json_type(detail) = 'object'),
    user_id INTEGER,
    social_auth_id INTEGER,
    provider TEXT,
    uid TEXT,
    request_id TEXT NOT NULL,
    address TEXT
) STRICT;
CREATE INDEX audit_log_user_id_id ON audit_log (user_id, id);
