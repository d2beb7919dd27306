//! Steps of the upkeep that remove what has had its time. Each is one short transaction's work, at most `limit` rows.

use chrono::{DateTime, Utc};

use crate::storage::{StorageError, Tx, session_records, standing_orders, unlinked_accounts};

/// Removes unlinked accounts that can no longer be had back, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn purge_unlinked_accounts(
    tx: &mut Tx<'_>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StorageError> {
    unlinked_accounts::delete_expired(tx, now, limit)
}

/// Removes refusals and tickets that no longer hold, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn purge_standing_orders(
    tx: &mut Tx<'_>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StorageError> {
    standing_orders::delete_expired(tx, now, limit)
}

/// Removes sessions that have expired, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn purge_expired_sessions(
    tx: &mut Tx<'_>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StorageError> {
    session_records::delete_expired(tx, now, limit)
}
