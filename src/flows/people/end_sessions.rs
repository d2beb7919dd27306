//! Ends a user's sessions.

use std::sync::Arc;

use serde_json::json;

use super::{PersonError, entry, given};
use crate::app::App;
use crate::domain::stewardship::{By, Reason};
use crate::domain::{AuditAction, SessionId, User, UserId};
use crate::storage::{audit, session_records, sessions, user_records, users};

/// A user and how many live sessions there are to end: for pages that ask first.
#[derive(Debug, Clone)]
pub struct SessionPlan {
    /// The user.
    pub user: User,
    /// Their live sessions.
    pub sessions: i64,
}

/// Finds out what ending a user's sessions, or deactivating the user, would do. Changes nothing.
///
/// # Errors
/// [`PersonError::UserNotFound`], or the database's failure.
pub async fn plan_session_end(app: &App, user_id: UserId) -> Result<SessionPlan, PersonError> {
    let now = app.clock.now();
    app.db
        .read(move |r| -> Result<SessionPlan, PersonError> {
            let user = users::find(r, user_id)?.ok_or(PersonError::UserNotFound)?;
            let sessions = session_records::count_live_of_user(r, user_id, None, now)?;
            Ok(SessionPlan { user, sessions })
        })
        .await
}

/// Ends one session of a user. False if it had ended before, and nothing was done now.
///
/// # Errors
/// [`PersonError::UserNotFound`], or the database's failure.
pub async fn revoke_session(
    app: &Arc<App>,
    by: By,
    user_id: UserId,
    id: SessionId,
    reason: Option<Reason>,
) -> Result<bool, PersonError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| -> Result<bool, PersonError> {
            users::find(tx, user_id)?.ok_or(PersonError::UserNotFound)?;
            if !session_records::revoke_of_user(tx, user_id, id, "revoked_by_staff", now)? {
                return Ok(false);
            }
            let mut entry = entry(&by, AuditAction::SessionRevoked, user_id);
            entry.reason = given(reason.as_ref());
            entry.detail = Some(json!({ "session_id": id.0 }));
            audit::insert(tx, &entry, now)?;
            Ok(true)
        })
        .await
}

/// Ends all sessions of a user, and says how many live ones that were.
///
/// # Errors
/// [`PersonError::UserNotFound`], or the database's failure.
pub async fn revoke_sessions(
    app: &Arc<App>,
    by: By,
    user_id: UserId,
    reason: Option<Reason>,
) -> Result<i64, PersonError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| -> Result<i64, PersonError> {
            // Of two requests at once the second finds nothing left to end.
            user_records::find_for_update(tx, user_id)?.ok_or(PersonError::UserNotFound)?;
            let live = session_records::count_live_of_user(tx, user_id, None, now)?;
            if live == 0 {
                return Ok(0);
            }
            sessions::revoke_all_of_user(tx, user_id, "revoked_by_staff", now)?;
            let mut entry = entry(&by, AuditAction::SessionsRevoked, user_id);
            entry.reason = given(reason.as_ref());
            entry.detail = Some(json!({ "sessions": live }));
            audit::insert(tx, &entry, now)?;
            Ok(live)
        })
        .await
}
