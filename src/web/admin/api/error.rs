//! What the admin API refuses beyond what every call does.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use thiserror::Error;

use crate::domain::api_client::Scope;
use crate::domain::tokens::BearerRefused;
use crate::flows::people::PersonError;
use crate::web::error::{DATABASE_RETRY_SECONDS, Error, Public, public, unavailable};

/// A refusal of the admin API.
#[derive(Debug, Error)]
pub enum AdminApiError {
    /// There is no access token.
    #[error("no access token")]
    TokenMissing,
    /// The access token is not usable here.
    #[error("access token refused: {0}")]
    TokenRefused(BearerRefused),
    /// The access token is good, but not for this.
    #[error("the scope {} is needed", .0.as_str())]
    InsufficientScope(Scope),
    /// Something is not done with a person's account.
    #[error(transparent)]
    Person(#[from] PersonError),
}

impl From<PersonError> for Error {
    fn from(error: PersonError) -> Self {
        Self::AdminApi(error.into())
    }
}

impl AdminApiError {
    pub(in crate::web) fn public(&self) -> Public {
        match self {
            Self::TokenMissing => public(
                StatusCode::UNAUTHORIZED,
                "invalid_bearer",
                "This needs the header Authorization: Bearer with an access token of an API client",
            ),
            Self::TokenRefused(BearerRefused::Expired) => public(
                StatusCode::UNAUTHORIZED,
                "invalid_bearer",
                "The access token has expired; get another from POST /oauth/token",
            ),
            Self::TokenRefused(BearerRefused::Malformed | BearerRefused::Revoked) => public(
                StatusCode::UNAUTHORIZED,
                "invalid_bearer",
                "The access token is not that of an active API client",
            ),
            Self::InsufficientScope(scope) => public(
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                match scope {
                    Scope::AdminRead => "The access token lacks the scope admin:read",
                    Scope::AdminWrite => "The access token lacks the scope admin:write",
                },
            ),
            Self::Person(error) => person_public(error),
        }
    }

    /// RFC 6750 §3, §3.1.
    pub(in crate::web) const fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::InsufficientScope(Scope::AdminRead) => {
                "Bearer realm=\"latchkey\", error=\"insufficient_scope\", scope=\"admin:read\""
            }
            Self::InsufficientScope(Scope::AdminWrite) => {
                "Bearer realm=\"latchkey\", error=\"insufficient_scope\", scope=\"admin:write\""
            }
            Self::TokenRefused(BearerRefused::Expired) => {
                "Bearer realm=\"latchkey\", error=\"invalid_token\", error_description=\"The access token expired\""
            }
            Self::TokenRefused(BearerRefused::Malformed | BearerRefused::Revoked) => {
                "Bearer realm=\"latchkey\", error=\"invalid_token\""
            }
            // Answers of another status carry no challenge.
            Self::TokenMissing | Self::Person(_) => "Bearer realm=\"latchkey\"",
        })
    }

    pub(in crate::web) const fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Person(PersonError::TooSoon {
                retry_after_seconds,
            }) => Some(*retry_after_seconds),
            Self::Person(PersonError::Storage(_)) => Some(DATABASE_RETRY_SECONDS),
            _ => None,
        }
    }
}

fn person_public(error: &PersonError) -> Public {
    let conflict = |code, sentence| public(StatusCode::CONFLICT, code, sentence);
    let not_found = |code, sentence| public(StatusCode::NOT_FOUND, code, sentence);
    match error {
        PersonError::UserNotFound => not_found("user_not_found", "There is no such user"),
        PersonError::AccountGone => not_found(
            "account_not_found",
            "The user has no such social account, or has it no longer",
        ),
        PersonError::NotKept => not_found(
            "not_kept",
            "The unlinked account is not kept, or not any more",
        ),
        PersonError::Stale => conflict(
            "stale",
            "The social account was used since the version was read; look again and decide again",
        ),
        PersonError::LastWayIn => conflict(
            "last_way_in",
            "It is the only way to sign in; send last_way_in as true if that is known",
        ),
        PersonError::Taken => conflict(
            "already_in_use",
            "The social account belongs to another user",
        ),
        PersonError::Inactive => conflict("inactive_user", "The user is inactive"),
        PersonError::TooSoon { .. } => public(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "That was done a moment ago; come back later",
        ),
        PersonError::Storage(_) => unavailable(),
    }
}
