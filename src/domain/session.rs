//! Sessions: one row per sign-in, one rotating refresh token each.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use super::{SessionId, SocialAuthId, UserId};

/// A session about to be inserted.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// See [`super::tokens::RefreshSecret::hash`].
    pub refresh_hash: [u8; 32],
    /// When the person proved who they are.
    pub authenticated_at: DateTime<Utc>,
    /// When the session ends whatever happens.
    pub expires_at: DateTime<Utc>,
    /// The client's address at that time.
    pub address: Option<IpAddr>,
    /// What the client calls itself, see [`super::RequestContext::user_agent`].
    pub user_agent: Option<String>,
}

/// A stored session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The row.
    pub id: SessionId,
    /// Whose session it is.
    pub user_id: UserId,
    /// The social account that opened it. It may have been unlinked since.
    pub social_auth_id: Option<SocialAuthId>,
    /// The API client that opened it, if it named itself.
    pub api_client_id: Option<i64>,
    /// The hash of the current refresh token's secret.
    pub refresh_hash: Vec<u8>,
    /// The hash of the secret before it, for the grace after a rotation.
    pub previous_hash: Option<Vec<u8>>,
    /// When the refresh token was last rotated.
    pub rotated_at: Option<DateTime<Utc>>,
    /// When the person proved who they are.
    pub authenticated_at: DateTime<Utc>,
    /// When the session ends whatever happens.
    pub expires_at: DateTime<Utc>,
    /// When it was ended early.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Session {
    /// Whether the session may still be used at `now`.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}
