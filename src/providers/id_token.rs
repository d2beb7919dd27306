//! Verification of id tokens in full (OpenID Connect Core §3.1.3.7, RFC 8725).
//!
//! The signature is checked by `jsonwebtoken`, everything else here: form, header and claims are judged by one strict reader, so
//! that no two parts of the program can read one token differently.

mod claims;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use tokio::time::Instant;

use super::error::{Outage, ProviderError};
pub(super) use claims::fits_issuer_template;

use super::jwks::{Discovery, KeySource, algorithm_from_name, is_asymmetric};
use crate::domain::json::Json;

/// The largest id token; real ones have 1 to 3 KiB.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// What an id token must satisfy. All of it comes from the entry and the configuration, nothing from the token.
#[derive(Debug)]
pub struct IdTokenRules {
    /// Accepted `iss`; may contain `{claim.NAME}`.
    pub issuers: Vec<String>,
    /// Accepted signature algorithms. Symmetric ones are never accepted, even if they stand here.
    pub algorithms: Vec<Algorithm>,
    /// Greatest age of `iat`, in seconds.
    pub max_age_seconds: i64,
    /// Claims that must have exactly this text.
    pub equals: Vec<(String, String)>,
    /// Where the keys are.
    pub keys: KeySource,
}

/// What a caller binds an id token to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The client ids that are ours, at least one. Blank ones never match.
    pub client_ids: &'a [&'a str],
    /// The nonce handed in: raw, SHA-256 hex or SHA-256 base64url.
    pub nonce: Option<&'a str>,
    /// The access token handed in beside it, for `at_hash`.
    pub access_token: Option<&'a str>,
}

/// A verified id token.
#[derive(Debug)]
pub struct VerifiedIdToken {
    /// The claims, an object.
    pub claims: Json,
    /// Which of our client ids it was issued to.
    pub client_id: String,
    /// Whether `at_hash` was there and bound the access token.
    pub access_token_bound: bool,
}

impl IdTokenRules {
    /// Verifies `id_token`: form, algorithm, signature, `iss`, `aud`, `azp`, `exp`, `nbf`, `iat`, `sub`, `nonce`, `at_hash`.
    ///
    /// # Errors
    /// Which check failed, without any value of the token: [`ProviderError::ExpiredToken`] for `exp` and the age of `iat`,
    /// [`ProviderError::WrongAudience`] for `aud` and `azp`, [`ProviderError::NonceMismatch`], [`ProviderError::InvalidToken`] for
    /// the rest; [`ProviderError::Unavailable`] when the issuer's keys cannot be had.
    pub async fn verify(
        &self,
        id_token: &str,
        binding: Binding<'_>,
        now: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<VerifiedIdToken, ProviderError> {
        let token = Segments::split(id_token)?;
        let header = Header::parse(token.header)?;
        if !is_asymmetric(header.algorithm) || !self.algorithms.contains(&header.algorithm) {
            return invalid("its algorithm is not accepted");
        }
        self.check_discovery(now, deadline).await?;
        let key = self
            .keys
            .find_key(header.kid.as_deref(), header.algorithm, now, deadline)
            .await?;
        if !key.verifies(token.signed.as_bytes(), token.signature, header.algorithm) {
            return invalid("its signature does not verify");
        }
        let claims = decode_object(token.payload, "its claims are not a JSON object")?;
        self.check_issuer(&claims)?;
        let client_id = claims::check_audience(&claims, binding.client_ids)?.to_owned();
        claims::check_times(&claims, now.timestamp(), self.max_age_seconds)?;
        claims::check_subject(&claims)?;
        self.check_equals(&claims)?;
        claims::check_nonce(&claims, binding.nonce)?;
        let access_token_bound =
            claims::check_at_hash(&claims, binding.access_token, header.algorithm)?;
        Ok(VerifiedIdToken {
            claims,
            client_id,
            access_token_bound,
        })
    }

    /// A discovery document that speaks for another issuer is not used (OpenID Connect Discovery §4.3).
    async fn check_discovery(
        &self,
        now: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<(), ProviderError> {
        if !self.keys.has_discovery() {
            return Ok(());
        }
        let discovery = self.keys.discovery(now, deadline).await?;
        if self.are_spoken_for_by(&discovery) {
            return Ok(());
        }
        Err(Outage::Malformed("the discovery document is of another issuer").into())
    }

    /// Whether `discovery` is of one of the accepted issuers.
    pub(super) fn are_spoken_for_by(&self, discovery: &Discovery) -> bool {
        let fits = |template: &String| fits_issuer_template(template, &discovery.issuer);
        self.issuers.iter().any(fits)
    }

    fn check_issuer(&self, claims: &Json) -> Result<(), ProviderError> {
        let issuer = claims.get("iss").and_then(Json::as_str);
        let is_ours = issuer.is_some_and(|issuer| {
            self.issuers
                .iter()
                .any(|template| claims::is_issuer(template, issuer, claims))
        });
        if is_ours {
            return Ok(());
        }
        invalid("it is of another issuer")
    }

    fn check_equals(&self, claims: &Json) -> Result<(), ProviderError> {
        let all_equal = self
            .equals
            .iter()
            .all(|(name, text)| claims.get(name).and_then(Json::as_str) == Some(text));
        if all_equal {
            return Ok(());
        }
        invalid("a claim is not what it must be")
    }
}

fn invalid<T>(why: &'static str) -> Result<T, ProviderError> {
    Err(ProviderError::InvalidToken(why))
}

/// The parts of a JWS in compact form (RFC 7515 §7.1), still encoded.
struct Segments<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    /// Header and payload with the dot between them: what is signed.
    signed: &'a str,
}

impl<'a> Segments<'a> {
    fn split(token: &'a str) -> Result<Self, ProviderError> {
        if token.len() > MAX_TOKEN_BYTES {
            return invalid("it is too large");
        }
        let parts = token.rsplit_once('.').and_then(|(signed, signature)| {
            let (header, payload) = signed.split_once('.')?;
            Some(Self {
                header,
                payload,
                signature,
                signed,
            })
        });
        match parts {
            Some(parts) if parts.are_base64url() => Ok(parts),
            _ => invalid("it is not three segments of base64url"),
        }
    }

    /// Whether no segment is empty or holds anything but the alphabet. The decoder refuses what is not canonical.
    fn are_base64url(&self) -> bool {
        [self.header, self.payload, self.signature]
            .iter()
            .all(|segment| {
                !segment.is_empty()
                    && segment
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            })
            && URL_SAFE_NO_PAD.decode(self.signature).is_ok()
    }
}

fn decode_object(segment: &str, why: &'static str) -> Result<Json, ProviderError> {
    URL_SAFE_NO_PAD
        .decode(segment)
        .ok()
        .and_then(|bytes| Json::parse(&bytes).ok())
        .filter(|json| json.as_object().is_some())
        .ok_or(ProviderError::InvalidToken(why))
}

/// What we take from a token's header: nothing but the names of the algorithm and of the key.
struct Header {
    algorithm: Algorithm,
    kid: Option<String>,
}

impl Header {
    /// Reads the header (RFC 7515 §4.1). Members that bring or locate a key, change how the token is read (`crit`, `b64`, `zip`), or
    /// are unknown are refused; thumbprints of certificates (Microsoft sends them) are passed over.
    fn parse(segment: &str) -> Result<Self, ProviderError> {
        let json = decode_object(segment, "its header is not a JSON object")?;
        let mut algorithm = None;
        let mut kid = None;
        for (name, value) in json.as_object().unwrap_or_default() {
            let Some(text) = value.as_str() else {
                return invalid("its header holds something other than texts");
            };
            match name.as_str() {
                "alg" => algorithm = algorithm_from_name(text),
                "kid" if !text.is_empty() => kid = Some(text.to_owned()),
                // RFC 8725 §3.11: `at+jwt`, `logout+jwt` and others are made for other ends.
                "typ" if text.eq_ignore_ascii_case("JWT") => {}
                "x5t" | "x5t#S256" => {}
                _ => return invalid("its header holds what is not accepted"),
            }
        }
        match algorithm {
            Some(algorithm) => Ok(Self { algorithm, kid }),
            None => invalid("its algorithm is not accepted"),
        }
    }
}

#[cfg(test)]
mod tests;
