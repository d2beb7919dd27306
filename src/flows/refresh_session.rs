//! Rotates a session's refresh token (RFC 6749 §6, RFC 9700 §4.14.2).

use chrono::TimeDelta;
use thiserror::Error;

use super::TokenSet;
use crate::app::App;
use crate::domain::tokens::{ACCESS_TOKEN_SECONDS, REFRESH_GRACE_SECONDS};
use crate::domain::{Actor, AuditAction, AuditEntry, RequestContext, Secret, Session, User};
use crate::storage::{StorageError, Tx, audit, sessions};

/// Why a refresh token yields nothing.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// Unknown, spent, or of a session that has ended.
    #[error("the refresh token is not valid")]
    Invalid,
    /// It had been spent before: the session was revoked, since two parties hold it.
    #[error("a spent refresh token came back")]
    Reused,
    /// Our signing key is unusable.
    #[error("the access token could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

crate::storage::storage_failure!(RefreshError);

/// What became of a presented refresh token, inside the transaction.
enum Rotation {
    Rotated(Box<Session>),
    Reused,
    Invalid,
}

/// Exchanges `refresh_token` for a new access token and its successor.
///
/// The token before the current one yields the same successor for 30 seconds, for clients that lost the answer. Any other spent
/// token revokes the session.
///
/// # Errors
/// [`RefreshError::Invalid`] and [`RefreshError::Reused`] look the same to the client.
pub async fn refresh_session(
    app: &App,
    refresh_token: &Secret,
    context: RequestContext,
) -> Result<TokenSet, RefreshError> {
    let now = app.clock.now();
    let presented = app
        .refresh_chain
        .parse(refresh_token.expose())
        .ok_or(RefreshError::Invalid)?;
    let successor = app.refresh_chain.successor(&presented);
    let new_refresh_token = app.refresh_chain.spell(presented.session_id(), &successor);

    let rotation = app
        .db
        .write(move |tx| -> Result<Rotation, RefreshError> {
            let Some((session, user)) = sessions::find_for_update(tx, presented.session_id())?
            else {
                return Ok(Rotation::Invalid);
            };
            if !session.is_live(now) || !user.is_active {
                return Ok(Rotation::Invalid);
            }
            if presented.secret.matches(&session.refresh_hash) {
                sessions::rotate(
                    tx,
                    session.id,
                    &presented.secret.hash(),
                    &successor.hash(),
                    now,
                )?;
                record(
                    tx,
                    AuditAction::SessionRefreshed,
                    &session,
                    &user,
                    &context,
                    now,
                )?;
                return Ok(Rotation::Rotated(Box::new(session)));
            }
            let in_grace = session.rotated_at.is_some_and(|rotated_at| {
                now - rotated_at <= TimeDelta::seconds(REFRESH_GRACE_SECONDS)
            });
            let is_previous = session
                .previous_hash
                .as_deref()
                .is_some_and(|hash| presented.secret.matches(hash));
            if in_grace && is_previous {
                return Ok(Rotation::Rotated(Box::new(session)));
            }
            sessions::revoke(tx, session.id, "refresh_token_reused", now)?;
            record(
                tx,
                AuditAction::RefreshTokenReused,
                &session,
                &user,
                &context,
                now,
            )?;
            Ok(Rotation::Reused)
        })
        .await?;

    let session = match rotation {
        Rotation::Rotated(session) => session,
        Rotation::Reused => return Err(RefreshError::Reused),
        Rotation::Invalid => return Err(RefreshError::Invalid),
    };
    let access_token = app
        .access_tokens
        .mint(
            session.user_id,
            session.id,
            session.authenticated_at,
            now,
            app.random(),
        )
        .map_err(RefreshError::Signing)?;
    Ok(TokenSet {
        access_token,
        expires_in_seconds: ACCESS_TOKEN_SECONDS,
        refresh_token: new_refresh_token,
    })
}

fn record(
    tx: &mut Tx<'_>,
    action: AuditAction,
    session: &Session,
    user: &User,
    context: &RequestContext,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), StorageError> {
    let entry = AuditEntry {
        actor: Actor::User(user.id),
        action,
        reason: None,
        detail: None,
        user_id: Some(user.id),
        social_auth_id: session.social_auth_id,
        provider: None,
        uid: None,
        context: context.clone(),
    };
    audit::insert(tx, &entry, now)
}
