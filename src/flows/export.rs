//! Exports a list: one consistent read, handed on piece by piece, with its traces in the audit log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::{Actor, AuditAction, AuditEntry, RequestContext};
use crate::storage::{Reader, StorageError, audit};

/// What is exported, and for whom.
#[derive(Debug, Clone)]
pub struct Export {
    /// Which list: `users`, `accounts` or `activity`.
    pub list: &'static str,
    /// In which form: `csv`, `ndjson` or `json`.
    pub format: &'static str,
    /// The filters, without what was searched for.
    pub query: Value,
    /// Who exports.
    pub actor: Actor,
    /// The request.
    pub context: RequestContext,
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The client went away, or took too long.
    #[error("the client did not take the export")]
    NotTaken,
}

/// Counts the rows of an export that were handed on.
#[derive(Debug, Clone, Default)]
pub struct ExportedRows(Arc<AtomicU64>);

impl ExportedRows {
    /// Counts rows.
    pub fn add(&self, rows: usize) {
        self.0
            .fetch_add(u64::try_from(rows).unwrap_or_default(), Relaxed);
    }
}

/// Writes down that an export begins. Nothing may be handed out before this.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn begin_export(app: &App, export: &Export) -> Result<(), StorageError> {
    record(app, export, "begun", None).await
}

/// Writes down that a program is given one page of a list, with so many rows. Nothing may be handed out before this.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn record_page(app: &App, export: &Export, rows: usize) -> Result<(), StorageError> {
    let rows = u64::try_from(rows).unwrap_or_default();
    record(app, export, "page", Some(rows)).await
}

/// Reads the list with `read`, which sees the database as it is at this instant however long it takes, waits until all of it is
/// `taken`, and writes down how many rows went out, also when the export broke off.
///
/// # Errors
/// [`ExportError`] says why it broke off.
pub async fn run_export<F, T>(
    app: &App,
    export: &Export,
    rows: &ExportedRows,
    read: F,
    taken: T,
) -> Result<(), ExportError>
where
    F: FnOnce(&mut Reader<'_>) -> Result<(), ExportError> + Send + 'static,
    T: Future<Output = Result<(), ExportError>>,
{
    let mut result = app.db.read_snapshot(read).await;
    if result.is_ok() {
        result = taken.await;
    }
    let outcome = if result.is_ok() {
        "complete"
    } else {
        "broken_off"
    };
    record(app, export, outcome, Some(rows.0.load(Relaxed))).await?;
    result
}

async fn record(
    app: &App,
    export: &Export,
    outcome: &'static str,
    rows: Option<u64>,
) -> Result<(), StorageError> {
    let mut detail = json!({"list": export.list, "format": export.format, "query": export.query});
    if let (Some(rows), Some(members)) = (rows, detail.as_object_mut()) {
        members.insert("rows".to_owned(), rows.into());
    }
    let entry = AuditEntry {
        actor: export.actor,
        action: AuditAction::ListExported,
        reason: Some(outcome.into()),
        detail: Some(detail),
        user_id: None,
        social_auth_id: None,
        provider: None,
        uid: None,
        context: export.context.clone(),
    };
    let now = app.clock.now();
    app.db.write(move |tx| audit::insert(tx, &entry, now)).await
}
