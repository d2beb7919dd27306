//! When staff last had a stored access token checked with its provider, and what came of it.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{StorageError, Tx};
use crate::domain::SocialAuthId;

/// Notes that a check begins at `now`, unless one began after `not_since`: then it gives when that was. Of two at once one begins.
///
/// # Errors
/// [`StorageError`] when the database fails, such as when there is no such social account.
pub fn begin(
    tx: &mut Tx<'_>,
    id: SocialAuthId,
    not_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StorageError> {
    dispatch!(tx, token_checks::begin(id, not_since, now))
}

/// Notes what came of the check that began at `began_at`; nothing if the account is gone.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn finish(
    tx: &mut Tx<'_>,
    id: SocialAuthId,
    began_at: DateTime<Utc>,
    outcome: &str,
) -> Result<(), StorageError> {
    dispatch!(tx, token_checks::finish(id, began_at, outcome))
}
