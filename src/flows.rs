//! What the product does: one public function per verb.

pub mod clients;
pub mod export;
pub mod issue_nonce;
pub mod link_ticket;
pub mod overview;
pub mod people;
pub mod provider_health;
pub mod recognise_bearer;
pub mod refresh_session;
pub mod service_health;
pub mod sign_up;
pub mod staff;
pub mod try_provider;
pub mod upkeep;
pub mod webhooks;

pub use issue_nonce::issue_nonce;
pub use link_ticket::redeem_link_ticket;
pub use recognise_bearer::{Bearer, BearerError, recognise_bearer};
pub use refresh_session::{RefreshError, refresh_session};
pub use sign_up::{Outcome, SignUp, SignUpError, SignedUp, sign_up};

use crate::domain::Secret;

/// What a session's holder gets (RFC 6749 §5.1).
#[derive(Debug)]
pub struct TokenSet {
    /// The signed access token.
    pub access_token: Secret,
    /// Its lifetime, in seconds.
    pub expires_in_seconds: i64,
    /// The refresh token.
    pub refresh_token: Secret,
}
