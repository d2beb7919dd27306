//! Who depends on a provider: users whose other social accounts, if they have any, lead nowhere.

use std::collections::{HashMap, HashSet};

use super::connection::dispatch;
use super::sql::Sql;
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

/// As [`count`], for each of several providers, in one statement for a hundred of them. None is another way in for itself.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn count_each(
    reader: &mut Reader<'_>,
    providers: &[String],
    ways_in: &[String],
    limit: u32,
) -> Result<Vec<Dependants>, StorageError> {
    let mut looked_at: HashMap<String, (u64, HashSet<i64>)> = HashMap::new();
    for some in providers.chunks(AT_ONCE) {
        let sql = accounts_of(some, ways_in, limit);
        for (provider, user_id, has_another_way_in) in dispatch!(reader, lists::flagged(&sql))? {
            let (accounts, users) = looked_at.entry(provider).or_default();
            *accounts += 1;
            // Of each user once: somebody may have thousands of accounts.
            if !has_another_way_in {
                users.insert(user_id);
            }
        }
    }
    let dependants = providers.iter().map(|provider| {
        let found = looked_at.get(provider);
        found.map_or(Dependants::NONE, |(accounts, users)| Dependants {
            users: users.len() as u64,
            accounts: *accounts,
            is_complete: *accounts < u64::from(limit),
        })
    });
    Ok(dependants.collect())
}

/// Providers that one statement asks of. SQLite joins 500 SELECTs at most.
const AT_ONCE: usize = 100;

/// The first accounts of each provider: the provider, the user, and whether the user has another way in.
fn accounts_of(providers: &[String], ways_in: &[String], limit: u32) -> Sql {
    let mut sql = Sql::new(
        "SELECT s.provider, s.user_id, EXISTS (SELECT 1 FROM social_auth AS o WHERE o.user_id = s.user_id AND o.provider <> s.provider AND o.provider IN (",
    );
    if ways_in.is_empty() {
        sql.push("NULL");
    }
    sql.bind_all(ways_in.iter().map(String::as_str))
        .push(")) FROM (");
    for (index, provider) in providers.iter().enumerate() {
        if index > 0 {
            sql.push(" UNION ALL ");
        }
        // The index of (provider, uid) leads to these; beyond the limit nobody looks.
        sql.push("SELECT * FROM (SELECT provider, user_id FROM social_auth WHERE provider = ")
            .bind(provider.as_str())
            .push(format!(" ORDER BY uid LIMIT {limit}) AS a{index}"));
    }
    sql.push(") AS s");
    sql
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
