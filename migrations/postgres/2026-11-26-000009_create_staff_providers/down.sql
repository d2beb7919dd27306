ALTER TABLE staff_sessions DROP COLUMN provider;
DROP TABLE authorizations;
DROP TABLE staff_providers;
