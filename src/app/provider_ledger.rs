//! Carries what the providers' tallies have counted to the database, a period at a time.
//!
//! A report holds everything that this instance has counted in its period, so that a report whose fate is unknown is simply sent
//! again. What was counted after the last report is at hand for whoever shows figures.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::domain::provider_health::{Check, PeriodChecks, period_of};
use crate::providers::Providers;
use crate::providers::tally::TallyReading;
use crate::storage::provider_health::PeriodReport;

/// What was reported of which provider. One per instance.
#[derive(Debug)]
pub struct ProviderLedger {
    instance: String,
    failing: AtomicUsize,
    /// Held for writing while reports are on their way to the database.
    gate: RwLock<()>,
    pages: Mutex<HashMap<String, Page>>,
}

/// One provider's.
#[derive(Debug, Clone, Default)]
struct Page {
    /// The period under way, and what the tally showed when it began.
    period_at: Option<DateTime<Utc>>,
    base: TallyReading,
    /// What the tally showed in the last report that is known to be stored.
    reported: TallyReading,
    /// The first outage of each kind in this period.
    first_at: [Option<DateTime<Utc>>; Check::ALL.len()],
}

/// Reports that are to be stored, and what the ledger will remember of them.
#[derive(Debug)]
pub struct Reports {
    /// What to store.
    pub reports: Vec<PeriodReport>,
    pages: Vec<(String, Page)>,
}

impl ProviderLedger {
    /// The ledger of an instance that has just started.
    #[must_use]
    pub fn new(instance: String) -> Self {
        Self {
            instance,
            failing: AtomicUsize::new(0),
            gate: RwLock::new(()),
            pages: Mutex::default(),
        }
    }

    /// Waits until no reports are on their way, and lets none begin while the guard lives.
    pub async fn pause(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().await
    }

    /// The right to report, which one task has at a time.
    pub async fn enter(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().await
    }

    /// How many providers were failing a moment ago, on all instances together.
    #[must_use]
    pub fn failing(&self) -> usize {
        self.failing.load(Ordering::Relaxed)
    }

    /// Remembers that `count` providers are failing.
    pub fn set_failing(&self, count: usize) {
        self.failing.store(count, Ordering::Relaxed);
    }

    /// Tells this instance's rows from the others'.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// What is to be stored now: the whole of each provider's period, where anything was counted since the last report.
    #[must_use]
    pub fn prepare(&self, providers: &Providers, now: DateTime<Utc>) -> Reports {
        let mut known = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let mut prepared = Reports {
            reports: Vec::new(),
            pages: Vec::new(),
        };
        for provider in providers.iter() {
            let page = known.entry(provider.id().to_string()).or_default();
            let reading = provider.tally().read();
            for (first, new) in page.first_at.iter_mut().zip(provider.tally().take_first()) {
                *first = first.or(new);
            }
            let period_at = page.period_at.unwrap_or_else(|| period_of(now));
            let is_changed = reading != page.reported;
            if is_changed {
                prepared.reports.push(PeriodReport {
                    provider: provider.id().clone(),
                    period_at,
                    checks: page.checks(&reading, period_at, now),
                    latencies: page.latencies(&reading),
                });
            }
            let is_over = period_of(now) != period_at;
            if is_changed || is_over || page.period_at.is_none() {
                let next = Page {
                    period_at: Some(period_of(now)),
                    base: if is_over {
                        reading.clone()
                    } else {
                        page.base.clone()
                    },
                    reported: reading,
                    first_at: if is_over {
                        Page::default().first_at
                    } else {
                        page.first_at
                    },
                };
                prepared.pages.push((provider.id().to_string(), next));
            }
        }
        prepared
    }

    /// Remembers that `reports` are stored.
    pub fn settle(&self, reports: Reports) {
        let mut known = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(reports.pages);
    }

    /// What was counted of each provider and is in no stored report yet.
    #[must_use]
    pub fn pending(&self, providers: &Providers, now: DateTime<Utc>) -> Vec<PeriodReport> {
        let known = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let nothing = Page::default();
        providers
            .iter()
            .filter_map(|provider| {
                let page = known.get(provider.id().as_str()).unwrap_or(&nothing);
                let reading = provider.tally().read();
                let mut since_report = Page {
                    base: page.reported.clone(),
                    ..Page::default()
                };
                for (first, (known, new)) in since_report
                    .first_at
                    .iter_mut()
                    .zip(page.first_at.iter().zip(provider.tally().first()))
                {
                    *first = known.or(new);
                }
                (reading != page.reported).then(|| PeriodReport {
                    provider: provider.id().clone(),
                    period_at: period_of(now),
                    checks: since_report.checks(&reading, period_of(now), now),
                    latencies: since_report.latencies(&reading),
                })
            })
            .collect()
    }
}

impl Page {
    fn checks(
        &self,
        reading: &TallyReading,
        period_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Vec<PeriodChecks> {
        let counted = reading
            .counts
            .iter()
            .zip(&self.base.counts)
            .map(|(now, base)| now.saturating_sub(*base));
        Check::ALL
            .into_iter()
            .zip(counted)
            .zip(reading.last_at.iter().zip(&self.first_at))
            .filter(|((_, count), _)| *count > 0)
            .map(|((check, count), (last_at, first_at))| {
                let last_at = last_at.unwrap_or(now);
                PeriodChecks {
                    period_at,
                    check,
                    count,
                    first_at: first_at.unwrap_or(last_at).min(last_at),
                    last_at,
                }
            })
            .collect()
    }

    fn latencies(&self, reading: &TallyReading) -> Vec<(usize, u64)> {
        reading
            .latencies
            .iter()
            .zip(&self.base.latencies)
            .map(|(now, base)| now.saturating_sub(*base))
            .enumerate()
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}
