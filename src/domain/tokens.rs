//! Our own tokens: signed access tokens, rotating refresh tokens, nonces. Pure: keys, time and randomness are arguments.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
mod client;
mod verified;

pub use client::VerifiedClient;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::{Secret, SessionId, UserId};
use verified::VerifiedBearers;

/// Lifetime of an access token, in seconds.
pub const ACCESS_TOKEN_SECONDS: i64 = 900;
/// Lifetime of a session, whatever is refreshed in it, in days.
pub const SESSION_DAYS: i64 = 90;
/// How long after a rotation the spent refresh token still yields its successor, in seconds.
pub const REFRESH_GRACE_SECONDS: i64 = 30;
/// Lifetime of a nonce, in seconds.
pub const NONCE_SECONDS: i64 = 600;
/// Longest text that is looked at as an access token, in bytes.
const ACCESS_TOKEN_MAX_BYTES: usize = 4096;

/// What a user's access token says (RFC 9068 §2.2). An API client's says something else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Issuer.
    pub iss: String,
    /// The user's id, as text.
    pub sub: String,
    /// Audience: the issuer itself.
    pub aud: String,
    /// Expiry in seconds since 1970.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// When the person proved who they are (OpenID Connect Core §2).
    pub auth_time: i64,
    /// Unique id of the token.
    pub jti: String,
    /// The session it belongs to.
    pub sid: String,
    /// The API client it was issued to; the issuer itself when none was named.
    pub client_id: String,
}

impl AccessClaims {
    fn bearer(&self) -> Option<VerifiedBearer> {
        Some(VerifiedBearer {
            user_id: UserId(self.sub.parse().ok()?),
            session_id: SessionId(self.sid.parse().ok()?),
            expires_at: self.exp,
        })
    }
}

/// Whose session an access token belongs to, as its verified claims say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedBearer {
    /// The user.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// Expiry in seconds since 1970.
    expires_at: i64,
}

/// Why a bearer is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BearerRefused {
    /// It is not one of our tokens, or was tampered with.
    #[error("malformed")]
    Malformed,
    /// It has expired.
    #[error("expired")]
    Expired,
    /// Its session has ended, or its user is inactive.
    #[error("revoked")]
    Revoked,
}

/// A key that signs access tokens.
pub struct SigningKey {
    kid: String,
    /// Parsed once: to derive the public key again for each signature costs as much as the signature.
    pair: Ed25519KeyPair,
    /// The encoded header of every token, and its dot.
    header: String,
    decoding: DecodingKey,
    /// The public key, base64url, as a JWK's `x` (RFC 8037 §2).
    x: String,
}

impl SigningKey {
    /// An Ed25519 key.
    #[must_use]
    pub fn ed25519(kid: String, pair: Ed25519KeyPair) -> Self {
        let public = pair.public_key().as_ref();
        // RFC 9068 §2.1.
        let header = serde_json::json!({"typ": "at+jwt", "alg": "EdDSA", "kid": kid}).to_string();
        Self {
            decoding: DecodingKey::from_ed_der(public),
            x: URL_SAFE_NO_PAD.encode(public),
            header: URL_SAFE_NO_PAD.encode(header) + ".",
            kid,
            pair,
        }
    }
}

fn validation_for(issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer]);
    // Expiry is judged by our own clock.
    validation.validate_exp = false;
    validation
}

/// Mints and verifies access tokens. The first key signs; every key verifies, so that keys rotate without downtime.
pub struct AccessTokens {
    issuer: String,
    keys: Vec<SigningKey>,
    /// Of users' tokens.
    validation: Validation,
    /// Of API clients' tokens.
    client_validation: Validation,
    verified: VerifiedBearers,
}

impl AccessTokens {
    /// Tokens issued by `issuer`, our public URL.
    #[must_use]
    pub fn new(issuer: String, keys: Vec<SigningKey>) -> Self {
        Self {
            validation: validation_for(&issuer, &issuer),
            client_validation: validation_for(&issuer, &client::audience(&issuer)),
            issuer,
            keys,
            verified: VerifiedBearers::default(),
        }
    }

    /// Mints the token for `session_id` of `user_id`. `jti` is fresh randomness.
    ///
    /// # Errors
    /// A signing error, which means that the key is unusable.
    pub fn mint(
        &self,
        user_id: UserId,
        session_id: SessionId,
        authenticated_at: DateTime<Utc>,
        now: DateTime<Utc>,
        jti: [u8; 16],
    ) -> Result<Secret, jsonwebtoken::errors::Error> {
        self.sign(&AccessClaims {
            iss: self.issuer.clone(),
            sub: user_id.to_string(),
            aud: self.issuer.clone(),
            exp: now.timestamp() + ACCESS_TOKEN_SECONDS,
            iat: now.timestamp(),
            auth_time: authenticated_at.timestamp(),
            jti: URL_SAFE_NO_PAD.encode(jti),
            sid: session_id.to_string(),
            client_id: self.issuer.clone(),
        })
    }

    /// The token that makes these claims, signed with the first key.
    fn sign(&self, claims: &impl Serialize) -> Result<Secret, jsonwebtoken::errors::Error> {
        let key = self
            .keys
            .first()
            .ok_or(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat)?;
        let claims = serde_json::to_vec(claims)?;
        // RFC 7515 §7.1: header, claims and signature, with dots between.
        let mut token = key.header.clone();
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = key.pair.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(Secret::new(token))
    }

    /// Whose `token` it is, if it is ours and has not expired. Whether the session still lives is for the database to say.
    ///
    /// # Errors
    /// [`BearerRefused::Malformed`] or [`BearerRefused::Expired`].
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<VerifiedBearer, BearerRefused> {
        if token.len() > ACCESS_TOKEN_MAX_BYTES {
            return Err(BearerRefused::Malformed);
        }
        let hash = VerifiedBearers::hash(token);
        let bearer = if let Some(bearer) = self.verified.find(&hash) {
            bearer
        } else {
            let bearer = self
                .check_signature(token)
                .and_then(|claims| claims.bearer())
                .ok_or(BearerRefused::Malformed)?;
            self.verified.remember(hash, bearer);
            bearer
        };
        if now.timestamp() >= bearer.expires_at {
            return Err(BearerRefused::Expired);
        }
        Ok(bearer)
    }

    /// The claims of a user's `token`, if one of our keys signed it for us.
    fn check_signature(&self, token: &str) -> Option<AccessClaims> {
        self.claims(token, &self.validation)
    }

    /// The claims of `token`, if one of our keys signed it and it has all members of `T`.
    fn claims<T: DeserializeOwned + Clone>(
        &self,
        token: &str,
        validation: &Validation,
    ) -> Option<T> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        // RFC 9068 §4: any other `typ` is a token for another purpose.
        if header.typ.as_deref() != Some("at+jwt") {
            return None;
        }
        let key = self
            .keys
            .iter()
            .find(|key| Some(&key.kid) == header.kid.as_ref())?;
        let data = jsonwebtoken::decode::<T>(token, &key.decoding, validation);
        Some(data.ok()?.claims)
    }

    /// The public keys (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| {
                serde_json::json!({
                    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                    "kid": key.kid, "x": key.x,
                })
            })
            .collect();
        serde_json::json!({ "keys": keys })
    }

    /// Who issues: our public URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

/// The secret of a refresh token. It is made before its session has a row and an id.
pub struct RefreshSecret([u8; 32]);

impl RefreshSecret {
    /// A secret made of fresh randomness.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// What the session's row holds of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"refresh token secret")
            .chain_update(self.0)
            .finalize()
            .into()
    }

    /// Whether `stored` is this secret's hash; takes the same time either way.
    #[must_use]
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.hash().ct_eq(stored).into()
    }
}

/// A refresh token that was presented and is one of ours. Whether it is the session's current one is for the row to say.
pub struct RefreshToken {
    session_id: SessionId,
    /// Its secret.
    pub secret: RefreshSecret,
}

impl RefreshToken {
    /// Whose token it is.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.session_id
    }
}

/// Bytes of a refresh token: the session's id, the secret, the tag.
const REFRESH_TOKEN_BYTES: usize = 8 + 32 + TAG_BYTES;
/// Bytes of a refresh token's tag.
const TAG_BYTES: usize = 16;

/// Spells refresh tokens, recognises them and derives their successors.
///
/// A token ends with a tag that only this service can make. Session ids are easily guessed, and a spent token that comes back ends
/// its session: without the tag anybody could end anybody's.
///
/// A successor is derived from its token, so that a repeated rotation yields the same one and nothing has to be kept in the clear.
pub struct RefreshChain {
    mac: Hmac<Sha256>,
}

impl RefreshChain {
    /// A chain keyed with a secret of this service.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        // A key shorter than the hash's block is padded with zeros (RFC 2104 §2); a whole block cannot be refused.
        let mut block = [0_u8; 64];
        let (head, _) = block.split_at_mut(key.len());
        head.copy_from_slice(key);
        let mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        Self { mac }
    }

    /// What the client gets.
    #[must_use]
    pub fn spell(&self, session_id: SessionId, secret: &RefreshSecret) -> Secret {
        let tag = self.code("refresh token tag", session_id, secret);
        let mut bytes = [0_u8; REFRESH_TOKEN_BYTES];
        let id = session_id.0.to_be_bytes();
        // Of the tag only as much as there is room for.
        for (byte, part) in bytes
            .iter_mut()
            .zip(id.into_iter().chain(secret.0).chain(tag))
        {
            *byte = part;
        }
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The token that `text` spells, if it is one of ours.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<RefreshToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, rest) = bytes.split_first_chunk::<8>()?;
        let (secret, tag) = rest.split_first_chunk::<32>()?;
        let token = RefreshToken {
            session_id: SessionId(i64::from_be_bytes(*id)),
            secret: RefreshSecret(*secret),
        };
        let code = self.code("refresh token tag", token.session_id, &token.secret);
        let (expected, _) = code.split_first_chunk::<TAG_BYTES>()?;
        bool::from(expected.ct_eq(tag)).then_some(token)
    }

    /// The secret that replaces that of `token`.
    #[must_use]
    pub fn successor(&self, token: &RefreshToken) -> RefreshSecret {
        RefreshSecret(self.code("refresh token successor", token.session_id, &token.secret))
    }

    fn code(&self, purpose: &str, session_id: SessionId, secret: &RefreshSecret) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(purpose.as_bytes());
        mac.update(&session_id.0.to_be_bytes());
        mac.update(&secret.0);
        mac.finalize().into_bytes().into()
    }
}

/// A nonce for an id token, in the forms that SDKs want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce {
    /// What the app hands in again.
    pub raw: String,
    /// SHA-256 of it, which finds it again whichever form the id token has.
    pub hash: [u8; 32],
    /// When it can no longer be used.
    pub expires_at: DateTime<Utc>,
}

impl Nonce {
    /// A nonce made of fresh randomness.
    #[must_use]
    pub fn new(random: [u8; 32], now: DateTime<Utc>) -> Self {
        let raw = URL_SAFE_NO_PAD.encode(random);
        let hash = Sha256::digest(raw.as_bytes()).into();
        Self {
            raw,
            hash,
            expires_at: now + TimeDelta::seconds(NONCE_SECONDS),
        }
    }

    /// The hash in hex, as Apple's SDK wants it.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        hex::encode(self.hash)
    }

    /// The hash in base64url.
    #[must_use]
    pub fn sha256_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.hash)
    }
}

/// The hashes under which a nonce with this `claim` may be known: the claim may be the raw nonce or a hash of it.
#[must_use]
pub fn nonce_hashes(claim: &str) -> Vec<[u8; 32]> {
    let mut hashes = vec![Sha256::digest(claim.as_bytes()).into()];
    let decoded = hex::decode(claim)
        .ok()
        .or_else(|| URL_SAFE_NO_PAD.decode(claim).ok());
    hashes.extend(decoded.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()));
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn tokens(issuer: &str, kid: &str) -> AccessTokens {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = SigningKey::ed25519(kid.into(), pair);
        AccessTokens::new(issuer.into(), vec![key])
    }

    fn mint(tokens: &AccessTokens, now: i64) -> Secret {
        tokens
            .mint(UserId(7), SessionId(9), at(now - 5), at(now), [1; 16])
            .unwrap()
    }

    #[test]
    fn an_access_token_tells_the_user_and_the_session_until_it_expires() {
        let tokens = tokens("https://id.example.org", "a");
        let token = mint(&tokens, 1_000);

        // The second look is from memory.
        for _ in 0..2 {
            let bearer = tokens
                .verify(token.expose(), at(1_000 + ACCESS_TOKEN_SECONDS - 1))
                .unwrap();
            assert_eq!(
                (bearer.user_id, bearer.session_id),
                (UserId(7), SessionId(9))
            );
        }
        assert_eq!(
            tokens.check_signature(token.expose()).unwrap().auth_time,
            995
        );
        assert_eq!(
            tokens
                .verify(token.expose(), at(1_000 + ACCESS_TOKEN_SECONDS))
                .unwrap_err(),
            BearerRefused::Expired
        );
    }

    #[test]
    fn a_token_of_another_issuer_key_or_kind_is_refused() {
        let ours = tokens("https://id.example.org", "a");
        let same_kid = tokens("https://id.example.org", "a");
        let other_issuer = tokens("https://evil.example", "a");
        let token = mint(&ours, 1_000);

        for foreign in [mint(&same_kid, 1_000), mint(&other_issuer, 1_000)] {
            assert_eq!(
                ours.verify(foreign.expose(), at(1_001)).unwrap_err(),
                BearerRefused::Malformed
            );
        }
        let (head, signature) = token.expose().rsplit_once('.').unwrap();
        let plain = jsonwebtoken::Header {
            kid: Some("a".into()),
            ..jsonwebtoken::Header::new(Algorithm::EdDSA)
        };
        let pkcs8 = ours.keys[0].pair.to_pkcs8().unwrap();
        let id_token = jsonwebtoken::encode(
            &plain,
            &ours.check_signature(token.expose()).unwrap(),
            &jsonwebtoken::EncodingKey::from_ed_der(pkcs8.as_ref()),
        )
        .unwrap();
        for bad in [
            head,
            signature,
            "",
            "..",
            &format!("{head}."),
            &"a".repeat(5_000),
            &id_token,
        ] {
            assert_eq!(
                ours.verify(bad, at(1_001)).unwrap_err(),
                BearerRefused::Malformed,
                "{bad}"
            );
        }
    }

    #[test]
    fn a_refresh_token_survives_its_text_form_and_has_one_successor() {
        let chain = RefreshChain::new(&[3; 32]);
        let text = chain.spell(SessionId(7), &RefreshSecret::new([2; 32]));

        let [first, second] = [0, 1].map(|_| chain.parse(text.expose()).unwrap());
        let successors = [chain.successor(&first), chain.successor(&second)];
        let next = chain.spell(SessionId(7), &successors[0]);

        assert_eq!(first.session_id(), SessionId(7));
        assert!(first.secret.matches(&RefreshSecret::new([2; 32]).hash()));
        assert_eq!(successors[0].hash(), successors[1].hash());
        assert!(!successors[0].matches(&first.secret.hash()));
        assert_eq!(
            chain.parse(next.expose()).unwrap().secret.hash(),
            successors[0].hash()
        );
    }

    #[test]
    fn a_refresh_token_that_is_not_ours_in_every_byte_is_none() {
        let chain = RefreshChain::new(&[3; 32]);
        let secret = RefreshSecret::new([2; 32]);
        let text = chain.spell(SessionId(7), &secret);
        let bytes = URL_SAFE_NO_PAD.decode(text.expose()).unwrap();

        for position in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[position] ^= 1;
            let forged = URL_SAFE_NO_PAD.encode(forged);
            assert!(chain.parse(&forged).is_none(), "byte {position}");
        }
        let foreign = RefreshChain::new(&[4; 32]).spell(SessionId(7), &secret);
        let longer = format!("{}AAAA", text.expose());
        for bad in ["", "short", foreign.expose(), &longer] {
            assert!(chain.parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_nonce_is_found_by_its_raw_and_both_hashed_forms() {
        let nonce = Nonce::new([5; 32], at(0));

        for claim in [
            nonce.raw.clone(),
            nonce.sha256_hex(),
            nonce.sha256_base64url(),
        ] {
            assert!(nonce_hashes(&claim).contains(&nonce.hash), "{claim}");
        }
    }
}
