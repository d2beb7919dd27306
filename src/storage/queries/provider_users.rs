//! Who depends on a provider.

use diesel::AggregateExpressionMethods as _;
use diesel::dsl::{count as count_of, exists, not};
use diesel::prelude::*;

use super::super::Conn;
use super::super::schema::social_auth;
use crate::storage::StorageError;
use crate::storage::provider_users::Dependants;

diesel::alias!(social_auth as others: OtherAccounts, social_auth as sample: Sample);

pub(in crate::storage) fn count(
    conn: &mut Conn,
    provider: &str,
    limit: i64,
) -> Result<Dependants, StorageError> {
    // The index of (provider, uid) leads to these; beyond the limit nobody looks.
    let looked_at = || {
        sample
            .filter(sample.field(social_auth::provider).eq(provider.to_owned()))
            .select(sample.field(social_auth::id))
            .order(sample.field(social_auth::uid))
            .limit(limit)
    };
    let accounts: i64 = social_auth::table
        .filter(social_auth::id.eq_any(looked_at()))
        .count()
        .get_result(conn)?;
    let elsewhere = others
        .filter(others.field(social_auth::user_id).eq(social_auth::user_id))
        .filter(others.field(social_auth::provider).ne(provider.to_owned()));
    let users: i64 = social_auth::table
        .filter(social_auth::id.eq_any(looked_at()))
        .filter(not(exists(elsewhere)))
        .select(count_of(social_auth::user_id).aggregate_distinct())
        .get_result(conn)?;
    Ok(Dependants {
        users: u64::try_from(users).unwrap_or(0),
        accounts: u64::try_from(accounts).unwrap_or(0),
        is_complete: accounts < limit,
    })
}
