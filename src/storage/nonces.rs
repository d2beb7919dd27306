//! Nonces that we issued, as hashes, until no id token that carries one can be accepted any more.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};

/// Remembers a nonce that is being issued.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, nonces::insert(hash, expires_at))
}

/// Whether a nonce was issued here, used or not, whose hash is any of `hashes`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn is_any_issued(reader: &mut Reader<'_>, hashes: &[[u8; 32]]) -> Result<bool, StorageError> {
    dispatch!(reader, nonces::is_any_issued(hashes))
}

/// Uses a nonce up, whose hash may be any of `hashes`. False when it was issued here and has expired or was used before; true
/// for a nonce that was not issued here.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn consume(
    tx: &mut Tx<'_>,
    hashes: &[[u8; 32]],
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    dispatch!(tx, nonces::consume(hashes, now))
}

/// Forgets those that expired before `expired_before`, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_expired(
    tx: &mut Tx<'_>,
    expired_before: DateTime<Utc>,
) -> Result<usize, StorageError> {
    dispatch!(tx, nonces::delete_expired(expired_before))
}
