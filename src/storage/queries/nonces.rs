//! Nonces that we issued.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::super::Conn;
use super::super::schema::nonces;
use crate::storage::{StorageError, micros};

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    hash: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::insert_into(nonces::table)
        .values((
            nonces::hash.eq(hash.as_slice()),
            nonces::expires_at.eq(micros(expires_at)),
        ))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn is_any_issued(
    conn: &mut Conn,
    hashes: &[[u8; 32]],
) -> Result<bool, StorageError> {
    for hash in hashes {
        let row = nonces::table.filter(nonces::hash.eq(hash.as_slice()));
        if diesel::select(exists(row)).get_result(conn)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The conditional UPDATE is the referee of two hand-ins at once.
pub(in crate::storage) fn consume(
    conn: &mut Conn,
    hashes: &[[u8; 32]],
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let now = micros(now);
    // A nonce is known under one hash at most: the list has the two forms it may have been handed in.
    for hash in hashes {
        let row = nonces::table.filter(nonces::hash.eq(hash.as_slice()));
        let usable = row
            .filter(nonces::used_at.is_null())
            .filter(nonces::expires_at.gt(now));
        let used = diesel::update(usable)
            .set(nonces::used_at.eq(now))
            .execute(conn)?;
        if used == 1 {
            return Ok(true);
        }
        if diesel::select(exists(row)).get_result(conn)? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(in crate::storage) fn delete_expired(
    conn: &mut Conn,
    expired_before: DateTime<Utc>,
) -> Result<usize, StorageError> {
    let expired = nonces::table.filter(nonces::expires_at.lt(micros(expired_before)));
    Ok(diesel::delete(expired).execute(conn)?)
}
