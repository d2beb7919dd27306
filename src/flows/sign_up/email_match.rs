//! What happens when a new identity brings a verified address that a user already has verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::apply::{Verdict, insert_social_auth, open_session, record};
use super::{Applied, Attempt, Outcome, SignUpError};
use crate::domain::policy::EmailMatch;
use crate::domain::{AuditAction, Secret, SocialIdentity, User};
use crate::storage::link_tickets::NewLinkTicket;
use crate::storage::{StorageError, Tx, link_tickets, sessions, social_auths, users};

/// How long a ticket can be redeemed, in minutes.
const TICKET_MINUTES: i64 = 10;

/// The only active user who has the identity's verified address verified too.
///
/// An unverified address on either side matches nobody, and neither does one that several users have: linking must never guess.
pub(super) fn find_user(
    tx: &mut Tx<'_>,
    identity: &SocialIdentity,
) -> Result<Option<User>, StorageError> {
    let Some(email) = identity
        .email
        .as_deref()
        .filter(|_| identity.email_verified)
    else {
        return Ok(None);
    };
    let mut users = users::list_by_verified_email(tx, &email.to_lowercase())?;
    let only = if users.len() == 1 { users.pop() } else { None };
    Ok(only.filter(|user| user.is_active))
}

/// Asks, by a ticket, or links.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    setting: EmailMatch,
    user: User,
) -> Verdict<Applied> {
    match setting {
        EmailMatch::Link => link(tx, attempt, user).map(Ok),
        EmailMatch::Ask | EmailMatch::Separate => {
            let link_ticket = issue_ticket(tx, attempt, &user)?;
            Ok(Err(SignUpError::EmailInUse { link_ticket }))
        }
    }
}

/// Associates with the existing user. What somebody may have left there before the address was verified goes first: social
/// accounts that do not carry the address verified, and every session.
fn link(tx: &mut Tx<'_>, attempt: &Attempt, user: User) -> Result<Applied, SignUpError> {
    let email = attempt
        .verified
        .identity
        .email
        .as_deref()
        .unwrap_or_default();
    social_auths::delete_unverified_of_user(tx, user.id, email)?;
    sessions::revoke_all_of_user(tx, user.id, "linked_by_email", attempt.now)?;
    record(
        tx,
        attempt,
        AuditAction::LeftoversCleared,
        None,
        Some(user.id),
        None,
    )?;
    let social_auth = insert_social_auth(tx, attempt, user.id)?;
    users::record_sign_in(tx, user.id, attempt.now)?;
    open_session(tx, attempt, Outcome::SignedIn, user, social_auth)
}

fn issue_ticket(tx: &mut Tx<'_>, attempt: &Attempt, user: &User) -> Result<Secret, SignUpError> {
    let identity = &attempt.verified.identity;
    let ticket = URL_SAFE_NO_PAD.encode(attempt.ticket);
    let hash: [u8; 32] = Sha256::digest(ticket.as_bytes()).into();
    let payload = json!({
        "extra_data": attempt.extra_data,
        "client_id": attempt.verified.client_id,
        "email": identity.email,
        "email_verified": identity.email_verified,
    });
    let new = NewLinkTicket {
        hash: &hash,
        user_id: user.id,
        provider: attempt.provider.id(),
        uid: &identity.uid,
        payload: &payload,
        expires_at: attempt.now + TimeDelta::minutes(TICKET_MINUTES),
    };
    // Tickets are rare: whoever needs one clears those that nobody can redeem any more.
    link_tickets::delete_expired(tx, attempt.now)?;
    link_tickets::insert(tx, &new, attempt.now)?;
    record(
        tx,
        attempt,
        AuditAction::LinkTicketIssued,
        None,
        Some(user.id),
        None,
    )?;
    Ok(Secret::new(ticket))
}
