//! What a closure gets to reach the database with: a [`Reader`] or a [`Tx`].

use std::ops::{Deref, DerefMut};

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use diesel::{PgConnection, SqliteConnection};

use super::{Backend, StorageError};

/// One connection of either backend.
pub(super) enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// The most telling failure of an operation so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Failure {
    /// The work cannot be committed.
    Failed,
    /// The work should be done again.
    Restart,
    /// The connection broke.
    ConnectionLost,
}

impl Failure {
    pub(super) fn of(error: &StorageError) -> Self {
        match error {
            StorageError::Restart => Self::Restart,
            lost if lost.is_connection_lost() => Self::ConnectionLost,
            _ => Self::Failed,
        }
    }
}

/// Reads from the database. Handed out by [`super::Db::read`].
pub struct Reader<'c> {
    connection: Connection<'c>,
    failure: Option<Failure>,
}

/// Reads and writes within one transaction. Handed out by [`super::Db::write`]; can be used wherever a [`Reader`] is wanted.
///
/// Once an operation has failed, nothing of the transaction is committed, even if the closure returns `Ok`: PostgreSQL would
/// answer such a COMMIT with a silent rollback.
pub struct Tx<'c>(Reader<'c>);

impl<'c> Reader<'c> {
    pub(super) fn new(connection: Connection<'c>) -> Self {
        Self {
            connection,
            failure: None,
        }
    }

    pub(super) fn connection(&mut self) -> &mut Connection<'c> {
        &mut self.connection
    }

    /// Begins a transaction that only reads, and sees one state of the database.
    pub(super) fn begin_snapshot(&mut self) -> Result<(), StorageError> {
        let begun = match &mut self.connection {
            // Deferred: the first query takes the snapshot, and no writer waits.
            Connection::Sqlite(connection) => {
                AnsiTransactionManager::begin_transaction_sql(*connection, "BEGIN")
            }
            Connection::Postgres(connection) => AnsiTransactionManager::begin_transaction_sql(
                *connection,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            ),
        };
        self.note(begun.map_err(StorageError::from))
    }

    /// Ends the transaction. A connection that cannot is broken, and leaves the pool.
    pub(super) fn end_snapshot(&mut self) {
        let ended = match &mut self.connection {
            Connection::Sqlite(connection) => {
                AnsiTransactionManager::rollback_transaction(*connection)
            }
            Connection::Postgres(connection) => {
                AnsiTransactionManager::rollback_transaction(*connection)
            }
        };
        drop(self.note(ended.map_err(StorageError::from)));
    }

    /// Which database it is.
    pub(super) fn backend(&self) -> Backend {
        match self.connection {
            Connection::Sqlite(_) => Backend::Sqlite,
            Connection::Postgres(_) => Backend::Postgres,
        }
    }

    /// Whether of two rows the one with the lower id may become visible later.
    pub(super) fn commits_out_of_order(&self) -> bool {
        self.backend() == Backend::Postgres
    }

    /// What failed so far.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Remembers whether an operation failed, and passes its result on.
    pub(super) fn note<T>(&mut self, result: Result<T, StorageError>) -> Result<T, StorageError> {
        if let Err(error) = &result {
            self.failure = self.failure.max(Some(Failure::of(error)));
        }
        result
    }
}

impl<'c> Tx<'c> {
    pub(super) fn new(connection: Connection<'c>) -> Self {
        Self(Reader::new(connection))
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Runs the query of this name that was compiled for the connection at hand.
macro_rules! dispatch {
    ($reader:expr, $noun:ident :: $name:ident ( $($argument:expr),* $(,)? )) => {{
        let reader: &mut $crate::storage::Reader<'_> = $reader;
        let result = match reader.connection() {
            $crate::storage::connection::Connection::Sqlite(connection) => {
                $crate::storage::sqlite::queries::$noun::$name(connection, $($argument),*)
            }
            $crate::storage::connection::Connection::Postgres(connection) => {
                $crate::storage::pg::queries::$noun::$name(connection, $($argument),*)
            }
        };
        reader.note(result)
    }};
}
pub(super) use dispatch;
