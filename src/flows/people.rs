//! What staff do with a person's account. Each verb takes who does it, so that pages and the JSON API share it.

mod activation;
mod associate_in_advance;
mod check_token;
mod end_sessions;
mod purge;
mod ticket;
mod undo_unlink;
mod unlink;
mod view_user;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::app::App;
use crate::domain::stewardship::{By, Reason};
use crate::domain::{AuditAction, AuditEntry, ProviderId, SocialAuth, UserId};
use crate::providers::{Lookup, Provider, StoredGrant};
use crate::storage::account_records::AccountRecord;
use crate::storage::sealing::{Sealer, SealingError};
use crate::storage::{StorageError, Tx, audit};

pub use activation::{Deactivated, deactivate_user, reactivate_user};
pub use associate_in_advance::{AssociationRequest, InAdvance, associate_in_advance};
pub use check_token::{CHECK_EVERY_SECONDS, Checked, check_token};
pub use end_sessions::{SessionPlan, plan_session_end, revoke_session, revoke_sessions};
pub use purge::{purge, purge_is_due};
pub use ticket::{TicketRequest, issue_association_ticket};
pub use undo_unlink::{KeptAccount, Restored, find_kept_account, undo_unlink};
pub use unlink::{UnlinkPlan, UnlinkRequest, Unlinked, plan_unlink, unlink};
pub use view_user::{AccountView, UserView, view_user};

/// Why something is not done with a person's account.
#[derive(Debug, Error)]
pub enum PersonError {
    /// There is no such user.
    #[error("there is no such user")]
    UserNotFound,
    /// The user has no such social account, or has it no longer.
    #[error("the user has no such social account")]
    AccountGone,
    /// The social account changed since the page was shown.
    #[error("the social account changed in the meantime")]
    Stale,
    /// It is the last way to sign in, and nobody said that this is known.
    #[error("the last way to sign in goes only when that is confirmed")]
    LastWayIn,
    /// The unlinked account is not kept, or not any more.
    #[error("the unlinked account is not kept any more")]
    NotKept,
    /// The social account is somebody's.
    #[error("the social account is somebody's")]
    Taken,
    /// The user is inactive.
    #[error("the user is inactive")]
    Inactive,
    /// It was done a moment ago.
    #[error("too soon after the last time")]
    TooSoon {
        /// When it may be done again.
        retry_after_seconds: u64,
    },
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

crate::storage::storage_failure!(PersonError);

/// The provider called so, if it is configured and on: then its social accounts are a way in.
fn provider_of(app: &App, id: &ProviderId) -> Option<std::sync::Arc<Provider>> {
    match app.providers.find(id.as_str()) {
        Lookup::Enabled(provider) if provider.id() == id => Some(provider),
        Lookup::Enabled(_) | Lookup::Disabled | Lookup::Unknown => None,
    }
}

/// The stored tokens, opened. One that does not open counts as absent, which is logged.
fn grant_of(sealer: &Sealer, record: &AccountRecord) -> StoredGrant {
    let account = &record.social_auth;
    let open = |name: &str| match sealer.open_member(
        &account.extra_data,
        &account.provider,
        &account.uid,
        name,
    ) {
        Ok(secret) => Some(secret),
        Err(SealingError::Absent) => None,
        Err(error) => {
            tracing::error!(social_auth.id = %account.id, member = name, error = %error, "A stored secret does not open");
            None
        }
    };
    StoredGrant {
        uid: account.uid.clone(),
        client_id: record.client_id.clone(),
        access_token: open("access_token"),
        access_token_secret: open("access_token_secret"),
        refresh_token: open("refresh_token"),
    }
}

/// An entry about a user, to be completed.
fn entry(by: &By, action: AuditAction, user_id: UserId) -> AuditEntry {
    AuditEntry {
        actor: by.actor,
        action,
        reason: None,
        detail: None,
        user_id: Some(user_id),
        social_auth_id: None,
        provider: None,
        uid: None,
        context: by.context.clone(),
    }
}

/// An entry about a social account of a user, to be completed.
fn entry_of_account(by: &By, action: AuditAction, account: &SocialAuth) -> AuditEntry {
    AuditEntry {
        social_auth_id: Some(account.id),
        provider: Some(account.provider.clone()),
        uid: Some(account.uid.clone()),
        ..entry(by, action, account.user_id)
    }
}

/// A reason that somebody gave, for an entry.
fn given(reason: Option<&Reason>) -> Option<Cow<'static, str>> {
    reason.map(|reason| reason.as_str().to_owned().into())
}

/// Writes an entry in a transaction of its own, where there is no change it could share one with.
async fn record_alone(
    app: &App,
    entry: AuditEntry,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    app.db
        .write(move |tx: &mut Tx<'_>| audit::insert(tx, &entry, now))
        .await
}
