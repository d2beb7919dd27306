//! Standing orders of staff about social accounts that nobody has: refuse one, or associate it with a user when it next comes.
//!
//! They are looked up by primary key, and only where a new row would be made.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::stewardship::StandingOrder;
use crate::domain::{Actor, ProviderId, Uid, UserId};

/// An order about to be given.
#[derive(Debug, Clone, Copy)]
pub struct NewStandingOrder<'a> {
    /// At which provider the social account is.
    pub provider: &'a ProviderId,
    /// The provider's id of the person.
    pub uid: &'a Uid,
    /// What is to happen.
    pub order: StandingOrder,
    /// Whose account it was, or is to be.
    pub user_id: UserId,
    /// Who orders it.
    pub actor: Actor,
    /// Why.
    pub reason: &'a str,
    /// Until when it holds.
    pub expires_at: DateTime<Utc>,
}

/// An order that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingOrderRecord {
    /// At which provider the social account is.
    pub provider: ProviderId,
    /// The provider's id of the person.
    pub uid: Uid,
    /// What is to happen.
    pub order: StandingOrder,
    /// The kind of whoever ordered it, see [`Actor::kind`].
    pub actor_kind: String,
    /// Their row.
    pub actor_id: Option<i64>,
    /// Their name, of staff and of API clients.
    pub actor_name: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when it holds.
    pub expires_at: DateTime<Utc>,
}

/// The order about this social account that holds at `now`.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find(
    reader: &mut Reader<'_>,
    provider: &ProviderId,
    uid: &Uid,
    now: DateTime<Utc>,
) -> Result<Option<StandingOrder>, StorageError> {
    dispatch!(reader, standing_orders::find(provider, uid, now))
}

/// Gives an order in the place of whatever was ordered about this social account before.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn put(
    tx: &mut Tx<'_>,
    new: &NewStandingOrder<'_>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, standing_orders::put(new, now))
}

/// Takes the order about this social account back, or uses it up. False if there was none: of two at once only one gets it.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete(tx: &mut Tx<'_>, provider: &ProviderId, uid: &Uid) -> Result<bool, StorageError> {
    dispatch!(tx, standing_orders::delete(provider, uid))
}

/// The orders about accounts that were, or are to be, this user's and hold at `now`, at most `limit`.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list_of_user(
    reader: &mut Reader<'_>,
    user_id: UserId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<StandingOrderRecord>, StorageError> {
    dispatch!(reader, standing_orders::list_of_user(user_id, now, limit))
}

/// Whether there is anything for [`delete_expired`]. Cheap.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn any_expired(reader: &mut Reader<'_>, now: DateTime<Utc>) -> Result<bool, StorageError> {
    dispatch!(reader, standing_orders::any_expired(now))
}

/// Removes orders whose time is over, at most `limit` of them, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_expired(
    tx: &mut Tx<'_>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StorageError> {
    dispatch!(tx, standing_orders::delete_expired(now, limit))
}
