//! Access tokens of API clients, which act for nobody but themselves (RFC 6749 §4.4, RFC 9068).
//!
//! The invariant: *a token is a user's if it names a session, and an API client's if it names a scope, and none is both.* Three things
//! keep it, each by itself: the audience differs, so that a service which verifies our users' tokens offline does not take an API
//! client for one of them; a user's claims need `sid`, which an API client's never have; an API client's claims admit no member but
//! their own, and their `sub` is their `client_id`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ACCESS_TOKEN_MAX_BYTES, ACCESS_TOKEN_SECONDS, AccessTokens, BearerRefused};
use crate::domain::Secret;
use crate::domain::api_client::Scopes;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Who an API client's token is for: the admin API of this issuer.
pub(super) fn audience(issuer: &str) -> String {
    format!("{}/admin/api", issuer.trim_end_matches('/'))
}

/// What an API client's access token says (RFC 9068 §2.2, §2.2.3).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientClaims {
    iss: String,
    /// The client itself (RFC 9068 §2.2).
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    client_id: String,
    scope: String,
}

/// Which API client an access token was issued to, as its verified claims say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedClient {
    /// The client.
    pub client_id: String,
    /// What the token is good for, as long as the client may do it.
    pub scopes: Scopes,
}

impl AccessTokens {
    /// Mints the token by which an API client does what `scopes` say, for 15 minutes. `jti` is fresh randomness.
    ///
    /// # Errors
    /// A signing error, which means that the key is unusable.
    pub fn mint_client(
        &self,
        client_id: &str,
        scopes: &Scopes,
        now: DateTime<Utc>,
        jti: [u8; 16],
    ) -> Result<Secret, jsonwebtoken::errors::Error> {
        self.sign(&ClientClaims {
            iss: self.issuer.clone(),
            sub: client_id.to_owned(),
            aud: audience(&self.issuer),
            exp: now.timestamp() + ACCESS_TOKEN_SECONDS,
            iat: now.timestamp(),
            jti: URL_SAFE_NO_PAD.encode(jti),
            client_id: client_id.to_owned(),
            scope: scopes.to_string(),
        })
    }

    /// Which API client's `token` it is, if it is ours and has not expired. Whether the client is still active is for the database to
    /// say.
    ///
    /// # Errors
    /// [`BearerRefused::Malformed`], as for a user's token, or [`BearerRefused::Expired`].
    pub fn verify_client(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<VerifiedClient, BearerRefused> {
        if token.len() > ACCESS_TOKEN_MAX_BYTES {
            return Err(BearerRefused::Malformed);
        }
        let claims: ClientClaims = self
            .claims(token, &self.client_validation)
            .ok_or(BearerRefused::Malformed)?;
        if claims.sub != claims.client_id {
            return Err(BearerRefused::Malformed);
        }
        if now.timestamp() >= claims.exp {
            return Err(BearerRefused::Expired);
        }
        Ok(VerifiedClient {
            scopes: Scopes::parse(&claims.scope).ok_or(BearerRefused::Malformed)?,
            client_id: claims.client_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::Ed25519KeyPair;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::tokens::{AccessClaims, SigningKey};
    use crate::domain::{SessionId, UserId};

    const ISSUER: &str = "https://id.example.org";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn tokens() -> AccessTokens {
        let key = SigningKey::ed25519("a".into(), Ed25519KeyPair::generate().unwrap());
        AccessTokens::new(ISSUER.into(), vec![key])
    }

    fn read() -> Scopes {
        Scopes::parse("admin:read").unwrap()
    }

    /// What an API client's token says, as JSON to be spoilt.
    fn claims() -> Value {
        json!({
            "iss": ISSUER, "sub": "client-1", "aud": "https://id.example.org/admin/api", "exp": 1_900, "iat": 1_000,
            "jti": "x", "client_id": "client-1", "scope": "admin:read",
        })
    }

    #[test]
    fn a_token_tells_the_client_and_its_scopes_until_it_expires() {
        let tokens = tokens();
        let token = tokens
            .mint_client("client-1", &read(), at(1_000), [1; 16])
            .unwrap();

        let verified = tokens.verify_client(token.expose(), at(1_899)).unwrap();

        assert_eq!(
            (verified.client_id.as_str(), verified.scopes),
            ("client-1", read())
        );
        assert_eq!(
            tokens.verify_client(token.expose(), at(1_900)).unwrap_err(),
            BearerRefused::Expired
        );
    }

    #[test]
    fn no_token_is_both_a_users_and_a_clients() {
        let tokens = tokens();
        let of_client = tokens
            .mint_client("client-1", &read(), at(1_000), [1; 16])
            .unwrap();
        let of_user = tokens
            .mint(UserId(7), SessionId(9), at(995), at(1_000), [1; 16])
            .unwrap();

        for _ in 0..2 {
            assert_eq!(
                tokens.verify(of_client.expose(), at(1_001)).unwrap_err(),
                BearerRefused::Malformed
            );
            assert_eq!(
                tokens
                    .verify_client(of_user.expose(), at(1_001))
                    .unwrap_err(),
                BearerRefused::Malformed
            );
            // What has been verified once is remembered, and that must not mix them either.
            assert!(tokens.verify(of_user.expose(), at(1_001)).is_ok());
            assert!(tokens.verify_client(of_client.expose(), at(1_001)).is_ok());
        }
    }

    #[test]
    fn each_guard_of_the_invariant_holds_alone() {
        let tokens = tokens();
        let good = tokens.sign(&claims()).unwrap();
        assert!(tokens.verify_client(good.expose(), at(1_001)).is_ok());

        // A client's claims with a user's audience, a session, another subject, no scope or one that there is not.
        for (member, value) in [
            ("aud", json!(ISSUER)),
            ("iss", json!("https://evil.example")),
            ("sid", json!("9")),
            ("sub", json!("7")),
            ("scope", json!("")),
            ("scope", json!("admin:everything")),
        ] {
            let mut spoilt = claims();
            spoilt[member] = value;
            let token = tokens.sign(&spoilt).unwrap();
            assert_eq!(
                tokens.verify_client(token.expose(), at(1_001)).unwrap_err(),
                BearerRefused::Malformed,
                "{spoilt}"
            );
        }
        // A user's claims with a client's audience, or without a session.
        let of_user = AccessClaims {
            iss: ISSUER.into(),
            sub: "7".into(),
            aud: ISSUER.into(),
            exp: 1_900,
            iat: 1_000,
            auth_time: 995,
            jti: "x".into(),
            sid: "9".into(),
            client_id: ISSUER.into(),
        };
        let of_user = serde_json::to_value(of_user).unwrap();
        assert!(
            tokens
                .verify(tokens.sign(&of_user).unwrap().expose(), at(1_001))
                .is_ok()
        );
        let mut for_the_api = of_user.clone();
        for_the_api["aud"] = json!("https://id.example.org/admin/api");
        let mut without_session = of_user;
        without_session.as_object_mut().unwrap().remove("sid");
        for spoilt in [for_the_api, without_session] {
            let token = tokens.sign(&spoilt).unwrap();
            assert!(
                tokens.verify(token.expose(), at(1_001)).is_err(),
                "{spoilt}"
            );
            assert!(
                tokens.verify_client(token.expose(), at(1_001)).is_err(),
                "{spoilt}"
            );
        }
    }

    #[test]
    fn the_audience_has_one_slash_before_its_path() {
        assert_eq!(
            audience("https://id.example.org/"),
            "https://id.example.org/admin/api"
        );
        assert_eq!(
            audience("https://example.org/id"),
            "https://example.org/id/admin/api"
        );
    }
}
