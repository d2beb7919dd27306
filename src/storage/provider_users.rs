//! Who depends on a provider: users whose other social accounts, if they have any, lead nowhere.

use super::connection::dispatch;
use super::{Reader, StorageError};

/// How many users depend on a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependants {
    /// Users who have social accounts of this provider and none that is another way in.
    pub users: u64,
    /// Social accounts of this provider that were looked at.
    pub accounts: u64,
    /// Whether that was all of them. Otherwise there may be more of both.
    pub is_complete: bool,
}

impl Dependants {
    /// Nobody, and no social account either.
    pub const NONE: Self = Self {
        users: 0,
        accounts: 0,
        is_complete: true,
    };
}

/// A provider that has social accounts and is not configured, and who depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The provider's id.
    pub provider: String,
    /// Who depends on it.
    pub dependants: Dependants,
}

/// How many users depend on `provider`, as far as its first `limit` social accounts tell. Another way in is a social account of one of
/// the providers `ways_in`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn count(
    reader: &mut Reader<'_>,
    provider: &str,
    ways_in: &[String],
    limit: u32,
) -> Result<Dependants, StorageError> {
    Ok(count_after(reader, provider, ways_in, "", limit)?.0)
}

/// As [`count`]; but while nobody is found among them, the next `limit` social accounts are looked at. So nobody depends on the
/// provider only if `users` is 0, however many social accounts it has; then all of them were looked at.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn count_until_found(
    reader: &mut Reader<'_>,
    provider: &str,
    ways_in: &[String],
    limit: u32,
) -> Result<Dependants, StorageError> {
    let (mut found, mut last) = count_after(reader, provider, ways_in, "", limit)?;
    while found.users == 0
        && !found.is_complete
        && let Some(after) = last
    {
        let (next, next_last) = count_after(reader, provider, ways_in, &after, limit)?;
        found = Dependants {
            accounts: found.accounts + next.accounts,
            ..next
        };
        last = next_last;
    }
    Ok(found)
}

/// The same for the social accounts whose uids come behind `after`; with the last uid that was looked at.
fn count_after(
    reader: &mut Reader<'_>,
    provider: &str,
    ways_in: &[String],
    after: &str,
    limit: u32,
) -> Result<(Dependants, Option<String>), StorageError> {
    dispatch!(
        reader,
        provider_users::count(provider, ways_in, after, i64::from(limit))
    )
}

/// The providers that have social accounts and are not configured. One step in an index for each provider there is, however
/// many accounts it has.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_removed(
    reader: &mut Reader<'_>,
    is_configured: impl Fn(&str) -> bool,
) -> Result<Vec<String>, StorageError> {
    let mut ids = dispatch!(reader, provider_users::list_providers())?;
    ids.retain(|id| !is_configured(id));
    Ok(ids)
}
