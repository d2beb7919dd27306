-- What lists, filters and search read beside the tables. Kept by a background task (flows::upkeep), never by a sign-in or sign-up. No
-- foreign keys: the task removes what is gone, and a read joins the tables, where it is not found.

-- How far the task has come with each of its steps. Whoever holds a row's lock does the step; other instances leave it alone.
CREATE TABLE upkeep_marks (
    name TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);

-- 1024 users each, by id / 1024: how many there are, and when the first and the last of them signed up.
CREATE TABLE user_blocks (
    block BIGINT NOT NULL PRIMARY KEY,
    users BIGINT NOT NULL,
    joined_from TIMESTAMPTZ,
    joined_to TIMESTAMPTZ
);

-- The same for social accounts.
CREATE TABLE social_auth_blocks (
    block BIGINT NOT NULL PRIMARY KEY,
    accounts BIGINT NOT NULL,
    associated_from TIMESTAMPTZ,
    associated_to TIMESTAMPTZ
);

-- What search finds a user by, in lower case. The planner has to know rare texts from common ones, hence the statistics.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE user_search (
    user_id BIGINT NOT NULL PRIMARY KEY,
    text TEXT COLLATE "C" NOT NULL
);
ALTER TABLE user_search ALTER COLUMN text SET STATISTICS 1000;
CREATE INDEX user_search_trigrams ON user_search USING gin (text gin_trgm_ops);

-- Users who lack something that lists are sorted by. A superset: what was filled since is told by the tables.
CREATE TABLE user_gaps (
    gap TEXT COLLATE "C" NOT NULL CHECK (gap IN ('email', 'sign_in')),
    user_id BIGINT NOT NULL,
    PRIMARY KEY (gap, user_id)
);

-- expires_at is the access token's, as extra_data has it.
CREATE TABLE social_auth_index (
    social_auth_id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    expires_at TEXT COLLATE "C",
    is_expired BOOLEAN NOT NULL
);
CREATE INDEX social_auth_index_user_id ON social_auth_index (provider, user_id, social_auth_id);
CREATE INDEX social_auth_index_of_user ON social_auth_index (user_id, social_auth_id);
CREATE INDEX social_auth_index_provider ON social_auth_index (provider, social_auth_id);
CREATE INDEX social_auth_index_expired ON social_auth_index (user_id, social_auth_id) WHERE is_expired;
CREATE INDEX social_auth_index_expired_id ON social_auth_index (social_auth_id, user_id) WHERE is_expired;
CREATE INDEX social_auth_index_expires_at ON social_auth_index (expires_at, social_auth_id) WHERE NOT is_expired;
