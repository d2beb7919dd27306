//! Checks of stored access tokens.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::Conn;
use super::super::schema::token_checks as table;
use super::super::types::Tstz;
use super::{find_one, get_one, prepared};
use crate::domain::SocialAuthId;
use crate::storage::{StorageError, micros};

prepared! {
    /// One statement, so that of two checks at once only one begins.
    struct Begin<'a> { id: &'a i64, not_since: DateTime<Utc>, now: DateTime<Utc>, }
    returns BigInt;
    "INSERT INTO token_checks (social_auth_id, checked_at) VALUES (" [id: BigInt]
    ", " [now: Tstz]
    ") ON CONFLICT (social_auth_id) DO UPDATE SET checked_at = EXCLUDED.checked_at, outcome = NULL \
     WHERE token_checks.checked_at <= " [not_since: Tstz]
    " RETURNING social_auth_id"
}

pub(in crate::storage) fn begin(
    conn: &mut Conn,
    id: SocialAuthId,
    not_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StorageError> {
    let begin = Begin {
        id: &id.0,
        not_since: micros(not_since),
        now: micros(now),
    };
    if find_one::<_, i64>(conn, begin)?.is_some() {
        return Ok(None);
    }
    let before = table::table.find(id.0).select(table::checked_at);
    Ok(Some(get_one(conn, before)?))
}

pub(in crate::storage) fn finish(
    conn: &mut Conn,
    id: SocialAuthId,
    began_at: DateTime<Utc>,
    outcome: &str,
) -> Result<(), StorageError> {
    let check = table::table
        .filter(table::social_auth_id.eq(id.0))
        .filter(table::checked_at.eq(micros(began_at)));
    diesel::update(check)
        .set(table::outcome.eq(outcome))
        .execute(conn)?;
    Ok(())
}
