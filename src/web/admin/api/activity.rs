//! The audit log.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::Value;

use super::guard::Asked;
use super::lists::rows_of;
use crate::app::App;
use crate::storage::audit_search::{AuditPage, search};
use crate::web::admin::activity::export::line;
use crate::web::admin::activity::filter::ActivityQuery;
use crate::web::error::Error;

/// The parameters of the list.
pub(super) const PARAMETERS: &[&str] = &[
    "actor", "action", "user", "provider", "from", "to", "older", "newer", "rows",
];

/// A page of entries, newest first.
#[derive(Serialize)]
struct ActivityBody {
    entries: Vec<Value>,
    newer: Option<i64>,
    older: Option<i64>,
}

impl From<&AuditPage> for ActivityBody {
    fn from(page: &AuditPage) -> Self {
        let (newest, oldest) = (page.entries.first(), page.entries.last());
        Self {
            entries: page.entries.iter().map(line).collect(),
            newer: newest.filter(|_| page.has_newer).map(|entry| entry.id),
            older: oldest.filter(|_| page.has_older).map(|entry| entry.id),
        }
    }
}

/// `GET /admin/api/activity`
///
/// # Errors
/// [`Error::InvalidRequest`] for a filter that cannot be read; [`Error::Storage`].
pub(super) async fn list_activity(
    app: Data<App>,
    Asked(query): Asked,
) -> Result<HttpResponse, Error> {
    let rows = usize::from(rows_of(&query)?);
    let asked = ActivityQuery::of(&query)?;
    let (filter, position) = (asked.filter()?, asked.position()?);
    let page = app
        .db
        .read(move |reader| search(reader, &filter, position, rows))
        .await?;
    Ok(HttpResponse::Ok().json(ActivityBody::from(&page)))
}
