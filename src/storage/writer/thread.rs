//! The thread that runs the jobs and commits them.

use std::fs::File;
use std::sync::Arc;

use diesel::SqliteConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use tokio::sync::mpsc::{Receiver, WeakSender};

use super::syncer::{Committed, Syncer};
use super::{Job, MAX_RUNS, Message, Outcome, closed, unlucky};
use crate::storage::sqlite::{self, log::LogKeeper};
use crate::storage::stats::Counters;
use crate::storage::{StorageError, Unavailability};

/// Jobs that share one commit at most, so that the first of them does not wait for long.
const BATCH: usize = 64;
/// Groups that are run with savepoints after one without that held a job that failed. Whoever sends jobs that fail on purpose can
/// make the others' work be done twice once in so many groups, and no more often.
const CAREFUL_GROUPS: u32 = 64;

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

pub(super) struct Thread {
    path: String,
    open: Option<Open>,
    counters: Arc<Counters>,
    syncer: Syncer,
    log: LogKeeper,
    /// The jobs that were run and not yet handed to the syncer.
    group: Vec<Box<dyn Job>>,
    /// How many of them have work in the transaction.
    kept: usize,
    /// The log, if the group has work in it that the disk may not have yet.
    unsynced: Option<Arc<File>>,
    /// Whether a transaction is under way.
    in_transaction: bool,
    /// How many of the next groups are run with savepoints from the start.
    careful: u32,
}

/// A connection and the log that it writes.
struct Open {
    connection: SqliteConnection,
    log: Arc<File>,
}

impl Open {
    fn new(path: &str, connection: SqliteConnection) -> Result<Self, StorageError> {
        Ok(Self {
            connection,
            log: Arc::new(sqlite::log::open(path)?),
        })
    }
}

impl Thread {
    /// Starts it on an open connection to the database at `path`. It ends with the last sender of `queue`.
    pub(super) fn start(
        path: String,
        connection: SqliteConnection,
        counters: Arc<Counters>,
        queue: Receiver<Message>,
        wake: WeakSender<Message>,
    ) -> Result<(), StorageError> {
        let thread = Self {
            open: Some(Open::new(&path, connection)?),
            counters,
            syncer: Syncer::start(wake)?,
            log: LogKeeper::start(path.clone())?,
            path,
            group: Vec::with_capacity(BATCH),
            kept: 0,
            unsynced: None,
            in_transaction: false,
            careful: 0,
        };
        std::thread::Builder::new()
            .name("latchkey-writer".to_owned())
            .spawn(move || thread.run(queue))
            .map_err(|error| StorageError::unavailable(Unavailability::Exhausted, error))?;
        Ok(())
    }

    fn run(mut self, mut queue: Receiver<Message>) {
        let mut stops = Vec::new();
        loop {
            let message = if self.group.is_empty() {
                queue.blocking_recv()
            } else if self.group.len() >= BATCH {
                None
            } else if self.syncer.is_busy() {
                // A commit now would wait for the disk all the same, so more may join until then.
                queue.blocking_recv()
            } else {
                queue.try_recv().ok()
            };
            match message {
                Some(Message::Job(job)) => self.take_up(job),
                Some(Message::Synced) => {}
                Some(Message::Stop(done)) => {
                    // Nothing comes in any more, but what is in will be done.
                    queue.close();
                    stops.push(done);
                }
                None if self.group.is_empty() => break,
                None => self.hand_over(),
            }
        }
        self.syncer.finish();
        if let Some(mut open) = self.open {
            sqlite::log::empty(&mut open.connection);
        }
        // Dropping the senders tells whoever waits that the thread is done.
        drop(stops);
    }

    /// Runs `job` in the transaction of the group, and begins one if there is none.
    fn take_up(&mut self, mut job: Box<dyn Job>) {
        if !job.is_wanted() {
            return;
        }
        self.counters.waited(job.queued_at().elapsed());
        let ran = self.run_in_group(job.as_mut());
        self.group.push(job);
        let ran = match ran {
            Ok(Ran::Done) => Ok(()),
            Ok(Ran::RolledBack) => self.run_again(),
            Err(lost) => Err(lost),
        };
        if let Err(lost) = ran {
            self.cope(&lost);
        }
    }

    /// A savepoint for each job is dear, and nearly always for nothing: hardly any job fails. So there is none at first; if a job
    /// does not succeed, the whole group is rolled back, to be run again with savepoints.
    fn run_in_group(&mut self, job: &mut dyn Job) -> Result<Ran, Lost> {
        let is_careful = self.careful > 0;
        let is_first = self.group.is_empty();
        let counters = Arc::clone(&self.counters);
        let connection = self.begin()?;
        if is_careful {
            let keep = run_in_savepoint(connection, job, &counters)?;
            self.kept += usize::from(keep);
            return Ok(Ran::Done);
        }
        let outcome = job.run(connection);
        if outcome == Outcome::Keep {
            self.kept += 1;
            return Ok(Ran::Done);
        }
        let rolled_back = self.roll_back();
        if is_first && outcome == Outcome::RollBack {
            if rolled_back.is_err() {
                // SQLite has rolled back by itself; the job's own error says why.
                self.give_up_connection();
            }
            return Ok(Ran::Done);
        }
        rolled_back?;
        if !is_first {
            self.careful = CAREFUL_GROUPS;
        }
        if outcome == Outcome::Again {
            Counters::add(&self.counters.reruns, 1);
        }
        Ok(Ran::RolledBack)
    }

    /// Runs the whole group again, each job in its own savepoint.
    fn run_again(&mut self) -> Result<(), Lost> {
        let mut group = std::mem::take(&mut self.group);
        let counters = Arc::clone(&self.counters);
        let kept = self.begin().and_then(|connection| {
            group.iter_mut().try_fold(0, |kept, job| {
                let keep = run_in_savepoint(connection, job.as_mut(), &counters)?;
                Ok(kept + usize::from(keep))
            })
        });
        self.group = group;
        self.kept = kept?;
        Ok(())
    }

    /// The transaction is gone, and with it the work of the whole group.
    fn cope(&mut self, lost: &Lost) {
        self.give_up_connection();
        self.kept = 0;
        let mut group = std::mem::take(&mut self.group);
        for job in &mut group {
            if lost.stage == Stage::Jobs {
                // One of them has brought it down, and none is committed: each gets its own.
                self.run_alone(job.as_mut());
            } else {
                job.lose(lost.answer());
            }
        }
        self.group = group;
    }

    /// Runs one job in its own transaction: whatever fails in it takes nobody else's work along.
    fn run_alone(&mut self, job: &mut dyn Job) {
        loop {
            match self.try_alone(job) {
                Ok(Outcome::Again) if job.runs() < MAX_RUNS => {
                    Counters::add(&self.counters.reruns, 1);
                }
                Ok(Outcome::Again) => return job.fail(unlucky()),
                Ok(Outcome::Keep | Outcome::RollBack) => return,
                Err(lost) => {
                    self.give_up_connection();
                    return job.lose(lost.answer());
                }
            }
        }
    }

    fn try_alone(&mut self, job: &mut dyn Job) -> Result<Outcome, Lost> {
        let outcome = job.run(self.begin()?);
        if outcome == Outcome::Keep {
            self.kept = 1;
            self.commit()?;
        } else if self.roll_back().is_err() {
            // SQLite has rolled back by itself; the job's own error says why.
            self.give_up_connection();
        }
        Ok(outcome)
    }

    /// Commits the group, and has it answered when the disk has it.
    fn hand_over(&mut self) {
        if self.in_transaction
            && let Err(lost) = self.commit()
        {
            self.cope(&lost);
        }
        self.careful = self.careful.saturating_sub(1);
        let jobs = std::mem::replace(&mut self.group, Vec::with_capacity(BATCH));
        match self.unsynced.take() {
            Some(log) => self.syncer.answer(Committed { jobs, log }),
            None => jobs.into_iter().for_each(Job::answer),
        }
        if let Some(open) = &mut self.open {
            self.log.keep_short(&mut open.connection);
        }
    }

    /// The connection, in a transaction.
    fn begin(&mut self) -> Result<&mut SqliteConnection, Lost> {
        if !self.in_transaction {
            self.begin_transaction()
                .map_err(|error| Lost::at(Stage::Begin, error))?;
            self.in_transaction = true;
        }
        match &mut self.open {
            Some(open) => Ok(&mut open.connection),
            None => Err(Lost::at(Stage::Begin, closed())),
        }
    }

    fn begin_transaction(&mut self) -> Result<(), StorageError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::new(&self.path, sqlite::open_writer(&self.path)?)?,
        };
        let connection = &mut self.open.insert(open).connection;
        if self.syncer.has_failed() {
            // What the disk did not keep of the log must reach it in the database before anything is built on it.
            sqlite::log::copy_all(connection)?;
            self.syncer.forget_failure();
        }
        // Immediate: two processes that first read and then want to write would lock each other out.
        AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")?;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Lost> {
        self.in_transaction = false;
        let kept = std::mem::take(&mut self.kept);
        let Some(open) = &mut self.open else {
            return Err(Lost::at(Stage::Commit, closed()));
        };
        AnsiTransactionManager::commit_transaction(&mut open.connection)
            .map_err(|error| Lost::at(Stage::Commit, error))?;
        if kept > 0 {
            self.unsynced = Some(Arc::clone(&open.log));
            self.log.count(kept);
            Counters::add(&self.counters.jobs_committed, kept);
            Counters::add(&self.counters.batches_committed, 1);
        }
        Ok(())
    }

    fn roll_back(&mut self) -> Result<(), Lost> {
        self.in_transaction = false;
        self.kept = 0;
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        // Fails if the job's failure made SQLite roll back by itself (as a full disk does).
        AnsiTransactionManager::rollback_transaction(&mut open.connection)
            .map_err(|error| Lost::at(Stage::Jobs, error))
    }

    /// What becomes of the connection is unknown; the next transaction gets a new one.
    fn give_up_connection(&mut self) {
        self.open = None;
        self.in_transaction = false;
    }
}

/// What came of a job in its group.
enum Ran {
    /// It has its result.
    Done,
    /// The group has to be run again.
    RolledBack,
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

impl From<diesel::result::Error> for Lost {
    /// Of a savepoint: the transaction around it is gone.
    fn from(error: diesel::result::Error) -> Self {
        Self::at(Stage::Jobs, error)
    }
}

/// Runs a job in a savepoint until it is lucky. True if its work is kept. An error means that the transaction is gone.
fn run_in_savepoint(
    connection: &mut SqliteConnection,
    job: &mut dyn Job,
    counters: &Counters,
) -> diesel::QueryResult<bool> {
    loop {
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
        if job.runs() >= MAX_RUNS {
            job.fail(unlucky());
            return Ok(false);
        }
        Counters::add(&counters.reruns, 1);
    }
}
