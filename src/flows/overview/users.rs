//! How many users there are.

use std::sync::Arc;

use crate::app::App;
use crate::storage::{StorageError, user_lists, users};

/// Inactive users that are counted at most.
const MOST: u32 = 10_000;

/// How many users there are, and how many of them are inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserTotals {
    /// All of them.
    pub users: u64,
    /// Those who may not sign in, counted up to some thousands.
    pub inactive: u64,
    /// Whether there are more of them than were counted.
    pub has_more_inactive: bool,
}

/// Counts them.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn read_user_totals(app: &Arc<App>) -> Result<UserTotals, StorageError> {
    app.db
        .read(|reader| {
            let inactive = users::count_inactive(reader, MOST + 1)?;
            Ok(UserTotals {
                users: user_lists::count_everybody(reader)?,
                inactive: inactive.min(MOST.into()),
                has_more_inactive: inactive > MOST.into(),
            })
        })
        .await
}
