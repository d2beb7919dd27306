//! What the audit log adds up to, by day and by hour. Days and hours are UTC's.
//!
//! The figures of what has not been rolled up yet come from [`super::roll_up::digest`].

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Timelike as _, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError};

/// The action under which a provider's outages are counted; the reason is what happened.
pub const OUTAGE: &str = "outage";

/// What is counted apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CountKey {
    /// The provider; empty where there is none.
    pub provider: String,
    /// What was done, or [`OUTAGE`].
    pub action: String,
    /// The code of a refusal, what happened in an outage, else empty.
    pub reason: String,
}

/// Sums by [`CountKey`].
pub type Sums = BTreeMap<CountKey, u64>;

/// A range of time, from the first to before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Whole days.
    Days(NaiveDate, NaiveDate),
    /// Whole hours.
    Hours(DateTime<Utc>, DateTime<Utc>),
}

/// How often one action was done with one provider in one day or hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// When the day or hour began.
    pub at: DateTime<Utc>,
    /// The provider.
    pub provider: String,
    /// How often.
    pub count: u64,
}

/// The sums of what was rolled up within `span`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn sum(reader: &mut Reader<'_>, span: Span) -> Result<Sums, StorageError> {
    match span {
        Span::Days(from, before) => dispatch!(reader, counts::sum_days(from, before)),
        Span::Hours(from, before) => dispatch!(reader, counts::sum_hours(from, before)),
    }
}

/// How often `action` was done within `span`, by day or hour and by provider, as far as it was rolled up.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list(
    reader: &mut Reader<'_>,
    span: Span,
    action: &str,
) -> Result<Vec<Counted>, StorageError> {
    match span {
        Span::Days(from, before) => dispatch!(reader, counts::list_days(from, before, action)),
        Span::Hours(from, before) => dispatch!(reader, counts::list_hours(from, before, action)),
    }
}

/// The beginning of the hour that `at` lies in.
#[must_use]
pub fn hour_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at.with_minute(0)
        .and_then(|at| at.with_second(0))
        .and_then(|at| at.with_nanosecond(0))
        .unwrap_or(at)
}
