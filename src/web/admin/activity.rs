//! `GET /admin/activity`: the audit log, by whatever it is looked for.

mod entry;
pub(super) mod export;
pub(super) mod filter;

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;

pub use self::entry::show_entry;
use self::entry::{EntryRow, Names, read_names, row};
pub use self::export::export_activity;
use self::filter::{ActivityQuery, Chips};
use super::context::StaffContext;
use super::error::AdminError;
use super::frame::{Frame, Nav};
use super::text::{Message, filters, t};
use crate::app::App;
use crate::storage::StorageError;
use crate::storage::audit_search::{AuditPage, search};

/// The page.
#[derive(Template)]
#[template(path = "admin/activity/list.html")]
struct ActivityPage {
    frame: Frame,
    chips: Chips,
    rows: Vec<EntryRow>,
    summary: Message,
    newer: Option<String>,
    older: Option<String>,
    /// Where the same entries are exported, for those who may.
    export: Option<String>,
}

/// `GET /admin/activity`
///
/// # Errors
/// [`AdminError`] for a filter that cannot be read, and when the database fails.
pub async fn list_activity(
    app: Data<App>,
    staff: StaffContext,
    Query(query): Query<ActivityQuery>,
) -> Result<HttpResponse, AdminError> {
    let (filter, position) = (query.filter()?, query.position()?);
    let limit = usize::try_from(staff.preferences.page_size).unwrap_or(50);
    let (page, names) = app
        .db
        .read(move |reader| {
            let page = search(reader, &filter, position, limit)?;
            let names = read_names(reader)?;
            Ok::<_, StorageError>((page, names))
        })
        .await?;
    let frame = staff.frame(&app, t("nav-activity"), Nav::Activity);
    staff.render(&ActivityPage::new(&app, frame, &query, &page, &names))
}

impl ActivityPage {
    fn new(
        app: &App,
        frame: Frame,
        query: &ActivityQuery,
        page: &AuditPage,
        names: &Names,
    ) -> Self {
        let newer = page.entries.first().filter(|_| page.has_newer);
        let older = page.entries.last().filter(|_| page.has_older);
        Self {
            chips: Chips::new(app, query, names),
            rows: page
                .entries
                .iter()
                .map(|entry| row(app, &frame, names, entry))
                .collect(),
            summary: t("activity-entries").with("count", page.entries.len()),
            newer: newer.map(|entry| query.href_with("newer", entry.id)),
            older: older.map(|entry| query.href_with("older", entry.id)),
            export: frame.may_change().then(|| query.export_href()),
            frame,
        }
    }
}
