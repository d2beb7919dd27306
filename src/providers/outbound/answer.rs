//! Reading an answer: status, headers that matter, and a body that stays below the cap.

use reqwest::Response;
use reqwest::header::{CACHE_CONTROL, HeaderMap, RETRY_AFTER};

use super::Answer;
use crate::providers::error::Outage;

/// Longest wait that a provider's `Retry-After` may ask of our callers.
const RETRY_AFTER_MAX_SECONDS: u64 = 300;

/// Reads the whole answer, or as much as tells that it is none.
pub(super) async fn read_answer(
    mut response: Response,
    max_answer_bytes: usize,
) -> Result<Answer, Outage> {
    let status = response.status().as_u16();
    match status {
        300..=399 => return Err(Outage::Redirect),
        408 | 429 | 500..=599 => {
            return Err(Outage::Status {
                code: status,
                retry_after_seconds: retry_after_seconds(response.headers()),
            });
        }
        200..=299 | 400..=499 => {}
        _ => return Err(Outage::Malformed("an unknown status")),
    }
    let announced_bytes = match response.content_length() {
        None => 0,
        Some(length) => match usize::try_from(length) {
            Ok(length) if length <= max_answer_bytes => length,
            _ => return Err(Outage::TooLarge),
        },
    };
    let max_age_seconds = max_age_seconds(response.headers());
    let mut body = Vec::with_capacity(announced_bytes);
    while let Some(chunk) = response.chunk().await.map_err(|e| super::outage_of(&e))? {
        if chunk.len() > max_answer_bytes - body.len() {
            return Err(Outage::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        body,
        max_age_seconds,
    })
}

/// `Retry-After` in its seconds form (RFC 9110 §10.2.3), within bounds that make sense for our callers.
fn retry_after_seconds(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = all_digits(text)?;
    Some(seconds.clamp(1, RETRY_AFTER_MAX_SECONDS))
}

/// `max-age` (RFC 9111 §5.2.2.1); 0 when the answer must not be kept.
pub(super) fn max_age_seconds(headers: &HeaderMap) -> Option<u64> {
    let mut max_age = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().ok()?.split(',') {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim();
            if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
                return Some(0);
            }
            if name.eq_ignore_ascii_case("max-age") && max_age.is_none() {
                max_age = all_digits(argument.trim().trim_matches('"'));
            }
        }
    }
    max_age
}

/// A number of seconds. One too large to hold is as good as the largest (RFC 9111 §1.2.2).
fn all_digits(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
