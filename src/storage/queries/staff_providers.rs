//! Who at which provider signs in as which member of staff.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::super::schema::staff_providers;
use super::super::{Backend, Conn};
use super::find_one;
use crate::domain::{ProviderId, StaffId, Uid};
use crate::storage::staff_providers::StaffProvider;
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = staff_providers, check_for_backend(Backend))]
struct StaffProviderRow {
    staff_id: i64,
    provider: String,
    uid: String,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
}

impl TryFrom<StaffProviderRow> for StaffProvider {
    type Error = StorageError;

    fn try_from(row: StaffProviderRow) -> Result<Self, StorageError> {
        let provider = ProviderId::parse(&row.provider);
        Ok(Self {
            staff_id: StaffId(row.staff_id),
            provider: provider.ok_or(StorageError::Corrupt("staff_providers.provider"))?,
            uid: parse_uid(&row.uid)?,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        })
    }
}

fn parse_uid(text: &str) -> Result<Uid, StorageError> {
    Uid::parse(text).ok_or(StorageError::Corrupt("staff_providers.uid"))
}

pub(in crate::storage) fn find_staff_id(
    conn: &mut Conn,
    provider: &ProviderId,
    uid: &Uid,
) -> Result<Option<StaffId>, StorageError> {
    let query = staff_providers::table
        .find((provider.as_str(), uid.as_str()))
        .select(staff_providers::staff_id);
    Ok(find_one::<_, i64>(conn, query)?.map(StaffId))
}

pub(in crate::storage) fn list_of_staff(
    conn: &mut Conn,
    staff_id: StaffId,
) -> Result<Vec<StaffProvider>, StorageError> {
    let rows: Vec<StaffProviderRow> = staff_providers::table
        .filter(staff_providers::staff_id.eq(staff_id.0))
        .order(staff_providers::provider)
        .select(StaffProviderRow::as_select())
        .load(conn)?;
    rows.into_iter().map(StaffProvider::try_from).collect()
}

pub(in crate::storage) fn list(
    conn: &mut Conn,
    limit: i64,
) -> Result<Vec<StaffProvider>, StorageError> {
    let rows: Vec<StaffProviderRow> = staff_providers::table
        .order((staff_providers::staff_id, staff_providers::provider))
        .limit(limit)
        .select(StaffProviderRow::as_select())
        .load(conn)?;
    rows.into_iter().map(StaffProvider::try_from).collect()
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    staff_id: StaffId,
    provider: &ProviderId,
    uid: &Uid,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let now = micros(now);
    let inserted = diesel::insert_into(staff_providers::table)
        .values((
            staff_providers::provider.eq(provider.as_str()),
            staff_providers::uid.eq(uid.as_str()),
            staff_providers::staff_id.eq(staff_id.0),
            staff_providers::created_at.eq(now),
            staff_providers::last_used_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    Ok(inserted > 0)
}

pub(in crate::storage) fn touch(
    conn: &mut Conn,
    provider: &ProviderId,
    uid: &Uid,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(staff_providers::table.find((provider.as_str(), uid.as_str())))
        .set(staff_providers::last_used_at.eq(micros(now)))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn delete(
    conn: &mut Conn,
    staff_id: StaffId,
    provider: &ProviderId,
) -> Result<Option<Uid>, StorageError> {
    let of_staff = staff_providers::table
        .filter(staff_providers::staff_id.eq(staff_id.0))
        .filter(staff_providers::provider.eq(provider.as_str()));
    let query = diesel::delete(of_staff).returning(staff_providers::uid);
    find_one::<_, String>(conn, query)?
        .map(|uid| parse_uid(&uid))
        .transpose()
}
