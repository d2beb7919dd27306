//! Whether an access token was issued to us. Any doubt refuses.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::domain::Uid;

use super::error::{Outage, ProviderError};
use super::expression::{Expr, Sources, Value};
use super::extract::{find_id, scope_text};
use super::plan::AudiencePlan;
use super::settings::Client;
use crate::domain::json::Json;

/// What a proof of the audience tells beside.
#[derive(Debug, Default)]
pub(super) struct Bound<'a> {
    /// Which of our client ids it names.
    pub(super) client_id: Option<&'a str>,
    /// The expiry in seconds since 1970.
    pub(super) expires_at: Option<i64>,
    /// The scopes.
    pub(super) scope: Option<Cow<'a, str>>,
}

impl AudiencePlan {
    /// Judges the answer: valid, of the right kind, issued to one of `ours`, not expired.
    ///
    /// # Errors
    /// [`ProviderError::WrongAudience`] above all; [`Outage::Malformed`] when the answer lacks what it must say.
    pub(super) fn judge<'a>(
        &'a self,
        sources: &Sources<'a>,
        ours: &[&'a Client],
        now: DateTime<Utc>,
    ) -> Result<Bound<'a>, ProviderError> {
        if let Some(valid) = &self.valid
            && !valid.eval(sources).is_some_and(|value| value.is_true())
        {
            return Err(ProviderError::InvalidToken("the provider calls it invalid"));
        }
        for equals in &self.equals {
            let text = equals.value.eval(sources).and_then(Value::into_text);
            match text {
                Some(text) if text == equals.expected.as_str() => {}
                Some(_) if equals.names_us => return Err(ProviderError::WrongAudience),
                _ => return Err(ProviderError::InvalidToken("a token of another kind")),
            }
        }
        let client_id = self.our_client(sources, ours)?;
        self.check_authorized_party(sources, ours)?;
        let expires_at = self.expiry(sources, now)?;
        let scope = self
            .scope
            .as_ref()
            .and_then(|expr| match expr.eval(sources)? {
                Value::Json(json) => scope_text(json),
                value => value.into_text(),
            });
        Ok(Bound {
            client_id,
            expires_at,
            scope,
        })
    }

    /// Whether the answer is about `uid`, where it names a person.
    pub(super) fn is_about(&self, uid: &Uid, sources: &Sources<'_>) -> Result<(), ProviderError> {
        let Some(expr) = &self.uid else {
            return Ok(());
        };
        match find_id(expr, sources)? {
            Some(id) if id == uid.as_str() => Ok(()),
            Some(_) => Err(ProviderError::InvalidToken(
                "the proof of the audience is about another person",
            )),
            None => Err(Outage::Malformed("the proof of the audience names nobody").into()),
        }
    }

    fn our_client<'a>(
        &'a self,
        sources: &Sources<'a>,
        ours: &[&'a Client],
    ) -> Result<Option<&'a str>, ProviderError> {
        if self.client_id.is_empty() {
            return Ok(None);
        }
        let mut named_any = false;
        for expr in &self.client_id {
            let Some(value) = expr.eval(sources) else {
                continue;
            };
            let found = match value {
                // RFC 7662 §2.2 and RFC 7519 §4.1.3: `aud` may be an array.
                Value::Json(Json::Array(items)) => {
                    named_any |= !items.is_empty();
                    items
                        .iter()
                        .filter_map(Json::as_str)
                        .find_map(|id| ours_called(id, ours))
                }
                value => {
                    named_any = true;
                    value.into_id().and_then(|id| ours_called(&id, ours))
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Err(if named_any {
            ProviderError::WrongAudience
        } else {
            Outage::Malformed("the proof of the audience names no application").into()
        })
    }

    fn check_authorized_party(
        &self,
        sources: &Sources<'_>,
        ours: &[&Client],
    ) -> Result<(), ProviderError> {
        let party = self
            .authorized_party
            .as_ref()
            .and_then(|expr| expr.eval(sources));
        match party {
            None => Ok(()),
            Some(party) => match party.into_id().and_then(|id| ours_called(&id, ours)) {
                Some(_) => Ok(()),
                None => Err(ProviderError::WrongAudience),
            },
        }
    }

    /// Refuses what has expired by either word; gives the time, if the provider tells.
    fn expiry(
        &self,
        sources: &Sources<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<i64>, ProviderError> {
        let now = now.timestamp();
        let at = seconds(self.expires_at.as_ref(), sources)?;
        let left = seconds(self.expires_in.as_ref(), sources)?;
        if at.is_some_and(|at| at <= now) || left.is_some_and(|left| left <= 0) {
            return Err(ProviderError::ExpiredToken);
        }
        Ok(at.or_else(|| now.checked_add(left?)))
    }
}

fn ours_called<'a>(id: &str, ours: &[&'a Client]) -> Option<&'a str> {
    ours.iter()
        .find(|client| client.id == id)
        .map(|client| client.id.as_str())
}

/// A count of seconds. A provider leaves it out for tokens that never expire; anything but an integer is nonsense.
fn seconds(expr: Option<&Expr>, sources: &Sources<'_>) -> Result<Option<i64>, ProviderError> {
    match expr.and_then(|expr| expr.eval(sources)) {
        None => Ok(None),
        Some(value) => match value.seconds() {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Outage::Malformed("an expiry that is no integer").into()),
        },
    }
}
