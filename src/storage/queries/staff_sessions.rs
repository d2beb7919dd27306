//! Staff sessions.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::super::schema::{staff, staff_sessions};
use super::super::{Backend, Conn};
use super::staff::StaffRow;
use super::{find_one, get_one};
use crate::domain::staff::{NewStaffSession, Staff, StaffSession};
use crate::domain::{ProviderId, StaffId, StaffSessionId};
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = staff_sessions, check_for_backend(Backend))]
struct SessionRow {
    id: i64,
    staff_id: i64,
    awaits_code: bool,
    authenticated_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    address: Option<String>,
    user_agent: Option<String>,
    revoked_at: Option<DateTime<Utc>>,
    provider: Option<String>,
}

impl From<SessionRow> for StaffSession {
    fn from(row: SessionRow) -> Self {
        Self {
            id: StaffSessionId(row.id),
            staff_id: StaffId(row.staff_id),
            awaits_code: row.awaits_code,
            authenticated_at: row.authenticated_at,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            address: row.address,
            user_agent: row.user_agent,
            revoked_at: row.revoked_at,
            provider: row.provider.as_deref().and_then(ProviderId::parse),
        }
    }
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    new: &NewStaffSession,
    now: DateTime<Utc>,
) -> Result<StaffSessionId, StorageError> {
    let now = micros(now);
    let query = diesel::insert_into(staff_sessions::table)
        .values((
            staff_sessions::staff_id.eq(new.staff_id.0),
            staff_sessions::state.eq(Value::Object(serde_json::Map::new())),
            staff_sessions::awaits_code.eq(new.awaits_code),
            staff_sessions::authenticated_at.eq(micros(new.authenticated_at)),
            staff_sessions::created_at.eq(now),
            staff_sessions::last_used_at.eq(now),
            staff_sessions::expires_at.eq(micros(new.expires_at)),
            staff_sessions::address.eq(new.address.as_deref()),
            staff_sessions::user_agent.eq(new.user_agent.as_deref()),
            staff_sessions::provider.eq(new.provider.as_ref().map(ProviderId::as_str)),
        ))
        .returning(staff_sessions::id);
    let id: i64 = get_one(conn, query)?;
    Ok(StaffSessionId(id))
}

pub(in crate::storage) fn set_key_hash(
    conn: &mut Conn,
    id: StaffSessionId,
    key_hash: &[u8; 32],
) -> Result<(), StorageError> {
    diesel::update(staff_sessions::table.find(id.0))
        .set(staff_sessions::key_hash.eq(key_hash.as_slice()))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn clear_key_hash(
    conn: &mut Conn,
    key_hash: &[u8; 32],
) -> Result<(), StorageError> {
    diesel::update(staff_sessions::table.filter(staff_sessions::key_hash.eq(key_hash.as_slice())))
        .set(staff_sessions::key_hash.eq(None::<Vec<u8>>))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn set_state(
    conn: &mut Conn,
    key_hash: &[u8; 32],
    state: &Value,
) -> Result<bool, StorageError> {
    let of_key = staff_sessions::table.filter(staff_sessions::key_hash.eq(key_hash.as_slice()));
    let changed = diesel::update(of_key)
        .set(staff_sessions::state.eq(state))
        .execute(conn)?;
    Ok(changed > 0)
}

pub(in crate::storage) fn find_by_key(
    conn: &mut Conn,
    key_hash: &[u8; 32],
) -> Result<Option<(StaffSession, Value)>, StorageError> {
    let query = staff_sessions::table
        .filter(staff_sessions::key_hash.eq(key_hash.as_slice()))
        .select((SessionRow::as_select(), staff_sessions::state));
    let found = find_one::<_, (SessionRow, Value)>(conn, query)?;
    Ok(found.map(|(row, state)| (row.into(), state)))
}

pub(in crate::storage) fn find_with_staff(
    conn: &mut Conn,
    id: StaffSessionId,
) -> Result<Option<(StaffSession, Staff)>, StorageError> {
    let query = staff_sessions::table
        .inner_join(staff::table)
        .filter(staff_sessions::id.eq(id.0))
        .select((SessionRow::as_select(), StaffRow::as_select()));
    find_one::<_, (SessionRow, StaffRow)>(conn, query)?
        .map(|(session, staff)| Ok((session.into(), staff.staff()?)))
        .transpose()
}

pub(in crate::storage) fn touch(
    conn: &mut Conn,
    id: StaffSessionId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(staff_sessions::table.find(id.0))
        .set(staff_sessions::last_used_at.eq(micros(now)))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn set_authenticated(
    conn: &mut Conn,
    id: StaffSessionId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(staff_sessions::table.find(id.0))
        .set((
            staff_sessions::awaits_code.eq(false),
            staff_sessions::authenticated_at.eq(micros(now)),
        ))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn list_of_staff(
    conn: &mut Conn,
    staff_id: StaffId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<StaffSession>, StorageError> {
    let rows: Vec<SessionRow> = staff_sessions::table
        .filter(staff_sessions::staff_id.eq(staff_id.0))
        .filter(staff_sessions::revoked_at.is_null())
        .filter(staff_sessions::expires_at.gt(micros(now)))
        .order((
            staff_sessions::last_used_at.desc(),
            staff_sessions::id.desc(),
        ))
        .limit(limit)
        .select(SessionRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(StaffSession::from).collect())
}

pub(in crate::storage) fn revoke(
    conn: &mut Conn,
    staff_id: StaffId,
    id: StaffSessionId,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let live = staff_sessions::table
        .find(id.0)
        .filter(staff_sessions::staff_id.eq(staff_id.0))
        .filter(staff_sessions::revoked_at.is_null());
    let changed = diesel::update(live)
        .set((
            staff_sessions::revoked_at.eq(micros(now)),
            staff_sessions::revoked_reason.eq(reason),
        ))
        .execute(conn)?;
    Ok(changed > 0)
}

pub(in crate::storage) fn revoke_all(
    conn: &mut Conn,
    staff_id: StaffId,
    but: Option<StaffSessionId>,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    // No row has the id 0.
    let live = staff_sessions::table
        .filter(staff_sessions::staff_id.eq(staff_id.0))
        .filter(staff_sessions::revoked_at.is_null())
        .filter(staff_sessions::id.ne(but.map_or(0, |id| id.0)));
    let changed = diesel::update(live)
        .set((
            staff_sessions::revoked_at.eq(micros(now)),
            staff_sessions::revoked_reason.eq(reason),
        ))
        .execute(conn)?;
    Ok(changed)
}

pub(in crate::storage) fn delete_expired(
    conn: &mut Conn,
    expired_before: DateTime<Utc>,
) -> Result<usize, StorageError> {
    let expired =
        staff_sessions::table.filter(staff_sessions::expires_at.lt(micros(expired_before)));
    Ok(diesel::delete(expired).execute(conn)?)
}
