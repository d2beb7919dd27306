-- What lists, filters and search read beside the tables. Kept by a background task (flows::upkeep), never by a sign-in or sign-up. No
-- foreign keys: the task removes what is gone, and a read joins the tables, where it is not found.

-- How far the task has come with each of its steps.
CREATE TABLE upkeep_marks (
    name TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT;

-- 1024 users each, by id / 1024: how many there are, and when the first and the last of them signed up.
CREATE TABLE user_blocks (
    block INTEGER NOT NULL PRIMARY KEY,
    users INTEGER NOT NULL,
    joined_from TEXT,
    joined_to TEXT
) STRICT;

-- The same for social accounts.
CREATE TABLE social_auth_blocks (
    block INTEGER NOT NULL PRIMARY KEY,
    accounts INTEGER NOT NULL,
    associated_from TEXT,
    associated_to TEXT
) STRICT;

-- What search finds a user by, in lower case.
CREATE TABLE user_search (
    user_id INTEGER NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE user_search_trigrams USING fts5 (text, content = 'user_search', content_rowid = 'user_id', tokenize = 'trigram', detail = 'full');

-- Users who lack something that lists are sorted by. A superset: what was filled since is told by the tables.
CREATE TABLE user_gaps (
    gap TEXT NOT NULL CHECK (gap IN ('email', 'sign_in')),
    user_id INTEGER NOT NULL,
    PRIMARY KEY (gap, user_id)
) STRICT, WITHOUT ROWID;

-- expires_at is the access token's, as extra_data has it.
CREATE TABLE social_auth_index (
    social_auth_id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL,
    provider TEXT NOT NULL,
    expires_at TEXT,
    is_expired INTEGER NOT NULL CHECK (is_expired IN (0, 1))
) STRICT;
CREATE INDEX social_auth_index_user_id ON social_auth_index (provider, user_id, social_auth_id);
CREATE INDEX social_auth_index_of_user ON social_auth_index (user_id, social_auth_id);
CREATE INDEX social_auth_index_provider ON social_auth_index (provider, social_auth_id);
CREATE INDEX social_auth_index_expired ON social_auth_index (user_id, social_auth_id) WHERE is_expired;
CREATE INDEX social_auth_index_expired_id ON social_auth_index (social_auth_id, user_id) WHERE is_expired;
CREATE INDEX social_auth_index_expires_at ON social_auth_index (expires_at, social_auth_id) WHERE NOT is_expired;
