//! The audit log's entries: who did what to whom, and what came of it.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use serde_json::Value;

use super::{ProviderId, SocialAuthId, StaffId, Uid, UserId};

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Nobody known: a caller without a bearer.
    Anonymous,
    /// A signed-in user.
    User(UserId),
    /// A member of staff.
    Staff(StaffId),
    /// A registered application, by its row.
    ApiClient(i64),
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
            Self::Staff(_) => "staff",
            Self::ApiClient(_) => "api_client",
            Self::System => "system",
        }
    }

    /// The row of whoever acted, in the table that [`Actor::kind`] tells.
    #[must_use]
    pub const fn id(self) -> Option<i64> {
        match self {
            Self::User(UserId(id)) | Self::Staff(StaffId(id)) | Self::ApiClient(id) => Some(id),
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
    /// A user's page was looked at.
    UserViewed,
    /// A social account was unlinked; `reason` is the actor's.
    Unlinked,
    /// An unlinked social account was given back to its user.
    UnlinkUndone,
    /// The provider was asked to revoke an unlinked account's token; `reason` says what came of it.
    TokenRevoked,
    /// The next sign-in with a social account will associate it with this user.
    AssociationTicketIssued,
    /// A sign-in used such a ticket.
    AssociationTicketRedeemed,
    /// A social account was associated with a user before they ever signed in with it; `reason` is the actor's.
    AssociatedInAdvance,
    /// A user was deactivated; `reason` is the actor's.
    Deactivated,
    /// A user was reactivated; `reason` is the actor's.
    Reactivated,
    /// One session of a user was ended.
    SessionRevoked,
    /// All sessions of a user were ended.
    SessionsRevoked,
    /// A provider was asked whether a stored access token still works; `reason` is the answer.
    TokenChecked,
    /// A list was exported; `detail` has the query and the number of rows.
    ListExported,
    /// A provider's settings were tested.
    ProviderTested,
    /// A test was sent to a webhook; `reason` is its name.
    WebhookTested,
    /// A delivery to a webhook that was given up is tried again; `detail` says which.
    WebhookResent,
    /// A member of staff signed in.
    StaffSignedIn,
    /// A sign-in of staff was refused; `reason` is the code.
    StaffSignInRefused,
    /// A member of staff signed out.
    StaffSignedOut,
    /// A member of staff proved again who they are, for something dangerous.
    StaffSteppedUp,
    /// A staff account was created.
    StaffInvited,
    /// A staff account was changed; `detail` has before and after.
    StaffChanged,
    /// A staff account was deactivated, and its sessions ended.
    StaffDeactivated,
    /// A member of staff set a password.
    PasswordSet,
    /// A member of staff set up a second factor.
    SecondFactorSet,
    /// A second factor was removed.
    SecondFactorRemoved,
    /// A recovery code took the place of a second factor.
    RecoveryCodeUsed,
    /// An API client was created; `detail` has its row, title and scopes.
    ApiClientCreated,
    /// An API client was deactivated: its tokens are refused from then on.
    ApiClientDeactivated,
    /// An API client got an access token; `detail` has the scopes.
    ClientTokenIssued,
    /// Somebody who named a registered API client got no access token; `reason` is why.
    ClientTokenRefused,
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
            Self::UserViewed => "user_viewed",
            Self::Unlinked => "unlinked",
            Self::UnlinkUndone => "unlink_undone",
            Self::TokenRevoked => "token_revoked",
            Self::AssociationTicketIssued => "association_ticket_issued",
            Self::AssociationTicketRedeemed => "association_ticket_redeemed",
            Self::AssociatedInAdvance => "associated_in_advance",
            Self::Deactivated => "deactivated",
            Self::Reactivated => "reactivated",
            Self::SessionRevoked => "session_revoked",
            Self::SessionsRevoked => "sessions_revoked",
            Self::TokenChecked => "token_checked",
            Self::ListExported => "list_exported",
            Self::ProviderTested => "provider_tested",
            Self::WebhookTested => "webhook_tested",
            Self::WebhookResent => "webhook_resent",
            Self::StaffSignedIn => "staff_signed_in",
            Self::StaffSignInRefused => "staff_sign_in_refused",
            Self::StaffSignedOut => "staff_signed_out",
            Self::StaffSteppedUp => "staff_stepped_up",
            Self::StaffInvited => "staff_invited",
            Self::StaffChanged => "staff_changed",
            Self::StaffDeactivated => "staff_deactivated",
            Self::PasswordSet => "password_set",
            Self::SecondFactorSet => "second_factor_set",
            Self::SecondFactorRemoved => "second_factor_removed",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::ApiClientCreated => "api_client_created",
            Self::ApiClientDeactivated => "api_client_deactivated",
            Self::ClientTokenIssued => "client_token_issued",
            Self::ClientTokenRefused => "client_token_refused",
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
    /// What the client calls itself, as [`plain_user_agent`] left it. It is a claim and proves nothing.
    pub user_agent: Option<String>,
}

/// Longest user agent that is kept, in bytes.
pub const USER_AGENT_MAX_BYTES: usize = 200;

/// The `User-Agent` header as it is stored and shown: without control characters, at most [`USER_AGENT_MAX_BYTES`] long. `None` if
/// nothing is left.
#[must_use]
pub fn plain_user_agent(header: &[u8]) -> Option<String> {
    let mut plain = String::new();
    for chunk in header.utf8_chunks() {
        let visible = chunk.valid().chars().filter(|c| !c.is_control());
        for character in visible {
            if plain.len() + character.len_utf8() > USER_AGENT_MAX_BYTES {
                return Some(plain);
            }
            plain.push(character);
        }
    }
    (!plain.is_empty()).then_some(plain)
}

/// What limits count by: an IPv4 address, or the /64 network of an IPv6 address, which one household has to itself.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let network = v6.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    }
}

/// One entry. Never holds a token, an address of mail or a provider's text.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Who acted.
    pub actor: Actor,
    /// What was done.
    pub action: AuditAction,
    /// Why: the stable code of a refusal, or what an admin gave as the reason.
    pub reason: Option<Cow<'static, str>>,
    /// What else is worth keeping of an action of staff, such as values before and after: a JSON object.
    pub detail: Option<Value>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_cut_between_characters_and_has_no_control_characters() {
        let euros = "\u{20ac}".repeat(70);

        assert_eq!(
            plain_user_agent(b"Ada/1.0 (\x1b[31mios\r\n\xff)").as_deref(),
            Some("Ada/1.0 ([31mios)")
        );
        assert_eq!(
            plain_user_agent(euros.as_bytes()),
            Some("\u{20ac}".repeat(66))
        );
        assert_eq!(plain_user_agent(&[b'a'; 201]), Some("a".repeat(200)));
        assert_eq!(plain_user_agent(b"\0\x7f"), None);
        assert_eq!(plain_user_agent(b""), None);
    }

    #[test]
    fn one_ipv6_network_is_one_key() {
        let key = |text: &str| network_of(text.parse().unwrap());

        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
