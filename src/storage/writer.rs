//! The one writer of an SQLite database: takes the jobs that wait, commits them together, then answers.
//!
//! One durable COMMIT costs a write barrier of the disk whatever is in it. Sixty-four jobs that share one are what makes
//! `synchronous = FULL` affordable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use tokio::sync::mpsc::error::{SendTimeoutError, TrySendError};
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use super::connection::{Connection, Failure};
use super::stats::Counters;
use super::{StorageError, StorageFailure, Tx, Unavailability, sqlite};

/// Jobs that may wait.
const QUEUE: usize = 1024;
/// Jobs that share one commit at most, so that the first of them does not wait for long.
const BATCH: usize = 64;
/// How often a job is run before it is given up as unlucky.
pub(super) const MAX_RUNS: u32 = 5;

enum Message {
    Job(Box<dyn Job>),
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
        let thread = Thread {
            path,
            connection: Some(connection),
            counters,
        };
        std::thread::Builder::new()
            .name("latchkey-writer".to_owned())
            .spawn(move || thread.run(jobs))
            .map_err(|error| StorageError::unavailable(Unavailability::Exhausted, error))?;
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
    /// Since when it has been waiting.
    fn queued_at(&self) -> Instant;
}

struct TypedJob<T, E, F> {
    work: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    span: Span,
    queued_at: Instant,
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

/// Why a whole transaction came to nothing.
struct Lost {
    error: StorageError,
    stage: Stage,
}

/// How far a transaction came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It did not begin.
    Begin,
    /// A job took it down.
    Jobs,
    /// COMMIT was sent, so the work must not be done again.
    Commit,
}

struct Thread {
    path: String,
    connection: Option<SqliteConnection>,
    counters: Arc<Counters>,
}

impl Thread {
    fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
        let mut stops = Vec::new();
        while let Some(first) = queue.blocking_recv() {
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Job(job) => batch.push(job),
                    Message::Stop(done) => {
                        // Nothing comes in any more, but what is in will be done.
                        queue.close();
                        stops.push(done);
                    }
                }
                next = if batch.len() < BATCH {
                    queue.try_recv().ok()
                } else {
                    None
                };
            }
            self.run_batch(&mut batch);
        }
        drop(self.connection);
        // Dropping the senders tells whoever waits that the thread is done.
        drop(stops);
    }

    /// Runs, commits and answers what is in `batch`, and leaves it empty.
    fn run_batch(&mut self, batch: &mut Vec<Box<dyn Job>>) {
        batch.retain(|job| job.is_wanted());
        if batch.is_empty() {
            return;
        }
        for job in batch.iter() {
            self.counters.waited(job.queued_at().elapsed());
        }
        let alone = batch.len() == 1;
        let lost = if alone {
            None
        } else {
            self.run_together(batch).err()
        };
        if lost.is_some() {
            self.connection = None;
        }
        match lost {
            Some(lost) if lost.stage != Stage::Jobs => {
                for job in batch.iter_mut() {
                    job.lose(lost.answer());
                }
            }
            // One of them has brought the transaction down, and none is committed: each gets its own.
            Some(_) => self.run_each_alone(batch),
            None if alone => self.run_each_alone(batch),
            None => {}
        }
        batch.drain(..).for_each(Job::answer);
    }

    fn run_each_alone(&mut self, batch: &mut [Box<dyn Job>]) {
        for job in batch {
            self.run_alone(job.as_mut());
        }
    }

    /// Runs several jobs in one transaction, each in its own savepoint.
    fn run_together(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), Lost> {
        let connection = self
            .connection()
            .map_err(|error| Lost::at(Stage::Begin, error))?;
        begin(connection).map_err(|error| Lost::at(Stage::Begin, error))?;
        let mut kept = 0;
        for job in batch.iter_mut() {
            let keep = run_in_savepoint(connection, job.as_mut())
                .map_err(|error| Lost::at(Stage::Jobs, error))?;
            kept += usize::from(keep);
        }
        AnsiTransactionManager::commit_transaction(connection)
            .map_err(|error| Lost::at(Stage::Commit, error))?;
        Counters::add(&self.counters.jobs_committed, kept);
        Counters::add(&self.counters.batches_committed, 1);
        Ok(())
    }

    /// Runs one job in its own transaction, without a savepoint: whatever fails in it takes nobody else's work along.
    fn run_alone(&mut self, job: &mut dyn Job) {
        for _ in 0..MAX_RUNS {
            let outcome = match self.try_alone(job) {
                Ok(outcome) => outcome,
                Err(lost) => {
                    self.connection = None;
                    return job.lose(lost.answer());
                }
            };
            if outcome != Outcome::Again {
                return;
            }
            Counters::add(&self.counters.reruns, 1);
        }
        job.fail(unlucky());
    }

    fn try_alone(&mut self, job: &mut dyn Job) -> Result<Outcome, Lost> {
        let connection = self
            .connection()
            .map_err(|error| Lost::at(Stage::Begin, error))?;
        begin(connection).map_err(|error| Lost::at(Stage::Begin, error))?;
        let outcome = job.run(connection);
        if outcome == Outcome::Keep {
            AnsiTransactionManager::commit_transaction(connection)
                .map_err(|error| Lost::at(Stage::Commit, error))?;
            Counters::add(&self.counters.jobs_committed, 1);
            Counters::add(&self.counters.batches_committed, 1);
        } else if AnsiTransactionManager::rollback_transaction(connection).is_err() {
            // SQLite has rolled back by itself; the job's own error says why.
            self.connection = None;
        }
        Ok(outcome)
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection, StorageError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => sqlite::open_writer(&self.path)?,
        };
        Ok(self.connection.insert(connection))
    }
}

impl Lost {
    fn at(stage: Stage, error: impl Into<StorageError>) -> Self {
        Self {
            error: error.into(),
            stage,
        }
    }

    /// The error for a job whose work it was.
    fn answer(&self) -> StorageError {
        match (&self.error, self.stage) {
            (error, Stage::Commit) => {
                StorageError::unavailable(Unavailability::CommitUnknown, error)
            }
            (StorageError::Unavailable { why, detail }, _) => {
                StorageError::unavailable(*why, detail)
            }
            (error, _) => StorageError::unavailable(Unavailability::Input, error),
        }
    }
}

fn begin(connection: &mut SqliteConnection) -> diesel::QueryResult<()> {
    // Immediate: two processes that first read and then want to write would lock each other out.
    AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
}

/// Runs a job in a savepoint until it is lucky. True if its work is kept. An error means that the transaction is gone.
fn run_in_savepoint(
    connection: &mut SqliteConnection,
    job: &mut dyn Job,
) -> diesel::QueryResult<bool> {
    for _ in 0..MAX_RUNS {
        AnsiTransactionManager::begin_transaction(connection)?;
        let outcome = job.run(connection);
        if outcome == Outcome::Keep {
            AnsiTransactionManager::commit_transaction(connection)?;
            return Ok(true);
        }
        // Fails if the job's failure made SQLite roll back the whole transaction (as a full disk does).
        AnsiTransactionManager::rollback_transaction(connection)?;
        if outcome == Outcome::RollBack {
            return Ok(false);
        }
    }
    job.fail(unlucky());
    Ok(false)
}

/// The error for work that lost every race it was in.
pub(super) fn unlucky() -> StorageError {
    StorageError::unavailable(Unavailability::Busy, "lost too many races in a row")
}
