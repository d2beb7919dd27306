//! The audit log: written in the transaction of the change it tells of.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::{AuditEntry, SocialAuthId, UserId};

/// A stored entry. Texts, not types: an entry outlives the version that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The row; later entries have higher ones.
    pub id: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What kind of actor, see [`crate::domain::Actor::kind`].
    pub actor_kind: String,
    /// The row of whoever acted, in the table that `actor_kind` tells.
    pub actor_id: Option<i64>,
    /// What was done, see [`crate::domain::AuditAction::as_str`].
    pub action: String,
    /// Why, see [`AuditEntry::reason`].
    pub reason: Option<String>,
    /// See [`AuditEntry::detail`].
    pub detail: Option<Value>,
    /// The user it was done to.
    pub user_id: Option<UserId>,
    /// The social account it was done to.
    pub social_auth_id: Option<SocialAuthId>,
    /// The provider.
    pub provider: Option<String>,
    /// The provider's id of the person.
    pub uid: Option<String>,
    /// The request it happened in.
    pub request_id: String,
    /// The client's address.
    pub address: Option<String>,
}

/// An entry and the name of the member of staff or the API client who acted, where one did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEntry {
    /// The entry.
    pub record: AuditRecord,
    /// Who acted.
    pub actor_name: Option<String>,
}

/// A member of staff or an API client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedActor {
    /// The kind of actor, as entries have it.
    pub kind: String,
    /// Their row.
    pub id: i64,
    /// Their name.
    pub name: String,
}

/// Appends an entry.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(tx: &mut Tx<'_>, entry: &AuditEntry, now: DateTime<Utc>) -> Result<(), StorageError> {
    dispatch!(tx, audit::insert(entry, now))
}

/// The latest entries about a user, newest first, at most `limit`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_of_user(
    reader: &mut Reader<'_>,
    user_id: UserId,
    limit: i64,
) -> Result<Vec<NamedEntry>, StorageError> {
    dispatch!(reader, audit::list_of_user(user_id, limit))
}

/// The first `limit` members of staff and API clients, staff first, in the order in which they came.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_actors(reader: &mut Reader<'_>, limit: u32) -> Result<Vec<NamedActor>, StorageError> {
    dispatch!(reader, actors::list(i64::from(limit)))
}

/// The latest entries, newest first, at most `limit`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list(reader: &mut Reader<'_>, limit: u32) -> Result<Vec<AuditRecord>, StorageError> {
    dispatch!(reader, audit::list(i64::from(limit)))
}
