//! Storing hand-ins together, on PostgreSQL.

use std::sync::Arc;
use std::time::Instant;

use super::{Counters, Db, Inner, Store, in_time};
use crate::storage::connection::Failure;
use crate::storage::gatherer::{Gathered, Gatherer, Turn};
use crate::storage::hand_ins::{Associating, SigningIn, SigningUp};
use crate::storage::{StorageError, Unavailability};

/// One for each kind of hand-in.
pub(in crate::storage) struct Gatherers {
    pub(in crate::storage) sign_ins: Arc<Gatherer<SigningIn>>,
    pub(in crate::storage) sign_ups: Arc<Gatherer<SigningUp>>,
    pub(in crate::storage) associations: Arc<Gatherer<Associating>>,
}

impl Gatherers {
    pub(super) fn new(max_connections: u32) -> Self {
        Self {
            sign_ins: Gatherer::new(max_connections),
            sign_ups: Gatherer::new(max_connections),
            associations: Gatherer::new(max_connections),
        }
    }
}

impl Db {
    /// Does a job together with others of its kind. `None`, and nothing is changed, where it cannot be done that way: on SQLite, or if its
    /// assumption does not hold.
    ///
    /// # Errors
    /// [`StorageError::Restart`] if the statement failed, so that it should be done by itself; [`StorageError::Unavailable`] when the
    /// database is not to be had, or nobody knows in time whether it was done.
    pub(in crate::storage) async fn gather<J: Gathered>(
        &self,
        job: J,
        of: impl FnOnce(&Gatherers) -> &Arc<Gatherer<J>>,
    ) -> Result<Option<J::Done>, StorageError> {
        let Store::Postgres { gatherers, .. } = &self.inner.store else {
            return Ok(None);
        };
        let asked_at = Instant::now();
        let (answer, turn) = of(gatherers).queue(job);
        if let Some(turn) = turn {
            // On its own: others wait for it even if the caller goes away.
            tokio::spawn(take_turn(Arc::clone(&self.inner), turn, asked_at));
        }
        let answered = async {
            match answer.await {
                Ok(Ok(done)) => Ok(done),
                Ok(Err(why)) => Err(StorageError::unavailable(why, "nothing was stored")),
                Err(_nobody_answers) => Err(StorageError::Restart),
            }
        };
        let result = in_time(answered, Unavailability::CommitUnknown).await;
        if matches!(result, Err(StorageError::Unavailable { .. })) {
            Counters::add(&self.inner.counters.refused, 1);
        }
        result
    }
}

/// Does what waits, as soon as a connection may be used, and lets others have it in between.
async fn take_turn<J: Gathered>(inner: Arc<Inner>, turn: Turn<J>, asked_at: Instant) {
    let Store::Postgres { pool, .. } = &inner.store else {
        return;
    };
    let mut turn = Some(turn);
    let mut asked_at = Some(asked_at);
    while let Some(current) = turn {
        let Ok(permit) = pool.permit().await else {
            current.refuse_waiting(Unavailability::Overloaded);
            return;
        };
        if let Some(asked_at) = asked_at.take() {
            inner.counters.waited(asked_at.elapsed());
        }
        let inner = Arc::clone(&inner);
        let working = tokio::task::spawn_blocking(move || {
            let rest = current.work(|jobs| inner.store_together(jobs));
            drop(permit);
            rest
        });
        turn = match working.await {
            Ok(rest) => rest,
            Err(error) => {
                if error.is_panic() {
                    tracing::error!("Storing hand-ins together panicked; each is stored by itself");
                }
                return;
            }
        };
    }
}

impl Inner {
    fn store_together<J: Gathered>(
        &self,
        jobs: &[J],
    ) -> Result<Vec<(usize, J::Done)>, StorageError> {
        let Store::Postgres { pool, .. } = &self.store else {
            return Ok(Vec::new());
        };
        let mut connection = pool.get()?;
        let stored = J::store(&mut connection, jobs);
        match &stored {
            Ok(done) => {
                Counters::add(&self.counters.jobs_committed, done.len());
                Counters::add(&self.counters.batches_committed, 1);
            }
            Err(error) => {
                if Failure::of(error) == Failure::ConnectionLost {
                    pool.note_break();
                }
                Counters::add(&self.counters.reruns, jobs.len());
            }
        }
        stored
    }
}
