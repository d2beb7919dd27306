//! `GET /admin/activity/export`: the entries that a filter admits, one JSON object a line, as a stream.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data, Query};
use futures_util::stream::{self, Stream};
use serde_json::{Value, json};

use super::filter::ActivityQuery;
use crate::app::App;
use crate::domain::{AuditAction, AuditEntry};
use crate::storage::StorageError;
use crate::storage::audit::{self, AuditRecord};
use crate::storage::audit_search::{AuditFilter, AuditPosition, search};
use crate::web::admin::context::StaffContext;
use crate::web::admin::error::AdminError;
use crate::web::extract::Context;

/// Entries of one piece of the stream.
const PIECE: usize = 200;

/// `GET /admin/activity/export`. That it was asked for is noted before the first byte, how many entries there were behind the last.
///
/// # Errors
/// [`AdminError`] for a filter that cannot be read, without a fresh factor, and when the database fails.
pub async fn export_activity(
    app: Data<App>,
    staff: StaffContext,
    context: Context,
    Query(query): Query<ActivityQuery>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(&query.export_href())?;
    let filter = query.filter()?;
    let entry = AuditEntry {
        actor: staff.actor(),
        action: AuditAction::ListExported,
        reason: None,
        detail: Some(json!({ "list": "activity", "query": query.to_json() })),
        user_id: None,
        social_auth_id: None,
        provider: None,
        uid: None,
        context: context.0,
    };
    record(&app, entry.clone()).await?;
    let export = Export {
        app: app.into_inner(),
        filter,
        position: Some(AuditPosition::Newest),
        rows: 0,
        entry,
    };
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"activity.ndjson\"",
        ))
        .streaming(lines(export)))
}

async fn record(app: &App, entry: AuditEntry) -> Result<(), StorageError> {
    let now = app.clock.now();
    app.db.write(move |tx| audit::insert(tx, &entry, now)).await
}

/// How far an export has come.
struct Export {
    app: Arc<App>,
    filter: AuditFilter,
    /// `None` when the last piece was read.
    position: Option<AuditPosition>,
    rows: u64,
    entry: AuditEntry,
}

fn lines(export: Export) -> impl Stream<Item = Result<Bytes, StorageError>> {
    stream::try_unfold(export, |mut export| async move {
        let Some(position) = export.position else {
            return Ok(None);
        };
        let filter = export.filter.clone();
        let page = export
            .app
            .db
            .read(move |reader| search(reader, &filter, position, PIECE))
            .await?;
        let mut text = String::new();
        for entry in &page.entries {
            text.push_str(&line(entry).to_string());
            text.push('\n');
            export.rows += 1;
        }
        let last = page.entries.last().filter(|_| page.has_older);
        export.position = last.map(|entry| AuditPosition::OlderThan(entry.id));
        if export.position.is_none() {
            let mut entry = export.entry.clone();
            if let Some(Value::Object(detail)) = &mut entry.detail {
                detail.insert("rows".to_owned(), export.rows.into());
            }
            record(&export.app, entry).await?;
        }
        Ok(Some((Bytes::from(text), export)))
    })
}

/// An entry as a line says it.
pub(in crate::web::admin) fn line(entry: &AuditRecord) -> Value {
    json!({
        "id": entry.id,
        "at": crate::web::rfc3339(entry.at),
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "action": entry.action,
        "reason": entry.reason,
        "detail": entry.detail,
        "user_id": entry.user_id.map(|id| id.0),
        "social_auth_id": entry.social_auth_id.map(|id| id.0),
        "provider": entry.provider,
        "uid": entry.uid,
        "request_id": entry.request_id,
        "address": entry.address,
    })
}
