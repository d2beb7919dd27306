//! Waits for the disk, then answers.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::sync::mpsc::WeakSender;

use super::{Job, Message};
use crate::storage::{StorageError, Unavailability};

/// Jobs that were committed to the log.
pub(super) struct Committed {
    pub(super) jobs: Vec<Box<dyn Job>>,
    /// The log that holds them, where the disk may not have all of it yet.
    pub(super) log: Arc<File>,
}

/// The writer's end. The thread ends when this is dropped, after what it was given.
pub(super) struct Syncer {
    groups: SyncSender<Committed>,
    state: Arc<State>,
    thread: std::thread::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// Groups that were handed over and not answered yet.
    under_way: AtomicUsize,
    /// Whether the disk refused to keep a log.
    failed: AtomicBool,
}

impl Syncer {
    /// Starts the thread, which wakes the writer through `queue` whenever it is done.
    pub(super) fn start(queue: WeakSender<Message>) -> Result<Self, StorageError> {
        // One group may wait; the writer that has filled another one waits as well.
        let (groups, committed) = sync_channel(1);
        let state = Arc::new(State::default());
        let thread = std::thread::Builder::new()
            .name("latchkey-syncer".to_owned())
            .spawn({
                let state = Arc::clone(&state);
                move || run(&committed, &state, &queue)
            })
            .map_err(|error| StorageError::unavailable(Unavailability::Exhausted, error))?;
        Ok(Self {
            groups,
            state,
            thread,
        })
    }

    /// Whether the disk is at work.
    pub(super) fn is_busy(&self) -> bool {
        self.state.under_way.load(Ordering::Acquire) > 0
    }

    /// Whether the disk refused to keep a log. From then on no job is told that it succeeded.
    pub(super) fn has_failed(&self) -> bool {
        self.state.failed.load(Ordering::Acquire)
    }

    /// All of the log has reached the disk some other way.
    pub(super) fn forget_failure(&self) {
        self.state.failed.store(false, Ordering::Release);
    }

    /// Answers the jobs of `committed` when the disk has them.
    pub(super) fn answer(&self, committed: Committed) {
        self.state.under_way.fetch_add(1, Ordering::AcqRel);
        if let Err(unsent) = self.groups.send(committed) {
            // The thread is gone, which nothing makes it do.
            for mut job in unsent.0.jobs {
                job.lose(unknown("the thread that waits for the disk has ended"));
                job.answer();
            }
        }
    }

    /// Returns when everything is answered and the thread has ended.
    pub(super) fn finish(self) {
        drop(self.groups);
        // It does not panic; what it could not answer then tells its callers by being dropped.
        drop(self.thread.join());
    }
}

fn run(groups: &Receiver<Committed>, state: &State, queue: &WeakSender<Message>) {
    while let Ok(Committed { mut jobs, log }) = groups.recv() {
        if let Err(error) = sync(&log, state) {
            for job in &mut jobs {
                job.lose(unknown(&error));
            }
        }
        jobs.into_iter().for_each(Job::answer);
        state.under_way.fetch_sub(1, Ordering::AcqRel);
        if let Some(queue) = queue.upgrade() {
            // A full queue keeps the writer awake as well.
            drop(queue.try_send(Message::Synced));
        }
    }
}

fn sync(log: &File, state: &State) -> io::Result<()> {
    // What follows a gap in the log does not count, even if the disk has it.
    if state.failed.load(Ordering::Acquire) {
        return Err(io::Error::other("the disk did not keep what came before"));
    }
    log.sync_data().inspect_err(|error| {
        tracing::error!(%error, "The disk did not keep what was written");
        state.failed.store(true, Ordering::Release);
    })
}

fn unknown(detail: impl std::fmt::Display) -> StorageError {
    StorageError::unavailable(Unavailability::CommitUnknown, detail)
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::time::Instant;

    use tokio::sync::{mpsc, oneshot};
    use tracing::Span;

    use super::super::TypedJob;
    use super::*;
    use crate::storage::Tx;

    type Answer = oneshot::Receiver<Result<(), StorageError>>;

    /// A job that was run with success.
    fn successful() -> (Box<dyn Job>, Answer) {
        let (reply, answer) = oneshot::channel();
        let job = TypedJob {
            work: |_: &mut Tx<'_>| Ok::<_, StorageError>(()),
            result: Some(Ok(())),
            reply,
            span: Span::none(),
            queued_at: Instant::now(),
            runs: 1,
        };
        (Box::new(job), answer)
    }

    /// Hands one such job over, with this log.
    fn hand_over(syncer: &Syncer, log: File) -> Answer {
        let (job, answer) = successful();
        let jobs = vec![job];
        let log = Arc::new(log);
        syncer.answer(Committed { jobs, log });
        answer
    }

    /// A file that no disk can keep.
    fn pipe() -> File {
        let (reader, _) = std::io::pipe().unwrap();
        File::from(OwnedFd::from(reader))
    }

    fn is_unknown(answer: Answer) -> bool {
        let why = Unavailability::CommitUnknown;
        matches!(answer.blocking_recv().unwrap(), Err(StorageError::Unavailable { why: told, .. }) if told == why)
    }

    #[test]
    fn what_the_disk_did_not_keep_is_not_acknowledged_nor_what_comes_after_it() {
        let (queue, mut woken) = mpsc::channel(8);
        let syncer = Syncer::start(queue.downgrade()).unwrap();

        let kept = hand_over(&syncer, tempfile::tempfile().unwrap());
        assert!(kept.blocking_recv().unwrap().is_ok());
        assert!(!syncer.has_failed());
        let lost = hand_over(&syncer, pipe());
        assert!(is_unknown(lost));
        assert!(syncer.has_failed());
        let behind_the_gap = hand_over(&syncer, tempfile::tempfile().unwrap());
        assert!(is_unknown(behind_the_gap));

        syncer.forget_failure();
        let later = hand_over(&syncer, tempfile::tempfile().unwrap());
        assert!(later.blocking_recv().unwrap().is_ok());
        syncer.finish();
        for _ in 0..4 {
            assert!(matches!(woken.blocking_recv(), Some(Message::Synced)));
        }
    }
}
