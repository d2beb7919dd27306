//! Webhooks: what other applications of the operator are told, and how a delivery is signed and tried again.
//!
//! The form is that of the Standard Webhooks specification (version 1.0.0, checked 2026-11-26), so that receivers need nothing of ours
//! to verify a delivery. An event is thin: it names what it is about, and whoever needs more asks the admin API. It is made from the
//! audit entry alone, so that each try sends the same bytes.

mod secret;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::AuditAction;
pub use secret::{Signature, WebhookSecret};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum EventType {
    /// Somebody signed up.
    #[serde(rename = "user.signed_up")]
    UserSignedUp,
    /// A user was deactivated.
    #[serde(rename = "user.deactivated")]
    UserDeactivated,
    /// A user was reactivated.
    #[serde(rename = "user.reactivated")]
    UserReactivated,
    /// A social account was associated with a user who was there, or handed in again by its user.
    #[serde(rename = "social_account.associated")]
    SocialAccountAssociated,
    /// A social account was unlinked.
    #[serde(rename = "social_account.unlinked")]
    SocialAccountUnlinked,
    /// An unlink was undone.
    #[serde(rename = "social_account.restored")]
    SocialAccountRestored,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::UserSignedUp,
        Self::UserDeactivated,
        Self::UserReactivated,
        Self::SocialAccountAssociated,
        Self::SocialAccountUnlinked,
        Self::SocialAccountRestored,
    ];

    /// The name as configured and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserSignedUp => "user.signed_up",
            Self::UserDeactivated => "user.deactivated",
            Self::UserReactivated => "user.reactivated",
            Self::SocialAccountAssociated => "social_account.associated",
            Self::SocialAccountUnlinked => "social_account.unlinked",
            Self::SocialAccountRestored => "social_account.restored",
        }
    }

    /// The audit entries that are such an event.
    #[must_use]
    pub const fn actions(self) -> &'static [AuditAction] {
        match self {
            Self::UserSignedUp => &[AuditAction::SignedUp],
            Self::UserDeactivated => &[AuditAction::Deactivated],
            Self::UserReactivated => &[AuditAction::Reactivated],
            Self::SocialAccountAssociated => &[
                AuditAction::Associated,
                AuditAction::AssociatedInAdvance,
                AuditAction::AssociationTicketRedeemed,
            ],
            Self::SocialAccountUnlinked => &[AuditAction::Unlinked],
            Self::SocialAccountRestored => &[AuditAction::UnlinkUndone],
        }
    }
}

/// The name of what is sent to try an endpoint.
pub const TEST: &str = "test";

/// What is sent for an audit entry, by the entry's action as stored. `None` where nobody is told.
#[must_use]
pub fn event_name(action: &str) -> Option<&'static str> {
    if action == AuditAction::WebhookTested.as_str() {
        return Some(TEST);
    }
    let mut types = EventType::ALL.into_iter();
    let event = types.find(|event| event.actions().iter().any(|of| of.as_str() == action))?;
    Some(event.as_str())
}

/// An audit entry, as far as a delivery tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The audit entry's id.
    pub id: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What was done, see [`AuditAction::as_str`].
    pub action: String,
    /// The kind of whoever did it.
    pub actor_kind: String,
    /// Their row.
    pub actor_id: Option<i64>,
    /// The user it is about.
    pub user_id: Option<i64>,
    /// The social account it is about.
    pub social_auth_id: Option<i64>,
    /// Its provider.
    pub provider: Option<String>,
    /// The provider's id of the person.
    pub uid: Option<String>,
}

impl Event {
    /// `webhook-id`: the same at each try and at each endpoint, so that receivers can tell what they have seen.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!("evt_{}", self.id)
    }

    /// The body; `None` for an entry that nobody is told of.
    #[must_use]
    pub fn body(&self) -> Option<String> {
        let name = event_name(&self.action)?;
        let data = if name == TEST {
            json!({})
        } else {
            json!({
                "user_id": self.user_id,
                "social_auth": self.social_auth(),
                "actor": { "kind": self.actor_kind, "id": self.actor_id },
            })
        };
        let body = json!({
            "type": name,
            "timestamp": self.at.to_rfc3339_opts(SecondsFormat::Secs, true),
            "data": data,
        });
        Some(body.to_string())
    }

    fn social_auth(&self) -> Value {
        match &self.provider {
            None => Value::Null,
            Some(provider) => {
                json!({ "id": self.social_auth_id, "provider": provider, "uid": self.uid })
            }
        }
    }
}

/// What came of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver has it: it answered 2xx.
    Delivered,
    /// The receiver wants no more of it: it answered 410.
    Gone,
    /// It answered otherwise, or not at all.
    Failed {
        /// A stable code: `status_500`, `timeout`, ...
        problem: Problem,
        /// `Retry-After`, in seconds.
        retry_after_seconds: Option<u64>,
    },
}

impl Attempt {
    /// The label for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Gone => "gone",
            Self::Failed { .. } => "failed",
        }
    }
}

/// Why a try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The receiver answered with this status.
    Status(u16),
    /// It took too long.
    Timeout,
    /// There was no connection.
    Connect,
    /// It redirected: signed deliveries go where they were meant to go, and nowhere else.
    Redirect,
    /// What came back was no answer of HTTP.
    Malformed,
    /// The audit entry is there no more.
    Missing,
}

impl Problem {
    /// The code as stored.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::Status(status) => format!("status_{status}"),
            Self::Timeout => "timeout".to_owned(),
            Self::Connect => "connect".to_owned(),
            Self::Redirect => "redirect".to_owned(),
            Self::Malformed => "malformed".to_owned(),
            Self::Missing => "missing".to_owned(),
        }
    }
}

/// How long after each failed try the next one comes. After the last, nothing more is tried: 10 tries in about three days.
const RETRY_AFTER: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(24),
    TimeDelta::hours(30),
];

/// When to try again after `tries` tries, of which the last failed; `None` to give up.
#[must_use]
pub fn retry_at(
    tries: i32,
    retry_after_seconds: Option<u64>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let index = usize::try_from(tries).ok()?.checked_sub(1)?;
    let wait = *RETRY_AFTER.get(index)?;
    let asked = retry_after_seconds
        .and_then(|seconds| TimeDelta::try_seconds(i64::try_from(seconds).ok()?))
        .unwrap_or_default();
    Some(now + wait.max(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: AuditAction) -> Event {
        Event {
            id: 7,
            at: "2026-11-26T10:00:00.123456Z".parse().unwrap(),
            action: action.as_str().to_owned(),
            actor_kind: "staff".to_owned(),
            actor_id: Some(2),
            user_id: Some(1),
            social_auth_id: Some(3),
            provider: Some("github".to_owned()),
            uid: Some("583231".to_owned()),
        }
    }

    #[test]
    fn an_event_names_what_it_is_about_and_nothing_else() {
        let body: Value =
            serde_json::from_str(&event(AuditAction::Unlinked).body().unwrap()).unwrap();

        assert_eq!(
            body,
            json!({
                "type": "social_account.unlinked",
                "timestamp": "2026-11-26T10:00:00Z",
                "data": {
                    "user_id": 1,
                    "social_auth": { "id": 3, "provider": "github", "uid": "583231" },
                    "actor": { "kind": "staff", "id": 2 },
                },
            })
        );
    }

    #[test]
    fn a_test_is_about_nobody() {
        let body: Value =
            serde_json::from_str(&event(AuditAction::WebhookTested).body().unwrap()).unwrap();

        assert_eq!(body["type"], "test");
        assert_eq!(body["data"], json!({}));
    }

    #[test]
    fn nobody_is_told_of_sign_ins_and_refusals() {
        for action in [
            AuditAction::SignedIn,
            AuditAction::Refused,
            AuditAction::UserViewed,
        ] {
            assert_eq!(event_name(action.as_str()), None);
            assert_eq!(event(action).body(), None);
        }
    }

    #[test]
    fn every_type_has_its_own_name_and_actions() {
        for event in EventType::ALL {
            for action in event.actions() {
                assert_eq!(event_name(action.as_str()), Some(event.as_str()));
            }
        }
    }

    #[test]
    fn tries_come_later_and_later_and_end_after_three_days() {
        let start: DateTime<Utc> = "2026-11-26T10:00:00Z".parse().unwrap();
        let (mut now, mut tries) = (start, 1);
        while let Some(next) = retry_at(tries, None, now) {
            assert!(next > now);
            (now, tries) = (next, tries + 1);
        }

        assert_eq!(tries, 10);
        let days = (now - start).num_hours();
        assert!((66..=78).contains(&days), "{days}");
        assert_eq!(retry_at(0, None, now), None);
    }

    #[test]
    fn a_receiver_may_ask_for_more_time() {
        let now: DateTime<Utc> = "2026-11-26T10:00:00Z".parse().unwrap();

        assert_eq!(retry_at(1, Some(1), now), Some(now + TimeDelta::seconds(5)));
        assert_eq!(
            retry_at(1, Some(90), now),
            Some(now + TimeDelta::seconds(90))
        );
        assert_eq!(
            retry_at(1, Some(u64::MAX), now),
            Some(now + TimeDelta::seconds(5))
        );
    }
}
