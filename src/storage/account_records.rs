//! Social accounts with all that is stored of them, for the pages of staff and for what staff do with one.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::{SocialAuth, SocialAuthId, UserId};

/// A social account and the columns beside.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRecord {
    /// The account.
    pub social_auth: SocialAuth,
    /// Which of our client ids it last came through.
    pub client_id: Option<String>,
    /// The address that the provider last gave.
    pub email: Option<String>,
    /// Whether the provider vouched for `email`.
    pub email_verified: bool,
}

/// The last check of a stored access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCheckRecord {
    /// When it began.
    pub checked_at: DateTime<Utc>,
    /// What came of it, if it ended.
    pub outcome: Option<String>,
}

/// The user's account with this id; nobody else changes it until the transaction ends.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find_for_update(
    tx: &mut Tx<'_>,
    user_id: UserId,
    id: SocialAuthId,
) -> Result<Option<AccountRecord>, StorageError> {
    dispatch!(tx, account_records::find_for_update(user_id, id))
}

/// The user's accounts, oldest first, each with the last check of its access token; at most `limit`.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list_of_user(
    reader: &mut Reader<'_>,
    user_id: UserId,
    limit: i64,
) -> Result<Vec<(AccountRecord, Option<TokenCheckRecord>)>, StorageError> {
    dispatch!(reader, account_records::list_of_user(user_id, limit))
}

/// Removes an account that is locked in this transaction.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete(tx: &mut Tx<'_>, social_auth: &SocialAuth) -> Result<(), StorageError> {
    dispatch!(tx, account_records::delete(social_auth))
}
