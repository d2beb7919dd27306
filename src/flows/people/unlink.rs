//! Unlinks a social account: what it would do, and doing it.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::{PersonError, entry_of_account, grant_of, provider_of, record_alone};
use crate::app::App;
use crate::domain::extra_data::{is_about_a_token, is_secret_name};
use crate::domain::stewardship::{By, Reason, Retention, RowVersion, StandingOrder, UnlinkedId};
use crate::domain::{AuditAction, ProviderId, SocialAuth, SocialAuthId, User, UserId};
use crate::providers::{Revocation, StoredGrant};
use crate::storage::account_records::AccountRecord;
use crate::storage::sealing::is_sealed;
use crate::storage::standing_orders::NewStandingOrder;
use crate::storage::unlinked_accounts::NewUnlinkedAccount;
use crate::storage::{
    StorageError, Tx, account_records, audit, session_records, social_auths, standing_orders,
    unlinked_accounts, user_records, users,
};

/// What an unlink would do.
#[derive(Debug, Clone)]
pub struct UnlinkPlan {
    /// Whose account it is.
    pub user: User,
    /// The account.
    pub account: SocialAuth,
    /// To be handed back with the request, so that a changed account is noticed.
    pub version: RowVersion,
    /// Whether nothing is left to sign in with: no other account whose provider is configured and on.
    pub is_last_way_in: bool,
    /// How many live sessions end: those opened with it.
    pub sessions: i64,
    /// Whether the provider has a request that gives our access back, and we have what it takes.
    pub can_revoke: bool,
    /// Until when it can be undone, if it can.
    pub undo_until: Option<DateTime<Utc>>,
    /// Until when the account would be refused.
    pub refuse_until: DateTime<Utc>,
}

/// Finds out what unlinking an account would do. Changes nothing.
///
/// # Errors
/// [`PersonError::UserNotFound`], [`PersonError::AccountGone`], or the database's failure.
pub async fn plan_unlink(
    app: &App,
    user_id: UserId,
    id: SocialAuthId,
) -> Result<UnlinkPlan, PersonError> {
    let now = app.clock.now();
    let (user, accounts, sessions) = app
        .db
        .read(move |r| -> Result<_, PersonError> {
            let user = users::find(r, user_id)?.ok_or(PersonError::UserNotFound)?;
            let accounts = social_auths::list_of_user(r, user_id)?;
            let sessions = session_records::count_live_of_user(r, user_id, Some(id), now)?;
            Ok((user, accounts, sessions))
        })
        .await?;
    let is_last_way_in = !others_lead_in(app, &accounts, id);
    let account = accounts.into_iter().find(|account| account.id == id);
    let account = account.ok_or(PersonError::AccountGone)?;
    let provider = provider_of(app, &account.provider);
    Ok(UnlinkPlan {
        version: RowVersion::of(&account),
        is_last_way_in,
        sessions,
        can_revoke: provider.is_some_and(|provider| provider.can_revoke()),
        undo_until: app.retention.undo_until(now),
        refuse_until: app.retention.refuse_until(now),
        user,
        account,
    })
}

/// Whether one of the accounts other than `id` is a way in: its provider is configured and on.
fn others_lead_in(app: &App, accounts: &[SocialAuth], id: SocialAuthId) -> bool {
    accounts
        .iter()
        .any(|account| account.id != id && provider_of(app, &account.provider).is_some())
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct UnlinkRequest {
    /// Whose account.
    pub user_id: UserId,
    /// Which.
    pub social_auth_id: SocialAuthId,
    /// As the plan had it.
    pub version: RowVersion,
    /// Why.
    pub reason: Reason,
    /// Whether it is known that nothing may be left to sign in with.
    pub last_way_in_confirmed: bool,
    /// Whether the account is to be refused when it comes again.
    pub refuse_in_future: bool,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Unlinked {
    /// At which provider the account is.
    pub provider: ProviderId,
    /// The account as it is kept, if it can be had back.
    pub unlinked_id: Option<UnlinkedId>,
    /// How many sessions ended.
    pub sessions_ended: usize,
    /// What the provider said to giving our access back; `None` for a repeated request, which asks nobody.
    pub revocation: Option<Revocation>,
}

impl Unlinked {
    /// Whether the same had been done before, and nothing was done now.
    #[must_use]
    pub const fn was_repeated(&self) -> bool {
        self.revocation.is_none()
    }
}

/// What the transaction did.
enum Done {
    Now {
        record: Box<AccountRecord>,
        unlinked_id: Option<UnlinkedId>,
        sessions_ended: usize,
    },
    Before {
        provider: ProviderId,
        unlinked_id: UnlinkedId,
    },
}

/// Unlinks a social account: its row and its tokens go, sessions opened with it end, and for a while it can be undone. Then the
/// provider is asked to take our access back, as far as it can be reached.
///
/// The same request again does nothing, as long as the account is kept.
///
/// # Errors
/// [`PersonError::AccountGone`], [`PersonError::Stale`] and [`PersonError::LastWayIn`]; then nothing is done.
pub async fn unlink(
    app: &Arc<App>,
    by: By,
    request: UnlinkRequest,
) -> Result<Unlinked, PersonError> {
    let now = app.clock.now();
    let (app_inside, by_inside) = (Arc::clone(app), by.clone());
    let done = app
        .db
        .write(move |tx| apply(&app_inside, tx, &by_inside, &request, now))
        .await?;
    let (record, unlinked_id, sessions_ended) = match done {
        Done::Before {
            provider,
            unlinked_id,
        } => {
            return Ok(Unlinked {
                provider,
                unlinked_id: Some(unlinked_id),
                sessions_ended: 0,
                revocation: None,
            });
        }
        Done::Now {
            record,
            unlinked_id,
            sessions_ended,
        } => (record, unlinked_id, sessions_ended),
    };
    let account = &record.social_auth;
    tracing::info!(user.id = %account.user_id, provider = %account.provider, "Unlinked an account of {} from user {}", account.provider, account.user_id);
    let provider = account.provider.clone();
    let revocation = revoke_at_provider(app, by, *record).await;
    Ok(Unlinked {
        provider,
        unlinked_id,
        sessions_ended,
        revocation: Some(revocation),
    })
}

/// Everything that must happen together. Locks in the order in which a sign-in does: the account, then its user.
fn apply(
    app: &App,
    tx: &mut Tx<'_>,
    by: &By,
    request: &UnlinkRequest,
    now: DateTime<Utc>,
) -> Result<Done, PersonError> {
    let (user_id, id) = (request.user_id, request.social_auth_id);
    let Some(record) = account_records::find_for_update(tx, user_id, id)? else {
        let kept = unlinked_accounts::find_by_social_auth(tx, user_id, id)?;
        let kept = kept.ok_or(PersonError::AccountGone)?;
        return Ok(Done::Before {
            provider: kept.provider,
            unlinked_id: kept.id,
        });
    };
    // Whoever else unlinks an account of this user waits here, and then counts what we leave.
    user_records::find_for_update(tx, user_id)?.ok_or(PersonError::UserNotFound)?;
    if RowVersion::of(&record.social_auth) != request.version {
        return Err(PersonError::Stale);
    }
    let accounts = social_auths::list_of_user(tx, user_id)?;
    let is_last_way_in = !others_lead_in(app, &accounts, id);
    if is_last_way_in && !request.last_way_in_confirmed {
        return Err(PersonError::LastWayIn);
    }
    account_records::delete(tx, &record.social_auth)?;
    let sessions_ended = session_records::revoke_opened_with(tx, user_id, id, "unlinked", now)?;
    let reason = request.reason.as_str();
    let unlinked_id = keep(tx, by, &record, reason, app.retention, now)?;
    let refused_until = request
        .refuse_in_future
        .then(|| app.retention.refuse_until(now));
    if let Some(expires_at) = refused_until {
        refuse_in_future(tx, by, &record.social_auth, reason, expires_at, now)?;
    }
    let mut entry = entry_of_account(by, AuditAction::Unlinked, &record.social_auth);
    entry.reason = Some(reason.to_owned().into());
    entry.detail = Some(json!({
        "sessions": sessions_ended,
        "last_way_in": is_last_way_in,
        "undo_until": app.retention.undo_until(now).map(rfc3339),
        "refused_until": refused_until.map(rfc3339),
    }));
    audit::insert(tx, &entry, now)?;
    Ok(Done::Now {
        record: Box::new(record),
        unlinked_id,
        sessions_ended,
    })
}

fn keep(
    tx: &mut Tx<'_>,
    by: &By,
    record: &AccountRecord,
    reason: &str,
    retention: Retention,
    now: DateTime<Utc>,
) -> Result<Option<UnlinkedId>, StorageError> {
    let Some(expires_at) = retention.undo_until(now) else {
        return Ok(None);
    };
    let new = NewUnlinkedAccount {
        account: record,
        kept_data: &kept_data(&record.social_auth.extra_data),
        actor: by.actor,
        reason,
        expires_at,
    };
    unlinked_accounts::insert(tx, &new, now).map(Some)
}

fn refuse_in_future(
    tx: &mut Tx<'_>,
    by: &By,
    account: &SocialAuth,
    reason: &str,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let order = NewStandingOrder {
        provider: &account.provider,
        uid: &account.uid,
        order: StandingOrder::Refuse,
        user_id: account.user_id,
        actor: by.actor,
        reason,
        expires_at,
    };
    standing_orders::put(tx, &order, now)
}

/// The extract of the profile: what is sealed goes, and so does what is about a token. What stands deeper may hold a secret too, as
/// an import from elsewhere left it.
fn kept_data(extra_data: &Value) -> Value {
    let members = extra_data.as_object().into_iter().flatten();
    let kept: Map<String, Value> = members
        .filter(|(name, value)| !is_about_a_token(name) && !is_sealed(value))
        .map(|(name, value)| (name.clone(), without_secrets(value)))
        .collect();
    Value::Object(kept)
}

fn without_secrets(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, value)| !is_secret_name(name) && !is_sealed(value))
            .map(|(name, value)| (name.clone(), without_secrets(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_secrets).collect(),
        plain => plain.clone(),
    }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Asks the provider to take our access back. In a task of its own, so that it goes on when the caller stops waiting; the provider's
/// own deadline bounds it. What came of it is audited, unless there was nobody to ask.
async fn revoke_at_provider(app: &Arc<App>, by: By, record: AccountRecord) -> Revocation {
    let account = record.social_auth.clone();
    let Some(provider) =
        provider_of(app, &account.provider).filter(|provider| provider.can_revoke())
    else {
        return Revocation::NotOffered;
    };
    let grant: StoredGrant = grant_of(&app.sealer, &record);
    let app = Arc::clone(app);
    let asking = tokio::spawn(async move {
        let revocation = provider.revoke_stored(&grant, app.clock.now()).await;
        if revocation != Revocation::NotOffered {
            let mut entry = entry_of_account(&by, AuditAction::TokenRevoked, &account);
            entry.reason = Some(revocation.as_str().into());
            if let Err(error) = record_alone(&app, entry, app.clock.now()).await {
                tracing::error!(error = %error, "Could not write the audit entry of a revocation");
            }
        }
        revocation
    });
    asking.await.unwrap_or(Revocation::NotReached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_nothing_that_is_sealed_or_about_a_token() {
        let extra_data = json!({
            "access_token": {"sealed": "1.AAAA"},
            "id_token": "left.in.plain",
            "webhook": {"sealed": "1.BBBB"},
            "token_type": "Bearer", "expires_at": "2026-11-23T10:00:00Z", "auth_time": "2026-11-23T10:00:00Z",
            "client_secret_hint": "x", "scope": "email", "client_id": "ios",
            "login": "ada", "picture": {"url": "https://cdn.example/ada.png"},
            "nested": [{"client_secret": "left.in.plain", "sealed_one": {"sealed": "1.CCCC"}, "id": 7}],
        });

        assert_eq!(
            kept_data(&extra_data),
            json!({
                "login": "ada", "picture": {"url": "https://cdn.example/ada.png"}, "nested": [{"id": 7}],
            })
        );
    }
}
