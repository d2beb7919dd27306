//! Staff accounts, their credentials and recovery codes.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::StaffId;
use crate::domain::staff::{NewStaff, Role, Staff, StaffCredentials};

/// Makes an account without a password. `None` when the address is taken.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewStaff,
    now: DateTime<Utc>,
) -> Result<Option<Staff>, StorageError> {
    dispatch!(tx, staff::insert(new, now))
}

/// The account.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find(reader: &mut Reader<'_>, id: StaffId) -> Result<Option<Staff>, StorageError> {
    dispatch!(reader, staff::find(id))
}

/// The account and what proves it, as they are now, by the folded address. Whoever concludes anything from it looks again with
/// [`find_for_update`]; a lock here, taken after those of [`super::staff_throttles`], could meet one taken before them.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find_credentials_by_email(
    reader: &mut Reader<'_>,
    folded: &str,
) -> Result<Option<(Staff, StaffCredentials)>, StorageError> {
    dispatch!(reader, staff::find_credentials_by_email(folded))
}

/// What proves it, as it is now; see [`find_credentials_by_email`].
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find_credentials(
    reader: &mut Reader<'_>,
    id: StaffId,
) -> Result<Option<StaffCredentials>, StorageError> {
    dispatch!(reader, staff::find_credentials(id))
}

/// The account and what proves it; nobody else changes it until the transaction ends.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find_for_update(
    tx: &mut Tx<'_>,
    id: StaffId,
) -> Result<Option<(Staff, StaffCredentials)>, StorageError> {
    dispatch!(tx, staff::find_for_update(id))
}

/// The first `limit` accounts, by name.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list(reader: &mut Reader<'_>, limit: u32) -> Result<Vec<Staff>, StorageError> {
    dispatch!(reader, staff::list(i64::from(limit)))
}

/// Whether there is any account at all.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn exists(reader: &mut Reader<'_>) -> Result<bool, StorageError> {
    dispatch!(reader, staff::exists())
}

/// The active superusers who have a password; nobody else changes them until the transaction ends.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_superusers_for_update(tx: &mut Tx<'_>) -> Result<Vec<StaffId>, StorageError> {
    dispatch!(tx, staff::list_superusers_for_update())
}

/// Sets the password's hash.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_password_hash(
    tx: &mut Tx<'_>,
    id: StaffId,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, staff::set_password_hash(id, password_hash, now))
}

/// Sets the role.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_role(
    tx: &mut Tx<'_>,
    id: StaffId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, staff::set_role(id, role, now))
}

/// Lets them sign in or not.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_active(
    tx: &mut Tx<'_>,
    id: StaffId,
    is_active: bool,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, staff::set_active(id, is_active, now))
}

/// Demands a second factor of this account, or leaves that to the setting.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_must_have_second_factor(
    tx: &mut Tx<'_>,
    id: StaffId,
    must: bool,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, staff::set_must_have_second_factor(id, must, now))
}

/// Sets the authenticator's sealed secret, or removes it; `last_step` is the step of the code that proved it.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_totp(
    tx: &mut Tx<'_>,
    id: StaffId,
    secret_and_last_step: Option<(&str, i64)>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, staff::set_totp(id, secret_and_last_step, now))
}

/// Uses up the code of a time step, and with it all earlier ones. False if it was used before.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn use_totp_step(tx: &mut Tx<'_>, id: StaffId, step: i64) -> Result<bool, StorageError> {
    dispatch!(tx, staff::use_totp_step(id, step))
}

/// Remembers a sign-in.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_last_sign_in(
    tx: &mut Tx<'_>,
    id: StaffId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, staff::set_last_sign_in(id, now))
}

/// Puts new recovery codes, as hashes, in the place of all old ones.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn replace_recovery_codes(
    tx: &mut Tx<'_>,
    id: StaffId,
    hashes: &[[u8; 32]],
) -> Result<(), StorageError> {
    dispatch!(tx, staff::replace_recovery_codes(id, hashes))
}

/// Uses a recovery code up. False if there is no such code, or it was used before.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn use_recovery_code(
    tx: &mut Tx<'_>,
    id: StaffId,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    dispatch!(tx, staff::use_recovery_code(id, hash, now))
}

/// How many recovery codes are left.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn count_recovery_codes(reader: &mut Reader<'_>, id: StaffId) -> Result<i64, StorageError> {
    dispatch!(reader, staff::count_recovery_codes(id))
}
