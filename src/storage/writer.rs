//! The one writer of an SQLite database: runs the jobs that wait in one transaction, commits them together, has the disk keep
//! them, then answers.
//!
//! To have the disk keep something costs a write barrier whatever it is. Many jobs that share one are what makes it affordable
//! that every answered write is durable. While the disk is at it, the writer runs the jobs that come in meanwhile.
//!
//! The thread of [`thread`] runs and commits; the one of [`syncer`] waits for the disk and answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use tokio::sync::mpsc::error::{SendTimeoutError, TrySendError};
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use super::connection::{Connection, Failure};
use super::stats::Counters;
use super::{StorageError, StorageFailure, Tx, Unavailability};

mod syncer;
mod thread;

use thread::Thread;

/// Jobs that may wait.
const QUEUE: usize = 1024;
/// How often a job is run before it is given up as unlucky.
pub(super) const MAX_RUNS: u32 = 5;

enum Message {
    Job(Box<dyn Job>),
    /// The disk is done with what it was given.
    Synced,
    /// Finish what is queued, say so, and end.
    Stop(oneshot::Sender<()>),
}

/// Sends jobs to the writer thread. The thread ends when the last of these is dropped, after what is queued.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    wait_timeout: Duration,
}

impl Writer {
    /// Starts the thread on an open connection to the database at `path`.
    pub(super) fn start(
        path: String,
        connection: SqliteConnection,
        wait_timeout: Duration,
        counters: Arc<Counters>,
    ) -> Result<Self, StorageError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        Thread::start(path, connection, counters, jobs, queue.downgrade())?;
        Ok(Self {
            queue,
            wait_timeout,
        })
    }

    /// Runs `work` in a transaction that is committed when this returns `Ok`.
    pub(super) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: StorageFailure + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(TypedJob {
            work,
            result: None,
            reply,
            span: Span::current(),
            queued_at: Instant::now(),
            runs: 0,
        });
        self.send(Message::Job(job)).await?;
        match answer.await {
            Ok(result) => result,
            // The thread ended without an answer, so nobody knows what it had done.
            Err(gone) => Err(StorageError::unavailable(Unavailability::CommitUnknown, gone).into()),
        }
    }

    async fn send(&self, message: Message) -> Result<(), StorageError> {
        let message = match self.queue.try_send(message) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(closed()),
            Err(TrySendError::Full(message)) => message,
        };
        match self.queue.send_timeout(message, self.wait_timeout).await {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Closed(_)) => Err(closed()),
            Err(SendTimeoutError::Timeout(_)) => Err(StorageError::unavailable(
                Unavailability::Overloaded,
                "the queue of writes is full",
            )),
        }
    }

    /// How many jobs wait.
    pub(super) fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Ends the thread after what is queued, and returns when it is done.
    pub(super) async fn stop(&self) {
        let (done, stopped) = oneshot::channel::<()>();
        if self.queue.send(Message::Stop(done)).await.is_ok() {
            // Nothing is ever sent: the thread drops its end when it is done.
            stopped.await.unwrap_or(());
        }
    }
}

fn closed() -> StorageError {
    StorageError::unavailable(Unavailability::Closed, "the writer has stopped")
}

/// What came of one run of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Keep,
    RollBack,
    Again,
}

/// A closure with its answer, the types erased.
trait Job: Send {
    /// Whether anyone still waits for the answer.
    fn is_wanted(&self) -> bool;
    /// Runs the closure and keeps its result. Never panics.
    fn run(&mut self, connection: &mut SqliteConnection) -> Outcome;
    /// Gives up: the result becomes this error.
    fn fail(&mut self, error: StorageError);
    /// The transaction is lost: a result that was to be kept becomes this error, an error of the job's own stays.
    fn lose(&mut self, error: StorageError);
    /// Answers with the kept result. Until this is called, nobody has been told anything.
    fn answer(self: Box<Self>);
    /// How often it was run.
    fn runs(&self) -> u32;
    /// Since when it has been waiting.
    fn queued_at(&self) -> Instant;
}

struct TypedJob<T, E, F> {
    work: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    span: Span,
    queued_at: Instant,
    runs: u32,
}

impl<T, E, F> Job for TypedJob<T, E, F>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: StorageFailure + Send,
{
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, connection: &mut SqliteConnection) -> Outcome {
        self.runs += 1;
        let _entered = self.span.enter();
        let work = &self.work;
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let mut tx = Tx::new(Connection::Sqlite(connection));
            let result = work(&mut tx);
            judge(result, tx.failure())
        }));
        let (result, outcome) =
            ran.unwrap_or_else(|_panic| (Err(StorageError::Panicked.into()), Outcome::RollBack));
        self.result = Some(result);
        outcome
    }

    fn fail(&mut self, error: StorageError) {
        self.result = Some(Err(error.into()));
    }

    fn lose(&mut self, error: StorageError) {
        if !matches!(self.result, Some(Err(_))) {
            self.fail(error);
        }
    }

    fn answer(self: Box<Self>) {
        let result = self.result.unwrap_or_else(|| Err(closed().into()));
        // Whoever no longer waits does not mind.
        drop(self.reply.send(result));
    }

    fn runs(&self) -> u32 {
        self.runs
    }

    fn queued_at(&self) -> Instant {
        self.queued_at
    }
}

/// What a closure's result means for its work, given what failed inside.
fn judge<T, E: StorageFailure>(
    result: Result<T, E>,
    failure: Option<Failure>,
) -> (Result<T, E>, Outcome) {
    match (result, failure) {
        (Ok(value), None) => (Ok(value), Outcome::Keep),
        // The closure looked away from a failure; what it did may be incomplete.
        (Ok(_), Some(failure)) => {
            let outcome = match failure {
                Failure::Restart => Outcome::Again,
                Failure::Failed | Failure::ConnectionLost => Outcome::RollBack,
            };
            let swallowed = StorageError::Query(diesel::result::Error::RollbackTransaction);
            (Err(swallowed.into()), outcome)
        }
        (Err(error), _) => {
            let again = matches!(error.storage_error(), Some(StorageError::Restart));
            let outcome = if again {
                Outcome::Again
            } else {
                Outcome::RollBack
            };
            (Err(error), outcome)
        }
    }
}

/// The error for work that lost every race it was in.
pub(super) fn unlucky() -> StorageError {
    StorageError::unavailable(Unavailability::Busy, "lost too many races in a row")
}
