//! Whether the service is healthy: what an operator looks at first when something is odd.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::storage::upkeep::{self, marks};
use crate::storage::{DiskSpace, StorageError, roll_up};

/// Entries behind the roll-up that are counted at most.
const MOST_WAITING: u32 = 10_000;

/// How the service does.
#[derive(Debug, Clone)]
pub struct ServiceHealth {
    /// The version that runs.
    pub version: &'static str,
    /// Which of several instances this is.
    pub instance: String,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// `sqlite` or `postgres`.
    pub backend: &'static str,
    /// What only a database that answers can tell.
    pub database: Option<DatabaseHealth>,
    /// The SQLite file and the disk that it is on.
    pub disk: Option<DiskSpace>,
    /// When the key file was last changed, as it was at the start.
    pub keys_changed_at: Option<DateTime<Utc>>,
    /// How many providers are failing.
    pub failing_providers: usize,
}

/// What a database that answers tells.
#[derive(Debug, Clone)]
pub struct DatabaseHealth {
    /// Migrations that were not applied.
    pub pending_migrations: Vec<String>,
    /// Audit entries that are not rolled up yet, counted up to some thousands.
    pub waiting_entries: usize,
    /// Whether there are more than were counted.
    pub has_more_waiting: bool,
    /// When the oldest of them was written.
    pub waiting_since: Option<DateTime<Utc>>,
}

/// Looks after everything. A database that does not answer is a finding, not a failure.
pub async fn check_health(app: &Arc<App>) -> ServiceHealth {
    let database = check_database(app).await;
    if let Err(error) = &database {
        tracing::warn!(error = %error, "The database does not answer the health page: {error}");
    }
    ServiceHealth {
        version: env!("CARGO_PKG_VERSION"),
        instance: app.provider_ledger.instance().to_owned(),
        started_at: app.started_at,
        backend: app.db.backend().as_str(),
        database: database.ok(),
        disk: disk_space(app).await,
        keys_changed_at: app.keys_changed_at,
        failing_providers: app.provider_ledger.failing(),
    }
}

async fn check_database(app: &Arc<App>) -> Result<DatabaseHealth, StorageError> {
    let pending_migrations = blocking(app, |app| app.db.pending_migrations()).await?;
    let (entries, since) = app
        .db
        .read(|reader| {
            let after = upkeep::position(reader, marks::ROLL_UP)?;
            let waiting = roll_up::digest(reader, after, MOST_WAITING)?;
            Ok::<_, StorageError>((waiting.entries, waiting.first_at))
        })
        .await?;
    Ok(DatabaseHealth {
        pending_migrations,
        waiting_entries: entries,
        has_more_waiting: entries >= MOST_WAITING as usize,
        waiting_since: since,
    })
}

async fn disk_space(app: &Arc<App>) -> Option<DiskSpace> {
    blocking(app, |app| Ok(app.db.disk_space())).await.ok()?
}

async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || work(&app))
        .await
        .unwrap_or(Err(StorageError::Panicked))
}
