//! Who depends on a provider.

use diesel::dsl::{count_star, exists, max, not};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::super::Conn;
use super::super::schema::{social_auth, users};
use crate::storage::StorageError;
use crate::storage::provider_users::Dependants;

diesel::alias!(social_auth as others: OtherAccounts, social_auth as sample: Sample);

pub(in crate::storage) fn count(
    conn: &mut Conn,
    provider: &str,
    ways_in: &[String],
    after: &str,
    limit: i64,
) -> Result<(Dependants, Option<String>), StorageError> {
    // The index of (provider, uid) leads to these; beyond the limit nobody looks.
    let looked_at = || {
        sample
            .filter(sample.field(social_auth::provider).eq(provider.to_owned()))
            .filter(sample.field(social_auth::uid).gt(after.to_owned()))
            .order(sample.field(social_auth::uid))
            .limit(limit)
    };
    let (accounts, last): (i64, Option<String>) = social_auth::table
        .filter(social_auth::id.eq_any(looked_at().select(sample.field(social_auth::id))))
        .select((count_star(), max(social_auth::uid)))
        .get_result(conn)?;
    // Of each user once: somebody may have thousands of accounts.
    let elsewhere = others
        .filter(others.field(social_auth::user_id).eq(users::id))
        .filter(others.field(social_auth::provider).eq_any(ways_in));
    let users: i64 = users::table
        .filter(users::id.eq_any(looked_at().select(sample.field(social_auth::user_id))))
        .filter(not(exists(elsewhere)))
        .select(count_star())
        .get_result(conn)?;
    let dependants = Dependants {
        users: u64::try_from(users).unwrap_or(0),
        accounts: u64::try_from(accounts).unwrap_or(0),
        is_complete: accounts < limit,
    };
    Ok((dependants, last))
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    provider: String,
}

/// The providers of all social accounts. Neither database skips through an index by itself for `SELECT DISTINCT`.
pub(in crate::storage) fn list_providers(conn: &mut Conn) -> Result<Vec<String>, StorageError> {
    let rows: Vec<Named> = diesel::sql_query(
        "WITH RECURSIVE steps (provider) AS (\
         SELECT min(provider) FROM social_auth UNION ALL \
         SELECT (SELECT min(s.provider) FROM social_auth s WHERE s.provider > steps.provider) \
         FROM steps WHERE steps.provider IS NOT NULL) \
         SELECT provider FROM steps WHERE provider IS NOT NULL LIMIT 1000",
    )
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.provider).collect())
}
