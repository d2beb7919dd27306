//! Keeps SQLite's write-ahead log short, without letting anybody wait for it.
//!
//! SQLite by itself copies the log into the database within the commit that makes it longer than 1000 pages, and everybody in
//! the queue waits for the copy to reach the disk. Here a thread of its own copies while the writer goes on. What the writer has
//! added meanwhile is little; the writer copies that between two batches, and its next write begins the log from the front.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::{Conn, open_for_writing};
use crate::storage::{StorageError, Unavailability};

/// Jobs after which the log's length is looked at.
const LOOK_EVERY: usize = 128;
/// Pages (of 4 KiB) from which the log is copied.
const COPY_FROM: i32 = 4000;
/// What is left for the writer is at most so many pages, unless it writes faster than the disk copies.
const LEAVE: i32 = 250;
/// How often the thread copies what has come in since the copy before.
const ROUNDS: usize = 4;
/// Pages from which the writer waits for readers that still need the log's old end, for a moment.
const WAIT_FROM: i32 = 8 * COPY_FROM;

/// Copies all of the log that no reader needs; the next write begins the log anew if none does.
const COPY: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// As [`COPY`], and waits for those readers, though not for long.
const COPY_AND_WAIT: &str =
    "PRAGMA busy_timeout = 100; PRAGMA wal_checkpoint(RESTART); PRAGMA busy_timeout = 2000";
/// Copies all and empties the file.
const EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// The writer's end. The thread ends when this is dropped.
pub(in crate::storage) struct LogKeeper {
    wake: SyncSender<()>,
    jobs: usize,
    due: Arc<Due>,
}

/// What the writer is asked to do.
#[derive(Default)]
struct Due {
    /// To copy the rest.
    copy: AtomicBool,
    /// To wait for readers as well.
    wait: AtomicBool,
}

/// What `PRAGMA wal_checkpoint` answers.
#[derive(QueryableByName)]
struct Copied {
    /// 1 if somebody was in the way.
    #[diesel(sql_type = Integer)]
    busy: i32,
    /// Pages in the log.
    #[diesel(sql_type = Integer)]
    log: i32,
    /// Those of them that are in the database, too.
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

impl LogKeeper {
    /// Starts the thread.
    pub(in crate::storage) fn start(path: String) -> Result<Self, StorageError> {
        // One that waits is enough: it asks for a look at the log, and not for one more.
        let (wake, woken) = sync_channel(1);
        let due = Arc::new(Due::default());
        let copier = Copier {
            path,
            connection: None,
            due: Arc::clone(&due),
        };
        std::thread::Builder::new()
            .name("latchkey-log".to_owned())
            .spawn(move || copier.run(&woken))
            .map_err(|error| StorageError::unavailable(Unavailability::Exhausted, error))?;
        Ok(Self { wake, jobs: 0, due })
    }

    /// Counts jobs that were committed.
    pub(in crate::storage) const fn count(&mut self, jobs: usize) {
        self.jobs += jobs;
    }

    /// Has the log looked at after many jobs, and copies its rest if it is time. To be called outside any transaction.
    pub(in crate::storage) fn keep_short(&mut self, connection: &mut Conn) {
        if self.jobs >= LOOK_EVERY {
            self.jobs = 0;
            // An error says that it was asked already, or has ended: then the log is copied when the database is closed.
            let _ = self.wake.try_send(());
        }
        if !self.due.copy.swap(false, Ordering::Relaxed) {
            return;
        }
        let waits = self.due.wait.swap(false, Ordering::Relaxed);
        if let Err(error) = connection.batch_execute(if waits { COPY_AND_WAIT } else { COPY }) {
            warn(&error);
        }
    }
}

/// Copies the whole log and empties its file, before the connection is closed.
pub(in crate::storage) fn empty(connection: &mut Conn) {
    let emptied = connection
        .batch_execute("PRAGMA busy_timeout = 100")
        .and_then(|()| connection.batch_execute(EMPTY));
    if let Err(error) = emptied {
        warn(&error);
    }
}

/// The log of the database at `path`, for having the disk keep it. The connection that writes it must be open already.
pub(in crate::storage) fn open(path: &str) -> Result<File, StorageError> {
    // For writing: some file systems sync no other.
    File::options()
        .write(true)
        .open(format!("{path}-wal"))
        .and_then(|log| keep_name(path).map(|()| log))
        .map_err(|error| StorageError::unavailable(Unavailability::Input, error))
}

/// Has the disk keep the names of new files beside `path`: the content of one that nobody finds again is lost.
#[cfg(unix)]
fn keep_name(path: &str) -> io::Result<()> {
    let folder = Path::new(path).parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Only Unix syncs folders; elsewhere the system keeps names by itself.
#[cfg(not(unix))]
fn keep_name(_: &str) -> io::Result<()> {
    Ok(())
}

/// Copies the whole log into the database, and returns when the disk has it there.
pub(in crate::storage) fn copy_all(connection: &mut Conn) -> Result<(), StorageError> {
    match checkpoint(connection, EMPTY)? {
        Copied { busy: 0, .. } => Ok(()),
        Copied { .. } => Err(StorageError::unavailable(
            Unavailability::Busy,
            "the log is in use",
        )),
    }
}

/// The thread beside the writer.
struct Copier {
    path: String,
    connection: Option<Conn>,
    due: Arc<Due>,
}

impl Copier {
    fn run(mut self, woken: &Receiver<()>) {
        while woken.recv().is_ok() {
            if let Err(error) = self.look() {
                self.connection = None;
                warn(&error);
            }
        }
    }

    /// Copies the log if it is long, and tells the writer to copy the rest.
    fn look(&mut self) -> Result<(), StorageError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(open_for_writing(&self.path)?),
        };
        let mut at = checkpoint(connection, "PRAGMA wal_checkpoint(NOOP)")?;
        if at.log < COPY_FROM {
            return Ok(());
        }
        for _ in 0..ROUNDS {
            at = checkpoint(connection, COPY)?;
            let now = checkpoint(connection, "PRAGMA wal_checkpoint(NOOP)")?;
            if now.log - now.checkpointed <= LEAVE {
                break;
            }
        }
        self.due.wait.store(at.log >= WAIT_FROM, Ordering::Relaxed);
        self.due.copy.store(true, Ordering::Relaxed);
        Ok(())
    }
}

fn checkpoint(connection: &mut Conn, sql: &str) -> Result<Copied, StorageError> {
    Ok(diesel::sql_query(sql).get_result(connection)?)
}

fn warn(error: &dyn std::fmt::Display) {
    tracing::warn!(%error, "Cannot copy SQLite's write-ahead log into the database");
}
