//! Apple's client secret: a JWT that we sign ourselves.
//!
//! Source: Apple, "Creating a client secret"
//! (<https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret>): ES256, header `kid`,
//! claims `iss` (team), `iat`, `exp` (at most six months later), `aud` `https://appleid.apple.com`, `sub` (client id).

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use thiserror::Error;

use crate::domain::Secret;

/// How long a client secret is good for. One request needs it, so it is short; it covers a clock that is off by a few minutes.
const LIFETIME_SECONDS: i64 = 300;

/// Who reads it.
const AUDIENCE: &str = "https://appleid.apple.com";

/// Why a client secret cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AppleKeyError {
    /// The key is no PKCS#8 PEM of a P-256 key, the form in which Apple hands out its `.p8` files.
    #[error("the private key is not a PKCS#8 PEM of a P-256 key")]
    BadKey,
    /// The key id or the team id is empty.
    #[error("the key id or the team id is missing")]
    MissingId,
    /// The signature could not be made.
    #[error("signing failed")]
    Signing,
}

/// A developer team's key for Sign in with Apple, parsed once.
#[derive(Clone)]
pub struct AppleKey {
    team_id: String,
    header: Header,
    key: EncodingKey,
}

impl std::fmt::Debug for AppleKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppleKey")
            .field("team_id", &self.team_id)
            .field("key_id", &self.header.kid)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    aud: &'static str,
    sub: &'a str,
}

impl AppleKey {
    /// Reads the key of `team_id` called `key_id`, and tries it.
    ///
    /// # Errors
    /// [`AppleKeyError::MissingId`] or [`AppleKeyError::BadKey`].
    pub fn new(
        team_id: &str,
        key_id: &str,
        private_key_pem: &Secret,
    ) -> Result<Self, AppleKeyError> {
        if team_id.trim().is_empty() || key_id.trim().is_empty() {
            return Err(AppleKeyError::MissingId);
        }
        let key = EncodingKey::from_ec_pem(private_key_pem.expose().as_bytes())
            .or(Err(AppleKeyError::BadKey))?;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = None;
        header.kid = Some(key_id.to_owned());
        // A key of another curve is read without complaint and fails only when it signs.
        jsonwebtoken::crypto::sign(b"probe", &key, Algorithm::ES256)
            .or(Err(AppleKeyError::BadKey))?;
        Ok(Self {
            team_id: team_id.to_owned(),
            header,
            key,
        })
    }

    /// A client secret for `client_id`, good for five minutes from `now`.
    ///
    /// # Errors
    /// [`AppleKeyError::Signing`].
    pub fn client_secret(
        &self,
        client_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Secret, AppleKeyError> {
        let issued_at = now.timestamp();
        let claims = Claims {
            iss: &self.team_id,
            iat: issued_at,
            exp: issued_at + LIFETIME_SECONDS,
            aud: AUDIENCE,
            sub: client_id,
        };
        jsonwebtoken::encode(&self.header, &claims, &self.key)
            .map(Secret::new)
            .or(Err(AppleKeyError::Signing))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, UnparsedPublicKey,
    };
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    fn pem_of_new_key(algorithm: &'static EcdsaSigningAlgorithm) -> (EcdsaKeyPair, Secret) {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        let lines: Vec<String> = STANDARD
            .encode(der.as_ref())
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            lines.join("\n")
        );
        (pair, Secret::new(pem))
    }

    fn decoded(segment: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
    }

    #[test]
    fn a_client_secret_verifies_with_the_public_key_and_says_what_apple_asks_for() {
        let (pair, pem) = pem_of_new_key(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let key = AppleKey::new("DEF123GHIJ", "ABC123DEFG", &pem).unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

        let secret = key.client_secret("com.mytest.app", now).unwrap();

        let (signed, signature) = secret.expose().rsplit_once('.').unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key())
            .verify(
                signed.as_bytes(),
                &URL_SAFE_NO_PAD.decode(signature).unwrap(),
            )
            .unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        assert_eq!(
            decoded(header),
            json!({"alg": "ES256", "kid": "ABC123DEFG"})
        );
        assert_eq!(
            decoded(claims),
            json!({
                "iss": "DEF123GHIJ",
                "iat": 1_800_000_000,
                "exp": 1_800_000_300,
                "aud": "https://appleid.apple.com",
                "sub": "com.mytest.app",
            })
        );
    }

    #[test]
    fn a_key_that_cannot_sign_is_refused_when_it_is_read() {
        let (_, good) = pem_of_new_key(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let (_, p384) = pem_of_new_key(&ECDSA_P384_SHA384_FIXED_SIGNING);
        let new = |team, key, pem: &Secret| AppleKey::new(team, key, pem).map(drop);

        assert_eq!(new("t", "k", &good), Ok(()));
        assert_eq!(new("t", "k", &p384), Err(AppleKeyError::BadKey));
        for bad in [
            "",
            "no key",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert_eq!(new("t", "k", &Secret::new(bad)), Err(AppleKeyError::BadKey));
        }
        assert_eq!(new("", "k", &good), Err(AppleKeyError::MissingId));
        assert_eq!(new("t", " ", &good), Err(AppleKeyError::MissingId));
    }

    #[test]
    fn the_key_is_not_shown() {
        let (_, pem) = pem_of_new_key(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let key = AppleKey::new("team", "kid", &pem).unwrap();

        let shown = format!("{key:?}");

        assert_eq!(
            shown,
            "AppleKey { team_id: \"team\", key_id: Some(\"kid\"), .. }"
        );
    }
}
