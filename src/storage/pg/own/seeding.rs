//! See [`crate::storage::seeding`]: here by COPY, table by table.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use super::super::Conn;
use super::super::queries::seeding::Rows;
pub(in crate::storage) use super::super::queries::seeding::free_ids;
use super::super::schema::{audit_log, last_sign_ins, sessions, social_auth, users};
use crate::storage::seeding::Batch;
use crate::storage::{StorageError, Unavailability};

/// Opens a connection without deadlines that does not wait for the disk: made-up rows can be made again.
pub(in crate::storage) fn open(url: &str) -> Result<Conn, StorageError> {
    let mut connection = Conn::establish(url)
        .map_err(|error| StorageError::unavailable(Unavailability::CannotConnect, error))?;
    connection.batch_execute("SET timezone = 'UTC'; SET synchronous_commit = off")?;
    Ok(connection)
}

pub(in crate::storage) fn insert(conn: &mut Conn, batch: &Batch) -> Result<(), StorageError> {
    let rows = Rows::from(batch);
    conn.transaction(|conn| {
        diesel::copy_from(users::table)
            .from_insertable(rows.users)
            .execute(conn)?;
        diesel::copy_from(last_sign_ins::table)
            .from_insertable(rows.last_sign_ins)
            .execute(conn)?;
        diesel::copy_from(social_auth::table)
            .from_insertable(rows.social_auths)
            .execute(conn)?;
        diesel::copy_from(sessions::table)
            .from_insertable(rows.sessions)
            .execute(conn)?;
        diesel::copy_from(audit_log::table)
            .from_insertable(rows.audit)
            .execute(conn)?;
        Ok(())
    })
}

/// The ids were given, so the counters behind them have not moved.
pub(in crate::storage) fn finish(conn: &mut Conn) -> Result<(), StorageError> {
    conn.batch_execute(
        "SELECT setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users)); \
         SELECT setval(pg_get_serial_sequence('social_auth', 'id'), (SELECT max(id) FROM social_auth))",
    )?;
    // Alone: what is sent together is one transaction.
    conn.batch_execute("VACUUM ANALYZE")?;
    Ok(())
}
