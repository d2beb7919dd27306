//! SQLite: what the schema and the queries are compiled against, and how connections are set up.

use std::fs::File;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::{StorageError, Unavailability};

pub(super) type Conn = SqliteConnection;
pub(super) type Backend = diesel::sqlite::Sqlite;

/// Column types.
pub(super) mod types {
    pub(in crate::storage) use diesel::sql_types::{Json, TimestamptzSqlite as Tstz};
}

/// SQLite has one writer at a time: nothing to lock.
pub(super) const LOCK_SOCIAL_AUTH: &str = "";
/// See [`LOCK_SOCIAL_AUTH`].
pub(super) const LOCK_SESSION: &str = "";
/// See [`LOCK_SOCIAL_AUTH`].
pub(super) const LOCK_ROWS: &str = "";
/// See [`LOCK_SOCIAL_AUTH`].
pub(super) const LOCK_MARK: &str = "";
/// See [`LOCK_SOCIAL_AUTH`].
pub(super) const LOCK_USER: &str = "";

#[path = "schema.rs"]
pub(super) mod schema;

pub(super) mod log;
#[path = "queries/mod.rs"]
pub(super) mod queries;
pub(super) mod seeding;

/// Queries that differ from those of PostgreSQL.
pub(super) mod own {
    pub(in crate::storage) mod search_text;
}
use own::search_text;

/// What every connection needs, `busy_timeout` first: the other statements may already meet a lock.
///
/// No memory map: it counts as resident memory, and an I/O error on it is a signal instead of an error. What a savepoint needs to
/// roll back is kept in memory: each job of the writer has one, and in a temporary file it cost a fifth of the writer's time.
const COMMON: &str = "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;";

/// Opens the connection of the writer thread. A commit returns when it is in the log (WAL); the writer then waits for the disk to
/// keep the log, and [`log`] copies it into the database.
pub(super) fn open_writer(path: &str) -> Result<Conn, StorageError> {
    let mut connection = open_for_writing(path)?;
    let mode: Mode = diesel::sql_query("PRAGMA journal_mode").get_result(&mut connection)?;
    if mode.journal_mode != "wal" {
        // SQLite does not wait for its lock when it changes the mode: of several processes on a new file, most would fail.
        let _lock = lock(path)?;
        connection.batch_execute("PRAGMA journal_mode = WAL")?;
    }
    // NORMAL syncs nothing at a commit, and all that keeps the file sound: the log before it is copied, the database before the
    // log begins anew (https://www.sqlite.org/pragma.html#pragma_synchronous, 2026-11-26). Nobody else should write; whoever does,
    // a caller behind two groups that wait for them must still be told in time.
    connection.batch_execute(
        "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 2000",
    )?;
    Ok(connection)
}

/// Opens a connection that writes in whatever mode the file is.
pub(super) fn open_for_writing(path: &str) -> Result<Conn, StorageError> {
    let mut connection = Conn::establish(path)
        .map_err(|error| StorageError::unavailable(Unavailability::CannotConnect, error))?;
    connection.batch_execute(COMMON)?;
    connection.batch_execute(
        "PRAGMA synchronous = FULL; PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 67108864",
    )?;
    Ok(connection)
}

/// Opens the file at `path` to look at it, and leaves nothing beside it.
pub(super) fn open_to_look(path: &str) -> Result<Conn, StorageError> {
    let cannot = |error: &dyn std::fmt::Display| {
        StorageError::unavailable(Unavailability::CannotConnect, error)
    };
    let absolute = std::fs::canonicalize(path).map_err(|error| cannot(&error))?;
    let absolute = absolute.to_string_lossy();
    // Where there is no log nobody has the file open, and it can be read as one that never changes. Otherwise SQLite would make a
    // log to read it by, and remove it only if it could write (https://www.sqlite.org/wal.html#read_only_databases, 2026-11-26).
    let is_open = std::path::Path::new(&format!("{absolute}-wal")).exists();
    let mode = if is_open {
        "mode=ro"
    } else {
        "mode=ro&immutable=1"
    };
    let path = percent_encoding::utf8_percent_encode(&absolute, percent_encoding::NON_ALPHANUMERIC);
    let path = path.to_string().replace("%2F", "/");
    let mut connection =
        Conn::establish(&format!("file://{path}?{mode}")).map_err(|error| cannot(&error))?;
    set_up_reader(&mut connection)?;
    Ok(connection)
}

#[derive(QueryableByName)]
struct Mode {
    #[diesel(sql_type = diesel::sql_types::Text)]
    journal_mode: String,
}

/// Waits until no other process sets up or migrates the database at `path`. The lock ends when the file is dropped, or with the
/// process. The file stays, because removing it would let a third process lock another file of the same name.
pub(super) fn lock(path: &str) -> Result<File, StorageError> {
    File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(format!("{path}.lock"))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| StorageError::unavailable(Unavailability::Input, error))
}

/// Sets up a connection of the readers' pool.
pub(super) fn set_up_reader(connection: &mut Conn) -> QueryResult<()> {
    connection.batch_execute(COMMON)?;
    connection.batch_execute("PRAGMA query_only = ON; PRAGMA cache_size = -2000;")
}
