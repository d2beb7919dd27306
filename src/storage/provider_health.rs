//! How providers do, as every instance has counted it.
//!
//! An instance writes what it has counted in a period as a whole, so that writing it twice changes nothing.

use chrono::{DateTime, TimeDelta, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::ProviderId;
use crate::domain::provider_health::{Check, PeriodChecks};

/// How long periods are kept.
pub const PERIODS_KEPT: TimeDelta = TimeDelta::hours(25);

/// What one instance has counted of one provider in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodReport {
    /// The provider.
    pub provider: ProviderId,
    /// When the period began.
    pub period_at: DateTime<Utc>,
    /// The checks of each kind; those that did not occur are missing.
    pub checks: Vec<PeriodChecks>,
    /// How many checks fell into which bucket of durations; empty ones are missing.
    pub latencies: Vec<(usize, u64)>,
}

/// Durations that fell into one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedLatency {
    /// The provider.
    pub provider: String,
    /// The bucket, see [`crate::domain::provider_health::LATENCY_BOUNDS_MS`].
    pub bucket: usize,
    /// How many.
    pub count: u64,
}

/// The last good and the last failed check of a provider, however long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastChecks {
    /// The provider.
    pub provider: String,
    /// When a proof was last accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// The last outage.
    pub outage: Option<(DateTime<Utc>, Check)>,
}

/// Stores what `instance` has counted so far, and adds the outages that are new in it to the counts by day and hour.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn record(
    tx: &mut Tx<'_>,
    instance: &str,
    reports: &[PeriodReport],
) -> Result<(), StorageError> {
    dispatch!(tx, provider_health::record(instance, reports))
}

/// Forgets the periods before `before`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_before(tx: &mut Tx<'_>, before: DateTime<Utc>) -> Result<(), StorageError> {
    dispatch!(tx, provider_health::delete_before(before))
}

/// The checks of every provider in the periods since `since`, all instances together.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_checks(
    reader: &mut Reader<'_>,
    since: DateTime<Utc>,
) -> Result<Vec<(String, PeriodChecks)>, StorageError> {
    dispatch!(reader, provider_health::list_checks(since))
}

/// As [`list_checks`], of one provider.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_checks_of(
    reader: &mut Reader<'_>,
    provider: &str,
    since: DateTime<Utc>,
) -> Result<Vec<PeriodChecks>, StorageError> {
    dispatch!(reader, provider_health::list_checks_of(provider, since))
}

/// How long the checks of every provider took in the periods since `since`, all instances together.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_latencies(
    reader: &mut Reader<'_>,
    since: DateTime<Utc>,
) -> Result<Vec<CountedLatency>, StorageError> {
    dispatch!(reader, provider_health::list_latencies(since))
}

/// The last checks of every provider.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list_last(reader: &mut Reader<'_>) -> Result<Vec<LastChecks>, StorageError> {
    dispatch!(reader, provider_health::list_last())
}
