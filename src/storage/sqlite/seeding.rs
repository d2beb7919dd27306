//! See [`crate::storage::seeding`]: here row by row, with prepared statements.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use super::Conn;
use super::queries::seeding::Rows;
pub(in crate::storage) use super::queries::seeding::free_ids;
use super::schema::{audit_log, last_sign_ins, sessions, social_auth, users};
use crate::storage::StorageError;
use crate::storage::seeding::Batch;

/// Opens a connection that is fast rather than safe from a power cut: made-up rows can be made again.
pub(in crate::storage) fn open(path: &str) -> Result<Conn, StorageError> {
    let mut connection = super::open_writer(path)?;
    connection.batch_execute(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA wal_autocheckpoint = 50000",
    )?;
    Ok(connection)
}

pub(in crate::storage) fn insert(conn: &mut Conn, batch: &Batch) -> Result<(), StorageError> {
    let rows = Rows::from(batch);
    conn.transaction(|conn| {
        for row in rows.users {
            diesel::insert_into(users::table)
                .values(row)
                .execute(conn)?;
        }
        for row in rows.last_sign_ins {
            diesel::insert_into(last_sign_ins::table)
                .values(row)
                .execute(conn)?;
        }
        for row in rows.social_auths {
            diesel::insert_into(social_auth::table)
                .values(row)
                .execute(conn)?;
        }
        for row in rows.sessions {
            diesel::insert_into(sessions::table)
                .values(row)
                .execute(conn)?;
        }
        for row in rows.audit {
            diesel::insert_into(audit_log::table)
                .values(row)
                .execute(conn)?;
        }
        Ok(())
    })
}

pub(in crate::storage) fn finish(conn: &mut Conn) -> Result<(), StorageError> {
    conn.batch_execute("PRAGMA analysis_limit = 1000; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
