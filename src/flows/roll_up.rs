//! Upkeep: rolls the audit log up, and stores what the providers' tallies have counted.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::domain::provider_health::{PERIOD, judge, period_of};
use crate::storage::{StorageError, Tx, provider_health, roll_up as storage};

/// How often there is a look for new entries.
const EVERY: Duration = Duration::from_secs(1);
/// The pause between two batches while there are more.
const PAUSE: Duration = Duration::from_millis(40);
/// The tallies are carried over in every so many rounds.
const REPORT_EVERY: u32 = 5;

/// Entries that one round rolls up at most: a few milliseconds of the writer's time.
pub const BATCH: u32 = 2048;

/// Rolls up the next entries of the audit log, and gives how many there were. Fewer than [`BATCH`] mean that there are no more for now.
///
/// # Errors
/// [`StorageError`] when the database fails; then nothing was moved.
pub fn roll_up(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, StorageError> {
    storage::advance(tx, BATCH, now)
}

/// Stores what was counted of the providers since the last time, forgets old periods, and looks which providers are failing.
///
/// # Errors
/// [`StorageError`] when the database fails; what was counted is stored the next time.
pub async fn report_provider_health(app: &Arc<App>) -> Result<(), StorageError> {
    let _gate = app.provider_ledger.enter().await;
    let now = app.clock.now();
    let mut prepared = app.provider_ledger.prepare(&app.providers, now);
    if !prepared.reports.is_empty() {
        let instance = app.provider_ledger.instance().to_owned();
        let reports = std::mem::take(&mut prepared.reports);
        app.db
            .write(move |tx| {
                provider_health::record(tx, &instance, &reports)?;
                provider_health::delete_before(tx, now - provider_health::PERIODS_KEPT)
            })
            .await?;
    }
    app.provider_ledger.settle(prepared);
    let failing = count_failing(app, now).await?;
    app.provider_ledger.set_failing(failing);
    Ok(())
}

/// How many of the providers that are on are failing, as all instances see it.
async fn count_failing(app: &Arc<App>, now: DateTime<Utc>) -> Result<usize, StorageError> {
    let since = period_of(now) - PERIOD * 2;
    let checks = app
        .db
        .read(move |reader| provider_health::list_checks(reader, since))
        .await?;
    Ok(app
        .providers
        .iter()
        .filter(|provider| {
            let own: Vec<_> = checks
                .iter()
                .filter(|(id, _)| id == provider.id().as_str())
                .map(|(_, checks)| *checks)
                .collect();
            judge(&own, now).is_failing()
        })
        .count())
}

/// Rolls up and reports until the service stops. Failures are logged once until they pass.
pub async fn run(app: &Arc<App>) {
    let mut failing = false;
    let mut number = 0_u32;
    while !app.readiness.is_draining() {
        tokio::time::sleep(EVERY).await;
        number = number.wrapping_add(1);
        match round(app, number.is_multiple_of(REPORT_EVERY)).await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(error = %error, "The roll-up has to wait: {error}");
            }
            Err(_) => {}
        }
    }
}

async fn round(app: &Arc<App>, reports: bool) -> Result<(), StorageError> {
    if reports {
        report_provider_health(app).await?;
    }
    loop {
        let now = app.clock.now();
        // A look costs no place in the writer's queue.
        let is_due = app
            .db
            .read(|reader| {
                let mark = storage::mark(reader)?;
                Ok::<_, StorageError>(storage::digest(reader, mark, 1)?.entries > 0)
            })
            .await?;
        if !is_due {
            return Ok(());
        }
        let moved = app.db.write(move |tx| roll_up(tx, now)).await?;
        if moved < BATCH as usize {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
