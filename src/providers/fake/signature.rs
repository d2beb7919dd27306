//! Checks what OAuth 1.0a clients sign (RFC 5849 §3.2).

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use url::Url;

use super::ticket::{Purpose, Ticket};
use super::{CLIENT_SECRET, Fake, FakeRequest, ISSUER};
use crate::providers::entry::Method;
use crate::providers::oauth1;

/// How far a timestamp may be off (RFC 5849 §3.3 leaves it to the server).
const TIMESTAMP_LEEWAY_SECONDS: i64 = 300;

impl Fake {
    /// The ticket of the pair that signed the request, if the signature is right in every respect.
    pub(super) fn signed_ticket(
        &self,
        request: &FakeRequest<'_>,
        parameters: &str,
        now: DateTime<Utc>,
    ) -> Option<Ticket> {
        let parameters = parse(parameters)?;
        let find = |name: &str| {
            let mut found = parameters.iter().filter(|(of, _)| of == name);
            let (_, value) = found.next()?;
            found.next().is_none().then_some(value.as_str())
        };
        let token = find("oauth_token")?;
        let ticket = self.sealer.open(token, Purpose::Pair)?;
        let timestamp: i64 = find("oauth_timestamp")?.parse().ok()?;
        let fits = find("oauth_signature_method")? == "HMAC-SHA1"
            && find("oauth_consumer_key")? == ticket.client_id
            && !find("oauth_nonce")?.is_empty()
            && timestamp.abs_diff(now.timestamp()) <= TIMESTAMP_LEEWAY_SECONDS.unsigned_abs()
            && matches!(find("oauth_version"), None | Some("1.0"));
        if !fits {
            return None;
        }
        let signed: Vec<(&str, &str)> = parameters
            .iter()
            .filter(|(name, _)| name != "oauth_signature" && name != "realm")
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let base_string = oauth1::base_string(method(request)?, &real_url(request)?, &signed, &[]);
        let secret = self.sealer.token_secret(token);
        let expected = oauth1::signature(&base_string, CLIENT_SECRET, &secret);
        (find("oauth_signature")? == expected).then_some(ticket)
    }
}

/// The address that the client signed, wherever the request was sent.
fn real_url(request: &FakeRequest<'_>) -> Option<Url> {
    let mut text = format!("{ISSUER}{}", request.path);
    if !request.query.is_empty() {
        text.push('?');
        text.push_str(request.query);
    }
    Url::parse(&text).ok()
}

fn method(request: &FakeRequest<'_>) -> Option<Method> {
    match request.method {
        "GET" => Some(Method::Get),
        "POST" => Some(Method::Post),
        _ => None,
    }
}

/// `name="value"` pairs with commas between, percent-encoded (RFC 5849 §3.5.1).
fn parse(parameters: &str) -> Option<Vec<(String, String)>> {
    let decode = |text| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    parameters
        .split(',')
        .map(|parameter| {
            let (name, value) = parameter.trim().split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}
