//! Users.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::{NewUser, User, UserId};

/// The user with this id.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find(reader: &mut Reader<'_>, id: UserId) -> Result<Option<User>, StorageError> {
    dispatch!(reader, users::find(id))
}

/// The users whose address, verified, is `folded` (lower case): the first two of them, because the second makes the answer
/// ambiguous.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_by_verified_email(
    reader: &mut Reader<'_>,
    folded: &str,
) -> Result<Vec<User>, StorageError> {
    dispatch!(reader, users::list_by_verified_email(folded))
}

/// Inserts an active user who signs in now and has no social account yet, under `base_name`, or, if that is taken without regard to case, under the first free one of
/// `alternatives`.
///
/// # Errors
/// [`StorageError::Restart`] when every name is taken; others when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    user: &NewUser,
    base_name: &str,
    alternatives: impl FnOnce() -> Vec<String>,
    now: DateTime<Utc>,
) -> Result<User, StorageError> {
    dispatch!(tx, users::insert(user, base_name, alternatives, now))
}

/// The first of `names` that nobody has, without regard to case. Somebody may take it the next moment.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find_free_name<'n>(
    reader: &mut Reader<'_>,
    names: &'n [String],
) -> Result<Option<&'n str>, StorageError> {
    dispatch!(reader, users::find_free_name(names))
}

/// Records that the user signed in.
///
/// # Errors
/// [`StorageError`] when the database fails, such as when there is no such user.
pub fn record_sign_in(tx: &mut Tx<'_>, id: UserId, now: DateTime<Utc>) -> Result<(), StorageError> {
    dispatch!(tx, users::record_sign_in(id, now))
}

/// Fills the names that are still empty. Names that are set stay as they are.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn fill_names(
    tx: &mut Tx<'_>,
    id: UserId,
    first_name: &str,
    last_name: &str,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, users::fill_names(id, first_name, last_name, now))
}

/// How many users are inactive, counted up to `limit`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn count_inactive(reader: &mut Reader<'_>, limit: u32) -> Result<u64, StorageError> {
    dispatch!(reader, users::count_inactive(i64::from(limit)))
}
