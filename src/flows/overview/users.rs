//! How many users there are.

use std::sync::Arc;

use crate::app::App;
use crate::storage::{StorageError, users};

/// Users that are counted at most.
const MOST: u32 = 10_000;

/// A number that was counted up to some limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many, the limit at most.
    pub count: u64,
    /// Whether there are more.
    pub is_more: bool,
}

/// How many users there are, and how many of them are inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserTotals {
    /// All of them.
    pub users: Counted,
    /// Those who may not sign in.
    pub inactive: Counted,
}

impl Counted {
    fn of(count: u64) -> Self {
        Self {
            count: count.min(MOST.into()),
            is_more: count > MOST.into(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.count == 0
    }
}

/// Counts them, up to some thousands.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn read_user_totals(app: &Arc<App>) -> Result<UserTotals, StorageError> {
    app.db
        .read(|reader| {
            Ok(UserTotals {
                users: Counted::of(users::count_up_to(reader, MOST + 1, false)?),
                inactive: Counted::of(users::count_up_to(reader, MOST + 1, true)?),
            })
        })
        .await
}
