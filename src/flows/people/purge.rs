//! Steps of the upkeep that remove what has had its time. Each says cheaply whether it is due, and then does one short transaction's
//! work, at most `limit` rows.

use chrono::{DateTime, Utc};

use crate::storage::{
    Reader, StorageError, Tx, session_records, standing_orders, unlinked_accounts,
    webhook_deliveries,
};

/// Whether unlinked accounts, refusals, tickets, sessions or deliveries have had their time.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn purge_is_due(reader: &mut Reader<'_>, now: DateTime<Utc>) -> Result<bool, StorageError> {
    Ok(unlinked_accounts::any_expired(reader, now)?
        || standing_orders::any_expired(reader, now)?
        || session_records::any_expired(reader, now)?
        || webhook_deliveries::any_old(reader, now)?)
}

/// Removes unlinked accounts that can no longer be had back, refusals and tickets that no longer hold, sessions that have
/// expired and old deliveries, at most `limit` of each kind; says how many rows that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn purge(tx: &mut Tx<'_>, now: DateTime<Utc>, limit: i64) -> Result<usize, StorageError> {
    Ok(unlinked_accounts::delete_expired(tx, now, limit)?
        + standing_orders::delete_expired(tx, now, limit)?
        + session_records::delete_expired(tx, now, limit)?
        + webhook_deliveries::delete_old(tx, now, limit)?)
}
