//! How a minted proof behaves when it is used.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{FakeAnswer, ISSUER, Kind};

/// Longer than any deadline that makes sense.
const SLOW: Duration = Duration::from_secs(30);
/// Twice what is read of an answer.
const HUGE_BYTES: usize = 2 << 20;

/// What happens when a minted proof is used. The word is chosen when it is minted and travels inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// All is well.
    #[default]
    Good,
    /// It has expired.
    Expired,
    /// It was issued to another application.
    WrongAudience,
    /// It was revoked; an id token is signed with a key that is no longer in the key set.
    Revoked,
    /// The provider answers 503.
    Outage,
    /// The provider answers 429 with `Retry-After: 7`.
    RateLimited,
    /// The provider answers after half a minute.
    Slow,
    /// The provider answers 200 with something that is no JSON; an id token has no claims.
    Garbage,
    /// The provider answers with 2 MiB.
    Huge,
    /// The provider redirects.
    Redirect,
    /// The provider answers 200, with an error in the body.
    ErrorInOk,
    /// The provider names two persons in one answer.
    DuplicateKeys,
    /// The answer does not say whose account it is.
    MissingSub,
    /// The person has another e-mail address than before.
    ChangedEmail,
    /// The address is not verified.
    UnverifiedEmail,
    /// The id token is signed with another key under the name of the right one.
    BadSignature,
    /// The id token is of another issuer.
    WrongIssuer,
    /// The id token was issued for another nonce.
    WrongNonce,
    /// The id token is not signed at all.
    AlgNone,
    /// The person is not asked to sign in anew, whatever the application wants.
    StaleSignIn,
}

impl Behaviour {
    /// Whether a proof of this kind can behave like that.
    pub(super) const fn fits(self, kind: Kind) -> bool {
        match self {
            Self::Good
            | Self::Expired
            | Self::WrongAudience
            | Self::Revoked
            | Self::Garbage
            | Self::MissingSub
            | Self::ChangedEmail
            | Self::UnverifiedEmail => true,
            // Nobody is asked about an id token.
            Self::Outage
            | Self::RateLimited
            | Self::Slow
            | Self::Huge
            | Self::Redirect
            | Self::ErrorInOk
            | Self::DuplicateKeys => !matches!(kind, Kind::IdToken),
            Self::BadSignature | Self::WrongIssuer | Self::WrongNonce | Self::AlgNone => {
                matches!(kind, Kind::IdToken | Kind::Code)
            }
            // Nobody signs in anew to redeem anything else.
            Self::StaleSignIn => matches!(kind, Kind::Code),
        }
    }

    /// What the provider answers instead of what it was asked for.
    pub(super) fn instead(self) -> Option<FakeAnswer> {
        let answer = match self {
            Self::Outage => FakeAnswer::html(503, "<h1>Service Unavailable</h1>"),
            Self::RateLimited => FakeAnswer {
                retry_after_seconds: Some(7),
                ..FakeAnswer::error(429, "slow_down")
            },
            Self::Garbage => FakeAnswer::html(200, "<h1>Welcome!</h1>"),
            Self::Huge => FakeAnswer {
                body: format!("{{\"sub\":\"1\",\"x\":\"{}\"}}", "x".repeat(HUGE_BYTES))
                    .into_bytes(),
                ..FakeAnswer::html(200, "")
            },
            Self::Redirect => FakeAnswer {
                location: Some(format!("{ISSUER}/elsewhere")),
                ..FakeAnswer::html(302, "")
            },
            Self::ErrorInOk => FakeAnswer::error(200, "invalid_token"),
            Self::DuplicateKeys => FakeAnswer {
                body:
                    br#"{"sub":"1","client_id":"fake-client","sub":"2","client_id":"fake-client"}"#
                        .to_vec(),
                ..FakeAnswer::error(200, "")
            },
            Self::Good
            | Self::Expired
            | Self::WrongAudience
            | Self::Revoked
            | Self::Slow
            | Self::MissingSub
            | Self::ChangedEmail
            | Self::UnverifiedEmail
            | Self::BadSignature
            | Self::WrongIssuer
            | Self::WrongNonce
            | Self::AlgNone
            | Self::StaleSignIn => return None,
        };
        Some(answer)
    }

    /// How long the provider takes.
    pub(super) fn delay(self) -> Option<Duration> {
        (self == Self::Slow).then_some(SLOW)
    }
}
