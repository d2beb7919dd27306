//! Wrong tries to sign in.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::super::Conn;
use super::super::schema::staff_throttles;
use super::{LockRows, Suffixed, get_one};
use crate::domain::staff::Tries;
use crate::storage::{StorageError, micros};

type Columns = (i64, Option<DateTime<Utc>>, DateTime<Utc>);

pub(in crate::storage) fn get_for_update(
    conn: &mut Conn,
    key: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Tries, StorageError> {
    // A row that is not there cannot be locked.
    diesel::insert_into(staff_throttles::table)
        .values((
            staff_throttles::key.eq(key.as_slice()),
            staff_throttles::failures.eq(0),
            staff_throttles::forget_at.eq(micros(now)),
        ))
        .on_conflict(staff_throttles::key)
        .do_nothing()
        .execute(conn)?;
    let query = staff_throttles::table.find(key.as_slice()).select((
        staff_throttles::failures,
        staff_throttles::blocked_until,
        staff_throttles::forget_at,
    ));
    let locked = Suffixed::<_, LockRows>::new(query);
    let (failures, blocked_until, forget_at) = get_one::<_, Columns>(conn, locked)?;
    Ok(Tries {
        failures,
        blocked_until,
        forget_at: Some(forget_at),
    })
}

pub(in crate::storage) fn set(
    conn: &mut Conn,
    key: &[u8; 32],
    tries: &Tries,
) -> Result<(), StorageError> {
    let forget_at = tries.forget_at.unwrap_or_default();
    diesel::update(staff_throttles::table.find(key.as_slice()))
        .set((
            staff_throttles::failures.eq(tries.failures),
            staff_throttles::blocked_until.eq(tries.blocked_until.map(micros)),
            staff_throttles::forget_at.eq(micros(forget_at)),
        ))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn delete(conn: &mut Conn, key: &[u8; 32]) -> Result<(), StorageError> {
    diesel::delete(staff_throttles::table.find(key.as_slice())).execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn take_back(conn: &mut Conn, key: &[u8; 32]) -> Result<(), StorageError> {
    let counted = staff_throttles::table
        .find(key.as_slice())
        .filter(staff_throttles::failures.gt(0));
    diesel::update(counted)
        .set((
            staff_throttles::failures.eq(staff_throttles::failures - 1),
            staff_throttles::blocked_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn delete_expired(
    conn: &mut Conn,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    let expired = staff_throttles::table.filter(staff_throttles::forget_at.lt(micros(now)));
    Ok(diesel::delete(expired).execute(conn)?)
}
