//! Who at which provider signs in as which member of staff.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::{ProviderId, StaffId, Uid};

/// Somebody at a provider who signs in as a member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffProvider {
    /// As whom.
    pub staff_id: StaffId,
    /// At which provider.
    pub provider: ProviderId,
    /// The provider's id of them.
    pub uid: Uid,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When they last came.
    pub last_used_at: DateTime<Utc>,
}

/// As whom this uid signs in.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find_staff_id(
    reader: &mut Reader<'_>,
    provider: &ProviderId,
    uid: &Uid,
) -> Result<Option<StaffId>, StorageError> {
    dispatch!(reader, staff_providers::find_staff_id(provider, uid))
}

/// Through which providers an account signs in, in the order of their ids. As many as providers are configured, at most.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list_of_staff(
    reader: &mut Reader<'_>,
    staff_id: StaffId,
) -> Result<Vec<StaffProvider>, StorageError> {
    dispatch!(reader, staff_providers::list_of_staff(staff_id))
}

/// The first `limit` of all of them.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list(reader: &mut Reader<'_>, limit: u32) -> Result<Vec<StaffProvider>, StorageError> {
    dispatch!(reader, staff_providers::list(i64::from(limit)))
}

/// From now on this uid signs in as this account. False if the uid signs in as somebody, or the account as somebody else there.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    staff_id: StaffId,
    provider: &ProviderId,
    uid: &Uid,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    dispatch!(tx, staff_providers::insert(staff_id, provider, uid, now))
}

/// Remembers that they came.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn touch(
    tx: &mut Tx<'_>,
    provider: &ProviderId,
    uid: &Uid,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, staff_providers::touch(provider, uid, now))
}

/// Nobody at this provider signs in as this account any more. Gives the uid that did.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn delete(
    tx: &mut Tx<'_>,
    staff_id: StaffId,
    provider: &ProviderId,
) -> Result<Option<Uid>, StorageError> {
    dispatch!(tx, staff_providers::delete(staff_id, provider))
}
