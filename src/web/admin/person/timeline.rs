//! What happened to a user, in words.

use super::super::frame::Frame;
use super::super::text::{Message, t};
use super::super::time::Time;
use super::super::words;
use crate::storage::audit::{AuditRecord, NamedEntry};

/// How many lines are shown.
const SHOWN: usize = 20;

/// A line of the timeline.
#[derive(Debug, Clone)]
pub struct Line {
    /// The class of the stylesheet: how it went.
    pub class: &'static str,
    /// What happened.
    pub what: Message,
    /// When.
    pub time: Time,
    /// By whom, why, from where, as far as there is something to say.
    pub beside: Vec<Message>,
    /// The entry of the audit log.
    pub id: i64,
    /// The request it happened in.
    pub request_id: String,
}

/// The newest lines. Looks at the page by one person right after another are one line.
#[must_use]
pub fn lines(
    entries: &[NamedEntry],
    frame: &Frame,
    title_of: &dyn Fn(&str) -> String,
) -> Vec<Line> {
    let mut lines: Vec<(Line, Option<(i64, usize)>)> = Vec::new();
    for entry in entries {
        let record = &entry.record;
        let viewer = (record.action == "user_viewed")
            .then_some(record.actor_id)
            .flatten();
        if let (Some((last, Some((by, times)))), Some(viewer)) = (lines.last_mut(), viewer)
            && *by == viewer
        {
            *times += 1;
            last.what = t("person-viewed-times")
                .with("actor", actor(entry))
                .with("count", *times);
            continue;
        }
        if lines.len() == SHOWN {
            break;
        }
        let line = Line {
            class: class(record),
            what: what(entry, title_of),
            time: frame.time(record.at),
            beside: beside(entry),
            id: record.id,
            request_id: record.request_id.clone(),
        };
        lines.push((line, viewer.map(|viewer| (viewer, 1))));
    }
    lines.into_iter().map(|(line, _)| line).collect()
}

fn class(record: &AuditRecord) -> &'static str {
    match record.action.as_str() {
        "signed_up"
        | "signed_in"
        | "associated"
        | "unlink_undone"
        | "reactivated"
        | "association_ticket_redeemed"
        | "associated_in_advance" => "ok",
        "refused" | "refresh_token_reused" | "deactivated" => "bad",
        "unlinked" | "session_revoked" | "sessions_revoked" | "leftovers_cleared" => "warn",
        "token_checked" if record.reason.as_deref() != Some("works") => "warn",
        "token_revoked" if record.reason.as_deref() != Some("revoked") => "warn",
        _ => "",
    }
}

/// Who acted, by name where it is known.
fn actor(entry: &NamedEntry) -> Message {
    actor_words(
        &entry.record.actor_kind,
        entry.record.actor_id,
        entry.actor_name.as_deref(),
    )
}

/// The same for other records.
#[must_use]
pub fn actor_words(kind: &str, id: Option<i64>, name: Option<&str>) -> Message {
    match (kind, name, id) {
        ("api_client", Some(title), _) => words::api_client(title),
        (_, Some(name), _) => Message::verbatim(name.to_owned()),
        ("staff", None, Some(id)) => t("actor-staff-by-id").with("id", id.to_string()),
        ("api_client", None, Some(id)) => t("actor-api-client-by-id").with("id", id.to_string()),
        ("user", None, _) => t("actor-the-user"),
        ("system", None, _) => t("actor-service"),
        _ => t("actor-somebody"),
    }
}

fn what(entry: &NamedEntry, title_of: &dyn Fn(&str) -> String) -> Message {
    let record = &entry.record;
    let provider = record.provider.as_deref().map(title_of).unwrap_or_default();
    let reason = record.reason.as_deref().unwrap_or_default();
    let with_provider = |id| t(id).with("provider", &provider);
    match record.action.as_str() {
        "signed_up" => with_provider("person-did-sign-up"),
        "signed_in" => with_provider("person-did-sign-in"),
        "associated" => with_provider("person-did-link"),
        "refused" => with_provider("person-was-refused").with("reason", words::reason(reason)),
        "session_refreshed" => t("person-session-refreshed"),
        "refresh_token_reused" => t("person-refresh-token-reused"),
        "link_ticket_issued" => with_provider("person-link-ticket-issued"),
        "leftovers_cleared" => t("person-leftovers-cleared"),
        "user_viewed" => t("person-viewed").with("actor", actor(entry)),
        "unlinked" => with_provider("person-was-unlinked"),
        "unlink_undone" => with_provider("person-unlink-undone"),
        "token_revoked" => with_provider(match reason {
            "revoked" => "person-token-revoked",
            "refused" => "person-token-not-revoked",
            _ => "person-token-revocation-not-reached",
        }),
        "association_ticket_issued" => with_provider("person-association-ticket-issued"),
        "association_ticket_redeemed" => with_provider("person-association-ticket-redeemed"),
        "associated_in_advance" => with_provider("person-associated-in-advance"),
        "deactivated" => t("person-deactivated"),
        "reactivated" => t("person-reactivated"),
        "session_revoked" => t("person-session-revoked"),
        "sessions_revoked" => t("person-sessions-revoked"),
        "token_checked" => {
            with_provider("person-token-checked").with("result", check_words(reason))
        }
        other => words::action(other),
    }
}

/// What a check of an access token said.
#[must_use]
pub fn check_words(outcome: &str) -> Message {
    t(match outcome {
        "works" => "person-check-works",
        "expired" => "person-check-expired",
        "refused" => "person-check-refused",
        "another_apps" => "person-check-another-apps",
        "another_persons" => "person-check-another-persons",
        "not_reached" => "person-check-not-reached",
        _ => "person-check-impossible",
    })
}

fn beside(entry: &NamedEntry) -> Vec<Message> {
    let record = &entry.record;
    let mut pieces = Vec::new();
    if record.action != "user_viewed" && !matches!(record.actor_kind.as_str(), "anonymous" | "user")
    {
        pieces.push(actor(entry));
    }
    if let (true, Some(reason)) = (words::has_own_words(&record.action), &record.reason) {
        pieces.push(Message::verbatim(reason.clone()));
    }
    pieces.extend(record.address.clone().map(Message::verbatim));
    pieces
}
