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

/// Inserts an active user under `base_name`, or, if that is taken without regard to case, under the first free one of
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

/// Records that the user signed in, and fills the names that are still empty. Names that are set stay as they are.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn fill_after_sign_in(
    tx: &mut Tx<'_>,
    id: UserId,
    first_name: Option<&str>,
    last_name: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(
        tx,
        users::fill_after_sign_in(id, first_name, last_name, now)
    )
}
