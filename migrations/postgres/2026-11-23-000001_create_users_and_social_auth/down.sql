DROP TABLE social_auth;
DROP TABLE users;
