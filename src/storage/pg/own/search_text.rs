//! The searchable text of a user: here a table with a GIN index of its trigrams, which PostgreSQL keeps by itself.

use diesel::prelude::*;

use super::super::Conn;
use super::super::schema::user_search;
use crate::storage::StorageError;

/// Rows of one statement.
const ROWS: usize = 1000;

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    user_id: i64,
    text: &str,
) -> Result<(), StorageError> {
    diesel::insert_into(user_search::table)
        .values((user_search::user_id.eq(user_id), user_search::text.eq(text)))
        .execute(conn)?;
    Ok(())
}

/// In few statements: each costs a round trip.
pub(in crate::storage) fn insert_all(
    conn: &mut Conn,
    texts: &[(i64, String)],
) -> Result<(), StorageError> {
    for some in texts.chunks(ROWS) {
        let rows: Vec<_> = some
            .iter()
            .map(|(user_id, text)| (user_search::user_id.eq(user_id), user_search::text.eq(text)))
            .collect();
        diesel::insert_into(user_search::table)
            .values(rows)
            .execute(conn)?;
    }
    Ok(())
}

pub(in crate::storage) fn replace(
    conn: &mut Conn,
    user_id: i64,
    _old: &str,
    text: &str,
) -> Result<(), StorageError> {
    diesel::update(user_search::table.find(user_id))
        .set(user_search::text.eq(text))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn delete(
    conn: &mut Conn,
    user_id: i64,
    _old: &str,
) -> Result<(), StorageError> {
    diesel::delete(user_search::table.find(user_id)).execute(conn)?;
    Ok(())
}
