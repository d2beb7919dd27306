//! Wrong tries to sign in, by the SHA-256 of what is counted.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{StorageError, Tx};
use crate::domain::staff::Tries;

/// The tries so far; nobody else counts there until the transaction ends.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn get_for_update(
    tx: &mut Tx<'_>,
    key: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Tries, StorageError> {
    dispatch!(tx, staff_throttles::get_for_update(key, now))
}

/// Replaces the tries so far.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set(tx: &mut Tx<'_>, key: &[u8; 32], tries: &Tries) -> Result<(), StorageError> {
    dispatch!(tx, staff_throttles::set(key, tries))
}

/// Forgets the tries.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete(tx: &mut Tx<'_>, key: &[u8; 32]) -> Result<(), StorageError> {
    dispatch!(tx, staff_throttles::delete(key))
}

/// Takes one try back, and with it the wait that it may have begun.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn take_back(tx: &mut Tx<'_>, key: &[u8; 32]) -> Result<(), StorageError> {
    dispatch!(tx, staff_throttles::take_back(key))
}

/// Forgets what is to be forgotten by `now`, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_expired(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, StorageError> {
    dispatch!(tx, staff_throttles::delete_expired(now))
}
