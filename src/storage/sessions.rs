//! Sessions. A refresh token is stored only as its SHA-256.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::{NewSession, Session, SessionId, SocialAuthId, User, UserId};

/// The session and its user, by one query. Whether it is live and the user active is for the caller to judge.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find_with_user(
    reader: &mut Reader<'_>,
    id: SessionId,
) -> Result<Option<(Session, User)>, StorageError> {
    dispatch!(reader, sessions::find_with_user(id))
}

/// As [`find_with_user`], and nobody else changes the session until the transaction ends.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find_for_update(
    tx: &mut Tx<'_>,
    id: SessionId,
) -> Result<Option<(Session, User)>, StorageError> {
    dispatch!(tx, sessions::find_for_update(id))
}

/// All sessions of the user, oldest first, ended ones included.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_of_user(
    reader: &mut Reader<'_>,
    user_id: UserId,
) -> Result<Vec<Session>, StorageError> {
    dispatch!(reader, sessions::list_of_user(user_id))
}

/// Opens a session for the user.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    user_id: UserId,
    social_auth_id: Option<SocialAuthId>,
    api_client_id: Option<i64>,
    new: &NewSession,
    now: DateTime<Utc>,
) -> Result<SessionId, StorageError> {
    dispatch!(
        tx,
        sessions::insert(user_id, social_auth_id, api_client_id, new, now)
    )
}

/// Puts a new refresh token in the place of the current one, which is remembered for the grace after a rotation.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn rotate(
    tx: &mut Tx<'_>,
    id: SessionId,
    previous_hash: &[u8],
    new_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, sessions::rotate(id, previous_hash, new_hash, now))
}

/// Ends a session. False if it had ended before; the first reason stays.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn revoke(
    tx: &mut Tx<'_>,
    id: SessionId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    dispatch!(tx, sessions::revoke(id, reason, now))
}

/// Ends all sessions of the user, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn revoke_all_of_user(
    tx: &mut Tx<'_>,
    user_id: UserId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    dispatch!(tx, sessions::revoke_all_of_user(user_id, reason, now))
}
