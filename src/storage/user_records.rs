//! Users with what is stored beside them, and switching them off and on.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::stewardship::Reason;
use crate::domain::{Actor, User, UserId};

/// A user and what belongs to them alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The user.
    pub user: User,
    /// When they last signed in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// Why they are inactive, where staff made them so.
    pub deactivation: Option<Deactivation>,
}

/// Why a user is inactive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deactivation {
    /// The kind of whoever did it, see [`Actor::kind`].
    pub actor_kind: String,
    /// Their row.
    pub actor_id: Option<i64>,
    /// Their name, of staff and of API clients.
    pub actor_name: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The user with this id.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find(reader: &mut Reader<'_>, id: UserId) -> Result<Option<UserRecord>, StorageError> {
    dispatch!(reader, user_records::find(id))
}

/// The user with this id; whoever else wants to change them waits until the transaction ends.
///
/// Lock a social account of theirs first where both are needed: that is the order in which a sign-in locks.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find_for_update(tx: &mut Tx<'_>, id: UserId) -> Result<Option<User>, StorageError> {
    dispatch!(tx, user_records::find_for_update(id))
}

/// Makes a user inactive who is locked in this transaction.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn deactivate(
    tx: &mut Tx<'_>,
    id: UserId,
    actor: Actor,
    reason: &Reason,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, user_records::deactivate(id, actor, reason, now))
}

/// Makes a user active who is locked in this transaction.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn reactivate(tx: &mut Tx<'_>, id: UserId, now: DateTime<Utc>) -> Result<(), StorageError> {
    dispatch!(tx, user_records::reactivate(id, now))
}
