//! From answers to an identity and to `extra_data`.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value as JsonValue;

use crate::domain::identity::RawIdentity;
use crate::domain::{ExtraData, Secret, SocialIdentity, TokenFacts, Uid};

use super::error::{Outage, ProviderError};
use super::expression::{Expr, Sources, Value};
use super::plan::{ExtraPlan, IdentityPlan};
use crate::domain::json::Json;

/// Longest text of a member of `extra_data` that comes from an answer, in bytes. A profile extract is not an archive.
const EXTRA_MAX_BYTES: usize = 4096;

impl IdentityPlan {
    /// The identity in `sources`.
    ///
    /// # Errors
    /// [`Outage::Malformed`] when the uid is missing or no uid at all: then nobody is identified.
    pub(super) fn read(&self, sources: &Sources<'_>) -> Result<SocialIdentity, ProviderError> {
        let uid = self.uid(sources)?;
        let (email, email_verified) = self.email(sources);
        let raw = RawIdentity {
            username: first_text(&self.username, sources),
            email,
            email_verified,
            full_name: first_text(&self.full_name, sources),
            first_name: first_text(&self.first_name, sources),
            last_name: first_text(&self.last_name, sources),
        };
        Ok(SocialIdentity::new(uid, raw))
    }

    fn uid(&self, sources: &Sources<'_>) -> Result<Uid, ProviderError> {
        for expr in &self.uid {
            if let Some(id) = find_id(expr, sources)? {
                return Uid::parse(&id).ok_or_else(|| Outage::Malformed("odd uid").into());
            }
        }
        Err(Outage::Malformed("no uid").into())
    }

    /// The first address that is there, and whether the provider says it verified that very address.
    fn email(&self, sources: &Sources<'_>) -> (Option<String>, bool) {
        for email in &self.email {
            if let Some(address) = email.address.text(sources) {
                let says = |expr: &Expr| {
                    expr.eval(sources)
                        .is_some_and(|value| value.is_true_or_says_so())
                };
                let verified = email.verified.as_ref().is_some_and(says)
                    && email.verified_if.as_ref().is_none_or(says);
                return (Some(address.into_owned()), verified);
            }
        }
        (None, false)
    }
}

/// The id at `expr`, if there is something; what is there must be a text or an integer.
pub(super) fn find_id<'a>(
    expr: &'a Expr,
    sources: &Sources<'a>,
) -> Result<Option<Cow<'a, str>>, ProviderError> {
    match expr.eval(sources) {
        None => Ok(None),
        Some(value) => match value.into_id() {
            Some(id) => Ok(Some(id).filter(|id| !id.is_empty())),
            None => Err(Outage::Malformed("an id that is neither text nor integer").into()),
        },
    }
}

fn first_text(exprs: &[Expr], sources: &Sources<'_>) -> Option<String> {
    exprs
        .iter()
        .find_map(|expr| expr.text(sources))
        .map(Cow::into_owned)
}

/// What is known about the tokens of one hand-in.
#[derive(Debug, Default)]
pub(super) struct TokenRecord<'a> {
    /// The access token as it was handed in, or as the code yielded it.
    pub(super) access_token: Option<&'a str>,
    /// The secret of a token pair.
    pub(super) access_token_secret: Option<&'a str>,
    /// The refresh token.
    pub(super) refresh_token: Option<&'a str>,
    /// The id token.
    pub(super) id_token: Option<&'a str>,
    /// The type, where it is known.
    pub(super) token_type: Option<Cow<'a, str>>,
    /// The expiry in seconds since 1970.
    pub(super) expires_at: Option<i64>,
    /// The scopes.
    pub(super) scope: Option<Cow<'a, str>>,
    /// Which of our client ids it was issued to.
    pub(super) client_id: Option<&'a str>,
}

impl<'a> TokenRecord<'a> {
    /// What the caller knows about a handed-in access token.
    pub(super) fn of_caller(facts: &'a TokenFacts, now: DateTime<Utc>) -> Self {
        Self {
            token_type: Some(Cow::Borrowed("Bearer")),
            refresh_token: facts.refresh_token.as_ref().map(Secret::expose),
            expires_at: facts
                .expires_in_seconds
                .and_then(|seconds| now.timestamp().checked_add_unsigned(seconds)),
            scope: facts.scope.as_deref().map(Cow::Borrowed),
            ..Self::default()
        }
    }

    /// Writes the members that the service itself keeps.
    pub(super) fn put(self, extra: &mut ExtraData, now: DateTime<Utc>) {
        let secret = |text: Option<&str>| text.map(Secret::new);
        extra.put_secret("access_token", secret(self.access_token));
        extra.put_secret("access_token_secret", secret(self.access_token_secret));
        extra.put_secret("refresh_token", secret(self.refresh_token));
        extra.put_secret("id_token", secret(self.id_token));
        if self.access_token.is_some() {
            extra.put("token_type", self.token_type.map(Cow::into_owned));
            let expires_at = self
                .expires_at
                .and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            extra.put("expires_at", expires_at.map(rfc3339));
            let scope = self.scope.filter(|scope| !scope.is_empty());
            extra.put("scope", scope.map(Cow::into_owned));
        }
        extra.put("auth_time", rfc3339(now));
        extra.put("client_id", self.client_id);
    }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Writes the members that the entry lists. Their names are never reserved ones.
pub(super) fn put_fields(fields: &[ExtraPlan], sources: &Sources<'_>, extra: &mut ExtraData) {
    for field in fields {
        let Some(value) = field.from.eval(sources) else {
            continue;
        };
        if field.is_secret {
            let text = value.into_text().map(Cow::into_owned);
            extra.put_secret(field.name.clone(), text.map(Secret::new));
        } else {
            extra.put(field.name.clone(), plain(&value));
        }
    }
}

fn plain(value: &Value<'_>) -> JsonValue {
    let json = match value {
        Value::Json(json) => json.to_value(),
        Value::Text(text) => JsonValue::from(text.as_ref()),
        Value::Bool(bool) => JsonValue::Bool(*bool),
    };
    let size_bytes = match &json {
        JsonValue::String(text) => text.len(),
        JsonValue::Array(_) | JsonValue::Object(_) => json.to_string().len(),
        _ => 0,
    };
    if size_bytes > EXTRA_MAX_BYTES {
        JsonValue::Null
    } else {
        json
    }
}

/// Scopes as a text: an array is joined by spaces.
pub(super) fn scope_text(json: &Json) -> Option<Cow<'_, str>> {
    match json {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Array(items) => {
            let scopes: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
            Some(Cow::Owned(scopes.join(" ")))
        }
        _ => None,
    }
}
