//! "Check with the provider": whether a stored access token still works, without ever showing it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{PersonError, entry_of_account, grant_of, provider_of};
use crate::app::App;
use crate::domain::stewardship::By;
use crate::domain::{AuditAction, ProviderId, SocialAuthId, UserId};
use crate::providers::TokenState;
use crate::storage::account_records::AccountRecord;
use crate::storage::{StorageError, account_records, audit, token_checks};

/// How often one account may be checked, in seconds.
pub const CHECK_EVERY_SECONDS: i64 = 60;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// At which provider.
    pub provider: ProviderId,
    /// What it says.
    pub state: TokenState,
}

/// Asks the provider whether the stored access token still works, as for a hand-in. Nothing of the token leaves but to the provider
/// that issued it.
///
/// # Errors
/// [`PersonError::AccountGone`]; [`PersonError::TooSoon`] within a minute of the last check of this account.
pub async fn check_token(
    app: &Arc<App>,
    by: By,
    user_id: UserId,
    id: SocialAuthId,
) -> Result<Checked, PersonError> {
    let began_at = app.clock.now();
    let record = app
        .db
        .write(move |tx| -> Result<AccountRecord, PersonError> {
            let record = account_records::find_for_update(tx, user_id, id)?
                .ok_or(PersonError::AccountGone)?;
            let not_since = began_at - TimeDelta::seconds(CHECK_EVERY_SECONDS);
            match token_checks::begin(tx, id, not_since, began_at)? {
                None => Ok(record),
                Some(before) => Err(too_soon(before, began_at)),
            }
        })
        .await?;
    let state = match provider_of(app, &record.social_auth.provider) {
        Some(provider) => {
            let grant = grant_of(&app.sealer, &record);
            provider.check_stored(&grant, began_at).await
        }
        None => TokenState::NotAskable,
    };
    let mut entry = entry_of_account(&by, AuditAction::TokenChecked, &record.social_auth);
    entry.reason = Some(state.as_str().into());
    let now = app.clock.now();
    app.db
        .write(move |tx| -> Result<(), StorageError> {
            token_checks::finish(tx, id, began_at, state.as_str())?;
            audit::insert(tx, &entry, now)
        })
        .await?;
    Ok(Checked {
        provider: record.social_auth.provider,
        state,
    })
}

fn too_soon(before: DateTime<Utc>, now: DateTime<Utc>) -> PersonError {
    let left = CHECK_EVERY_SECONDS - (now - before).num_seconds();
    PersonError::TooSoon {
        retry_after_seconds: u64::try_from(left).unwrap_or_default().max(1),
    }
}
