//! `GET /admin/activity/export`: the entries that a filter admits, one JSON object a line.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::filter::ActivityQuery;
use crate::app::App;
use crate::storage::Reader;
use crate::storage::audit::AuditRecord;
use crate::storage::audit_search::{AuditPosition, search};
use crate::web::ServerContext;
use crate::web::admin::context::{ContextOf, StaffContext};
use crate::web::admin::error::AdminError;
use crate::web::admin::lists::format::Format;
use crate::web::admin::lists::stream::{File, Piece, ROWS};

/// `GET /admin/activity/export`
///
/// # Errors
/// [`AdminError`] for a filter that cannot be read, without a fresh factor, while others export, and when the database fails.
pub async fn export_activity(
    app: Data<App>,
    context: Data<ServerContext>,
    staff: StaffContext,
    origin: ContextOf,
    request: HttpRequest,
    Query(query): Query<ActivityQuery>,
) -> Result<HttpResponse, AdminError> {
    let filter = query.filter()?;
    let read_page = move |reader: &mut Reader<'_>, from: Option<AuditPosition>| {
        let page = search(reader, &filter, from.unwrap_or_default(), ROWS.into())?;
        let mut piece = Piece {
            text: String::new(),
            rows: page.entries.len(),
        };
        for entry in &page.entries {
            piece.text.push_str(&line(entry).to_string());
            piece.text.push('\n');
        }
        let last = page.entries.last().filter(|_| page.has_older);
        Ok((piece, last.map(|last| AuditPosition::OlderThan(last.id))))
    };
    let file = File {
        list: "activity",
        format: Format::Ndjson,
        head: String::new(),
        query: query.to_json(),
    };
    file.stream(&app, &context, &staff, origin, &request, read_page)
        .await
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
