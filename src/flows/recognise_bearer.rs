//! Who a bearer belongs to, if anyone.

use chrono::DateTime;
use thiserror::Error;

use crate::app::App;
use crate::domain::tokens::BearerRefused;
use crate::domain::{SessionId, User};
use crate::storage::{StorageError, sessions};

/// The user and the session behind an access token.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The user, active.
    pub user: User,
    /// The session, live.
    pub session_id: SessionId,
    /// When the person last proved who they are.
    pub authenticated_at: DateTime<chrono::Utc>,
}

/// Why a bearer is not recognised.
#[derive(Debug, Error)]
pub enum BearerError {
    /// The caller's fault.
    #[error(transparent)]
    Refused(#[from] BearerRefused),
    /// Ours.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

crate::storage::storage_failure!(BearerError);

/// Recognises an access token: signature and expiry offline, then the session and the user as they are now.
///
/// # Errors
/// [`BearerError::Refused`] for anything but a live session of an active user.
pub async fn recognise_bearer(app: &App, access_token: &str) -> Result<Bearer, BearerError> {
    let now = app.clock.now();
    let bearer = app.access_tokens.verify(access_token, now)?;
    let (user_id, session_id) = (bearer.user_id, bearer.session_id);
    let found = app
        .db
        .read(move |r| sessions::find_with_user(r, session_id).map_err(BearerError::from))
        .await?;
    match found {
        Some((session, user)) if user.id == user_id && user.is_active && session.is_live(now) => {
            Ok(Bearer {
                user,
                session_id,
                authenticated_at: session.authenticated_at,
            })
        }
        _ => Err(BearerRefused::Revoked.into()),
    }
}
