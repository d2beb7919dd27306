//! Why a proof was not accepted, or could not be judged.

use thiserror::Error;

use crate::domain::ProofKind;

/// Why a provider's proof did not become an identity. No variant carries a provider's text.
#[derive(Debug, Clone, Error)]
pub enum ProviderError {
    /// The provider, or a signature check, refuses the proof.
    #[error("the proof is not valid: {0}")]
    InvalidToken(&'static str),
    /// The proof was valid once.
    #[error("the proof has expired")]
    ExpiredToken,
    /// The proof was issued to another application.
    #[error("the proof was issued to another application")]
    WrongAudience,
    /// Nothing proves to which application the token was issued, and the operator has not accepted that.
    #[error("nothing proves that the token was issued to us")]
    UnboundToken,
    /// The id token's nonce is not the one handed in.
    #[error("the nonce does not match: {0}")]
    NonceMismatch(&'static str),
    /// The provider refuses for another reason.
    #[error("the provider refuses: {0}")]
    Rejected(&'static str),
    /// This provider takes no proof of this kind.
    #[error("the provider takes no {0}")]
    ProofNotTaken(ProofKind),
    /// A member of the request does not fit this provider or its configuration.
    #[error("{member}: {problem}")]
    BadMember {
        /// The member's name in the request.
        member: &'static str,
        /// One clause for the caller, without any value of theirs.
        problem: &'static str,
    },
    /// The provider is down, slow, or answers nonsense.
    #[error("the provider is unavailable: {outage}")]
    Unavailable {
        /// What happened.
        outage: Outage,
        /// When to come back, if the provider or the circuit breaker says.
        retry_after_seconds: Option<u64>,
    },
}

impl From<Outage> for ProviderError {
    fn from(outage: Outage) -> Self {
        let retry_after_seconds = outage.retry_after_seconds();
        Self::Unavailable {
            outage,
            retry_after_seconds,
        }
    }
}

/// Why a provider could not be asked, or its answer not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Outage {
    /// No complete answer before the deadline.
    #[error("timeout")]
    Timeout,
    /// No connection, or it broke.
    #[error("connection failed")]
    Connect,
    /// A redirect, which is never followed.
    #[error("redirect")]
    Redirect,
    /// The answer is larger than the cap.
    #[error("answer too large")]
    TooLarge,
    /// A 5xx, 429 or 408.
    #[error("status {code}")]
    Status {
        /// The status.
        code: u16,
        /// The provider's `Retry-After` in seconds, between 1 and 300 (RFC 9110 §10.2.3; a date is ignored).
        retry_after_seconds: Option<u64>,
    },
    /// The answer cannot be read, or lacks what it must have. The text says which, in our words.
    #[error("malformed answer: {0}")]
    Malformed(&'static str),
    /// The circuit breaker is open: the provider failed repeatedly a moment ago.
    #[error("circuit open")]
    CircuitOpen {
        /// When it lets the next request through.
        retry_after_seconds: u64,
    },
    /// As many requests as the bulkhead admits were under way until the deadline.
    #[error("too many requests under way")]
    Overloaded,
}

impl Outage {
    /// When to come back, if the provider or the circuit breaker says.
    #[must_use]
    pub const fn retry_after_seconds(self) -> Option<u64> {
        match self {
            Self::CircuitOpen {
                retry_after_seconds,
            } => Some(retry_after_seconds),
            Self::Status {
                retry_after_seconds,
                ..
            } => retry_after_seconds,
            Self::Timeout
            | Self::Connect
            | Self::Redirect
            | Self::TooLarge
            | Self::Malformed(_)
            | Self::Overloaded => None,
        }
    }

    /// The bounded label for metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Redirect => "redirect",
            Self::TooLarge => "too_large",
            Self::Status { .. } => "status",
            Self::Malformed(_) => "malformed",
            Self::CircuitOpen { .. } => "circuit_open",
            Self::Overloaded => "overloaded",
        }
    }
}
