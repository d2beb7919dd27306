//! Gives an unlinked social account back to its user.

use std::sync::Arc;

use super::{PersonError, entry_of_account, given};
use crate::app::App;
use crate::domain::stewardship::{By, Reason, UnlinkedAccount, UnlinkedId};
use crate::domain::{AuditAction, ProviderId, User, UserId};
use crate::storage::social_auths::NewSocialAuth;
use crate::storage::{
    Tx, audit, social_auths, standing_orders, unlinked_accounts, user_records, users,
};

/// An unlinked account that can be given back, and whose it was.
#[derive(Debug, Clone)]
pub struct KeptAccount {
    /// The user.
    pub user: User,
    /// The account.
    pub account: UnlinkedAccount,
}

/// The unlinked account of this user with this id.
///
/// # Errors
/// [`PersonError::UserNotFound`]; [`PersonError::NotKept`] when its time has passed or it was given back.
pub async fn find_kept_account(
    app: &App,
    user_id: UserId,
    id: UnlinkedId,
) -> Result<KeptAccount, PersonError> {
    let now = app.clock.now();
    app.db
        .read(move |r| -> Result<KeptAccount, PersonError> {
            let user = users::find(r, user_id)?.ok_or(PersonError::UserNotFound)?;
            let account = unlinked_accounts::find(r, user_id, id)?
                .filter(|kept| now < kept.expires_at && kept.restored_at.is_none())
                .ok_or(PersonError::NotKept)?;
            Ok(KeptAccount { user, account })
        })
        .await
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Restored {
    /// At which provider the account is.
    pub provider: ProviderId,
    /// Whether the same had been done before, and nothing was done now.
    pub was_repeated: bool,
}

/// Associates an unlinked account with the same user again. Its tokens come back at the next sign-in; whatever was ordered about the
/// account in the meantime ends.
///
/// # Errors
/// [`PersonError::NotKept`] when its time has passed, [`PersonError::Taken`] when it is somebody's by now.
pub async fn undo_unlink(
    app: &Arc<App>,
    by: By,
    user_id: UserId,
    id: UnlinkedId,
    reason: Option<Reason>,
) -> Result<Restored, PersonError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| -> Result<Restored, PersonError> {
            let kept = unlinked_accounts::find_for_update(tx, user_id, id)?
                .filter(|kept| now < kept.expires_at)
                .ok_or(PersonError::NotKept)?;
            if kept.restored_at.is_some() {
                return Ok(Restored {
                    provider: kept.provider,
                    was_repeated: true,
                });
            }
            user_records::find_for_update(tx, user_id)?.ok_or(PersonError::UserNotFound)?;
            restore(tx, &by, &kept, reason.as_ref(), now)?;
            Ok(Restored {
                provider: kept.provider,
                was_repeated: false,
            })
        })
        .await
}

fn restore(
    tx: &mut Tx<'_>,
    by: &By,
    kept: &UnlinkedAccount,
    reason: Option<&Reason>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), PersonError> {
    let new = NewSocialAuth {
        provider: &kept.provider,
        uid: &kept.uid,
        client_id: kept.client_id.as_deref(),
        email: kept.email.as_deref(),
        email_verified: kept.email_verified,
        extra_data: &kept.kept_data,
    };
    // The unique index says whether somebody has it.
    let account = social_auths::insert(tx, kept.user_id, &new, now)?.ok_or(PersonError::Taken)?;
    unlinked_accounts::mark_restored(tx, kept.id, now)?;
    standing_orders::delete(tx, &kept.provider, &kept.uid)?;
    let mut entry = entry_of_account(by, AuditAction::UnlinkUndone, &account);
    entry.reason = given(reason);
    entry.detail = Some(serde_json::json!({ "was_social_auth_id": kept.social_auth_id.0 }));
    audit::insert(tx, &entry, now)?;
    Ok(())
}
