//! Unlinked social accounts, kept for a while so that the unlink can be undone. Never with a token or any other secret.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::account_records::AccountRecord;
use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::stewardship::{UnlinkedAccount, UnlinkedId};
use crate::domain::{Actor, SocialAuthId, UserId};

/// An unlinked account about to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewUnlinkedAccount<'a> {
    /// The row as it was.
    pub account: &'a AccountRecord,
    /// Its `extra_data` without anything that is about a token.
    pub kept_data: &'a Value,
    /// Who unlinked it.
    pub actor: Actor,
    /// Why.
    pub reason: &'a str,
    /// Until when it can be had back.
    pub expires_at: DateTime<Utc>,
}

/// A kept account and the name of the member of staff who unlinked it, where one did.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedAccount {
    /// The account.
    pub account: UnlinkedAccount,
    /// Who unlinked it.
    pub actor_name: Option<String>,
}

/// Keeps an account that is unlinked now.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewUnlinkedAccount<'_>,
    now: DateTime<Utc>,
) -> Result<UnlinkedId, StorageError> {
    dispatch!(tx, unlinked_accounts::insert(new, now))
}

/// The kept account of this user with this id.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find(
    reader: &mut Reader<'_>,
    user_id: UserId,
    id: UnlinkedId,
) -> Result<Option<UnlinkedAccount>, StorageError> {
    dispatch!(reader, unlinked_accounts::find(user_id, id))
}

/// As [`find`], and nobody else changes it until the transaction ends.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find_for_update(
    tx: &mut Tx<'_>,
    user_id: UserId,
    id: UnlinkedId,
) -> Result<Option<UnlinkedAccount>, StorageError> {
    dispatch!(tx, unlinked_accounts::find_for_update(user_id, id))
}

/// The kept account that was this row of this user's.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find_by_social_auth(
    reader: &mut Reader<'_>,
    user_id: UserId,
    id: SocialAuthId,
) -> Result<Option<UnlinkedAccount>, StorageError> {
    dispatch!(reader, unlinked_accounts::find_by_social_auth(user_id, id))
}

/// The accounts that can be given back to the user at `now`, latest first, at most `limit`.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list_of_user(
    reader: &mut Reader<'_>,
    user_id: UserId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<NamedAccount>, StorageError> {
    dispatch!(reader, unlinked_accounts::list_of_user(user_id, now, limit))
}

/// Notes that an account was given back.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn mark_restored(
    tx: &mut Tx<'_>,
    id: UnlinkedId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, unlinked_accounts::mark_restored(id, now))
}

/// Whether there is anything for [`delete_expired`]. Cheap.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn any_expired(reader: &mut Reader<'_>, now: DateTime<Utc>) -> Result<bool, StorageError> {
    dispatch!(reader, unlinked_accounts::any_expired(now))
}

/// Removes accounts whose time is over, at most `limit` of them, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_expired(
    tx: &mut Tx<'_>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StorageError> {
    dispatch!(tx, unlinked_accounts::delete_expired(now, limit))
}
