//! The checks of single claims.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::{Choice, ConstantTimeEq};

use super::invalid;
use crate::domain::json::Json;
use crate::providers::error::ProviderError;

/// How far an issuer's clock may be off ours.
const LEEWAY_SECONDS: i64 = 60;

/// The longest value that may stand for `{claim.NAME}` in an issuer.
const MAX_PLACEHOLDER_BYTES: usize = 64;

/// What a part of an issuer template is.
enum Piece<'a> {
    Literal(&'a str),
    /// What stands between braces.
    Placeholder(&'a str),
}

/// The pieces of `template`; an unclosed brace is literal.
fn pieces(mut rest: &str) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest
            .strip_prefix('{')
            .and_then(|inside| inside.split_once('}'))
        {
            rest = after;
            return Some(Piece::Placeholder(name));
        }
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, letter)| *letter == '{')
            .map_or(rest.len(), |(at, _)| at);
        let (literal, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Literal(literal))
    })
}

/// Whether `text` may stand for a placeholder: a tenant's id or domain, nothing that could end a host or start a path.
fn is_placeholder_value(text: &str) -> bool {
    (1..=MAX_PLACEHOLDER_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// Whether `issuer` is exactly `template` with each `{claim.NAME}` replaced by that claim.
pub(super) fn is_issuer(template: &str, issuer: &str, claims: &Json) -> bool {
    let mut rest = issuer;
    for piece in pieces(template) {
        let expected = match piece {
            Piece::Literal(literal) => Some(literal),
            Piece::Placeholder(name) => name
                .strip_prefix("claim.")
                .and_then(|claim| claims.get(claim))
                .and_then(Json::as_str)
                .filter(|value| is_placeholder_value(value)),
        };
        match expected.and_then(|expected| rest.strip_prefix(expected)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty() && !template.is_empty()
}

/// Whether the `issuer` of a discovery document can be the one that `template` speaks of. Microsoft's shared document writes
/// `{tenantid}` where tokens have the tenant; a tenant's own document has the tenant.
pub(in crate::providers) fn fits_issuer_template(template: &str, issuer: &str) -> bool {
    let mut rest = issuer;
    for piece in pieces(template) {
        let after = match piece {
            Piece::Literal(literal) => rest.strip_prefix(literal),
            Piece::Placeholder(_) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (value, after) = rest.split_at(end);
                let name = value
                    .strip_prefix('{')
                    .and_then(|inside| inside.strip_suffix('}'))
                    .unwrap_or(value);
                is_placeholder_value(name).then_some(after)
            }
        };
        match after {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty() && !template.is_empty()
}

/// Which of our client ids the token was issued to (OpenID Connect Core §3.1.3.7, 3 to 5). An authorized party must be ours, too:
/// Google's tokens for Android have the Android client there, and the web client as audience.
pub(super) fn check_audience<'a>(
    claims: &'a Json,
    client_ids: &[&str],
) -> Result<&'a str, ProviderError> {
    let is_ours = |id: &str| !id.trim().is_empty() && client_ids.contains(&id);
    let audiences = match claims.get("aud") {
        Some(Json::Array(elements)) => elements.iter().map(Json::as_str).collect(),
        Some(Json::String(one)) => Some(vec![one.as_str()]),
        _ => None,
    }
    .unwrap_or_default();
    let authorized_party_fits = match claims.get("azp") {
        Some(party) => party.as_str().is_some_and(is_ours),
        None => audiences.len() == 1,
    };
    audiences
        .into_iter()
        .find(|audience| is_ours(audience))
        .filter(|_| authorized_party_fits)
        .ok_or(ProviderError::WrongAudience)
}

/// `exp`, `nbf` and `iat` against `now`, all in seconds since 1970 and nothing but integers.
pub(super) fn check_times(
    claims: &Json,
    now: i64,
    max_age_seconds: i64,
) -> Result<(), ProviderError> {
    let time = |name| claims.get(name).and_then(Json::as_i64);
    let Some(expires_at) = time("exp") else {
        return invalid("it has no expiry");
    };
    let Some(issued_at) = time("iat") else {
        return invalid("it has no time of issue");
    };
    if claims.get("nbf").is_some() {
        match time("nbf") {
            Some(not_before) if not_before.saturating_sub(LEEWAY_SECONDS) <= now => {}
            _ => return invalid("it is not valid yet"),
        }
    }
    if issued_at.saturating_sub(LEEWAY_SECONDS) > now {
        return invalid("it was issued in the future");
    }
    let oldest = now
        .saturating_sub(max_age_seconds)
        .saturating_sub(LEEWAY_SECONDS);
    if expires_at.saturating_add(LEEWAY_SECONDS) <= now || issued_at < oldest {
        return Err(ProviderError::ExpiredToken);
    }
    Ok(())
}

/// `sub` must be there, even where another claim is the uid.
pub(super) fn check_subject(claims: &Json) -> Result<(), ProviderError> {
    match claims.get("sub").and_then(Json::as_str) {
        Some(subject) if !subject.is_empty() => Ok(()),
        _ => invalid("it has no subject"),
    }
}

/// The nonce (OpenID Connect Core §3.1.3.7, 11). SDKs differ in which side is hashed, so either may be the SHA-256 of the other.
/// A nonce on one side alone is a mismatch: else a stolen token could be replayed by leaving the nonce out. Only Apple says
/// `nonce_supported: false` on platforms where it drops the nonce.
pub(super) fn check_nonce(claims: &Json, handed_in: Option<&str>) -> Result<(), ProviderError> {
    let mismatch = |why| Err(ProviderError::NonceMismatch(why));
    match (claims.get("nonce"), handed_in) {
        (None, None) => Ok(()),
        (Some(_), None) => mismatch("the id token has one, the request has none"),
        (None, Some(_)) => match claims.get("nonce_supported").and_then(Json::as_bool) {
            Some(false) => Ok(()),
            _ => mismatch("the request has one, the id token has none"),
        },
        (Some(claim), Some(handed_in)) => match claim.as_str() {
            Some(claim) if !handed_in.is_empty() && nonces_match(claim, handed_in) => Ok(()),
            _ => mismatch("they differ"),
        },
    }
}

fn nonces_match(claim: &str, handed_in: &str) -> bool {
    let same = |a: &str, b: &str| a.as_bytes().ct_eq(b.as_bytes());
    let is_hash_of = |hash: &str, raw: &str| -> Choice {
        let digest = Sha256::digest(raw.as_bytes());
        same(hash, &hex::encode(digest)) | same(hash, &URL_SAFE_NO_PAD.encode(digest))
    };
    let matches =
        same(claim, handed_in) | is_hash_of(claim, handed_in) | is_hash_of(handed_in, claim);
    matches.into()
}

/// Whether `at_hash` binds `access_token` (OpenID Connect Core §3.1.3.6): the left half of the token's hash, in base64url.
pub(super) fn check_at_hash(
    claims: &Json,
    access_token: Option<&str>,
    algorithm: Algorithm,
) -> Result<bool, ProviderError> {
    let (Some(claim), Some(access_token)) = (claims.get("at_hash"), access_token) else {
        return Ok(false);
    };
    let digest = match algorithm {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => {
            Sha384::digest(access_token).to_vec()
        }
        // Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => {
            Sha512::digest(access_token).to_vec()
        }
        _ => Sha256::digest(access_token).to_vec(),
    };
    let left_half = digest.get(..digest.len() / 2).unwrap_or_default();
    let expected = URL_SAFE_NO_PAD.encode(left_half);
    match claim.as_str() {
        Some(claim) if bool::from(claim.as_bytes().ct_eq(expected.as_bytes())) => Ok(true),
        _ => invalid("it is not bound to the access token"),
    }
}
