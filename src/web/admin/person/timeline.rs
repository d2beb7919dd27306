//! What happened to a user, in words.

use super::super::frame::Frame;
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
    pub what: String,
    /// When.
    pub time: Time,
    /// By whom, why, from where.
    pub beside: String,
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
            last.what = format!("{} looked at this page {times} times", actor(entry));
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
fn actor(entry: &NamedEntry) -> String {
    actor_words(
        &entry.record.actor_kind,
        entry.record.actor_id,
        entry.actor_name.as_deref(),
    )
}

/// The same for other records.
#[must_use]
pub fn actor_words(kind: &str, id: Option<i64>, name: Option<&str>) -> String {
    match (kind, name, id) {
        ("api_client", Some(title), _) => words::api_client(title),
        (_, Some(name), _) => name.to_owned(),
        ("staff", None, Some(id)) => format!("Staff {id}"),
        ("api_client", None, Some(id)) => format!("API client {id}"),
        ("user", None, _) => "The user".to_owned(),
        ("system", None, _) => "The service".to_owned(),
        _ => "Somebody".to_owned(),
    }
}

fn what(entry: &NamedEntry, title_of: &dyn Fn(&str) -> String) -> String {
    let record = &entry.record;
    let provider = record.provider.as_deref().map(title_of).unwrap_or_default();
    let reason = record.reason.as_deref().unwrap_or_default();
    match record.action.as_str() {
        "signed_up" => format!("Signed up with {provider}"),
        "signed_in" => format!("Signed in with {provider}"),
        "associated" => format!("Linked {provider}"),
        "refused" => format!("Refused with {provider}: {}", words::reason(reason)),
        "session_refreshed" => "Session refreshed".to_owned(),
        "refresh_token_reused" => {
            "A spent refresh token came back; the session was ended".to_owned()
        }
        "link_ticket_issued" => format!("Asked whether to link {provider}, by email address"),
        "leftovers_cleared" => {
            "Unverified accounts and sessions cleared before a link by email address".to_owned()
        }
        "user_viewed" => format!("{} looked at this page", actor(entry)),
        "unlinked" => format!("Unlinked {provider}"),
        "unlink_undone" => format!("Gave {provider} back"),
        "token_revoked" => match reason {
            "revoked" => format!("{provider} revoked the access token"),
            "refused" => format!("{provider} did not revoke the access token"),
            _ => format!("{provider} was not reached to revoke the access token"),
        },
        "association_ticket_issued" => {
            format!("The next sign-in with {provider} will link it here")
        }
        "association_ticket_redeemed" => format!("Linked {provider} by a ticket"),
        "associated_in_advance" => format!("Linked {provider} before the first sign-in with it"),
        "deactivated" => "Deactivated".to_owned(),
        "reactivated" => "Reactivated".to_owned(),
        "session_revoked" => "One session ended".to_owned(),
        "sessions_revoked" => "All sessions ended".to_owned(),
        "token_checked" => format!("{provider}: {}", check_words(reason)),
        other => words::action(other),
    }
}

/// What a check of an access token said.
#[must_use]
pub fn check_words(outcome: &str) -> &'static str {
    match outcome {
        "works" => "the access token works",
        "expired" => "the access token has expired",
        "refused" => "the access token is refused",
        "another_apps" => "the access token was issued to another app",
        "another_persons" => "the access token belongs to another person",
        "not_reached" => "the provider was not reached",
        _ => "the access token cannot be checked",
    }
}

/// Actions whose reason is somebody's own words.
const HAS_REASON: [&str; 8] = [
    "unlinked",
    "unlink_undone",
    "deactivated",
    "reactivated",
    "association_ticket_issued",
    "associated_in_advance",
    "session_revoked",
    "sessions_revoked",
];

fn beside(entry: &NamedEntry) -> String {
    let record = &entry.record;
    let mut parts = Vec::new();
    if record.action != "user_viewed" && !matches!(record.actor_kind.as_str(), "anonymous" | "user")
    {
        parts.push(actor(entry));
    }
    if let (true, Some(reason)) = (HAS_REASON.contains(&record.action.as_str()), &record.reason) {
        parts.push(reason.clone());
    }
    parts.extend(record.address.clone());
    parts.join(" · ")
}
