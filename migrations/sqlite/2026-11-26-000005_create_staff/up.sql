-- People who look after the service. They are no users: nothing joins the two.
CREATE TABLE staff (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL CHECK (email <> ''),
    email_folded TEXT NOT NULL UNIQUE CHECK (email_folded <> ''),
    display_name TEXT NOT NULL CHECK (display_name <> ''),
    role TEXT NOT NULL CHECK (role IN ('staff', 'admin', 'superuser')),
    password_hash TEXT,
    totp_secret TEXT,
    totp_last_step INTEGER,
    must_have_second_factor INTEGER NOT NULL CHECK (must_have_second_factor IN (0, 1)),
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    created_at TEXT NOT NULL,
    modified_at TEXT NOT NULL,
    last_sign_in_at TEXT,
    CHECK (totp_secret IS NOT NULL OR totp_last_step IS NULL)
) STRICT;

CREATE TABLE staff_recovery_codes (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    staff_id INTEGER NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    used_at TEXT
) STRICT;
CREATE INDEX staff_recovery_codes_staff_id ON staff_recovery_codes (staff_id);

-- key_hash is the SHA-256 of the key in the cookie; none once the browser gave it back.
CREATE TABLE staff_sessions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    staff_id INTEGER NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    key_hash BLOB UNIQUE CHECK (length(key_hash) = 32),
    state TEXT NOT NULL CHECK (json_valid(state) AND json_type(state) = 'object'),
    awaits_code INTEGER NOT NULL CHECK (awaits_code IN (0, 1)),
    authenticated_at TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    address TEXT,
    user_agent TEXT,
    revoked_at TEXT,
    revoked_reason TEXT,
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
) STRICT;
CREATE INDEX staff_sessions_staff_id ON staff_sessions (staff_id);
CREATE INDEX staff_sessions_expires_at ON staff_sessions (expires_at);

-- One-time links. Only the first superuser's belongs to nobody yet.
CREATE TABLE staff_links (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    staff_id INTEGER REFERENCES staff (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX staff_links_staff_id ON staff_links (staff_id);
CREATE INDEX staff_links_expires_at ON staff_links (expires_at);

-- Wrong tries, by the hash of an account's address or of where they came from.
CREATE TABLE staff_throttles (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    failures INTEGER NOT NULL CHECK (failures >= 0),
    blocked_until TEXT,
    forget_at TEXT NOT NULL
) STRICT;
CREATE INDEX staff_throttles_forget_at ON staff_throttles (forget_at);
