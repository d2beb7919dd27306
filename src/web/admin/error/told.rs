//! What each error tells: status, code, heading, sentence.

use std::borrow::Cow;

use actix_web::http::StatusCode;

use super::AdminError;
use crate::app::passwords::PasswordError;
use crate::providers::ProviderError;

/// What a page says.
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) heading: &'static str,
    pub(super) sentence: Cow<'static, str>,
}

fn told(
    status: StatusCode,
    code: &'static str,
    heading: &'static str,
    sentence: impl Into<Cow<'static, str>>,
) -> Told {
    Told {
        status,
        code,
        heading,
        sentence: sentence.into(),
    }
}

/// Whoever came through a provider does not get in, for whatever reason.
fn sign_in_refused() -> Told {
    told(
        StatusCode::FORBIDDEN,
        "sign_in_refused",
        "This account may not sign in here",
        "Ask a superuser whether it should. If the sign-in took longer than 10 minutes or began in another browser, start it anew.",
    )
}

/// What a provider told is no fresh proof.
fn step_up_refused() -> Told {
    told(
        StatusCode::FORBIDDEN,
        "step_up_refused",
        "That did not confirm that it is you",
        "It takes the account that you sign in here with, and a provider that asks for your password anew. If yours does not, sign out and in again, and set up a second factor within 10 minutes: its code confirms who you are.",
    )
}

/// The provider gives no code.
fn sign_in_not_completed() -> Told {
    told(
        StatusCode::FORBIDDEN,
        "sign_in_not_completed",
        "The sign-in was not completed",
        "The provider sent you back without telling us who you are. Nothing was changed. Try again, or sign in another way.",
    )
}

/// The provider cannot be asked.
fn provider_unavailable() -> Told {
    told(
        StatusCode::SERVICE_UNAVAILABLE,
        "provider_unavailable",
        "The provider cannot be reached just now",
        "Try again in a moment, or sign in with email and password.",
    )
}

impl AdminError {
    pub(super) fn told(&self) -> Told {
        match self {
            Self::InvalidRequest(sentence) => told(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "That request does not fit",
                sentence.clone(),
            ),
            Self::SignInNeeded { .. } => told(
                StatusCode::UNAUTHORIZED,
                "sign_in_needed",
                "You are signed out",
                "Your session has ended, so nothing was changed. Sign in and send the form again.",
            ),
            Self::CodeNeeded | Self::SecondFactorNeeded | Self::StepUpNeeded { .. } => told(
                StatusCode::UNAUTHORIZED,
                "factor_needed",
                "Prove who you are first",
                "This needs a proof of who you are.",
            ),
            Self::FormRefused(_) => told(
                StatusCode::FORBIDDEN,
                "form_refused",
                "That form was not accepted",
                "It was open for too long, or it does not come from this service. Nothing was changed. Open the page again and send it from there.",
            ),
            Self::Forbidden(role) => told(
                StatusCode::FORBIDDEN,
                "forbidden",
                "Your role does not allow that",
                format!(
                    "This needs the role {}. Ask a superuser if you should have it.",
                    role.as_str()
                ),
            ),
            Self::NotFound => told(
                StatusCode::NOT_FOUND,
                "not_found",
                "There is nothing here",
                "The address may be mistyped, or what was here has been removed.",
            ),
            Self::MethodNotAllowed { .. } => told(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "That cannot be done here",
                "This address does not take that kind of request.",
            ),
            Self::Conflict { sentence, .. } => told(
                StatusCode::CONFLICT,
                "conflict",
                "Things have changed meanwhile",
                sentence.clone(),
            ),
            Self::BodyTooLarge => told(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "That is too much at once",
                "The form is larger than 64 KiB. Nothing was changed.",
            ),
            Self::BodyTooSlow => told(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                "The form did not arrive in time",
                "Nothing was changed. Send it again.",
            ),
            Self::SignInRefused => sign_in_refused(),
            Self::StepUpRefused => step_up_refused(),
            Self::SignInNotCompleted => sign_in_not_completed(),
            Self::Provider(ProviderError::Unavailable { .. }) => provider_unavailable(),
            Self::TooMany {
                retry_after_seconds,
            } => told(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_tries",
                "Too many tries",
                format!("Wait {} and try again.", wait_words(*retry_after_seconds)),
            ),
            Self::Storage(_) | Self::SessionUnavailable | Self::Password(PasswordError::Busy) => {
                told(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "Latchkey is not available just now",
                    "The database does not answer, or there is too much to do. Try again in a moment.",
                )
            }
            Self::Provider(_)
            | Self::Password(PasswordError::Failed(_))
            | Self::Sealing(_)
            | Self::Render(_) => told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong on our side",
                "The log has the details under the request id below.",
            ),
        }
    }
}

/// A wait in words.
fn wait_words(seconds: u64) -> String {
    match seconds {
        0..=1 => "a second".to_owned(),
        2..=119 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::wait_words;

    #[test]
    fn a_wait_is_told_in_words() {
        assert_eq!(wait_words(1), "a second");
        assert_eq!(wait_words(31), "31 seconds");
        assert_eq!(wait_words(121), "3 minutes");
    }
}
