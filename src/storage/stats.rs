//! Plain counters for whoever wants to show them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How busy the database handle is and what it has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Open connections in the pool.
    pub connections: u32,
    /// Those of them that nobody uses.
    pub idle_connections: u32,
    /// Jobs that wait for the SQLite writer.
    pub writer_queue_depth: usize,
    /// Jobs whose work was committed.
    pub jobs_committed: u64,
    /// Transactions that were committed; on SQLite one holds several jobs.
    pub batches_committed: u64,
    /// Times that a job was run again after a lost race or a lost connection.
    pub reruns: u64,
    /// Time that callers spent waiting for a connection or for the writer to begin, in microseconds.
    pub waited_us: u64,
    /// Reads and writes refused because the database was unavailable.
    pub refused: u64,
}

impl Stats {
    /// Every figure with its name, for a metrics page.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "counters beyond 2^53 may lose their last digits on a graph"
    )]
    pub fn figures(&self) -> [(&'static str, f64); 8] {
        [
            ("connections", f64::from(self.connections)),
            ("idle_connections", f64::from(self.idle_connections)),
            ("writer_queue_depth", self.writer_queue_depth as f64),
            ("jobs_committed", self.jobs_committed as f64),
            ("batches_committed", self.batches_committed as f64),
            ("reruns", self.reruns as f64),
            ("waited_us", self.waited_us as f64),
            ("refused", self.refused as f64),
        ]
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) jobs_committed: AtomicU64,
    pub(super) batches_committed: AtomicU64,
    pub(super) reruns: AtomicU64,
    waited_us: AtomicU64,
    pub(super) refused: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Relaxed);
    }

    pub(super) fn waited(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.waited_us.fetch_add(us, Relaxed);
    }

    pub(super) fn fill(&self, stats: &mut Stats) {
        stats.jobs_committed = self.jobs_committed.load(Relaxed);
        stats.batches_committed = self.batches_committed.load(Relaxed);
        stats.reruns = self.reruns.load(Relaxed);
        stats.waited_us = self.waited_us.load(Relaxed);
        stats.refused = self.refused.load(Relaxed);
    }
}
