//! The audit log's entries: who did what to whom, and what came of it.

use std::net::IpAddr;

use super::{ProviderId, SocialAuthId, Uid, UserId};

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Nobody known: a caller without a bearer.
    Anonymous,
    /// A signed-in user.
    User(UserId),
    /// The service itself, such as a command or a clean-up.
    System,
}

impl Actor {
    /// The kind as stored.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::System => "system",
        }
    }

    /// The user behind the action, if one is known.
    #[must_use]
    pub const fn user_id(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::Anonymous | Self::System => None,
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAction {
    /// A user was created with a social account.
    SignedUp,
    /// A user was recognised.
    SignedIn,
    /// A social account was associated, or its data refreshed, for the caller.
    Associated,
    /// A hand-in was refused; the entry's `reason` is the code.
    Refused,
    /// A session's refresh token was rotated.
    SessionRefreshed,
    /// A spent refresh token came back: the session was revoked.
    RefreshTokenReused,
    /// A link ticket was issued because a verified address is in use.
    LinkTicketIssued,
    /// Sessions and unverified leftovers were cleared when an account was linked by verified address.
    LeftoversCleared,
}

impl AuditAction {
    /// The name as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedUp => "signed_up",
            Self::SignedIn => "signed_in",
            Self::Associated => "associated",
            Self::Refused => "refused",
            Self::SessionRefreshed => "session_refreshed",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::LinkTicketIssued => "link_ticket_issued",
            Self::LeftoversCleared => "leftovers_cleared",
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The request id that answers and logs carry.
    pub request_id: String,
    /// The client's address, after the trusted proxies.
    pub address: Option<IpAddr>,
}

/// One entry. Never holds a token, an address of mail or a provider's text.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Who acted.
    pub actor: Actor,
    /// What was done.
    pub action: AuditAction,
    /// The stable code, for refusals.
    pub reason: Option<&'static str>,
    /// The user it was done to.
    pub user_id: Option<UserId>,
    /// The social account it was done to.
    pub social_auth_id: Option<SocialAuthId>,
    /// The provider.
    pub provider: Option<ProviderId>,
    /// The provider's id of the person, where it was proven.
    pub uid: Option<Uid>,
    /// The request it happened in.
    pub context: RequestContext,
}
