//! The body of a refusal.

use std::borrow::Cow;
use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use serde_json::{Value, json};

use crate::domain::Secret;

/// What the observing middleware needs to write the answer: the request's id and `Accept` are known only there.
#[derive(Debug, Clone)]
pub struct PublicError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) sentence: Cow<'static, str>,
    pub(super) is_oauth: bool,
    pub(super) link_ticket: Option<Secret>,
}

impl PublicError {
    /// The stable code, for the access log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The answer's content type and body for this request.
    #[must_use]
    pub fn render(&self, request: &HttpRequest, request_id: &str) -> (HeaderValue, Vec<u8>) {
        let wants_problem = request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| {
                // Media types are compared without regard to case (RFC 9110 §8.3.1).
                accept
                    .to_ascii_lowercase()
                    .contains("application/problem+json")
            });
        let mut body = if self.is_oauth {
            json!({ "error": self.code, "error_description": self.sentence })
        } else {
            json!({ "errors": self.sentence, "code": self.code })
        };
        if let Value::Object(members) = &mut body {
            members.insert("request_id".to_owned(), request_id.into());
            if let Some(ticket) = &self.link_ticket {
                members.insert("link_ticket".to_owned(), ticket.expose().into());
            }
            if wants_problem {
                // RFC 9457 §3.1; `about:blank` says that the status tells the type.
                members.insert("type".to_owned(), "about:blank".into());
                members.insert(
                    "title".to_owned(),
                    self.status.canonical_reason().unwrap_or("Error").into(),
                );
                members.insert("status".to_owned(), self.status.as_u16().into());
                members.insert("detail".to_owned(), self.sentence.clone().into());
            }
        }
        let content_type = if wants_problem {
            HeaderValue::from_static("application/problem+json")
        } else {
            HeaderValue::from_static("application/json")
        };
        (content_type, body.to_string().into_bytes())
    }
}

impl fmt::Display for PublicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}
