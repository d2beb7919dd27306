//! How providers do: stores what their tallies have counted, and looks which of them are failing.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::domain::provider_health::{PERIOD, judge, period_of};
use crate::storage::{StorageError, provider_health};

/// How often the tallies are carried over.
const EVERY: Duration = Duration::from_secs(5);

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

/// Carries the tallies over until the service stops. Failures are logged once until they pass.
pub async fn run(app: &Arc<App>) {
    let mut failing = false;
    while !app.readiness.is_draining() {
        tokio::time::sleep(EVERY).await;
        match report_provider_health(app).await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(error = %error, "How providers do has to wait: {error}");
            }
            Err(_) => {}
        }
    }
}
