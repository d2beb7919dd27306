//! The searchable text of a user: here a table, and an FTS5 index of its trigrams that has to be told of every change.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::super::Conn;
use super::super::queries::prepared;
use crate::storage::StorageError;

prepared! {
    struct Keep<'a> {
        user_id: i64,
        text: &'a str,
    }
    "INSERT INTO user_search (user_id, text) VALUES (" [user_id: BigInt]
    ", " [text: Text]
    ")"
}

prepared! {
    struct Change<'a> {
        text: &'a str,
        user_id: i64,
    }
    "UPDATE user_search SET text = " [text: Text]
    " WHERE user_id = " [user_id: BigInt]
}

prepared! {
    struct Forget<'a> {
        user_id: i64,
        marker: std::marker::PhantomData<&'a ()>,
    }
    "DELETE FROM user_search WHERE user_id = " [user_id: BigInt]
}

prepared! {
    struct Index<'a> {
        user_id: i64,
        text: &'a str,
    }
    "INSERT INTO user_search_trigrams (rowid, text) VALUES (" [user_id: BigInt]
    ", " [text: Text]
    ")"
}

prepared! {
    /// The index keeps no text of its own, so that it has to be told the one to forget.
    struct Unindex<'a> {
        user_id: i64,
        text: &'a str,
    }
    "INSERT INTO user_search_trigrams (user_search_trigrams, rowid, text) VALUES ('delete', " [user_id: BigInt]
    ", " [text: Text]
    ")"
}

/// The text as the table has it.
pub(in crate::storage) fn searchable(text: &str) -> String {
    text.to_owned()
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    user_id: i64,
    text: &str,
) -> Result<(), StorageError> {
    Keep { user_id, text }.execute(conn)?;
    Index { user_id, text }.execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn insert_all(
    conn: &mut Conn,
    texts: &[(i64, String)],
) -> Result<(), StorageError> {
    texts
        .iter()
        .try_for_each(|(user_id, text)| insert(conn, *user_id, text))
}

pub(in crate::storage) fn replace(
    conn: &mut Conn,
    user_id: i64,
    old: &str,
    text: &str,
) -> Result<(), StorageError> {
    Unindex { user_id, text: old }.execute(conn)?;
    Change { text, user_id }.execute(conn)?;
    Index { user_id, text }.execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn delete(
    conn: &mut Conn,
    user_id: i64,
    old: &str,
) -> Result<(), StorageError> {
    Unindex { user_id, text: old }.execute(conn)?;
    let marker = std::marker::PhantomData;
    Forget { user_id, marker }.execute(conn)?;
    Ok(())
}
