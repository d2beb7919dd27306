//! What each error tells: status, code, heading, sentence.

use actix_web::http::StatusCode;

use super::AdminError;
use crate::app::passwords::PasswordError;
use crate::providers::ProviderError;
use crate::web::admin::text::{Message, t};

/// What a page says.
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) heading: Message,
    pub(super) sentence: Message,
}

fn told(status: StatusCode, code: &'static str, heading: Message, sentence: Message) -> Told {
    Told {
        status,
        code,
        heading,
        sentence,
    }
}

/// Whoever came through a provider does not get in, for whatever reason.
fn sign_in_refused() -> Told {
    told(
        StatusCode::FORBIDDEN,
        "sign_in_refused",
        t("error-sign-in-refused-heading"),
        t("error-sign-in-refused"),
    )
}

/// What a provider told is no fresh proof.
fn step_up_refused() -> Told {
    told(
        StatusCode::FORBIDDEN,
        "step_up_refused",
        t("error-step-up-refused-heading"),
        t("error-step-up-refused"),
    )
}

/// The provider gives no code.
fn sign_in_not_completed() -> Told {
    told(
        StatusCode::FORBIDDEN,
        "sign_in_not_completed",
        t("error-sign-in-not-completed-heading"),
        t("error-sign-in-not-completed"),
    )
}

/// The provider cannot be asked.
fn provider_unavailable() -> Told {
    told(
        StatusCode::SERVICE_UNAVAILABLE,
        "provider_unavailable",
        t("error-provider-unavailable-heading"),
        t("error-provider-unavailable"),
    )
}

impl AdminError {
    pub(super) fn told(&self) -> Told {
        match self {
            Self::InvalidRequest(sentence) => told(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                t("error-invalid-request-heading"),
                sentence.clone(),
            ),
            Self::SignInNeeded { .. } => told(
                StatusCode::UNAUTHORIZED,
                "sign_in_needed",
                t("error-sign-in-needed-heading"),
                t("error-sign-in-needed"),
            ),
            Self::CodeNeeded | Self::SecondFactorNeeded | Self::StepUpNeeded { .. } => told(
                StatusCode::UNAUTHORIZED,
                "factor_needed",
                t("error-factor-needed-heading"),
                t("error-factor-needed"),
            ),
            Self::FormRefused(_) => told(
                StatusCode::FORBIDDEN,
                "form_refused",
                t("error-form-refused-heading"),
                t("error-form-refused"),
            ),
            Self::Forbidden(role) => told(
                StatusCode::FORBIDDEN,
                "forbidden",
                t("error-forbidden-heading"),
                t("error-forbidden").with("role", role.as_str()),
            ),
            Self::NotFound => told(
                StatusCode::NOT_FOUND,
                "not_found",
                t("error-not-found-heading"),
                t("error-not-found"),
            ),
            Self::MethodNotAllowed { .. } => told(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                t("error-method-not-allowed-heading"),
                t("error-method-not-allowed"),
            ),
            Self::Conflict { sentence, .. } => told(
                StatusCode::CONFLICT,
                "conflict",
                t("error-conflict-heading"),
                sentence.clone(),
            ),
            Self::BodyTooLarge => told(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                t("error-body-too-large-heading"),
                t("error-body-too-large"),
            ),
            Self::BodyTooSlow => told(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                t("error-body-too-slow-heading"),
                t("error-body-too-slow"),
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
                t("error-too-many-tries-heading"),
                wait(*retry_after_seconds),
            ),
            Self::Storage(_) | Self::SessionUnavailable | Self::Password(PasswordError::Busy) => {
                told(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    t("error-unavailable-heading"),
                    t("error-unavailable"),
                )
            }
            Self::Provider(_)
            | Self::Password(PasswordError::Failed(_))
            | Self::Sealing(_)
            | Self::Render(_) => told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                t("error-internal-heading"),
                t("error-internal"),
            ),
        }
    }
}

/// How long to wait.
fn wait(seconds: u64) -> Message {
    match seconds {
        0..=119 => t("error-wait-seconds").with("count", seconds.max(1)),
        _ => t("error-wait-minutes").with("count", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_words() {
        for (seconds, text) in [
            (0, "Wait a second and try again."),
            (1, "Wait a second and try again."),
            (31, "Wait 31 seconds and try again."),
            (121, "Wait 3 minutes and try again."),
        ] {
            assert_eq!(wait(seconds).to_string(), text);
        }
    }
}
