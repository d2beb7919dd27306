//! Sessions as staff see them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::super::schema::{api_clients, sessions};
use super::super::types::Tstz;
use super::super::{Backend, Conn};
use super::{find_one, get_one, prepared};
use crate::domain::{SessionId, SocialAuthId, UserId};
use crate::storage::session_records::SessionRecord;
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(Backend))]
struct Row {
    id: i64,
    social_auth_id: Option<i64>,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    address: Option<String>,
    user_agent: Option<String>,
}

fn record((row, api_client): (Row, Option<String>)) -> SessionRecord {
    SessionRecord {
        id: SessionId(row.id),
        social_auth_id: row.social_auth_id.map(SocialAuthId),
        api_client,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        address: row.address,
        user_agent: row.user_agent,
    }
}

pub(in crate::storage) fn list_live_of_user(
    conn: &mut Conn,
    user_id: UserId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<SessionRecord>, StorageError> {
    let rows: Vec<(Row, Option<String>)> = sessions::table
        .left_join(api_clients::table)
        .filter(sessions::user_id.eq(user_id.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(micros(now)))
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .limit(limit)
        .select((Row::as_select(), api_clients::title.nullable()))
        .load(conn)?;
    Ok(rows.into_iter().map(record).collect())
}

pub(in crate::storage) fn count_live_of_user(
    conn: &mut Conn,
    user_id: UserId,
    opened_with: Option<SocialAuthId>,
    now: DateTime<Utc>,
) -> Result<i64, StorageError> {
    let live = sessions::table
        .filter(sessions::user_id.eq(user_id.0))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(micros(now)));
    let count = match opened_with {
        Some(id) => get_one(conn, live.filter(sessions::social_auth_id.eq(id.0)).count())?,
        None => get_one(conn, live.count())?,
    };
    Ok(count)
}

prepared! {
    struct RevokeOpenedWith<'a> { reason: &'a str, now: DateTime<Utc>, user_id: i64, opened_with: i64, }
    "UPDATE sessions SET revoked_at = " [now: Tstz]
    ", revoked_reason = " [reason: Text]
    " WHERE revoked_at IS NULL AND expires_at > " [now: Tstz]
    " AND user_id = " [user_id: BigInt]
    " AND social_auth_id = " [opened_with: BigInt]
}

pub(in crate::storage) fn revoke_opened_with(
    conn: &mut Conn,
    user_id: UserId,
    opened_with: SocialAuthId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    let update = RevokeOpenedWith {
        reason,
        now: micros(now),
        user_id: user_id.0,
        opened_with: opened_with.0,
    };
    Ok(update.execute(conn)?)
}

prepared! {
    struct RevokeOfUser<'a> { reason: &'a str, now: DateTime<Utc>, user_id: i64, id: i64, }
    "UPDATE sessions SET revoked_at = " [now: Tstz]
    ", revoked_reason = " [reason: Text]
    " WHERE revoked_at IS NULL AND expires_at > " [now: Tstz]
    " AND user_id = " [user_id: BigInt]
    " AND id = " [id: BigInt]
}

pub(in crate::storage) fn revoke_of_user(
    conn: &mut Conn,
    user_id: UserId,
    id: SessionId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let update = RevokeOfUser {
        reason,
        now: micros(now),
        user_id: user_id.0,
        id: id.0,
    };
    Ok(update.execute(conn)? > 0)
}

prepared! {
    /// Sessions are given the same time and so expire in the order of their ids: what has expired stands at the front.
    struct DeleteExpired<'a> { before: DateTime<Utc>, limit: &'a i64, }
    "DELETE FROM sessions WHERE id IN (SELECT id FROM (SELECT id, expires_at FROM sessions ORDER BY id LIMIT " [limit: BigInt]
    ") AS oldest WHERE expires_at <= " [before: Tstz]
    ")"
}

pub(in crate::storage) fn delete_expired(
    conn: &mut Conn,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StorageError> {
    let delete = DeleteExpired {
        before: micros(before),
        limit: &limit,
    };
    Ok(delete.execute(conn)?)
}

pub(in crate::storage) fn any_expired(
    conn: &mut Conn,
    before: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let oldest = sessions::table
        .order(sessions::id)
        .limit(1)
        .select(sessions::expires_at);
    let expires_at: Option<DateTime<Utc>> = find_one(conn, oldest)?;
    Ok(expires_at.is_some_and(|at| at <= before))
}
