//! Associates a social account with a user before they ever signed in with it, such as when people move here from another service.

use std::sync::Arc;

use serde_json::json;

use super::{PersonError, entry_of_account};
use crate::app::App;
use crate::domain::stewardship::{By, Reason};
use crate::domain::{AuditAction, ProviderId, SocialAuth, Uid, UserId};
use crate::storage::social_auths::NewSocialAuth;
use crate::storage::{StorageError, Tx, audit, social_auths, standing_orders, users};

/// What is wanted.
#[derive(Debug, Clone)]
pub struct AssociationRequest {
    /// With whom the account is to be associated.
    pub user_id: UserId,
    /// At which provider the account is.
    pub provider: ProviderId,
    /// The provider's id of the person. Nobody has proven it: whoever signs in with it from now on is this user.
    pub uid: Uid,
    /// Why.
    pub reason: Reason,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct InAdvance {
    /// The account, with no data of the provider's until the first sign-in.
    pub account: SocialAuth,
    /// Whether it had been this user's before, and nothing was done now.
    pub was_repeated: bool,
}

/// Associates the account with the user. Whatever was ordered about it before ends.
///
/// # Errors
/// [`PersonError::UserNotFound`], [`PersonError::Inactive`]; [`PersonError::Taken`] when the account is another user's.
pub async fn associate_in_advance(
    app: &Arc<App>,
    by: By,
    request: AssociationRequest,
) -> Result<InAdvance, PersonError> {
    let now = app.clock.now();
    let done = app
        .db
        .write(move |tx| -> Result<InAdvance, PersonError> {
            let user = users::find(tx, request.user_id)?.ok_or(PersonError::UserNotFound)?;
            if !user.is_active {
                return Err(PersonError::Inactive);
            }
            // Not after locking the user: a sign-in of theirs that associates the same account takes its place in the index first.
            let new = NewSocialAuth {
                provider: &request.provider,
                uid: &request.uid,
                client_id: None,
                email: None,
                email_verified: false,
                extra_data: &json!({}),
            };
            let Some(account) = social_auths::insert(tx, user.id, &new, now)? else {
                return find_repeated(tx, &request);
            };
            let ended = standing_orders::delete(tx, &request.provider, &request.uid)?;
            let mut entry = entry_of_account(&by, AuditAction::AssociatedInAdvance, &account);
            entry.reason = Some(request.reason.as_str().to_owned().into());
            entry.detail = Some(json!({ "order_ended": ended }));
            audit::insert(tx, &entry, now)?;
            Ok(InAdvance {
                account,
                was_repeated: false,
            })
        })
        .await?;
    if !done.was_repeated {
        let (user_id, provider) = (done.account.user_id, &done.account.provider);
        tracing::info!(user.id = %user_id, provider = %provider, "Associated an account of {provider} with user {user_id} in advance");
    }
    Ok(done)
}

/// The unique index refused the row: somebody has the account.
fn find_repeated(tx: &mut Tx<'_>, request: &AssociationRequest) -> Result<InAdvance, PersonError> {
    match social_auths::find_with_owner(tx, &request.provider, &request.uid)? {
        Some((account, owner)) if owner.id == request.user_id => Ok(InAdvance {
            account,
            was_repeated: true,
        }),
        Some(_) => Err(PersonError::Taken),
        // It was unlinked since.
        None => Err(StorageError::Restart.into()),
    }
}
