//! Switches a user off and on.

use std::sync::Arc;

use serde_json::json;

use super::{PersonError, entry};
use crate::app::App;
use crate::domain::stewardship::{By, Reason};
use crate::domain::{AuditAction, UserId};
use crate::storage::{audit, session_records, sessions, user_records};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deactivated {
    /// How many live sessions ended.
    pub sessions_ended: i64,
    /// Whether the user had been inactive before, and nothing was done now.
    pub was_repeated: bool,
}

/// Makes a user inactive and ends their sessions, both at once. From then on a sign-in is refused in words that do not tell why.
///
/// # Errors
/// [`PersonError::UserNotFound`], or the database's failure.
pub async fn deactivate_user(
    app: &Arc<App>,
    by: By,
    user_id: UserId,
    reason: Reason,
) -> Result<Deactivated, PersonError> {
    let now = app.clock.now();
    let done = app
        .db
        .write(move |tx| -> Result<Deactivated, PersonError> {
            let user =
                user_records::find_for_update(tx, user_id)?.ok_or(PersonError::UserNotFound)?;
            if !user.is_active {
                return Ok(Deactivated {
                    sessions_ended: 0,
                    was_repeated: true,
                });
            }
            let sessions_ended = session_records::count_live_of_user(tx, user_id, None, now)?;
            user_records::deactivate(tx, user_id, by.actor, &reason, now)?;
            sessions::revoke_all_of_user(tx, user_id, "deactivated", now)?;
            let mut entry = entry(&by, AuditAction::Deactivated, user_id);
            entry.reason = Some(reason.as_str().to_owned().into());
            entry.detail = Some(json!({ "sessions": sessions_ended }));
            audit::insert(tx, &entry, now)?;
            Ok(Deactivated {
                sessions_ended,
                was_repeated: false,
            })
        })
        .await?;
    if !done.was_repeated {
        tracing::info!(user.id = %user_id, "Deactivated user {user_id}");
    }
    Ok(done)
}

/// Makes a user active again. False if they were. Sessions stay ended: a sign-in that was under way while the user was deactivated
/// may have opened one since, and that one ends as well.
///
/// # Errors
/// [`PersonError::UserNotFound`], or the database's failure.
pub async fn reactivate_user(
    app: &Arc<App>,
    by: By,
    user_id: UserId,
    reason: Reason,
) -> Result<bool, PersonError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| -> Result<bool, PersonError> {
            let user =
                user_records::find_for_update(tx, user_id)?.ok_or(PersonError::UserNotFound)?;
            if user.is_active {
                return Ok(false);
            }
            sessions::revoke_all_of_user(tx, user_id, "deactivated", now)?;
            user_records::reactivate(tx, user_id, now)?;
            let mut entry = entry(&by, AuditAction::Reactivated, user_id);
            entry.reason = Some(reason.as_str().to_owned().into());
            audit::insert(tx, &entry, now)?;
            Ok(true)
        })
        .await
}
