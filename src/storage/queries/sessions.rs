//! Sessions.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};

use super::super::schema::{sessions, users};
use super::super::types::Tstz;
use super::super::{Backend, Conn};
use super::users::UserRow;
use super::{LockSession, Suffixed, find_one, get_one, prepared};
use crate::domain::{NewSession, Session, SessionId, SocialAuthId, User, UserId};
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(Backend))]
struct SessionRow {
    id: i64,
    user_id: i64,
    social_auth_id: Option<i64>,
    api_client_id: Option<i64>,
    refresh_hash: Vec<u8>,
    previous_hash: Option<Vec<u8>>,
    rotated_at: Option<DateTime<Utc>>,
    authenticated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: SessionId(row.id),
            user_id: UserId(row.user_id),
            social_auth_id: row.social_auth_id.map(SocialAuthId),
            api_client_id: row.api_client_id,
            refresh_hash: row.refresh_hash,
            previous_hash: row.previous_hash,
            rotated_at: row.rotated_at,
            authenticated_at: row.authenticated_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

type WithUser = (SessionRow, UserRow);

fn with_user((session, user): WithUser) -> (Session, User) {
    (session.into(), user.into())
}

pub(in crate::storage) fn find_with_user(
    conn: &mut Conn,
    id: SessionId,
) -> Result<Option<(Session, User)>, StorageError> {
    let query = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(id.0))
        .select((SessionRow::as_select(), UserRow::as_select()));
    Ok(find_one::<_, WithUser>(conn, query)?.map(with_user))
}

pub(in crate::storage) fn find_for_update(
    conn: &mut Conn,
    id: SessionId,
) -> Result<Option<(Session, User)>, StorageError> {
    let query = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(id.0))
        .select((SessionRow::as_select(), UserRow::as_select()));
    let locked = Suffixed::<_, LockSession>::new(query);
    Ok(find_one::<_, WithUser>(conn, locked)?.map(with_user))
}

pub(in crate::storage) fn list_of_user(
    conn: &mut Conn,
    user_id: UserId,
) -> Result<Vec<Session>, StorageError> {
    let rows: Vec<SessionRow> = sessions::table
        .filter(sessions::user_id.eq(user_id.0))
        .order(sessions::id)
        .select(SessionRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Session::from).collect())
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    user_id: UserId,
    social_auth_id: Option<SocialAuthId>,
    api_client_id: Option<i64>,
    new: &NewSession,
    now: DateTime<Utc>,
) -> Result<SessionId, StorageError> {
    let now = micros(now);
    let query = diesel::insert_into(sessions::table)
        .values((
            sessions::user_id.eq(user_id.0),
            sessions::social_auth_id.eq(social_auth_id.map(|id| id.0)),
            sessions::api_client_id.eq(api_client_id),
            sessions::refresh_hash.eq(new.refresh_hash.as_slice()),
            sessions::created_at.eq(now),
            sessions::authenticated_at.eq(micros(new.authenticated_at)),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(micros(new.expires_at)),
            sessions::address.eq(new.address.map(|address| address.to_string())),
            sessions::user_agent.eq(new.user_agent.as_deref()),
        ))
        .returning(sessions::id);
    let id: i64 = get_one(conn, query)?;
    Ok(SessionId(id))
}

prepared! {
    struct Rotate<'a> {
        previous_hash: &'a [u8],
        new_hash: &'a [u8],
        now: DateTime<Utc>,
        id: i64,
    }
    "UPDATE sessions SET previous_hash = " [previous_hash: Binary]
    ", refresh_hash = " [new_hash: Binary]
    ", rotated_at = " [now: Tstz]
    ", last_used_at = " [now: Tstz]
    " WHERE id = " [id: BigInt]
}

pub(in crate::storage) fn rotate(
    conn: &mut Conn,
    id: SessionId,
    previous_hash: &[u8],
    new_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let update = Rotate {
        previous_hash,
        new_hash,
        now: micros(now),
        id: id.0,
    };
    update.execute(conn)?;
    Ok(())
}

prepared! {
    struct Revoke<'a> { reason: &'a str, now: DateTime<Utc>, id: i64, }
    "UPDATE sessions SET revoked_at = " [now: Tstz]
    ", revoked_reason = " [reason: Text]
    " WHERE revoked_at IS NULL AND id = " [id: BigInt]
}

pub(in crate::storage) fn revoke(
    conn: &mut Conn,
    id: SessionId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let update = Revoke {
        reason,
        now: micros(now),
        id: id.0,
    };
    Ok(update.execute(conn)? > 0)
}

prepared! {
    struct RevokeAll<'a> { reason: &'a str, now: DateTime<Utc>, user_id: i64, }
    "UPDATE sessions SET revoked_at = " [now: Tstz]
    ", revoked_reason = " [reason: Text]
    " WHERE revoked_at IS NULL AND user_id = " [user_id: BigInt]
}

pub(in crate::storage) fn revoke_all_of_user(
    conn: &mut Conn,
    user_id: UserId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    let update = RevokeAll {
        reason,
        now: micros(now),
        user_id: user_id.0,
    };
    Ok(update.execute(conn)?)
}
