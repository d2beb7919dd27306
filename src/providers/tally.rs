//! Counts what a provider's checks come to, in atomics alone: the way in of a hand-in neither waits nor writes for it.

use std::array;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::error::{Outage, ProviderError};
use crate::domain::provider_health::{Check, LATENCY_BUCKETS, latency_bucket};

/// `first_us` and `last_us` of what has not happened.
const NEVER: i64 = i64::MIN;

/// The counters of one provider since the process started.
#[derive(Debug)]
pub struct Tally {
    checks: [Cell; Check::ALL.len()],
    latencies: [AtomicU64; LATENCY_BUCKETS],
}

#[derive(Debug)]
struct Cell {
    count: AtomicU64,
    /// When the last one was, in microseconds since 1970.
    last_us: AtomicI64,
    /// When the first one was since [`Tally::take_first`]. Kept of outages only.
    first_us: AtomicI64,
}

/// What a [`Tally`] shows at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyReading {
    /// How many checks there were, in the order of [`Check::ALL`].
    pub counts: [u64; Check::ALL.len()],
    /// When the last of each was.
    pub last_at: [Option<DateTime<Utc>>; Check::ALL.len()],
    /// How many fell into each bucket of durations.
    pub latencies: [u64; LATENCY_BUCKETS],
}

impl Default for TallyReading {
    fn default() -> Self {
        Self {
            counts: [0; Check::ALL.len()],
            last_at: [None; Check::ALL.len()],
            latencies: [0; LATENCY_BUCKETS],
        }
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            checks: array::from_fn(|_| Cell {
                count: AtomicU64::new(0),
                last_us: AtomicI64::new(NEVER),
                first_us: AtomicI64::new(NEVER),
            }),
            latencies: array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Tally {
    /// Counts a check that was over at `at` and took that long.
    pub(super) fn count(&self, check: Check, at: DateTime<Utc>, took: Duration) {
        if let Some(cell) = self.checks.get(check as usize) {
            let us = at.timestamp_micros();
            cell.last_us.store(us, Relaxed);
            if check.is_outage() {
                // Only the first one wins; whoever comes later changes nothing.
                let _ = cell.first_us.compare_exchange(NEVER, us, Relaxed, Relaxed);
            }
            cell.count.fetch_add(1, Relaxed);
        }
        if check.was_asked()
            && let Some(bucket) = self.latencies.get(latency_bucket(took))
        {
            bucket.fetch_add(1, Relaxed);
        }
    }

    /// What it shows now. Checks that end meanwhile may be half in it; the next reading has them whole.
    #[must_use]
    pub fn read(&self) -> TallyReading {
        TallyReading {
            counts: self.checks.each_ref().map(|cell| cell.count.load(Relaxed)),
            last_at: self
                .checks
                .each_ref()
                .map(|cell| instant(cell.last_us.load(Relaxed))),
            latencies: self.latencies.each_ref().map(|bucket| bucket.load(Relaxed)),
        }
    }

    /// When the first outage of each kind was since [`Tally::take_first`].
    #[must_use]
    pub fn first(&self) -> [Option<DateTime<Utc>>; Check::ALL.len()] {
        self.checks
            .each_ref()
            .map(|cell| instant(cell.first_us.load(Relaxed)))
    }

    /// When the first outage of each kind was since this was last called.
    #[must_use]
    pub fn take_first(&self) -> [Option<DateTime<Utc>>; Check::ALL.len()] {
        self.checks
            .each_ref()
            .map(|cell| instant(cell.first_us.swap(NEVER, Relaxed)))
    }
}

fn instant(us: i64) -> Option<DateTime<Utc>> {
    (us != NEVER)
        .then(|| DateTime::from_timestamp_micros(us))
        .flatten()
}

/// What a check came to. `None` where the request itself was wrong and nobody was asked.
pub(super) fn check_of<T>(result: &Result<T, ProviderError>) -> Option<Check> {
    match result {
        Ok(_) => Some(Check::Accepted),
        Err(error) => match error {
            ProviderError::InvalidToken(_)
            | ProviderError::ExpiredToken
            | ProviderError::WrongAudience
            | ProviderError::UnboundToken
            | ProviderError::NonceMismatch(_)
            | ProviderError::Rejected(_) => Some(Check::Refused),
            ProviderError::ProofNotTaken(_) | ProviderError::BadMember { .. } => None,
            ProviderError::Unavailable { outage, .. } => Some(match outage {
                Outage::Timeout => Check::Timeout,
                Outage::Connect => Check::Connect,
                Outage::Redirect => Check::Redirect,
                Outage::TooLarge => Check::TooLarge,
                Outage::Status { .. } => Check::Status,
                Outage::Malformed(_) => Check::Malformed,
                Outage::CircuitOpen { .. } => Check::CircuitOpen,
                Outage::Overloaded => Check::Overloaded,
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_680_000 + second, 0).unwrap()
    }

    #[test]
    fn it_counts_by_kind_and_remembers_the_first_outage_and_the_last_of_each() {
        let tally = Tally::default();
        let took = Duration::from_millis(3);

        tally.count(Check::Accepted, at(1), took);
        tally.count(Check::Timeout, at(2), took);
        tally.count(Check::Timeout, at(4), took);

        let reading = tally.read();
        assert_eq!(reading.counts[Check::Timeout as usize], 2);
        assert_eq!(reading.last_at[Check::Timeout as usize], Some(at(4)));
        assert_eq!(reading.last_at[Check::Accepted as usize], Some(at(1)));
        assert_eq!(reading.last_at[Check::Refused as usize], None);
        let first = tally.take_first();
        assert_eq!(first[Check::Timeout as usize], Some(at(2)));
        assert_eq!(first[Check::Accepted as usize], None);
        assert_eq!(tally.take_first()[Check::Timeout as usize], None);
    }

    #[test]
    fn whoever_was_not_asked_took_no_time() {
        let tally = Tally::default();

        tally.count(Check::CircuitOpen, at(1), Duration::ZERO);
        tally.count(Check::Overloaded, at(1), Duration::ZERO);
        tally.count(Check::Refused, at(1), Duration::ZERO);

        assert_eq!(tally.read().latencies.iter().sum::<u64>(), 1);
    }

    #[test]
    fn every_outage_is_counted_under_its_label() {
        for outage in [
            Outage::Timeout,
            Outage::Connect,
            Outage::Redirect,
            Outage::TooLarge,
            Outage::Status {
                code: 503,
                retry_after_seconds: None,
            },
            Outage::Malformed("x"),
            Outage::CircuitOpen {
                retry_after_seconds: 1,
            },
            Outage::Overloaded,
        ] {
            let check = check_of::<()>(&Err(outage.into())).unwrap();
            assert_eq!(check.as_str(), outage.label());
            assert!(check.is_outage());
        }
    }

    #[test]
    fn a_request_that_is_wrong_in_itself_says_nothing_about_the_provider() {
        let wrong = ProviderError::BadMember {
            member: "client_id",
            problem: "x",
        };

        assert_eq!(check_of::<()>(&Err(wrong)), None);
        assert_eq!(
            check_of::<()>(&Err(ProviderError::WrongAudience)),
            Some(Check::Refused)
        );
    }
}
