DROP TABLE social_auth;
DROP TABLE last_sign_ins;
DROP TABLE users;
DROP DOMAIN sha256;
DROP DOMAIN json_object;
DROP DOMAIN filled_text;
