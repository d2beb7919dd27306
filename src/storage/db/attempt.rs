//! Writing on PostgreSQL: attempts, and what they came to.

use std::time::Instant;

use diesel::PgConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager as _};

use super::{ANSWER_TIMEOUT, Counters, Inner, Store};
use crate::storage::connection::{Connection, Failure};
use crate::storage::writer::{MAX_RUNS, unlucky};
use crate::storage::{StorageError, StorageFailure, Tx, Unavailability};

impl Inner {
    /// Runs `work` in a transaction, again if it lost a race, and once more if the connection broke.
    pub(super) fn write_postgres<T, E: StorageFailure>(
        &self,
        asked_at: Instant,
        work: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Store::Postgres { pool, .. } = &self.store else {
            return Err(StorageError::unavailable(Unavailability::Closed, "not PostgreSQL").into());
        };
        let mut lost_before = false;
        for run in 0..MAX_RUNS {
            let mut connection = pool.get()?;
            if run == 0 {
                self.counters.waited(asked_at.elapsed());
            }
            let (why, error) = match attempt(&mut connection, asked_at, work) {
                Attempt::Done(result) => {
                    if result.is_ok() {
                        Counters::add(&self.counters.jobs_committed, 1);
                        Counters::add(&self.counters.batches_committed, 1);
                    }
                    return result;
                }
                Attempt::Again(why, error) => (why, error),
            };
            if why == Failure::ConnectionLost {
                pool.note_break();
                if lost_before {
                    return Err(error);
                }
                lost_before = true;
            }
            Counters::add(&self.counters.reruns, 1);
        }
        Err(unlucky().into())
    }
}

/// What came of one attempt at a transaction.
enum Attempt<T, E> {
    Done(Result<T, E>),
    Again(Failure, E),
}

/// Runs `work` once between BEGIN and COMMIT on PostgreSQL.
fn attempt<T, E: StorageFailure>(
    connection: &mut PgConnection,
    asked_at: Instant,
    work: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
) -> Attempt<T, E> {
    if let Err(error) = AnsiTransactionManager::begin_transaction(connection) {
        return Attempt::of(StorageError::from(error).into(), None);
    }
    let mut tx = Tx::new(Connection::Postgres(connection));
    let result = work(&mut tx);
    let failure = tx.failure();
    match (result, failure) {
        // The caller has been told already that it did not work.
        (Ok(_), None) if asked_at.elapsed() >= ANSWER_TIMEOUT => {
            drop(AnsiTransactionManager::rollback_transaction(connection));
            let late = StorageError::unavailable(Unavailability::Busy, "too late to commit");
            Attempt::Done(Err(late.into()))
        }
        (Ok(value), None) => match AnsiTransactionManager::commit_transaction(connection) {
            Ok(()) => Attempt::Done(Ok(value)),
            Err(error) => match StorageError::from(error) {
                // The server says that it rolled back.
                StorageError::Restart => Attempt::of(StorageError::Restart.into(), None),
                // Nobody knows whether it is stored: neither acknowledge it nor do it twice.
                error => Attempt::Done(Err(StorageError::unavailable(
                    Unavailability::CommitUnknown,
                    error,
                )
                .into())),
            },
        },
        (result, failure) => {
            // A connection that cannot roll back is broken, and leaves the pool.
            drop(AnsiTransactionManager::rollback_transaction(connection));
            Attempt::failed(result.map(|_| ()), failure)
        }
    }
}

impl<T, E: StorageFailure> Attempt<T, E> {
    fn failed(result: Result<(), E>, failure: Option<Failure>) -> Self {
        let error = result.err().unwrap_or_else(|| {
            // The closure looked away from a failure; what it did is incomplete.
            StorageError::Query(diesel::result::Error::RollbackTransaction).into()
        });
        Self::of(error, failure)
    }

    /// Whether an error is worth another attempt, by itself or by what failed before it.
    fn of(error: E, failure: Option<Failure>) -> Self {
        match error.storage_error().map(Failure::of).max(failure) {
            Some(why @ (Failure::Restart | Failure::ConnectionLost)) => Self::Again(why, error),
            Some(Failure::Failed) | None => Self::Done(Err(error)),
        }
    }
}
