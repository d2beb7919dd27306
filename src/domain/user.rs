//! Users and their social accounts.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{ProviderId, SocialAuthId, Uid, UserId};

/// A person with an account here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The row.
    pub id: UserId,
    /// Unique without regard to case.
    pub username: String,
    /// Address, if any is known. Not unique: addresses identify nobody.
    pub email: Option<String>,
    /// Whether a provider vouched for `email`.
    pub email_verified: bool,
    /// Given name, possibly empty.
    pub first_name: String,
    /// Family name, possibly empty.
    pub last_name: String,
    /// An inactive user can neither sign in nor use a session.
    pub is_active: bool,
    /// When the user signed up.
    pub date_joined: DateTime<Utc>,
}

/// A user about to be inserted. The user name is chosen inside the transaction.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Address, if any is known.
    pub email: Option<String>,
    /// Whether the provider vouched for it.
    pub email_verified: bool,
    /// Given name, possibly empty.
    pub first_name: String,
    /// Family name, possibly empty.
    pub last_name: String,
}

/// The person's account at a provider, linked to one user.
#[derive(Debug, Clone, PartialEq)]
pub struct SocialAuth {
    /// The row.
    pub id: SocialAuthId,
    /// Whose account it is here.
    pub user_id: UserId,
    /// At which provider.
    pub provider: ProviderId,
    /// The provider's id of the person.
    pub uid: Uid,
    /// The stored JSON, secrets sealed.
    pub extra_data: Value,
    /// When it was associated.
    pub created_at: DateTime<Utc>,
    /// When `extra_data` was last refreshed.
    pub modified_at: DateTime<Utc>,
}

/// A social account as its user sees it: without `extra_data`, which never leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// The row.
    pub id: SocialAuthId,
    /// At which provider.
    pub provider: ProviderId,
    /// The provider's id of the person.
    pub uid: Uid,
    /// When it was associated.
    pub created_at: DateTime<Utc>,
    /// When `extra_data` was last refreshed.
    pub modified_at: DateTime<Utc>,
}

impl From<SocialAuth> for Association {
    fn from(social_auth: SocialAuth) -> Self {
        Self {
            id: social_auth.id,
            provider: social_auth.provider,
            uid: social_auth.uid,
            created_at: social_auth.created_at,
            modified_at: social_auth.modified_at,
        }
    }
}
