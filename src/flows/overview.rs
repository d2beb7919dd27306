//! The figures of the overview: sign-ups by day and provider, failures by reason, and how providers do.
//!
//! They come from the roll-up, and from what is not in it yet, so that they are exact at once.

mod health;
mod period;
mod users;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use health::{ProviderFigures, read_health};
pub use period::Period;
pub use users::{UserTotals, read_user_totals};

use crate::app::App;
use crate::domain::provider_health::ratio;
use crate::storage::counts::{self, CountKey, Counted, OUTAGE, Sums};
use crate::storage::provider_health::PeriodReport;
use crate::storage::roll_up::{self, Digest};
use crate::storage::upkeep::{self, marks};
use crate::storage::{Reader, StorageError};

/// Entries behind the roll-up's mark that are read at most. The upkeep leaves far fewer, unless it has to catch up.
const TAIL: u32 = 50_000;
/// How often figures are read again because the roll-up went on meanwhile.
const TRIES: u32 = 5;

/// Everything that the overview shows.
#[derive(Debug)]
pub struct Overview {
    /// Whether nobody has handed anything in, neither in the period nor in the one before.
    pub is_empty: bool,
    /// Totals of the period.
    pub totals: Totals,
    /// Totals of the period before, of the same length.
    pub totals_before: Totals,
    /// The days or hours of the period, oldest first.
    pub columns: Vec<DateTime<Utc>>,
    /// Sign-ups by provider, the busiest first. Providers without sign-ups are missing.
    pub sign_ups: Vec<Series>,
    /// Failures of the period, the most frequent first.
    pub failures: Vec<Failure>,
    /// How the providers do that are on, those that fail first.
    pub providers: Vec<ProviderFigures>,
}

/// What hand-ins came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Users who signed up.
    pub sign_ups: u64,
    /// Sign-ins.
    pub sign_ins: u64,
    /// Hand-ins that associated an account.
    pub associations: u64,
    /// Hand-ins that were refused, and those that a provider could not answer.
    pub failures: u64,
}

/// Sign-ups with one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The provider.
    pub provider: String,
    /// One count for each column.
    pub counts: Vec<u64>,
}

/// Failures of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The provider.
    pub provider: String,
    /// Whether the provider could not answer; then `reason` says what happened, else it is the code of a refusal.
    pub is_outage: bool,
    /// The code.
    pub reason: String,
    /// How often.
    pub count: u64,
}

impl Totals {
    /// What `sums` come to.
    #[must_use]
    pub fn of(sums: &Sums) -> Self {
        let mut totals = Self::default();
        for (key, count) in sums {
            let cell = match key.action.as_str() {
                "signed_up" => &mut totals.sign_ups,
                "signed_in" => &mut totals.sign_ins,
                "associated" => &mut totals.associations,
                "refused" | OUTAGE => &mut totals.failures,
                _ => continue,
            };
            *cell = cell.saturating_add(*count);
        }
        totals
    }

    /// Which part of all hand-ins failed, between 0 and 1.
    #[must_use]
    pub fn failed_share(&self) -> Option<f64> {
        let all = self.sign_ups + self.sign_ins + self.associations + self.failures;
        ratio(self.failures, all)
    }
}

impl Series {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Reads the overview for `period`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn read_overview(app: &Arc<App>, period: Period) -> Result<Overview, StorageError> {
    let now = app.clock.now();
    // Nothing moves from the tallies to the database meanwhile.
    let _gate = app.provider_ledger.pause().await;
    let pending = app.provider_ledger.pending(&app.providers, now);
    let ids: Vec<String> = app.providers.iter().map(|p| p.id().to_string()).collect();
    let mut overview = app
        .db
        .read(move |reader| {
            in_one_view(reader, |reader, after| {
                read(reader, after, period, &ids, &pending, now)
            })
        })
        .await?;
    for figures in &mut overview.providers {
        figures.note_circuit(&app.providers);
    }
    Ok(overview)
}

/// Runs `work` with the roll-up's mark, again if the roll-up went on meanwhile: entries would be counted here and there, or not at all.
/// Whoever meets a roll-up that catches up gets figures of the last moment.
fn in_one_view<T>(
    reader: &mut Reader<'_>,
    mut work: impl FnMut(&mut Reader<'_>, i64) -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    let mut after = upkeep::position(reader, marks::ROLL_UP)?;
    let mut tries = 0;
    loop {
        let result = work(reader, after)?;
        let moved_to = upkeep::position(reader, marks::ROLL_UP)?;
        tries += 1;
        if moved_to == after || tries == TRIES {
            return Ok(result);
        }
        after = moved_to;
    }
}

fn read(
    reader: &mut Reader<'_>,
    after: i64,
    period: Period,
    providers: &[String],
    pending: &[PeriodReport],
    now: DateTime<Utc>,
) -> Result<Overview, StorageError> {
    let tail = roll_up::digest(reader, after, TAIL)?;
    let (span, before) = (period.span(now), period.span_before(now));
    let mut sums = counts::sum(reader, span)?;
    let mut sums_before = counts::sum(reader, before)?;
    let mut sign_ups = counts::list(reader, span, "signed_up")?;
    let fresh = fresh_counts(&tail, pending);
    for ((hour, key), count) in &fresh {
        if period::contains(span, *hour) {
            *sums.entry(key.clone()).or_default() += count;
            if key.action == "signed_up" {
                sign_ups.push(Counted {
                    at: *hour,
                    provider: key.provider.clone(),
                    count: *count,
                });
            }
        } else if period::contains(before, *hour) {
            *sums_before.entry(key.clone()).or_default() += count;
        }
    }
    let columns = period.columns(now);
    let (totals, totals_before) = (Totals::of(&sums), Totals::of(&sums_before));
    Ok(Overview {
        is_empty: totals == Totals::default() && totals_before == Totals::default(),
        totals,
        totals_before,
        sign_ups: series(&columns, period, sign_ups),
        columns,
        failures: failures(&sums),
        providers: health::read(reader, providers, pending, &fresh, now)?,
    })
}

type FreshCounts = BTreeMap<(DateTime<Utc>, CountKey), u64>;

/// What is not rolled up yet, outages included that only the tallies know.
fn fresh_counts(tail: &Digest, pending: &[PeriodReport]) -> FreshCounts {
    let mut fresh = tail.counts.clone();
    for report in pending {
        for checks in report.checks.iter().filter(|c| c.check.is_outage()) {
            let key = CountKey {
                provider: report.provider.to_string(),
                action: OUTAGE.to_owned(),
                reason: checks.check.as_str().to_owned(),
            };
            *fresh
                .entry((counts::hour_of(checks.last_at), key))
                .or_default() += checks.count;
        }
    }
    fresh
}

fn series(columns: &[DateTime<Utc>], period: Period, counted: Vec<Counted>) -> Vec<Series> {
    let mut by_provider: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for Counted {
        at,
        provider,
        count,
    } in counted
    {
        let column = period.column_of(at);
        let Ok(index) = columns.binary_search(&column) else {
            continue;
        };
        let counts = by_provider
            .entry(provider)
            .or_insert_with(|| vec![0; columns.len()]);
        if let Some(cell) = counts.get_mut(index) {
            *cell += count;
        }
    }
    let mut series: Vec<Series> = by_provider
        .into_iter()
        .map(|(provider, counts)| Series { provider, counts })
        .collect();
    series.sort_by_key(|series| std::cmp::Reverse(series.total()));
    series
}

fn failures(sums: &Sums) -> Vec<Failure> {
    let mut failures: Vec<Failure> = sums
        .iter()
        .filter(|(key, _)| matches!(key.action.as_str(), "refused" | OUTAGE))
        .map(|(key, count)| Failure {
            provider: key.provider.clone(),
            is_outage: key.action == OUTAGE,
            reason: key.reason.clone(),
            count: *count,
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures
}
