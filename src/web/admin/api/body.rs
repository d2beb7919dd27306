//! The body of a change.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::stewardship::{Reason, ReasonProblem};
use crate::web::error::Error;
use crate::web::extract::Members;

/// Longest text that is read, in bytes: a reason of 200 characters of four bytes, and the rest is shorter.
const TEXT_MAX_BYTES: usize = 1024;

/// The members of a body; none where there is no body.
pub(super) struct Body(Members);

impl FromRequest for Body {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        let length = headers.get(header::CONTENT_LENGTH);
        let is_empty = length.is_none_or(|length| length == "0")
            && !headers.contains_key(header::TRANSFER_ENCODING)
            && !headers.contains_key(header::CONTENT_TYPE);
        if is_empty {
            return Box::pin(std::future::ready(Ok(Self(Members::none()))));
        }
        let members = Members::from_request(request, payload);
        Box::pin(async move { members.await.map(Self) })
    }
}

impl Body {
    /// The members, if all of them are among `names`.
    pub(super) fn of(self, names: &[&str]) -> Result<Fields, Error> {
        self.0.refuse_others(names)?;
        Ok(Fields(self.0))
    }
}

/// Members with known names.
pub(super) struct Fields(Members);

impl Fields {
    /// The text called `name`, which has to be there.
    pub(super) fn text(&self, name: &str) -> Result<String, Error> {
        let text = self.0.text(name, TEXT_MAX_BYTES)?;
        text.ok_or_else(|| Error::member(name, "is needed"))
    }

    /// The truth value called `name`; false where it is absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Error> {
        self.0.flag(name)
    }

    /// The member `reason`, which has to be there.
    pub(super) fn reason(&self) -> Result<Reason, Error> {
        self.reason_if_any()?
            .ok_or_else(|| Error::member("reason", "is needed"))
    }

    /// The member `reason`, if it is there.
    pub(super) fn reason_if_any(&self) -> Result<Option<Reason>, Error> {
        let Some(text) = self.0.text("reason", TEXT_MAX_BYTES)? else {
            return Ok(None);
        };
        let reason = Reason::parse(&text).map_err(|problem| match problem {
            ReasonProblem::TooShort => Error::member("reason", "needs at least 3 characters"),
            ReasonProblem::TooLong => Error::member("reason", "may have at most 200 characters"),
        })?;
        Ok(Some(reason))
    }
}
