//! Staff sessions. The key in the cookie is stored only as its SHA-256.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::staff::{NewStaffSession, Staff, StaffSession};
use crate::domain::{StaffId, StaffSessionId};

/// Opens a session. [`set_key_hash`] gives it the key that its holder gets.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewStaffSession,
    now: DateTime<Utc>,
) -> Result<StaffSessionId, StorageError> {
    dispatch!(tx, staff_sessions::insert(new, now))
}

/// Gives a session a new key; the one before is worthless from now on.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_key_hash(
    tx: &mut Tx<'_>,
    id: StaffSessionId,
    key_hash: &[u8; 32],
) -> Result<(), StorageError> {
    dispatch!(tx, staff_sessions::set_key_hash(id, key_hash))
}

/// Makes a key worthless.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn clear_key_hash(tx: &mut Tx<'_>, key_hash: &[u8; 32]) -> Result<(), StorageError> {
    dispatch!(tx, staff_sessions::clear_key_hash(key_hash))
}

/// Replaces what a session remembers. False if no session has this key.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_state(
    tx: &mut Tx<'_>,
    key_hash: &[u8; 32],
    state: &Value,
) -> Result<bool, StorageError> {
    dispatch!(tx, staff_sessions::set_state(key_hash, state))
}

/// The session with this key and what it remembers. Whether it is live is for the caller to judge.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find_by_key(
    reader: &mut Reader<'_>,
    key_hash: &[u8; 32],
) -> Result<Option<(StaffSession, Value)>, StorageError> {
    dispatch!(reader, staff_sessions::find_by_key(key_hash))
}

/// The session and whose it is, by one query. Whether it is live and the account active is for the caller to judge.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find_with_staff(
    reader: &mut Reader<'_>,
    id: StaffSessionId,
) -> Result<Option<(StaffSession, Staff)>, StorageError> {
    dispatch!(reader, staff_sessions::find_with_staff(id))
}

/// Remembers that the session is in use.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn touch(tx: &mut Tx<'_>, id: StaffSessionId, now: DateTime<Utc>) -> Result<(), StorageError> {
    dispatch!(tx, staff_sessions::touch(id, now))
}

/// Remembers that a factor was proven just now; the session owes none any more.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_authenticated(
    tx: &mut Tx<'_>,
    id: StaffSessionId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, staff_sessions::set_authenticated(id, now))
}

/// The latest `limit` sessions of this account that were neither ended nor have expired, last used first.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_of_staff(
    reader: &mut Reader<'_>,
    staff_id: StaffId,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<StaffSession>, StorageError> {
    dispatch!(
        reader,
        staff_sessions::list_of_staff(staff_id, now, i64::from(limit))
    )
}

/// Ends a session of this account. False if there is none that had not ended.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn revoke(
    tx: &mut Tx<'_>,
    staff_id: StaffId,
    id: StaffSessionId,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    dispatch!(tx, staff_sessions::revoke(staff_id, id, reason, now))
}

/// Ends all sessions of this account but one, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn revoke_all(
    tx: &mut Tx<'_>,
    staff_id: StaffId,
    but: Option<StaffSessionId>,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    dispatch!(tx, staff_sessions::revoke_all(staff_id, but, reason, now))
}

/// Removes sessions that expired before `expired_before`, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_expired(
    tx: &mut Tx<'_>,
    expired_before: DateTime<Utc>,
) -> Result<usize, StorageError> {
    dispatch!(tx, staff_sessions::delete_expired(expired_before))
}
