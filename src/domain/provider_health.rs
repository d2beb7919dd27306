//! How a provider does: what its checks came to, how long they took, and when that is called failing.

use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

/// Checks are counted by periods of this length, so that "the last hour" is made of whole ones.
pub const PERIOD: TimeDelta = TimeDelta::minutes(5);
/// Periods that say how a provider does now: the current one and those before it.
const RECENT_PERIODS: i32 = 3;
/// Fewer outages than this say nothing.
const TELLING_OUTAGES: u64 = 3;

/// What came of asking a provider whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    /// The proof was good.
    Accepted,
    /// The provider, or a signature, says that it was not.
    Refused,
    /// No complete answer before the deadline.
    Timeout,
    /// No connection, or it broke.
    Connect,
    /// A redirect, which is never followed.
    Redirect,
    /// An answer beyond the cap.
    TooLarge,
    /// A 5xx, 429 or 408.
    Status,
    /// An answer that cannot be used.
    Malformed,
    /// Not asked, because it failed repeatedly a moment ago.
    CircuitOpen,
    /// Not asked, because too many requests were under way.
    Overloaded,
}

impl Check {
    /// Every one, in the order of its declaration.
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Refused,
        Self::Timeout,
        Self::Connect,
        Self::Redirect,
        Self::TooLarge,
        Self::Status,
        Self::Malformed,
        Self::CircuitOpen,
        Self::Overloaded,
    ];

    /// The name as stored; for outages the label of metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Redirect => "redirect",
            Self::TooLarge => "too_large",
            Self::Status => "status",
            Self::Malformed => "malformed",
            Self::CircuitOpen => "circuit_open",
            Self::Overloaded => "overloaded",
        }
    }

    /// The check called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.as_str() == name)
    }

    /// Whether the caller was told to come back later.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        !matches!(self, Self::Accepted | Self::Refused)
    }

    /// Whether the provider was asked, so that how long it took says something about it.
    #[must_use]
    pub const fn was_asked(self) -> bool {
        !matches!(self, Self::CircuitOpen | Self::Overloaded)
    }
}

/// Checks of one kind in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodChecks {
    /// When the period began.
    pub period_at: DateTime<Utc>,
    /// What they came to.
    pub check: Check,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first_at: DateTime<Utc>,
    /// The last of them.
    pub last_at: DateTime<Utc>,
}

/// The period that `at` lies in.
#[must_use]
pub fn period_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(PERIOD).unwrap_or(at)
}

/// How a provider does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Nobody has asked it lately.
    Quiet,
    /// It answers.
    Healthy,
    /// Some of the checks of the last minutes failed.
    Unsteady,
    /// Half of the checks of the last minutes failed, or more.
    Failing {
        /// The first failed check since it last did well.
        since: DateTime<Utc>,
        /// What failed most.
        reason: Check,
    },
}

impl Health {
    /// Whether somebody should look.
    #[must_use]
    pub const fn is_failing(self) -> bool {
        matches!(self, Self::Failing { .. })
    }
}

/// Sums of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CheckSums {
    /// All of them.
    pub checks: u64,
    /// Those that were outages.
    pub outages: u64,
}

impl CheckSums {
    /// The sums of `rows`.
    #[must_use]
    pub fn of<'a>(rows: impl Iterator<Item = &'a PeriodChecks>) -> Self {
        rows.fold(Self::default(), |sums, row| sums.plus(row.check, row.count))
    }

    /// These and `count` more.
    #[must_use]
    pub const fn plus(self, check: Check, count: u64) -> Self {
        Self {
            checks: self.checks.saturating_add(count),
            outages: self
                .outages
                .saturating_add(if check.is_outage() { count } else { 0 }),
        }
    }

    /// Which part of the checks were outages, between 0 and 1; `None` where there were no checks.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        ratio(self.outages, self.checks)
    }

    const fn mostly_outages(self) -> bool {
        self.outages > 0 && self.outages.saturating_mul(2) >= self.checks
    }
}

/// `part` of `whole`; `None` of nothing.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with one digit behind the point"
)]
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// How the provider does at `now` with the checks of the last day, in any order.
///
/// Failing means that of the last minutes' checks at least three were outages, and those at least half of all. It began with the
/// first outage after the last period in which most checks went well; periods without checks neither begin nor end anything.
#[must_use]
pub fn judge(rows: &[PeriodChecks], now: DateTime<Utc>) -> Health {
    let recent_from = period_of(now) - PERIOD * (RECENT_PERIODS - 1);
    let recent = || rows.iter().filter(|row| row.period_at >= recent_from);
    let sums = CheckSums::of(recent());
    if sums.checks == 0 {
        return Health::Quiet;
    }
    if sums.outages < TELLING_OUTAGES || !sums.mostly_outages() {
        let is_unsteady = sums.outages >= TELLING_OUTAGES && sums.outages * 10 >= sums.checks;
        return if is_unsteady {
            Health::Unsteady
        } else {
            Health::Healthy
        };
    }
    let reason = recent()
        .filter(|row| row.check.is_outage())
        .max_by_key(|row| (row.check.was_asked(), row.count))
        .map_or(Check::Timeout, |row| row.check);
    Health::Failing {
        since: failing_since(rows, now),
        reason,
    }
}

fn failing_since(rows: &[PeriodChecks], now: DateTime<Utc>) -> DateTime<Utc> {
    let mut periods: Vec<DateTime<Utc>> = rows.iter().map(|row| row.period_at).collect();
    periods.sort_unstable();
    periods.dedup();
    let mut since = now;
    for period in periods.into_iter().rev() {
        let within = || rows.iter().filter(|row| row.period_at == period);
        let first_outage = within()
            .filter(|row| row.check.is_outage())
            .map(|row| row.first_at)
            .min();
        match first_outage {
            Some(first) if CheckSums::of(within()).mostly_outages() => since = since.min(first),
            // The current period may have begun well.
            Some(first) if since == now => since = first,
            _ => break,
        }
    }
    since
}

/// Upper bounds of the buckets of a check's duration, in milliseconds. What took longer is in a bucket of its own.
pub const LATENCY_BOUNDS_MS: [u64; 23] = [
    1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000,
    5000, 5500,
];
/// Buckets, the one without bound included.
pub const LATENCY_BUCKETS: usize = LATENCY_BOUNDS_MS.len() + 1;

/// Which bucket `took` belongs to.
#[must_use]
pub fn latency_bucket(took: Duration) -> usize {
    let us = took.as_micros();
    LATENCY_BOUNDS_MS.partition_point(|bound| u128::from(*bound) * 1000 < us)
}

/// A bounded histogram of durations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Latencies([u64; LATENCY_BUCKETS]);

impl Latencies {
    /// Adds `count` durations of `bucket`; one that does not exist is the last.
    pub fn add(&mut self, bucket: usize, count: u64) {
        let bucket = bucket.min(LATENCY_BUCKETS - 1);
        if let Some(cell) = self.0.get_mut(bucket) {
            *cell = cell.saturating_add(count);
        }
    }

    /// The duration that `per_hundred` of a hundred did not exceed, in milliseconds, interpolated within its bucket. `None` where
    /// nothing was measured.
    #[must_use]
    pub fn percentile_ms(&self, per_hundred: u64) -> Option<u64> {
        let total: u64 = self.0.iter().sum();
        if total == 0 {
            return None;
        }
        let rank = (total.saturating_mul(per_hundred)).div_ceil(100).max(1);
        let mut before = 0;
        let mut lower_us = 0;
        for (index, count) in self.0.iter().enumerate() {
            let Some(bound_us) = LATENCY_BOUNDS_MS.get(index).map(|ms| ms * 1000) else {
                break;
            };
            if *count > 0 && before + count >= rank {
                let within_us = (bound_us - lower_us) * (rank - before) / count;
                return Some((lower_us + within_us).div_ceil(1000));
            }
            before += count;
            lower_us = bound_us;
        }
        Some(lower_us / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64, second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_680_000 + minute * 60 + second, 0).unwrap()
    }

    /// Checks at one second of one minute.
    fn row(minute: i64, check: Check, count: u64) -> PeriodChecks {
        PeriodChecks {
            period_at: period_of(at(minute, 0)),
            check,
            count,
            first_at: at(minute, 14),
            last_at: at(minute, 50),
        }
    }

    #[test]
    fn a_period_is_five_minutes() {
        assert_eq!(period_of(at(14, 59)), at(10, 0));
        assert_eq!(period_of(at(15, 0)), at(15, 0));
    }

    #[test]
    fn two_outages_are_no_alarm_and_three_of_five_are() {
        let fine = [row(16, Check::Accepted, 2), row(16, Check::Timeout, 2)];
        let bad = [
            row(12, Check::Accepted, 2),
            row(12, Check::Connect, 1),
            row(16, Check::Timeout, 2),
        ];

        assert_eq!(judge(&fine, at(17, 0)), Health::Healthy);
        assert_eq!(
            judge(&bad, at(17, 0)),
            Health::Failing {
                since: at(16, 14),
                reason: Check::Timeout
            }
        );
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let rows = [row(16, Check::Refused, 50), row(16, Check::Status, 3)];

        assert_eq!(judge(&rows, at(17, 0)), Health::Healthy);
    }

    #[test]
    fn a_tenth_of_outages_is_unsteady() {
        let rows = [row(16, Check::Accepted, 30), row(16, Check::Status, 4)];

        assert_eq!(judge(&rows, at(17, 0)), Health::Unsteady);
    }

    #[test]
    fn it_fails_since_the_first_outage_after_it_last_did_well() {
        let rows = [
            row(0, Check::Timeout, 9),
            row(5, Check::Accepted, 9),
            row(5, Check::Timeout, 1),
            // Ten minutes without a check.
            row(20, Check::Timeout, 9),
            row(20, Check::Accepted, 1),
            row(25, Check::CircuitOpen, 90),
            row(25, Check::Connect, 1),
        ];

        assert_eq!(
            judge(&rows, at(27, 0)),
            Health::Failing {
                since: at(20, 14),
                reason: Check::Timeout
            }
        );
    }

    #[test]
    fn what_is_long_ago_says_nothing_of_now() {
        assert_eq!(
            judge(&[row(0, Check::Timeout, 9)], at(40, 0)),
            Health::Quiet
        );
        assert_eq!(judge(&[], at(0, 0)), Health::Quiet);
    }

    #[test]
    fn durations_fall_into_the_bucket_whose_bound_they_do_not_exceed() {
        assert_eq!(latency_bucket(Duration::ZERO), 0);
        assert_eq!(latency_bucket(Duration::from_millis(1)), 0);
        assert_eq!(latency_bucket(Duration::from_micros(1001)), 1);
        assert_eq!(latency_bucket(Duration::from_mins(1)), LATENCY_BUCKETS - 1);
    }

    #[test]
    fn percentiles_lie_within_the_bucket_that_holds_them() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile_ms(50), None);

        latencies.add(latency_bucket(Duration::from_millis(180)), 94);
        latencies.add(latency_bucket(Duration::from_millis(5100)), 6);

        let (p50, p95) = (
            latencies.percentile_ms(50).unwrap(),
            latencies.percentile_ms(95).unwrap(),
        );
        assert!((150..=200).contains(&p50), "{p50}");
        assert!((5000..=5500).contains(&p95), "{p95}");
        latencies.add(usize::MAX, 1000);
        assert_eq!(latencies.percentile_ms(95), Some(5500));
    }

    #[test]
    fn every_check_has_a_name_of_its_own() {
        for check in Check::ALL {
            assert_eq!(Check::parse(check.as_str()), Some(check));
        }
        assert_eq!(Check::parse("other"), None);
    }

    #[test]
    fn of_nothing_there_is_no_share() {
        assert_eq!(CheckSums::default().share(), None);
        let sums = CheckSums::default()
            .plus(Check::Accepted, 3)
            .plus(Check::Timeout, 1);
        assert_eq!(sums.share(), Some(0.25));
    }
}
