//! Databases for tests: a file in a temporary folder, or a database of its own on the PostgreSQL that the environment names.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tempfile::TempDir;

use crate::storage::connection::Connection;
use crate::storage::{Db, Reader, Settings, StorageError};

/// A database that goes when this is dropped.
pub(super) enum TestDb {
    Sqlite { folder: TempDir },
    Postgres { admin_url: String, name: String },
}

impl TestDb {
    pub(super) fn sqlite() -> Self {
        Self::Sqlite {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// `None`, and a loud line, if the environment names no PostgreSQL.
    pub(super) fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        #[expect(
            clippy::disallowed_methods,
            reason = "tests have no configuration; the variable names the server to test against"
        )]
        let Ok(admin_url) = std::env::var("LATCHKEY_TEST_POSTGRES") else {
            eprintln!("SKIPPED: LATCHKEY_TEST_POSTGRES is not set, PostgreSQL was not tested");
            assert!(
                std::env::var_os("LATCHKEY_TEST_FORBID_SKIP").is_none(),
                "skipping is forbidden: name a PostgreSQL in LATCHKEY_TEST_POSTGRES"
            );
            return None;
        };
        let name = format!(
            "latchkey_test_{}_{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = PgConnection::establish(&admin_url).unwrap();
        admin
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        Some(Self::Postgres { admin_url, name })
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite { folder } => {
                format!("sqlite://{}", folder.path().join("test.db").display())
            }
            Self::Postgres { admin_url, name } => {
                let (server, _) = admin_url.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }

    pub(super) fn open(&self) -> Db {
        Db::open(&Settings::new(self.url())).unwrap()
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if let Self::Postgres { admin_url, name } = self {
            let mut admin = PgConnection::establish(admin_url).unwrap();
            let dropped = admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
            // Another panic within a panicking test would abort the whole run.
            if !std::thread::panicking() {
                dropped.unwrap();
            }
        }
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// How many rows a table, or a table with a condition behind it, has.
pub(super) fn count(reader: &mut Reader<'_>, table: &str) -> Result<i64, StorageError> {
    let query = diesel::sql_query(format!("SELECT count(*) AS number FROM {table}"));
    let row: QueryResult<Number> = match reader.connection() {
        Connection::Sqlite(connection) => query.get_result(*connection),
        Connection::Postgres(connection) => query.get_result(*connection),
    };
    Ok(row?.number)
}

/// Runs any SQL.
pub(super) fn execute(reader: &mut Reader<'_>, sql: &str) -> Result<(), StorageError> {
    let executed = match reader.connection() {
        Connection::Sqlite(connection) => connection.batch_execute(sql),
        Connection::Postgres(connection) => connection.batch_execute(sql),
    };
    let noted = executed.map_err(StorageError::from);
    reader.note(noted)
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The only column, called `line`, of a query.
pub(super) fn lines(reader: &mut Reader<'_>, sql: &str) -> Result<Vec<String>, StorageError> {
    let query = diesel::sql_query(sql);
    let rows: QueryResult<Vec<Line>> = match reader.connection() {
        Connection::Sqlite(connection) => query.load(*connection),
        Connection::Postgres(connection) => query.load(*connection),
    };
    Ok(rows?.into_iter().map(|row| row.line).collect())
}
