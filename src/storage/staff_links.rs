//! One-time links for staff, stored as the SHA-256 of the token in them.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::StaffId;

/// Whom a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkFor {
    /// Whoever becomes the first superuser.
    FirstSuperuser,
    /// An account that gets a password by it.
    Staff(StaffId),
}

impl LinkFor {
    pub(super) const fn staff_id(self) -> Option<i64> {
        match self {
            Self::FirstSuperuser => None,
            Self::Staff(id) => Some(id.0),
        }
    }

    pub(super) const fn of(staff_id: Option<i64>) -> Self {
        match staff_id {
            None => Self::FirstSuperuser,
            Some(id) => Self::Staff(StaffId(id)),
        }
    }
}

/// Stores a link; earlier ones for the same account are worthless from now on. Several instances that start at once may each have
/// one for the first superuser.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    link_for: LinkFor,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, staff_links::insert(hash, link_for, expires_at, now))
}

/// Whom the link is for, if it can still be used.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find(
    reader: &mut Reader<'_>,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<LinkFor>, StorageError> {
    dispatch!(reader, staff_links::find(hash, now))
}

/// Uses a link up: `None` unless it exists, has not expired and was never used. Links for the first superuser are all locked, so
/// that of two at once one sees what the other did.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn redeem(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<LinkFor>, StorageError> {
    dispatch!(tx, staff_links::redeem(hash, now))
}

/// Removes links that expired before `expired_before`, used or not, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_expired(
    tx: &mut Tx<'_>,
    expired_before: DateTime<Utc>,
) -> Result<usize, StorageError> {
    dispatch!(tx, staff_links::delete_expired(expired_before))
}
