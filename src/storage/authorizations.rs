//! Browsers that were sent to a provider and are expected back. State and browser are stored as the SHA-256 of what they hold.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{StorageError, Tx};
use crate::domain::{ProviderId, StaffSessionId};

/// What the provider's answer is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in as staff.
    StaffSignIn,
    /// Proving once more that it is oneself, before something dangerous.
    StaffStepUp,
}

impl Purpose {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::StaffSignIn => "staff_sign_in",
            Self::StaffStepUp => "staff_step_up",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::StaffSignIn, Self::StaffStepUp]
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}

/// A browser that was sent to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// What for.
    pub purpose: Purpose,
    /// To which.
    pub provider: ProviderId,
    /// The staff session that the browser had then.
    pub staff_session_id: Option<StaffSessionId>,
    /// Where it goes afterwards: an address of ours.
    pub next: String,
    /// When it was sent.
    pub created_at: DateTime<Utc>,
    /// Until when it is expected back.
    pub expires_at: DateTime<Utc>,
}

/// What the browser brings back, as SHA-256.
#[derive(Debug, Clone, Copy)]
pub struct Return {
    /// The parameter `state`.
    pub state_hash: [u8; 32],
    /// What the browser holds beside it.
    pub browser_hash: [u8; 32],
}

/// Stores that a browser was sent.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    expected: Return,
    authorization: &Authorization,
) -> Result<(), StorageError> {
    dispatch!(tx, authorizations::insert(expected, authorization))
}

/// Uses it up, so that it counts once: `None` unless this browser was sent to this provider with this state. Whether it is in time
/// is for the caller to judge.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn redeem(
    tx: &mut Tx<'_>,
    returned: Return,
    provider: &ProviderId,
) -> Result<Option<Authorization>, StorageError> {
    dispatch!(tx, authorizations::redeem(returned, provider))
}

/// Removes those that expired before `expired_before`, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_expired(
    tx: &mut Tx<'_>,
    expired_before: DateTime<Utc>,
) -> Result<usize, StorageError> {
    dispatch!(tx, authorizations::delete_expired(expired_before))
}
