DROP TABLE social_auth;
DROP TABLE last_sign_ins;
DROP TABLE users;
