-- user names are compared through username_folded: lower-case ASCII. social_accounts is how many rows of social_auth the user has.
CREATE TABLE users (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL CHECK (username <> ''),
    username_folded TEXT NOT NULL UNIQUE CHECK (username_folded <> ''),
    email TEXT,
    email_folded TEXT,
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    date_joined TEXT NOT NULL,
    modified_at TEXT NOT NULL,
    social_accounts INTEGER NOT NULL CHECK (social_accounts >= 0),
    CHECK ((email IS NULL) = (email_folded IS NULL)),
    CHECK (email IS NOT NULL OR NOT email_verified)
) STRICT;
CREATE INDEX users_email_folded ON users (email_folded) WHERE email_folded IS NOT NULL;
-- For the lists of those who need a look.
CREATE INDEX users_inactive ON users (id) WHERE NOT is_active;
CREATE INDEX users_without_social_account ON users (id) WHERE social_accounts = 0;
CREATE INDEX users_with_several_social_accounts ON users (id) WHERE social_accounts >= 2;

-- Beside the users and not among their columns: whoever signs in changes this narrow row, and does so in the background (flows::upkeep).
CREATE TABLE last_sign_ins (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX last_sign_ins_at_user_id ON last_sign_ins (at, user_id);

-- A uid is compared byte for byte (the default collation BINARY).
CREATE TABLE social_auth (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider TEXT NOT NULL CHECK (provider <> ''),
    uid TEXT NOT NULL CHECK (uid <> ''),
    client_id TEXT,
    email TEXT,
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    extra_data TEXT NOT NULL CHECK (json_valid(extra_data) AND json_type(extra_data) = 'object'),
    created_at TEXT NOT NULL,
    modified_at TEXT NOT NULL,
    UNIQUE (provider, uid),
    CHECK (email IS NOT NULL OR NOT email_verified)
) STRICT;
CREATE INDEX social_auth_user_id ON social_auth (user_id);
