//! Sessions as staff see them, and ending those of one social account.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::{SessionId, SocialAuthId, UserId};

/// A live session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// The row.
    pub id: SessionId,
    /// The social account that it was opened with; it may be gone.
    pub social_auth_id: Option<SocialAuthId>,
    /// The title of the API client that opened it, if one named itself.
    pub api_client: Option<String>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub last_used_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// The client's address when it was opened.
    pub address: Option<String>,
    /// What the client called itself then.
    pub user_agent: Option<String>,
}

/// The user's sessions that are live at `now`, the last used first, at most `limit`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_live_of_user(
    reader: &mut Reader<'_>,
    user_id: UserId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<SessionRecord>, StorageError> {
    dispatch!(
        reader,
        session_records::list_live_of_user(user_id, now, limit)
    )
}

/// How many of the user's sessions are live at `now` and were opened with this social account, or with any.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn count_live_of_user(
    reader: &mut Reader<'_>,
    user_id: UserId,
    opened_with: Option<SocialAuthId>,
    now: DateTime<Utc>,
) -> Result<i64, StorageError> {
    dispatch!(
        reader,
        session_records::count_live_of_user(user_id, opened_with, now)
    )
}

/// Ends those of the user's live sessions that were opened with this social account, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn revoke_opened_with(
    tx: &mut Tx<'_>,
    user_id: UserId,
    opened_with: SocialAuthId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    dispatch!(
        tx,
        session_records::revoke_opened_with(user_id, opened_with, reason, now)
    )
}

/// Ends one session of the user. False if there is no such session that is live at `now`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn revoke_of_user(
    tx: &mut Tx<'_>,
    user_id: UserId,
    id: SessionId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    dispatch!(
        tx,
        session_records::revoke_of_user(user_id, id, reason, now)
    )
}

/// Whether there is anything for [`delete_expired`]: whether the oldest session expired by `before`. Cheap.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn any_expired(reader: &mut Reader<'_>, before: DateTime<Utc>) -> Result<bool, StorageError> {
    dispatch!(reader, session_records::any_expired(before))
}

/// Removes sessions that expired by `before`, at most `limit` of them, and says how many that were. Looks at the oldest rows only.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_expired(
    tx: &mut Tx<'_>,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StorageError> {
    dispatch!(tx, session_records::delete_expired(before, limit))
}
