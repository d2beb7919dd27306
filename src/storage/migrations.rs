//! Bringing the schema up to date, by any number of processes at once.

use std::collections::HashSet;

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{StorageError, Unavailability, pg, sqlite};

pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
pub(super) const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Names our lock among all advisory locks of the database: "latchkey" in ASCII.
const ADVISORY_LOCK: i64 = 0x6c61_7463_686b_6579;

/// The names of the migrations that are not in `applied`, in their order. `None` means that none was applied yet.
pub(super) fn pending<B: diesel::backend::Backend>(
    source: &EmbeddedMigrations,
    applied: Option<Vec<String>>,
) -> Result<Vec<String>, StorageError> {
    let applied: HashSet<String> = applied.unwrap_or_default().into_iter().collect();
    let mut migrations: Vec<Box<dyn Migration<B>>> = source.migrations().map_err(failed)?;
    migrations.sort_by(|a, b| a.name().version().cmp(&b.name().version()));
    Ok(migrations
        .iter()
        .filter(|migration| !applied.contains(&migration.name().version().to_string()))
        .map(|migration| migration.name().to_string())
        .collect())
}

/// Applies what is pending on SQLite, holding a lock file beside the database: SQLite's own locks last for one migration only.
pub(super) fn migrate_sqlite(path: &str) -> Result<Vec<String>, StorageError> {
    let _lock = sqlite::lock(path)?;
    names(sqlite::open_for_writing(path)?.run_pending_migrations(SQLITE))
}

/// Applies what is pending on PostgreSQL, on a connection of its own that holds an advisory lock.
pub(super) fn migrate_postgres(url: &str) -> Result<Vec<String>, StorageError> {
    let mut connection = PgConnection::establish(url).map_err(cannot_connect)?;
    // No deadlines: another instance may be migrating a large table.
    connection.batch_execute(&format!(
        "SET timezone = 'UTC'; SET client_min_messages = warning; SELECT pg_advisory_lock({ADVISORY_LOCK})"
    ))?;
    // The lock goes with the connection.
    names(connection.run_pending_migrations(POSTGRES))
}

/// Versions that were applied, or `None` if the database has no table of them: then nothing was.
pub(super) fn list_applied_sqlite(
    connection: &mut SqliteConnection,
) -> Result<Option<Vec<String>>, StorageError> {
    known(sqlite::queries::migrations::list_applied(connection))
}

/// See [`list_applied_sqlite`].
pub(super) fn list_applied_postgres(
    connection: &mut PgConnection,
) -> Result<Option<Vec<String>>, StorageError> {
    known(pg::queries::migrations::list_applied(connection))
}

/// A failure other than unavailability means that there is no such table; if it means something else, applying will tell.
fn known(listed: QueryResult<Vec<String>>) -> Result<Option<Vec<String>>, StorageError> {
    match listed.map_err(StorageError::from) {
        Ok(versions) => Ok(Some(versions)),
        Err(StorageError::Query(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn names(
    applied: diesel::migration::Result<Vec<MigrationVersion<'_>>>,
) -> Result<Vec<String>, StorageError> {
    let versions = applied.map_err(failed)?;
    Ok(versions.iter().map(ToString::to_string).collect())
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> StorageError {
    match error.downcast::<diesel::result::Error>() {
        Ok(error) => (*error).into(),
        Err(error) => StorageError::Query(diesel::result::Error::QueryBuilderError(error)),
    }
}

fn cannot_connect(error: ConnectionError) -> StorageError {
    StorageError::unavailable(Unavailability::CannotConnect, error)
}
