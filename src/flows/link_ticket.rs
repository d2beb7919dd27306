//! Redeems a link ticket: the existing user associates the social account that brought their address.

use base64::Engine as _;
use sha2::{Digest, Sha256};
use std::sync::Arc;

use super::{Bearer, Outcome, SignUpError, SignedUp};
use crate::app::App;
use crate::domain::{
    Actor, AuditAction, AuditEntry, ProviderId, RequestContext, Secret, SocialAuth, User,
};
use crate::storage::social_auths::NewSocialAuth;
use crate::storage::{StorageError, Tx, audit, link_tickets, sessions, social_auths};

/// Associates the ticket's social account with the caller, who must be the user the ticket was issued for.
///
/// # Errors
/// [`SignUpError::TicketInvalid`] for an unknown, spent, expired or foreign ticket and one of another provider than `provider`;
/// [`SignUpError::Refused`] when somebody else associated the account in the meantime.
pub async fn redeem_link_ticket(
    app: &Arc<App>,
    bearer: Bearer,
    provider: ProviderId,
    link_ticket: &Secret,
    context: RequestContext,
) -> Result<SignedUp, SignUpError> {
    let now = app.clock.now();
    let hash: [u8; 32] = Sha256::digest(link_ticket.expose().as_bytes()).into();
    // A malformed ticket is an unknown one; the decoding only bounds what is hashed and looked up.
    if base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(link_ticket.expose())
        .is_err()
    {
        return Err(SignUpError::TicketInvalid);
    }
    let (user, social_auth) = app
        .db
        .write(move |tx| redeem(tx, &bearer, &provider, &hash, &context, now))
        .await??;
    app.metrics.count_hand_in(
        social_auth.provider.as_str(),
        Outcome::Associated.as_str(),
        "",
    );
    Ok(SignedUp {
        outcome: Outcome::Associated,
        user,
        social_auth,
        tokens: None,
    })
}

fn redeem(
    tx: &mut Tx<'_>,
    bearer: &Bearer,
    provider: &ProviderId,
    hash: &[u8; 32],
    context: &RequestContext,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Result<(User, SocialAuth), SignUpError>, SignUpError> {
    let live = sessions::find_with_user(tx, bearer.session_id)?
        .filter(|(session, user)| user.is_active && session.is_live(now));
    let Some((_, user)) = live else {
        return Ok(Err(SignUpError::BearerGone));
    };
    let Some(ticket) = link_tickets::redeem(tx, hash, user.id, now)? else {
        return Ok(Err(SignUpError::TicketInvalid));
    };
    if &ticket.provider != provider {
        return Ok(Err(SignUpError::TicketInvalid));
    }
    let text = |name: &str| ticket.payload.get(name).and_then(serde_json::Value::as_str);
    let extra_data = ticket
        .payload
        .get("extra_data")
        .ok_or(StorageError::Corrupt("a link ticket without extra_data"))?;
    let new = NewSocialAuth {
        provider,
        uid: &ticket.uid,
        client_id: text("client_id"),
        email: text("email"),
        email_verified: ticket.payload.get("email_verified")
            == Some(&serde_json::Value::Bool(true)),
        extra_data,
    };
    let Some(social_auth) = social_auths::insert(tx, user.id, &new, now)? else {
        // Somebody signed up with it since: the ticket stays spent, and the account is theirs.
        return Ok(Err(SignUpError::Refused(
            crate::domain::association::Refusal::AlreadyInUse,
        )));
    };
    let entry = AuditEntry {
        actor: Actor::User(user.id),
        action: AuditAction::Associated,
        reason: Some("link_ticket"),
        user_id: Some(user.id),
        social_auth_id: Some(social_auth.id),
        provider: Some(provider.clone()),
        uid: Some(ticket.uid.clone()),
        context: context.clone(),
    };
    audit::insert(tx, &entry, now)?;
    Ok(Ok((user, social_auth)))
}
