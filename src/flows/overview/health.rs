//! How the providers do that are on.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::FreshCounts;
use crate::app::App;
use crate::domain::provider_health::{
    Check, CheckSums, Health, Latencies, PERIOD, PeriodChecks, judge, period_of,
};
use crate::providers::{Lookup, Providers};
use crate::storage::counts::{self, OUTAGE, Span, hour_of};
use crate::storage::provider_health::{self, LastChecks, PERIODS_KEPT, PeriodReport};
use crate::storage::roll_up;
use crate::storage::{Reader, StorageError};

/// How one provider does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFigures {
    /// Its id.
    pub provider: String,
    /// How it does now.
    pub health: Health,
    /// When a proof was last accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// The last outage.
    pub outage: Option<(DateTime<Utc>, Check)>,
    /// What half of the checks of the last hour took at most, in milliseconds.
    pub p50_ms: Option<u64>,
    /// What 95 of a hundred checks of the last hour took at most, in milliseconds.
    pub p95_ms: Option<u64>,
    /// The checks of the last hour.
    pub last_hour: CheckSums,
    /// The outage that was most frequent in the last hour.
    pub last_hour_reason: Option<Check>,
    /// The checks of the last 24 hours.
    pub last_day: CheckSums,
    /// Whether this instance leaves the provider alone for the moment.
    pub is_circuit_open: bool,
}

impl ProviderFigures {
    pub(super) fn note_circuit(&mut self, providers: &Providers) {
        if let Lookup::Enabled(provider) = providers.find(&self.provider) {
            self.is_circuit_open = provider.guard().is_open();
        }
    }
}

/// Reads how every provider does that is on, those that fail first.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn read_health(app: &Arc<App>) -> Result<Vec<ProviderFigures>, StorageError> {
    let now = app.clock.now();
    let _gate = app.provider_ledger.pause().await;
    let pending = app.provider_ledger.pending(&app.providers, now);
    let ids: Vec<String> = app.providers.iter().map(|p| p.id().to_string()).collect();
    let mut figures = app
        .db
        .read(move |reader| {
            super::in_one_view(reader, |reader, after| {
                let tail = roll_up::digest(reader, after, super::TAIL)?;
                let fresh = super::fresh_counts(&tail, &pending);
                read(reader, &ids, &pending, &fresh, now)
            })
        })
        .await?;
    for figures in &mut figures {
        figures.note_circuit(&app.providers);
    }
    Ok(figures)
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    providers: &[String],
    pending: &[PeriodReport],
    fresh: &FreshCounts,
    now: DateTime<Utc>,
) -> Result<Vec<ProviderFigures>, StorageError> {
    let since = period_of(now) - PERIOD * 11;
    let mut checks: HashMap<String, Vec<PeriodChecks>> = HashMap::new();
    for (provider, row) in provider_health::list_checks(reader, since)? {
        checks.entry(provider).or_default().push(row);
    }
    for report in pending {
        let rows = checks.entry(report.provider.to_string()).or_default();
        rows.extend(&report.checks);
    }
    let latencies = read_latencies(reader, pending, since)?;
    let last_day = read_last_day(reader, fresh, now)?;
    let last: HashMap<String, LastChecks> = provider_health::list_last(reader)?
        .into_iter()
        .map(|last| (last.provider.clone(), last))
        .collect();
    let mut figures = Vec::with_capacity(providers.len());
    for id in providers {
        let rows = checks.remove(id).unwrap_or_default();
        let mut health = judge(&rows, now);
        if health.is_failing() {
            // Since when may be longer ago than the last hour.
            let mut day = provider_health::list_checks_of(reader, id, now - PERIODS_KEPT)?;
            day.extend(of_pending(pending, id));
            health = judge(&day, now);
        }
        let last_day = last_day.get(id).copied().unwrap_or_default();
        let known = (last.get(id), latencies.get(id));
        figures.push(figures_of(id, health, &rows, last_day, known));
    }
    figures.sort_by_key(|figures| !figures.health.is_failing());
    Ok(figures)
}

fn figures_of(
    id: &str,
    health: Health,
    rows: &[PeriodChecks],
    last_day: CheckSums,
    (last, latencies): (Option<&LastChecks>, Option<&Latencies>),
) -> ProviderFigures {
    let accepted_at = last.and_then(|last| last.accepted_at);
    let accepted = latest(accepted_at, rows, |check| check == Check::Accepted);
    ProviderFigures {
        provider: id.to_owned(),
        health,
        accepted_at: accepted.map(|(at, _)| at),
        outage: latest_outage(last, rows),
        p50_ms: latencies.and_then(|latencies| latencies.percentile_ms(50)),
        p95_ms: latencies.and_then(|latencies| latencies.percentile_ms(95)),
        last_hour: CheckSums::of(rows.iter()),
        last_hour_reason: rows
            .iter()
            .filter(|row| row.check.is_outage())
            .max_by_key(|row| (row.check.was_asked(), row.count))
            .map(|row| row.check),
        last_day,
        is_circuit_open: false,
    }
}

fn of_pending<'a>(
    pending: &'a [PeriodReport],
    id: &'a str,
) -> impl Iterator<Item = &'a PeriodChecks> {
    pending
        .iter()
        .filter(move |report| report.provider.as_str() == id)
        .flat_map(|report| &report.checks)
}

fn latest(
    stored: Option<DateTime<Utc>>,
    rows: &[PeriodChecks],
    fits: impl Fn(Check) -> bool,
) -> Option<(DateTime<Utc>, Option<Check>)> {
    rows.iter()
        .filter(|row| fits(row.check))
        .map(|row| (row.last_at, Some(row.check)))
        .chain(stored.map(|at| (at, None)))
        .max_by_key(|(at, _)| *at)
}

fn latest_outage(
    last: Option<&LastChecks>,
    rows: &[PeriodChecks],
) -> Option<(DateTime<Utc>, Check)> {
    let stored = last.and_then(|last| last.outage);
    let (at, check) = latest(stored.map(|(at, _)| at), rows, Check::is_outage)?;
    Some((at, check.or(stored.map(|(_, check)| check))?))
}

fn read_latencies(
    reader: &mut Reader<'_>,
    pending: &[PeriodReport],
    since: DateTime<Utc>,
) -> Result<HashMap<String, Latencies>, StorageError> {
    let mut latencies: HashMap<String, Latencies> = HashMap::new();
    for counted in provider_health::list_latencies(reader, since)? {
        latencies
            .entry(counted.provider)
            .or_default()
            .add(counted.bucket, counted.count);
    }
    for report in pending {
        let histogram = latencies.entry(report.provider.to_string()).or_default();
        for (bucket, count) in &report.latencies {
            histogram.add(*bucket, *count);
        }
    }
    Ok(latencies)
}

/// The checks of the last 24 hours as the roll-up has them: what was judged, and outages.
fn read_last_day(
    reader: &mut Reader<'_>,
    fresh: &FreshCounts,
    now: DateTime<Utc>,
) -> Result<HashMap<String, CheckSums>, StorageError> {
    let before = hour_of(now) + TimeDelta::hours(1);
    let from = before - TimeDelta::hours(24);
    let stored = counts::sum(reader, Span::Hours(from, before))?;
    let recent = fresh
        .iter()
        .filter(|((hour, _), _)| (from..before).contains(hour))
        .map(|((_, key), count)| (key, count));
    let mut sums: HashMap<String, CheckSums> = HashMap::new();
    for (key, count) in stored.iter().chain(recent) {
        let check = match key.action.as_str() {
            "signed_up" | "signed_in" | "associated" => Check::Accepted,
            "refused" => Check::Refused,
            OUTAGE => Check::Timeout,
            _ => continue,
        };
        let cell = sums.entry(key.provider.clone()).or_default();
        *cell = cell.plus(check, *count);
    }
    Ok(sums)
}
