//! Redeems a link ticket: the existing user associates the social account that brought their address.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Bearer, Outcome, SignUpError, SignedUp};
use crate::app::App;
use crate::domain::association::Refusal;
use crate::domain::stewardship::StandingOrder;
use crate::domain::{
    Actor, AuditAction, AuditEntry, ProviderId, RequestContext, Secret, SocialAuth, User,
};
use crate::storage::social_auths::NewSocialAuth;
use crate::storage::{
    StorageError, Tx, audit, link_tickets, sessions, social_auths, standing_orders,
};

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
    let slug = provider.clone();
    let result = app
        .db
        .write(move |tx| redeem(tx, &bearer, &provider, &hash, &context, now))
        .await
        .and_then(|verdict| verdict);
    let (outcome, reason) = match &result {
        Ok(_) => (Outcome::Associated.as_str(), ""),
        Err(error) => ("refused", error.code()),
    };
    app.metrics.count_hand_in(slug.as_str(), outcome, reason);
    let (user, social_auth) = result?;
    Ok(SignedUp {
        outcome: Outcome::Associated,
        user,
        social_auth: social_auth.into(),
        tokens: None,
    })
}

type Verdict = Result<Result<(User, SocialAuth), SignUpError>, SignUpError>;

/// Associates or refuses, and writes the audit entry of either.
fn redeem(
    tx: &mut Tx<'_>,
    bearer: &Bearer,
    provider: &ProviderId,
    hash: &[u8; 32],
    context: &RequestContext,
    now: DateTime<Utc>,
) -> Verdict {
    let live = sessions::find_with_user(tx, bearer.session_id)?
        .filter(|(session, user)| user.is_active && session.is_live(now));
    let Some((_, user)) = live else {
        return Ok(Err(SignUpError::BearerGone));
    };
    let user_id = user.id;
    let verdict = associate(tx, user, provider, hash, now)?;
    let (action, reason, social_auth) = match &verdict {
        Ok((_, social_auth)) => (
            AuditAction::Associated,
            "link_ticket",
            Some(social_auth.clone()),
        ),
        Err(SignUpError::TicketInvalid) => (AuditAction::Refused, "link_ticket_invalid", None),
        Err(error) => (
            AuditAction::Refused,
            error.audit_reason().unwrap_or_else(|| error.code()),
            None,
        ),
    };
    let entry = AuditEntry {
        actor: Actor::User(user_id),
        action,
        reason: Some(reason.into()),
        detail: None,
        user_id: Some(user_id),
        social_auth_id: social_auth.as_ref().map(|account| account.id),
        provider: Some(provider.clone()),
        uid: social_auth.map(|account| account.uid),
        context: context.clone(),
    };
    audit::insert(tx, &entry, now)?;
    Ok(verdict)
}

fn associate(
    tx: &mut Tx<'_>,
    user: User,
    provider: &ProviderId,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Verdict {
    let Some(ticket) = link_tickets::redeem(tx, hash, user.id, now)? else {
        return Ok(Err(SignUpError::TicketInvalid));
    };
    if &ticket.provider != provider {
        return Ok(Err(SignUpError::TicketInvalid));
    }
    let text = |name: &str| ticket.payload.get(name).and_then(Value::as_str);
    let extra_data = ticket
        .payload
        .get("extra_data")
        .ok_or(StorageError::Corrupt("a link ticket without extra_data"))?;
    let new = NewSocialAuth {
        provider,
        uid: &ticket.uid,
        client_id: text("client_id"),
        email: text("email"),
        email_verified: ticket.payload.get("email_verified") == Some(&Value::Bool(true)),
        extra_data,
    };
    let order = standing_orders::find(tx, provider, &ticket.uid, now)?;
    if order == Some(StandingOrder::Refuse) {
        return Ok(Err(SignUpError::AccountRefused));
    }
    // Without a row somebody signed up with it since: the ticket stays spent, and the account is theirs.
    let inserted = social_auths::insert(tx, user.id, &new, now)?;
    Ok(inserted
        .map(|social_auth| (user, social_auth))
        .ok_or(SignUpError::Refused(Refusal::AlreadyInUse)))
}
