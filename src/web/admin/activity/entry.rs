//! One entry of the audit log: as a row of the list, and on a page of its own.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use serde_json::Value;

use crate::app::App;
use crate::storage::audit::{self, AuditRecord};
use crate::storage::audit_search;
use crate::storage::{Reader, StorageError};
use crate::web::admin::context::StaffContext;
use crate::web::admin::error::AdminError;
use crate::web::admin::frame::{Frame, Nav};
use crate::web::admin::marks::Mark;
use crate::web::admin::text::{Message, filters, t};
use crate::web::admin::time::Time;
use crate::web::admin::words;

/// Staff and API clients whose names are read; there are never so many.
const MOST_ACTORS: u32 = 1000;

/// Names of staff and API clients behind what filters call them, such as `staff:3`.
pub(super) struct Names(Vec<(String, Message)>);

/// The names of all staff and API clients.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub(super) fn read_names(reader: &mut Reader<'_>) -> Result<Names, StorageError> {
    let actors = audit::list_actors(reader, MOST_ACTORS)?;
    let named = actors.into_iter().map(|actor| {
        let name = match actor.kind.as_str() {
            "api_client" => words::api_client(&actor.name),
            _ => Message::verbatim(actor.name),
        };
        (format!("{}:{}", actor.kind, actor.id), name)
    });
    Ok(Names(named.collect()))
}

impl Names {
    /// Each as a filter names them, with their name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Message)> {
        let names = self.0.iter();
        names.map(|(actor, name)| (actor.as_str(), name))
    }

    fn of(&self, kind: &str, id: i64) -> Option<Message> {
        let wanted = format!("{kind}:{id}");
        let mut found = self.iter().filter(|(actor, _)| *actor == wanted);
        found.next().map(|(_, name)| name.clone())
    }
}

/// Somebody, with where to read more about them.
pub(super) struct Somebody {
    pub(super) text: Message,
    pub(super) href: Option<String>,
}

/// A row of the list.
pub(super) struct EntryRow {
    pub(super) href: String,
    pub(super) time: Time,
    pub(super) what: Message,
    pub(super) tone: &'static str,
    pub(super) who: Somebody,
    pub(super) whom: Option<Somebody>,
    pub(super) mark: Option<Mark>,
    /// Empty where there is none.
    pub(super) reason: Message,
}

/// The page.
#[derive(Template)]
#[template(path = "admin/activity/show.html")]
struct EntryPage {
    frame: Frame,
    row: EntryRow,
    id: String,
    request_id: String,
    address: Option<String>,
    uid: Option<String>,
    action: String,
    changes: Vec<Change>,
    detail: Option<String>,
}

/// What was changed.
struct Change {
    name: String,
    before: String,
    after: String,
}

pub(super) fn row(app: &App, frame: &Frame, names: &Names, entry: &AuditRecord) -> EntryRow {
    EntryRow {
        href: format!("/admin/activity/{}", entry.id),
        time: frame.time(entry.at),
        what: words::action(&entry.action),
        tone: match entry.action.as_str() {
            "refused" | "staff_sign_in_refused" | "refresh_token_reused" => "bad",
            "unlinked" | "deactivated" | "sessions_revoked" | "session_revoked" => "warn",
            _ => "",
        },
        who: who(names, entry),
        whom: entry.user_id.map(|id| Somebody {
            text: t("actor-user-by-id").with("id", id.to_string()),
            href: Some(format!("/admin/users/{id}")),
        }),
        mark: entry
            .provider
            .as_deref()
            .map(|id| Mark::of(&app.providers, id)),
        reason: entry.reason.as_deref().map_or_else(
            || Message::verbatim(""),
            |reason| words::reason_of(&entry.action, reason),
        ),
    }
}

fn who(names: &Names, entry: &AuditRecord) -> Somebody {
    let id = entry.actor_id.unwrap_or_default();
    let (text, href) = match entry.actor_kind.as_str() {
        "staff" => (
            names
                .of("staff", id)
                .unwrap_or_else(|| t("actor-staff-by-id").with("id", id.to_string())),
            Some(format!("/admin/activity?actor=staff%3A{id}")),
        ),
        "user" => (
            t("actor-user-by-id").with("id", id.to_string()),
            Some(format!("/admin/users/{id}")),
        ),
        "api_client" => (
            names
                .of("api_client", id)
                .unwrap_or_else(|| t("actor-api-client-by-id").with("id", id.to_string())),
            Some(format!("/admin/activity?actor=api_client%3A{id}")),
        ),
        "system" => (t("actor-service"), None),
        "anonymous" => (t("actor-anonymous"), None),
        other => (Message::verbatim(other.to_owned()), None),
    };
    Somebody { text, href }
}

/// `GET /admin/activity/{id}`
///
/// # Errors
/// [`AdminError::NotFound`] for an entry that does not exist; others when the database fails.
pub async fn show_entry(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
) -> Result<HttpResponse, AdminError> {
    let id = *id;
    let (entry, names) = app
        .db
        .read(move |reader| {
            let entry = audit_search::find(reader, id)?;
            Ok::<_, StorageError>((entry, read_names(reader)?))
        })
        .await?;
    let entry = entry.ok_or(AdminError::NotFound)?;
    let frame = staff.frame(&app, t("activity-entry-title"), Nav::Activity);
    staff.render(&EntryPage {
        row: row(&app, &frame, &names, &entry),
        id: entry.id.to_string(),
        changes: entry.detail.as_ref().map(changes).unwrap_or_default(),
        detail: entry
            .detail
            .as_ref()
            .and_then(|detail| serde_json::to_string_pretty(detail).ok()),
        request_id: entry.request_id,
        address: entry.address,
        uid: entry.uid,
        action: entry.action,
        frame,
    })
}

/// The members of `before` and `after`, side by side.
fn changes(detail: &Value) -> Vec<Change> {
    let side = |name: &str| detail.get(name).and_then(Value::as_object);
    let (Some(before), Some(after)) = (side("before"), side("after")) else {
        return Vec::new();
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| Change {
            name: name.replace('_', " "),
            before: text(before.get(name)),
            after: text(after.get(name)),
        })
        .collect()
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn before_and_after_stand_side_by_side() {
        let detail =
            json!({"before": {"role": "staff"}, "after": {"role": "admin", "is_active": true}});

        let changes = changes(&detail);

        let all: Vec<_> = changes
            .iter()
            .map(|change| {
                (
                    change.name.as_str(),
                    change.before.as_str(),
                    change.after.as_str(),
                )
            })
            .collect();
        assert_eq!(
            all,
            [("is active", "–", "true"), ("role", "staff", "admin")]
        );
        assert!(super::changes(&json!({"query": {}})).is_empty());
    }
}
