//! Issues a nonce that an id token can be bound to once.

use chrono::TimeDelta;

use crate::app::App;
use crate::domain::tokens::Nonce;
use crate::storage::{StorageError, nonces};

/// How long an issued nonce is remembered, in hours: longer than the oldest id token that is accepted, so that a replay is recognised.
const REMEMBERED_HOURS: i64 = 48;

/// Issues a nonce.
///
/// # Errors
/// When the database is unavailable.
pub async fn issue_nonce(app: &App) -> Result<Nonce, StorageError> {
    let now = app.clock.now();
    let nonce = Nonce::new(app.random(), now);
    let (hash, expires_at) = (nonce.hash, nonce.expires_at);
    app.db
        .write(move |tx| {
            nonces::delete_expired(tx, now - TimeDelta::hours(REMEMBERED_HOURS))?;
            nonces::insert(tx, &hash, expires_at)
        })
        .await?;
    Ok(nonce)
}
