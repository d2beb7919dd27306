//! One-time links for staff.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::super::Conn;
use super::super::schema::staff_links;
use super::{LockRows, Suffixed, find_one};
use crate::storage::staff_links::LinkFor;
use crate::storage::{StorageError, micros};

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    hash: &[u8; 32],
    link_for: LinkFor,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let now = micros(now);
    if let Some(staff_id) = link_for.staff_id() {
        let earlier = staff_links::table
            .filter(staff_links::used_at.is_null())
            .filter(staff_links::staff_id.eq(staff_id));
        diesel::update(earlier)
            .set(staff_links::used_at.eq(now))
            .execute(conn)?;
    }
    diesel::insert_into(staff_links::table)
        .values((
            staff_links::hash.eq(hash.as_slice()),
            staff_links::staff_id.eq(link_for.staff_id()),
            staff_links::created_at.eq(now),
            staff_links::expires_at.eq(micros(expires_at)),
        ))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn find(
    conn: &mut Conn,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<LinkFor>, StorageError> {
    let query = staff_links::table
        .find(hash.as_slice())
        .filter(staff_links::used_at.is_null())
        .filter(staff_links::expires_at.gt(micros(now)))
        .select(staff_links::staff_id);
    Ok(find_one::<_, Option<i64>>(conn, query)?.map(LinkFor::of))
}

pub(in crate::storage) fn redeem(
    conn: &mut Conn,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<LinkFor>, StorageError> {
    let first = staff_links::table
        .filter(staff_links::staff_id.is_null())
        .order(staff_links::hash)
        .select(staff_links::hash);
    let _locked: Vec<Vec<u8>> = Suffixed::<_, LockRows>::new(first).load(conn)?;
    let usable = staff_links::table
        .find(hash.as_slice())
        .filter(staff_links::used_at.is_null())
        .filter(staff_links::expires_at.gt(micros(now)));
    let query = diesel::update(usable)
        .set(staff_links::used_at.eq(micros(now)))
        .returning(staff_links::staff_id);
    Ok(find_one::<_, Option<i64>>(conn, query)?.map(LinkFor::of))
}

pub(in crate::storage) fn delete_expired(
    conn: &mut Conn,
    expired_before: DateTime<Utc>,
) -> Result<usize, StorageError> {
    let expired = staff_links::table.filter(staff_links::expires_at.lt(micros(expired_before)));
    Ok(diesel::delete(expired).execute(conn)?)
}
