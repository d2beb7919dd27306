//! Every failure as a caller sees it: status, sentence, stable code. What went wrong inside goes to the log, never into an answer.

mod answer;

use std::borrow::Cow;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{StatusCode, header::HeaderName};
use actix_web::{HttpResponse, ResponseError};
use thiserror::Error;

use super::admin::api::error::AdminApiError;
use super::api::oauth::INVALID_SCOPE_SENTENCE;
use crate::domain::association::Refusal;
use crate::domain::tokens::BearerRefused;
use crate::flows::clients::ClientTokenError;
use crate::flows::people::PersonError;
use crate::flows::{BearerError, RefreshError, SignUpError};
use crate::providers::ProviderError;
use crate::storage::StorageError;

pub use answer::PublicError;

/// The original's sentence for an account of another user.
pub const ALREADY_IN_USE: &str = "That social media account is already in use";
/// The original's sentence for everything a provider refuses.
pub const SOCIAL_AUTH_FAILED: &str = "Error with social authentication";
/// When to come back after our own database failed, in seconds.
pub(super) const DATABASE_RETRY_SECONDS: u64 = 2;
/// When to come back after a provider failed without saying so, in seconds.
const PROVIDER_RETRY_SECONDS: u64 = 5;

/// A failed request.
#[derive(Debug, Error)]
pub enum Error {
    /// The body or a member of it does not fit. The sentence names the member.
    #[error("invalid request: {0}")]
    InvalidRequest(Cow<'static, str>),
    /// The request does not fit, and the sentence quotes what of it: it is not for the log.
    #[error("invalid request")]
    Quoted(String),
    /// No such provider.
    #[error("unknown provider")]
    UnknownProvider,
    /// The provider is not switched on.
    #[error("provider disabled")]
    ProviderDisabled,
    /// The bearer is not usable.
    #[error("bearer refused: {0}")]
    InvalidBearer(BearerRefused),
    /// A bearer is needed, and there is none.
    #[error("no bearer")]
    BearerMissing,
    /// A hand-in failed.
    #[error(transparent)]
    SignUp(#[from] SignUpError),
    /// A refresh failed.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// An API client gets no access token.
    #[error(transparent)]
    ClientToken(#[from] ClientTokenError),
    /// An OAuth request does not fit (RFC 6749 §5.2).
    #[error("OAuth error: {code}")]
    OAuth {
        /// `error`
        code: &'static str,
        /// `error_description`
        sentence: &'static str,
    },
    /// Too many requests.
    #[error("rate limited")]
    RateLimited {
        /// When the next one is admitted.
        retry_after_seconds: u64,
    },
    /// The admin API refuses.
    #[error(transparent)]
    AdminApi(#[from] AdminApiError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Nothing lives at this address.
    #[error("not found")]
    NotFound,
    /// The address does not take this method.
    #[error("method not allowed")]
    MethodNotAllowed {
        /// The `Allow` header.
        allow: Cow<'static, str>,
    },
    /// The body is neither JSON nor a form.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// The body is over 64 KiB.
    #[error("body too large")]
    BodyTooLarge,
    /// The head is over 16 KiB.
    #[error("head too large")]
    HeadTooLarge,
    /// The body did not arrive in time.
    #[error("body too slow")]
    BodyTooSlow,
}

impl From<BearerError> for Error {
    fn from(error: BearerError) -> Self {
        match error {
            BearerError::Refused(why) => Self::InvalidBearer(why),
            BearerError::Storage(error) => Self::Storage(error),
        }
    }
}

/// Status, code and sentence.
pub(super) type Public = (StatusCode, &'static str, Cow<'static, str>);

pub(super) const fn public(
    status: StatusCode,
    code: &'static str,
    sentence: &'static str,
) -> Public {
    (status, code, Cow::Borrowed(sentence))
}

impl Error {
    /// An [`Error::InvalidRequest`] that names `member`.
    #[must_use]
    pub fn member(member: &str, problem: &str) -> Self {
        Self::InvalidRequest(Cow::Owned(format!("{member}: {problem}")))
    }

    /// What the caller sees.
    fn public(&self) -> Public {
        match self {
            Self::InvalidRequest(sentence) => {
                (StatusCode::BAD_REQUEST, "invalid_request", sentence.clone())
            }
            Self::Quoted(sentence) => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                sentence.clone().into(),
            ),
            Self::UnknownProvider => public(
                StatusCode::BAD_REQUEST,
                "unknown_provider",
                "provider: there is none of this name; GET /providers lists those that are on",
            ),
            Self::ProviderDisabled => public(
                StatusCode::BAD_REQUEST,
                "provider_disabled",
                "provider: it is switched off here; GET /providers lists those that are on",
            ),
            Self::InvalidBearer(why) => public(
                StatusCode::UNAUTHORIZED,
                "invalid_bearer",
                match why {
                    BearerRefused::Expired => {
                        "The access token has expired; get another from POST /oauth/token"
                    }
                    BearerRefused::Malformed | BearerRefused::Revoked => {
                        "The access token is not valid; sign in again"
                    }
                },
            ),
            Self::BearerMissing => public(
                StatusCode::UNAUTHORIZED,
                "invalid_bearer",
                "This needs the header Authorization: Bearer with an access token",
            ),
            Self::SignUp(error) => sign_up_public(error),
            Self::Refresh(error) => match error {
                RefreshError::Invalid | RefreshError::Reused => public(
                    StatusCode::BAD_REQUEST,
                    "invalid_grant",
                    "The refresh token is not valid; sign in again",
                ),
                RefreshError::Signing(_) | RefreshError::Storage(_) => unavailable(),
            },
            Self::ClientToken(error) => client_token_public(error),
            Self::OAuth { code, sentence } => public(StatusCode::BAD_REQUEST, code, sentence),
            Self::RateLimited { .. } => public(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "Too many requests from this address; come back later",
            ),
            Self::AdminApi(error) => error.public(),
            Self::Storage(_) => unavailable(),
            Self::NotFound => public(
                StatusCode::NOT_FOUND,
                "not_found",
                "There is nothing at this address",
            ),
            Self::MethodNotAllowed { .. } => public(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This address does not take this method; the header Allow says which",
            ),
            Self::UnsupportedMediaType => public(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send application/json or application/x-www-form-urlencoded",
            ),
            Self::BodyTooLarge => public(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body is larger than 64 KiB",
            ),
            Self::HeadTooLarge => public(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "head_too_large",
                "The request line and headers are larger than 16 KiB",
            ),
            Self::BodyTooSlow => public(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                "The body did not arrive in time",
            ),
        }
    }

    /// When to come back, for 429 and 503.
    const fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::RateLimited {
                retry_after_seconds,
            } => Some(*retry_after_seconds),
            Self::SignUp(SignUpError::Provider(ProviderError::Unavailable {
                retry_after_seconds,
                ..
            })) => Some(match retry_after_seconds {
                Some(seconds) => *seconds,
                None => PROVIDER_RETRY_SECONDS,
            }),
            Self::Storage(_)
            | Self::SignUp(
                SignUpError::Storage(_) | SignUpError::Signing(_) | SignUpError::Sealing(_),
            )
            | Self::Refresh(RefreshError::Storage(_) | RefreshError::Signing(_))
            | Self::ClientToken(ClientTokenError::Storage(_) | ClientTokenError::Signing(_)) => {
                Some(DATABASE_RETRY_SECONDS)
            }
            Self::AdminApi(error) => error.retry_after_seconds(),
            _ => None,
        }
    }

    const fn lacks_scope(&self) -> bool {
        matches!(self, Self::AdminApi(AdminApiError::InsufficientScope(_)))
    }

    /// Whether OAuth's shape of errors applies (RFC 6749 §5.2).
    const fn is_oauth(&self) -> bool {
        matches!(
            self,
            Self::OAuth { .. } | Self::Refresh(_) | Self::ClientToken(_)
        )
    }

    /// The log line's level: our own failures are errors, everything else is a caller's or a provider's.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::Storage(_)
                | Self::SignUp(
                    SignUpError::Storage(_) | SignUpError::Signing(_) | SignUpError::Sealing(_)
                )
                | Self::Refresh(RefreshError::Storage(_) | RefreshError::Signing(_))
                | Self::ClientToken(ClientTokenError::Storage(_) | ClientTokenError::Signing(_))
                | Self::AdminApi(AdminApiError::Person(PersonError::Storage(_)))
        )
    }
}

pub(super) fn unavailable() -> Public {
    public(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "The service is not available right now; try again",
    )
}

fn client_token_public(error: &ClientTokenError) -> Public {
    match error {
        ClientTokenError::InvalidClient => public(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The client is not known by that id and secret",
        ),
        ClientTokenError::UnauthorizedClient => public(
            StatusCode::BAD_REQUEST,
            "unauthorized_client",
            "The client has no scope, so that there is no token for it",
        ),
        ClientTokenError::InvalidScope => public(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            INVALID_SCOPE_SENTENCE,
        ),
        ClientTokenError::Signing(_) | ClientTokenError::Storage(_) => unavailable(),
    }
}

fn sign_up_public(error: &SignUpError) -> Public {
    let code = error.code();
    let bad = |sentence: &'static str| public(StatusCode::BAD_REQUEST, code, sentence);
    match error {
        SignUpError::Provider(error) => match error {
            ProviderError::InvalidToken(_)
            | ProviderError::ExpiredToken
            | ProviderError::WrongAudience
            | ProviderError::UnboundToken
            | ProviderError::NonceMismatch(_)
            | ProviderError::Rejected(_) => bad(SOCIAL_AUTH_FAILED),
            ProviderError::ProofNotTaken(kind) => (
                StatusCode::BAD_REQUEST,
                code,
                Cow::Owned(format!(
                    "{kind}: this provider does not take it; GET /providers lists what it takes"
                )),
            ),
            ProviderError::BadMember { member, problem } => (
                StatusCode::BAD_REQUEST,
                code,
                Cow::Owned(format!("{member}: {problem}")),
            ),
            ProviderError::Unavailable { .. } => {
                public(StatusCode::SERVICE_UNAVAILABLE, code, SOCIAL_AUTH_FAILED)
            }
        },
        SignUpError::Refused(Refusal::AlreadyInUse) => bad(ALREADY_IN_USE),
        SignUpError::Refused(Refusal::NotSignedUp) => {
            bad("Nobody has signed up with that social media account")
        }
        SignUpError::Refused(Refusal::AlreadySignedUp) => {
            bad("Somebody has already signed up with that social media account")
        }
        SignUpError::Refused(Refusal::Inactive)
        | SignUpError::NotAdmitted(_)
        | SignUpError::AccountRefused
        | SignUpError::NonceSpent
        | SignUpError::TicketInvalid => bad(SOCIAL_AUTH_FAILED),
        SignUpError::EmailInUse { .. } => public(
            StatusCode::CONFLICT,
            code,
            "The e-mail address is in use; sign in the old way and hand in link_ticket with the bearer",
        ),
        SignUpError::BearerGone => public(
            StatusCode::UNAUTHORIZED,
            code,
            "The access token is not valid; sign in again",
        ),
        SignUpError::Signing(_) | SignUpError::Sealing(_) | SignUpError::Storage(_) => {
            unavailable()
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.public().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code, sentence) = self.public();
        let mut response = HttpResponse::new(status);
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if let Self::MethodNotAllowed { allow } = self
            && let Ok(allow) = HeaderValue::from_str(allow)
        {
            headers.insert(header::ALLOW, allow);
        }
        if status == StatusCode::UNAUTHORIZED || self.lacks_scope() {
            headers.insert(header::WWW_AUTHENTICATE, self.challenge());
        }
        if status == StatusCode::PAYLOAD_TOO_LARGE || status == StatusCode::REQUEST_TIMEOUT {
            // What is left of the body would have to be read otherwise.
            headers.insert(
                HeaderName::from_static("connection"),
                HeaderValue::from_static("close"),
            );
        }
        let link_ticket = match self {
            Self::SignUp(SignUpError::EmailInUse { link_ticket }) => Some(link_ticket.clone()),
            _ => None,
        };
        let is_oauth = self.is_oauth();
        response.extensions_mut().insert(PublicError {
            status,
            code,
            sentence,
            is_oauth,
            link_ticket,
        });
        response
    }
}

impl Error {
    /// RFC 6750 §3: no error code when the request carried no credentials at all.
    const fn challenge(&self) -> HeaderValue {
        match self {
            // RFC 6749 §5.2: in the scheme that clients authenticate with.
            Self::ClientToken(_) => HeaderValue::from_static("Basic realm=\"latchkey\""),
            Self::AdminApi(error) => error.challenge(),
            Self::BearerMissing => HeaderValue::from_static("Bearer realm=\"latchkey\""),
            Self::InvalidBearer(BearerRefused::Expired) => HeaderValue::from_static(
                "Bearer realm=\"latchkey\", error=\"invalid_token\", error_description=\"The access token expired\"",
            ),
            _ => HeaderValue::from_static("Bearer realm=\"latchkey\", error=\"invalid_token\""),
        }
    }
}
