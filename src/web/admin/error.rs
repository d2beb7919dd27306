//! Failures of staff pages, and the pages that tell of them: what happened, the request's id, and a way on.

mod told;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use thiserror::Error;

use super::context::path_of;
use super::frame::Frame;
use super::notices::redirect;
use super::text::{Message, filters, t};
use super::words;
use crate::app::passwords::PasswordError;
use crate::domain::Role;
use crate::flows::staff::StaffError;
use crate::providers::ProviderError;
use crate::storage::StorageError;
use crate::storage::sealing::SealingError;

/// When to come back after our own database failed, in seconds.
const RETRY_SECONDS: u64 = 2;
/// When to come back after a provider failed that does not say, in seconds.
const PROVIDER_RETRY_SECONDS: u64 = 5;

/// A failed request of a staff page.
#[derive(Debug, Error)]
pub enum AdminError {
    /// The request does not fit. The sentence is shown; it may quote the request, so it is not logged.
    #[error("invalid request")]
    InvalidRequest(Message),
    /// Nobody is signed in.
    #[error("not signed in")]
    SignInNeeded {
        /// Where to go after that; `None` where a form was lost.
        next: Option<String>,
    },
    /// The password was right, and the second factor is owed.
    #[error("the second factor is owed")]
    CodeNeeded,
    /// A second factor has to be set up before anything else.
    #[error("a second factor has to be set up")]
    SecondFactorNeeded,
    /// What is asked for wants a fresh proof of identity.
    #[error("a fresh factor is needed")]
    StepUpNeeded {
        /// Where to go after that.
        next: String,
    },
    /// The form is not one that we showed to this browser in this session.
    #[error("form refused: {0}")]
    FormRefused(&'static str),
    /// The role is too low.
    #[error("the role {} is needed", .0.as_str())]
    Forbidden(Role),
    /// Nothing lives at this address.
    #[error("not found")]
    NotFound,
    /// The address does not take this method.
    #[error("method not allowed")]
    MethodNotAllowed {
        /// The `Allow` header.
        allow: String,
    },
    /// Things are no longer as the form assumed. Nothing was done.
    #[error("conflict")]
    Conflict {
        /// What happened meanwhile.
        sentence: Message,
        /// Where to look now: label and address.
        onward: (Message, String),
    },
    /// The body is larger than a form of ours.
    #[error("body too large")]
    BodyTooLarge,
    /// The body did not arrive in time.
    #[error("body too slow")]
    BodyTooSlow,
    /// Whoever came through a provider does not get in. The audit log has the reason.
    #[error("refused through a provider")]
    SignInRefused,
    /// What a provider told is no fresh proof of whoever is signed in. The audit log has the reason.
    #[error("no fresh proof through a provider")]
    StepUpRefused,
    /// The provider sent the browser back without a code.
    #[error("the provider gives no code")]
    SignInNotCompleted,
    /// The provider cannot be asked.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Too many tries.
    #[error("too many tries")]
    TooMany {
        /// When the next one is admitted.
        retry_after_seconds: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A session could not be loaded; the store has logged why.
    #[error("the session could not be loaded")]
    SessionUnavailable,
    /// Passwords.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// An authenticator's secret does not open.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// A page could not be made.
    #[error("a page could not be rendered: {0}")]
    Render(#[from] askama::Error),
}

impl From<StaffError> for AdminError {
    fn from(error: StaffError) -> Self {
        match error {
            StaffError::Refused => Self::InvalidRequest(t("error-did-not-fit")),
            StaffError::StepUpRefused => Self::StepUpRefused,
            StaffError::NotCompleted => Self::SignInNotCompleted,
            StaffError::Provider(error) => Self::Provider(error),
            StaffError::Throttled {
                retry_after_seconds,
            } => Self::TooMany {
                retry_after_seconds,
            },
            StaffError::WeakPassword(problem) => {
                Self::InvalidRequest(words::password_problem(problem))
            }
            StaffError::EmailTaken => Self::conflict(t("error-email-taken")),
            StaffError::LastSuperuser => Self::conflict(t("error-last-superuser")),
            StaffError::Gone => Self::conflict(t("error-gone")),
            StaffError::Password(error) => Self::Password(error),
            StaffError::Sealing(error) => Self::Sealing(error),
            StaffError::Storage(error) => Self::Storage(error),
        }
    }
}

impl AdminError {
    /// An [`AdminError::SignInNeeded`] that leads back to what was asked for, if it can be asked for again.
    #[must_use]
    pub fn sign_in_needed(request: &HttpRequest) -> Self {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        Self::SignInNeeded {
            next: is_read.then(|| path_of(request)),
        }
    }

    /// An [`AdminError::Conflict`] about staff accounts.
    fn conflict(sentence: Message) -> Self {
        Self::Conflict {
            sentence,
            onward: (t("error-to-settings"), "/admin/settings".to_owned()),
        }
    }

    /// The stable code, for the access log.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.told().code
    }

    fn redirects_to(&self) -> Option<String> {
        let with_next = |path: &str, next: &str| {
            let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            format!("{path}?next={next}")
        };
        match self {
            Self::SignInNeeded { next: Some(next) } if next == "/admin" => {
                Some("/admin/sign-in".to_owned())
            }
            Self::SignInNeeded { next: Some(next) } => Some(with_next("/admin/sign-in", next)),
            Self::CodeNeeded => Some("/admin/sign-in/code".to_owned()),
            Self::SecondFactorNeeded => Some("/admin/settings/second-factor".to_owned()),
            Self::StepUpNeeded { next } => Some(with_next("/admin/step-up", next)),
            _ => None,
        }
    }

    const fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::TooMany {
                retry_after_seconds,
            } => Some(*retry_after_seconds),
            Self::Provider(ProviderError::Unavailable {
                retry_after_seconds,
                ..
            }) => Some(match retry_after_seconds {
                Some(seconds) => *seconds,
                None => PROVIDER_RETRY_SECONDS,
            }),
            Self::Storage(_) | Self::SessionUnavailable | Self::Password(PasswordError::Busy) => {
                Some(RETRY_SECONDS)
            }
            _ => None,
        }
    }

    fn onward(&self) -> (Message, String) {
        match self {
            Self::Conflict { onward, .. } => onward.clone(),
            Self::SignInNeeded { .. } => (t("error-to-sign-in"), "/admin/sign-in".to_owned()),
            Self::SignInRefused | Self::SignInNotCompleted | Self::Provider(_) => {
                (t("error-to-sign-in-page"), "/admin/sign-in".to_owned())
            }
            Self::StepUpRefused => (
                t("error-to-second-factor"),
                "/admin/settings/second-factor".to_owned(),
            ),
            _ => (t("error-to-overview"), "/admin".to_owned()),
        }
    }
}

/// What the outer layer needs to write the page: the frame is known only there.
#[derive(Debug, Clone)]
pub(super) struct AdminFailure {
    status: StatusCode,
    pub(super) code: &'static str,
    heading: Message,
    sentence: Message,
    onward: (Message, String),
}

/// The page.
#[derive(Template)]
#[template(path = "admin/error.html")]
struct ErrorPage {
    frame: Frame,
    status: u16,
    failure: AdminFailure,
    request_id: String,
}

impl AdminFailure {
    /// The page's title.
    pub(super) const fn heading(&self) -> &Message {
        &self.heading
    }

    pub(super) fn render(self, frame: Frame, request_id: String) -> Result<String, askama::Error> {
        let language = frame.language();
        let page = ErrorPage {
            frame,
            status: self.status.as_u16(),
            failure: self,
            request_id,
        };
        page.render_with_values(&language)
    }
}

impl ResponseError for AdminError {
    fn status_code(&self) -> StatusCode {
        match self.redirects_to() {
            Some(_) => StatusCode::SEE_OTHER,
            None => self.told().status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Some(to) = self.redirects_to() {
            return redirect(&to);
        }
        let told = self.told();
        let mut response = HttpResponse::new(told.status);
        if let Some(seconds) = self.retry_after_seconds() {
            let seconds = HeaderValue::from(seconds.max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if let Self::MethodNotAllowed { allow } = self
            && let Ok(allow) = HeaderValue::from_str(allow)
        {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        if matches!(self, Self::BodyTooLarge | Self::BodyTooSlow) {
            // What is left of the body would have to be read otherwise.
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(AdminFailure {
            status: told.status,
            code: told.code,
            heading: told.heading,
            sentence: told.sentence,
            onward: self.onward(),
        });
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::admin::preferences::Preferences;

    fn all() -> Vec<AdminError> {
        let storage = || StorageError::Corrupt("staff.role");
        vec![
            AdminError::InvalidRequest(t("error-did-not-fit")),
            AdminError::SignInNeeded { next: None },
            AdminError::FormRefused("token"),
            AdminError::Forbidden(Role::Admin),
            AdminError::NotFound,
            AdminError::MethodNotAllowed {
                allow: "GET".to_owned(),
            },
            AdminError::Conflict {
                sentence: t("error-gone"),
                onward: (t("error-to-settings"), "/admin/users/7".to_owned()),
            },
            AdminError::BodyTooLarge,
            AdminError::BodyTooSlow,
            AdminError::TooMany {
                retry_after_seconds: 90,
            },
            AdminError::Storage(storage()),
            AdminError::SessionUnavailable,
            AdminError::Password(PasswordError::Busy),
            AdminError::Password(PasswordError::Failed("no memory".to_owned())),
            AdminError::Sealing(SealingError::DoesNotOpen),
            AdminError::Render(askama::Error::Fmt),
        ]
    }

    #[test]
    fn every_page_has_a_status_a_heading_the_request_and_a_way_on() {
        let mut statuses = std::collections::BTreeSet::new();
        for error in all() {
            let mut response = error.error_response();
            let status = response.status();
            statuses.insert(status.as_u16());
            let failure = response.extensions_mut().remove::<AdminFailure>().unwrap();
            let frame = Frame::new(
                failure.heading().clone(),
                Preferences::default(),
                chrono::DateTime::UNIX_EPOCH,
                String::new(),
            );
            let (heading, onward) = (failure.heading().to_string(), failure.onward.1.clone());
            let html = failure.render(frame, "abc123".to_owned()).unwrap();

            for part in [
                format!("<h1>{heading}</h1>"),
                format!("<title>{heading} · Latchkey</title>"),
                format!(
                    "Status {} · request <code data-copy=\"request id\">abc123</code>",
                    status.as_u16()
                ),
                format!("href=\"{onward}\""),
            ] {
                assert!(html.contains(&part), "{part} is not in {html}");
            }
            assert_eq!(
                response.headers().contains_key(header::RETRY_AFTER),
                matches!(status.as_u16(), 429 | 503)
            );
            // Nothing of what went wrong inside.
            assert!(
                !html.contains("staff.role") && !html.contains("memory"),
                "{html}"
            );
        }
        assert_eq!(
            statuses.into_iter().collect::<Vec<_>>(),
            [400, 401, 403, 404, 405, 408, 409, 413, 429, 500, 503]
        );
    }

    #[test]
    fn what_somebody_has_to_do_first_leads_there_and_back() {
        for (error, to) in [
            (
                AdminError::StepUpNeeded {
                    next: "/admin/users?q=a b".to_owned(),
                },
                "/admin/step-up?next=%2Fadmin%2Fusers%3Fq%3Da+b",
            ),
            (AdminError::CodeNeeded, "/admin/sign-in/code"),
            (
                AdminError::SecondFactorNeeded,
                "/admin/settings/second-factor",
            ),
        ] {
            let response = error.error_response();
            assert_eq!(response.status(), StatusCode::SEE_OTHER);
            assert_eq!(response.headers().get(header::LOCATION).unwrap(), to);
        }
    }
}
