//! A user as programs see them: what the user's page shows.

use serde::Serialize;
use serde_json::Value;

use super::shown::shown;
use crate::domain::User;
use crate::domain::stewardship::StandingOrder;
use crate::flows::people::{AccountView, UserView};
use crate::storage::audit::NamedEntry;
use crate::storage::session_records::SessionRecord;
use crate::storage::standing_orders::StandingOrderRecord;
use crate::storage::unlinked_accounts::NamedAccount;
use crate::storage::user_records::Deactivation;
use crate::web::admin::activity::export::line;
use crate::web::rfc3339;

/// A user and everything that belongs to them.
#[derive(Serialize)]
pub(super) struct UserBody<'a> {
    id: i64,
    username: &'a str,
    email: Option<&'a str>,
    email_verified: bool,
    first_name: &'a str,
    last_name: &'a str,
    is_active: bool,
    date_joined: String,
    last_sign_in_at: Option<String>,
    deactivation: Option<DeactivationBody<'a>>,
    ways_in: usize,
    accounts: Vec<AccountBody<'a>>,
    unlinked: Vec<UnlinkedBody<'a>>,
    orders: Vec<OrderBody<'a>>,
    sessions: Vec<SessionBody<'a>>,
    activity: Vec<Value>,
}

impl<'a> From<&'a UserView> for UserBody<'a> {
    fn from(view: &'a UserView) -> Self {
        let user: &User = &view.user.user;
        Self {
            id: user.id.0,
            username: &user.username,
            email: user.email.as_deref(),
            email_verified: user.email_verified,
            first_name: &user.first_name,
            last_name: &user.last_name,
            is_active: user.is_active,
            date_joined: rfc3339(user.date_joined),
            last_sign_in_at: view.user.last_sign_in_at.map(rfc3339),
            deactivation: view.user.deactivation.as_ref().map(Into::into),
            ways_in: view.ways_in(),
            accounts: view.accounts.iter().map(Into::into).collect(),
            unlinked: view.unlinked.iter().map(Into::into).collect(),
            orders: view.orders.iter().map(Into::into).collect(),
            sessions: view.sessions.iter().map(Into::into).collect(),
            activity: view.timeline.iter().map(entry).collect(),
        }
    }
}

/// Whoever did something; the name is known of staff alone.
#[derive(Serialize)]
struct ActorBody<'a> {
    kind: &'a str,
    id: Option<i64>,
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct DeactivationBody<'a> {
    by: ActorBody<'a>,
    reason: &'a str,
    at: String,
}

impl<'a> From<&'a Deactivation> for DeactivationBody<'a> {
    fn from(deactivation: &'a Deactivation) -> Self {
        Self {
            by: ActorBody {
                kind: &deactivation.actor_kind,
                id: deactivation.actor_id,
                name: deactivation.actor_name.as_deref(),
            },
            reason: &deactivation.reason,
            at: rfc3339(deactivation.at),
        }
    }
}

/// A social account of a user.
#[derive(Serialize)]
pub(super) struct AccountBody<'a> {
    id: i64,
    user_id: i64,
    provider: &'a str,
    uid: &'a str,
    client_id: Option<&'a str>,
    email: Option<&'a str>,
    email_verified: bool,
    created_at: String,
    modified_at: String,
    version: String,
    is_way_in: bool,
    extra_data: Value,
    check: Option<CheckBody<'a>>,
}

#[derive(Serialize)]
struct CheckBody<'a> {
    checked_at: String,
    state: Option<&'a str>,
}

impl<'a> From<&'a AccountView> for AccountBody<'a> {
    fn from(view: &'a AccountView) -> Self {
        let account = &view.record.social_auth;
        Self {
            id: account.id.0,
            user_id: account.user_id.0,
            provider: account.provider.as_str(),
            uid: account.uid.as_str(),
            client_id: view.record.client_id.as_deref(),
            email: view.record.email.as_deref(),
            email_verified: view.record.email_verified,
            created_at: rfc3339(account.created_at),
            modified_at: rfc3339(account.modified_at),
            version: view.version.to_string(),
            is_way_in: view.is_way_in,
            extra_data: shown(&account.extra_data),
            check: view.check.as_ref().map(|check| CheckBody {
                checked_at: rfc3339(check.checked_at),
                state: check.outcome.as_deref(),
            }),
        }
    }
}

/// An unlinked account that can be given back.
#[derive(Serialize)]
struct UnlinkedBody<'a> {
    id: i64,
    account_id: i64,
    provider: &'a str,
    uid: &'a str,
    by: ActorBody<'a>,
    reason: &'a str,
    unlinked_at: String,
    undo_until: String,
}

impl<'a> From<&'a NamedAccount> for UnlinkedBody<'a> {
    fn from(kept: &'a NamedAccount) -> Self {
        let account = &kept.account;
        Self {
            id: account.id.0,
            account_id: account.social_auth_id.0,
            provider: account.provider.as_str(),
            uid: account.uid.as_str(),
            by: ActorBody {
                kind: &account.actor_kind,
                id: account.actor_id,
                name: kept.actor_name.as_deref(),
            },
            reason: &account.reason,
            unlinked_at: rfc3339(account.unlinked_at),
            undo_until: rfc3339(account.expires_at),
        }
    }
}

/// What is ordered about an account that nobody has.
#[derive(Serialize)]
struct OrderBody<'a> {
    provider: &'a str,
    uid: &'a str,
    order: &'static str,
    user_id: Option<i64>,
    by: ActorBody<'a>,
    reason: &'a str,
    expires_at: String,
}

impl<'a> From<&'a StandingOrderRecord> for OrderBody<'a> {
    fn from(record: &'a StandingOrderRecord) -> Self {
        let (order, user_id) = match record.order {
            StandingOrder::Refuse => ("refuse", None),
            StandingOrder::AssociateWith(user_id) => ("associate", Some(user_id.0)),
        };
        Self {
            provider: record.provider.as_str(),
            uid: record.uid.as_str(),
            order,
            user_id,
            by: ActorBody {
                kind: &record.actor_kind,
                id: record.actor_id,
                name: record.actor_name.as_deref(),
            },
            reason: &record.reason,
            expires_at: rfc3339(record.expires_at),
        }
    }
}

/// A live session.
#[derive(Serialize)]
struct SessionBody<'a> {
    id: i64,
    account_id: Option<i64>,
    api_client: Option<&'a str>,
    address: Option<&'a str>,
    user_agent: Option<&'a str>,
    created_at: String,
    last_used_at: String,
    expires_at: String,
}

impl<'a> From<&'a SessionRecord> for SessionBody<'a> {
    fn from(session: &'a SessionRecord) -> Self {
        Self {
            id: session.id.0,
            account_id: session.social_auth_id.map(|id| id.0),
            api_client: session.api_client.as_deref(),
            address: session.address.as_deref(),
            user_agent: session.user_agent.as_deref(),
            created_at: rfc3339(session.created_at),
            last_used_at: rfc3339(session.last_used_at),
            expires_at: rfc3339(session.expires_at),
        }
    }
}

/// An entry of the audit log, with who acted where that was staff or an API client.
fn entry(entry: &NamedEntry) -> Value {
    let mut shown = line(&entry.record);
    if let (Some(members), Some(name)) = (shown.as_object_mut(), &entry.actor_name) {
        members.insert("actor_name".to_owned(), name.as_str().into());
    }
    shown
}
