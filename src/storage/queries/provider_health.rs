//! How providers do.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::super::Conn;
use super::super::schema::{provider_checks, provider_health, provider_latencies};
use super::super::types::Tstz;
use super::counts::add;
use crate::domain::provider_health::{Check, PeriodChecks};
use crate::storage::counts::{CountKey, OUTAGE, hour_of};
use crate::storage::provider_health::{CountedLatency, LastChecks, PeriodReport};
use crate::storage::{StorageError, micros};

#[diesel::declare_sql_function]
extern "SQL" {
    /// `min` of instants, which SQLite keeps as text of one shape.
    #[aggregate]
    #[sql_name = "min"]
    fn earliest(at: Tstz) -> Nullable<Tstz>;
    /// `max` of instants.
    #[aggregate]
    #[sql_name = "max"]
    fn latest(at: Tstz) -> Nullable<Tstz>;
}

pub(in crate::storage) fn record(
    conn: &mut Conn,
    instance: &str,
    reports: &[PeriodReport],
) -> Result<(), StorageError> {
    // In one order on every instance, so that no two of them wait for each other.
    let mut outages: BTreeMap<(DateTime<Utc>, CountKey), i32> = BTreeMap::new();
    for report in reports {
        let stored = stored_counts(conn, instance, report)?;
        for checks in &report.checks {
            let count = to_i32(checks.count);
            let known = stored.get(checks.check.as_str()).copied().unwrap_or(0);
            if checks.check.is_outage() && count > known {
                let key = CountKey {
                    provider: report.provider.to_string(),
                    action: OUTAGE.to_owned(),
                    reason: checks.check.as_str().to_owned(),
                };
                *outages.entry((hour_of(checks.last_at), key)).or_default() += count - known;
            }
            put_checks(conn, instance, report, checks)?;
        }
        for (bucket, count) in &report.latencies {
            put_latency(conn, instance, report, *bucket, *count)?;
        }
    }
    for report in reports {
        put_last(conn, report)?;
    }
    for ((hour, key), count) in outages {
        add(conn, hour, &key, count)?;
    }
    Ok(())
}

fn to_i32(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn to_u64(count: Option<i64>) -> u64 {
    u64::try_from(count.unwrap_or(0)).unwrap_or(0)
}

fn stored_counts(
    conn: &mut Conn,
    instance: &str,
    report: &PeriodReport,
) -> Result<HashMap<String, i32>, StorageError> {
    let rows: Vec<(String, i32)> = provider_checks::table
        .filter(provider_checks::period_at.eq(report.period_at))
        .filter(provider_checks::provider.eq(report.provider.as_str()))
        .filter(provider_checks::instance.eq(instance))
        .select((provider_checks::kind, provider_checks::count))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

fn put_checks(
    conn: &mut Conn,
    instance: &str,
    report: &PeriodReport,
    checks: &PeriodChecks,
) -> Result<(), StorageError> {
    diesel::insert_into(provider_checks::table)
        .values((
            provider_checks::period_at.eq(report.period_at),
            provider_checks::provider.eq(report.provider.as_str()),
            provider_checks::instance.eq(instance),
            provider_checks::kind.eq(checks.check.as_str()),
            provider_checks::count.eq(to_i32(checks.count)),
            provider_checks::first_at.eq(micros(checks.first_at)),
            provider_checks::last_at.eq(micros(checks.last_at)),
        ))
        .on_conflict((
            provider_checks::period_at,
            provider_checks::provider,
            provider_checks::instance,
            provider_checks::kind,
        ))
        .do_update()
        .set((
            provider_checks::count.eq(excluded(provider_checks::count)),
            provider_checks::first_at.eq(excluded(provider_checks::first_at)),
            provider_checks::last_at.eq(excluded(provider_checks::last_at)),
        ))
        .execute(conn)?;
    Ok(())
}

fn put_latency(
    conn: &mut Conn,
    instance: &str,
    report: &PeriodReport,
    bucket: usize,
    count: u64,
) -> Result<(), StorageError> {
    diesel::insert_into(provider_latencies::table)
        .values((
            provider_latencies::period_at.eq(report.period_at),
            provider_latencies::provider.eq(report.provider.as_str()),
            provider_latencies::instance.eq(instance),
            provider_latencies::bucket.eq(i32::try_from(bucket).unwrap_or(i32::MAX)),
            provider_latencies::count.eq(to_i32(count)),
        ))
        .on_conflict((
            provider_latencies::period_at,
            provider_latencies::provider,
            provider_latencies::instance,
            provider_latencies::bucket,
        ))
        .do_update()
        .set(provider_latencies::count.eq(excluded(provider_latencies::count)))
        .execute(conn)?;
    Ok(())
}

/// Moves the provider's last checks forward, never back: another instance may have seen later ones.
fn put_last(conn: &mut Conn, report: &PeriodReport) -> Result<(), StorageError> {
    let accepted_at = report
        .checks
        .iter()
        .filter(|checks| checks.check == Check::Accepted)
        .map(|checks| micros(checks.last_at))
        .max();
    let outage = report
        .checks
        .iter()
        .filter(|checks| checks.check.is_outage())
        .map(|checks| (micros(checks.last_at), checks.check))
        .max();
    if accepted_at.is_none() && outage.is_none() {
        return Ok(());
    }
    let row = provider_health::table.find(report.provider.as_str());
    diesel::insert_into(provider_health::table)
        .values(provider_health::provider.eq(report.provider.as_str()))
        .on_conflict(provider_health::provider)
        .do_nothing()
        .execute(conn)?;
    if let Some(at) = accepted_at {
        let earlier = provider_health::accepted_at
            .is_null()
            .or(provider_health::accepted_at.lt(at));
        diesel::update(row.filter(earlier.assume_not_null()))
            .set(provider_health::accepted_at.eq(at))
            .execute(conn)?;
    }
    if let Some((at, check)) = outage {
        let earlier = provider_health::outage_at
            .is_null()
            .or(provider_health::outage_at.lt(at));
        diesel::update(row.filter(earlier.assume_not_null()))
            .set((
                provider_health::outage_at.eq(at),
                provider_health::outage_kind.eq(check.as_str()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

pub(in crate::storage) fn delete_before(
    conn: &mut Conn,
    before: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::delete(provider_checks::table.filter(provider_checks::period_at.lt(before)))
        .execute(conn)?;
    diesel::delete(provider_latencies::table.filter(provider_latencies::period_at.lt(before)))
        .execute(conn)?;
    Ok(())
}

type ChecksRow = (
    DateTime<Utc>,
    String,
    Option<i64>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
);

/// A kind that a later version has written is left out.
fn period_checks((period_at, kind, count, first_at, last_at): ChecksRow) -> Option<PeriodChecks> {
    Some(PeriodChecks {
        period_at,
        check: Check::parse(&kind)?,
        count: to_u64(count),
        first_at: first_at?,
        last_at: last_at?,
    })
}

pub(in crate::storage) fn list_checks(
    conn: &mut Conn,
    since: DateTime<Utc>,
) -> Result<Vec<(String, PeriodChecks)>, StorageError> {
    let rows: Vec<(String, ChecksRow)> = provider_checks::table
        .filter(provider_checks::period_at.ge(since))
        .group_by((
            provider_checks::period_at,
            provider_checks::provider,
            provider_checks::kind,
        ))
        .select((
            provider_checks::provider,
            (
                provider_checks::period_at,
                provider_checks::kind,
                sum(provider_checks::count),
                earliest(provider_checks::first_at),
                latest(provider_checks::last_at),
            ),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(provider, row)| Some((provider, period_checks(row)?)))
        .collect())
}

pub(in crate::storage) fn list_checks_of(
    conn: &mut Conn,
    provider: &str,
    since: DateTime<Utc>,
) -> Result<Vec<PeriodChecks>, StorageError> {
    let rows: Vec<ChecksRow> = provider_checks::table
        .filter(provider_checks::period_at.ge(since))
        .filter(provider_checks::provider.eq(provider))
        .group_by((provider_checks::period_at, provider_checks::kind))
        .select((
            provider_checks::period_at,
            provider_checks::kind,
            sum(provider_checks::count),
            earliest(provider_checks::first_at),
            latest(provider_checks::last_at),
        ))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(period_checks).collect())
}

pub(in crate::storage) fn list_latencies(
    conn: &mut Conn,
    since: DateTime<Utc>,
) -> Result<Vec<CountedLatency>, StorageError> {
    let rows: Vec<(String, i32, Option<i64>)> = provider_latencies::table
        .filter(provider_latencies::period_at.ge(since))
        .group_by((provider_latencies::provider, provider_latencies::bucket))
        .select((
            provider_latencies::provider,
            provider_latencies::bucket,
            sum(provider_latencies::count),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(provider, bucket, count)| CountedLatency {
            provider,
            bucket: usize::try_from(bucket).unwrap_or(usize::MAX),
            count: to_u64(count),
        })
        .collect())
}

type LastRow = (
    String,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<String>,
);

pub(in crate::storage) fn list_last(conn: &mut Conn) -> Result<Vec<LastChecks>, StorageError> {
    let rows: Vec<LastRow> = provider_health::table
        .select((
            provider_health::provider,
            provider_health::accepted_at,
            provider_health::outage_at,
            provider_health::outage_kind,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(provider, accepted_at, outage_at, kind)| LastChecks {
            provider,
            accepted_at,
            outage: outage_at.zip(kind.as_deref().and_then(Check::parse)),
        })
        .collect())
}
