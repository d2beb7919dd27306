//! Who depends on a provider: users who have no social account anywhere else.

use super::connection::dispatch;
use super::{Reader, StorageError};

/// How many users depend on a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependants {
    /// Users who have social accounts of this provider and of no other.
    pub users: u64,
    /// Social accounts of this provider that were looked at.
    pub accounts: u64,
    /// Whether that was all of them. Otherwise there may be more of both.
    pub is_complete: bool,
}

/// How many users depend on `provider`, as far as its first `limit` social accounts tell.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn count(
    reader: &mut Reader<'_>,
    provider: &str,
    limit: u32,
) -> Result<Dependants, StorageError> {
    dispatch!(reader, provider_users::count(provider, i64::from(limit)))
}
