//! The one call: sign up, sign in or associate.
//!
//! The provider is asked first, outside any transaction. Then one transaction finds, decides, applies, opens the session and
//! writes the audit entry. The unique index on (provider, uid) is the referee: whoever loses a race starts the transaction again
//! and finds the winner's row.

mod apply;
mod email_match;
mod standing_order;
mod together;

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use super::{Bearer, TokenSet};
use crate::app::App;
use crate::domain::association::{Caller, Refusal};
use crate::domain::policy::NotAdmitted;
use crate::domain::tokens::{
    ACCESS_TOKEN_SECONDS, BearerRefused, RefreshSecret, SESSION_DAYS, nonce_hashes,
};
use crate::domain::{
    Actor, Association, AuditAction, AuditEntry, HandIn, NewSession, RequestContext, Secret,
    SessionId, User,
};
use crate::providers::{Provider, ProviderError, Verified};
use crate::storage::sealing::SealingError;
use crate::storage::{StorageError, Tx, audit};

/// A hand-in and who sends it.
pub struct SignUp {
    /// The caller's session, unless anonymous.
    pub bearer: Option<Bearer>,
    /// The provider, switched on.
    pub provider: Arc<Provider>,
    /// The proof and what is wanted.
    pub hand_in: HandIn,
    /// Where the request came from.
    pub context: RequestContext,
}

/// What a hand-in led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A user was created.
    SignedUp,
    /// A user was recognised.
    SignedIn,
    /// The social account is associated with the caller.
    Associated,
}

impl Outcome {
    /// The name in answers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedUp => "signed_up",
            Self::SignedIn => "signed_in",
            Self::Associated => "associated",
        }
    }
}

/// The result of a successful hand-in.
#[derive(Debug)]
pub struct SignedUp {
    /// What happened.
    pub outcome: Outcome,
    /// The user.
    pub user: User,
    /// The social account.
    pub social_auth: Association,
    /// The new session's tokens; absent when a bearer made the call.
    pub tokens: Option<TokenSet>,
}

/// Why a hand-in is refused.
#[derive(Debug, Error)]
pub enum SignUpError {
    /// The proof.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The association rules.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The sign-up rules.
    #[error("not admitted: {0:?}")]
    NotAdmitted(NotAdmitted),
    /// Staff refuse the social account for a while.
    #[error("staff refuse the social account")]
    AccountRefused,
    /// A nonce of ours was used before, or has expired.
    #[error("the nonce was used before or has expired")]
    NonceSpent,
    /// The address is another user's; the ticket lets that user associate the account.
    #[error("the address is in use")]
    EmailInUse {
        /// To be handed in with that user's bearer.
        link_ticket: Secret,
    },
    /// The ticket is unknown, spent, expired or another user's.
    #[error("the link ticket is not valid")]
    TicketInvalid,
    /// The caller's session ended while the provider was asked.
    #[error("the bearer is no longer valid")]
    BearerGone,
    /// Our signing key is unusable.
    #[error("the access token could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
    /// Our sealing key is unusable.
    #[error("the provider's tokens could not be sealed")]
    Sealing(#[source] SealingError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

crate::storage::storage_failure!(SignUpError);

impl SignUpError {
    /// The stable code of answers, audit entries and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Provider(error) => match error {
                ProviderError::InvalidToken(_) => "invalid_token",
                ProviderError::ExpiredToken => "expired_token",
                ProviderError::WrongAudience => "wrong_audience",
                ProviderError::UnboundToken => "unbound_token",
                ProviderError::NonceMismatch(_) => "nonce_mismatch",
                ProviderError::Rejected(_) => "social_auth_failed",
                ProviderError::ProofNotTaken(_) | ProviderError::BadMember { .. } => {
                    "invalid_request"
                }
                ProviderError::Unavailable { .. } => "provider_unavailable",
            },
            // An anonymous caller must not learn that a user exists and is inactive.
            Self::Refused(Refusal::Inactive) | Self::NotAdmitted(_) | Self::AccountRefused => {
                "social_auth_failed"
            }
            Self::Refused(Refusal::AlreadyInUse) => "already_in_use",
            Self::Refused(Refusal::NotSignedUp) => "not_signed_up",
            Self::Refused(Refusal::AlreadySignedUp) => "already_signed_up",
            Self::NonceSpent => "nonce_mismatch",
            Self::EmailInUse { .. } => "email_in_use",
            Self::TicketInvalid => "invalid_token",
            Self::BearerGone => "invalid_bearer",
            Self::Signing(_) | Self::Sealing(_) | Self::Storage(_) => "unavailable",
        }
    }

    /// What the audit log says; more than callers may learn. `None` where no proof was judged.
    pub(super) const fn audit_reason(&self) -> Option<&'static str> {
        match self {
            Self::Refused(Refusal::Inactive) => Some("inactive_user"),
            Self::NotAdmitted(NotAdmitted::Closed) => Some("sign_ups_closed"),
            Self::NotAdmitted(NotAdmitted::EmailNotAllowed) => Some("email_not_allowed"),
            Self::AccountRefused => Some("account_refused"),
            Self::NonceSpent => Some("nonce_spent"),
            Self::Provider(
                ProviderError::Unavailable { .. }
                | ProviderError::ProofNotTaken(_)
                | ProviderError::BadMember { .. },
            )
            | Self::Signing(_)
            | Self::Sealing(_)
            | Self::Storage(_) => None,
            other => Some(other.code()),
        }
    }
}

/// Everything the transaction needs; it may run several times.
struct Attempt {
    caller: Caller,
    session_id: Option<SessionId>,
    verified: Verified,
    nonce_hashes: Vec<[u8; 32]>,
    hand_in: HandIn,
    provider: Arc<Provider>,
    /// Already sealed.
    extra_data: serde_json::Value,
    session: NewSession,
    username_seed: u128,
    ticket: [u8; 32],
    context: RequestContext,
    now: DateTime<Utc>,
}

/// What the transaction did.
struct Applied {
    outcome: Outcome,
    user: User,
    association: Association,
    session_id: Option<SessionId>,
}

/// Signs up, signs in or associates.
///
/// # Errors
/// Every refusal of the contract; [`SignUpError::code`] is the code that callers see.
pub async fn sign_up(app: &Arc<App>, request: SignUp) -> Result<SignedUp, SignUpError> {
    let provider = Arc::clone(&request.provider);
    let result = hand_in(app, request).await;
    match &result {
        Ok(signed_up) => {
            app.metrics
                .count_hand_in(provider.id().as_str(), signed_up.outcome.as_str(), "");
        }
        Err(error) => app
            .metrics
            .count_hand_in(provider.id().as_str(), "refused", error.code()),
    }
    result
}

async fn hand_in(app: &Arc<App>, request: SignUp) -> Result<SignedUp, SignUpError> {
    let SignUp {
        bearer,
        provider,
        hand_in,
        context,
    } = request;
    let caller = bearer
        .as_ref()
        .map_or(Caller::Anonymous, |bearer| Caller::User(bearer.user.id));
    let asked_at = app.clock.now();
    let started = Instant::now();
    let verified = provider
        .verify(&hand_in.proof, hand_in.client_id.as_deref(), asked_at)
        .await;
    app.metrics
        .time_provider(provider.id().as_str(), started.elapsed());
    let mut verified = match verified {
        Ok(verified) => verified,
        Err(error) => {
            let error = SignUpError::from(error);
            record_refusal(app, &error, caller, &hand_in, context).await;
            return Err(error);
        }
    };
    verified.identity.fill_names(&hand_in.profile);

    let now = app.clock.now();
    let refresh_secret = RefreshSecret::new(app.random());
    let attempt = Attempt {
        caller,
        session_id: bearer.map(|bearer| bearer.session_id),
        nonce_hashes: verified
            .nonce
            .as_deref()
            .map(nonce_hashes)
            .unwrap_or_default(),
        extra_data: app
            .sealer
            .seal_extra_data(&verified.extra_data, provider.id(), &verified.identity.uid)
            .map_err(SignUpError::Sealing)?,
        verified,
        hand_in,
        provider,
        session: NewSession {
            refresh_hash: refresh_secret.hash(),
            authenticated_at: now,
            expires_at: now + TimeDelta::days(SESSION_DAYS),
            address: context.address,
            user_agent: context.user_agent.clone(),
        },
        username_seed: u128::from_le_bytes(app.random()),
        ticket: app.random(),
        context,
        now,
    };
    let attempt = Arc::new(attempt);
    let applied = if let Some(applied) = together::apply(app, &attempt).await? {
        applied
    } else {
        let inside = Arc::clone(app);
        let work = move |tx: &mut Tx<'_>| apply::apply(tx, &attempt, &inside.policy);
        app.db.write(work).await??
    };
    finish(app, applied, &refresh_secret, now)
}

/// Mints the session's tokens, if a session was opened.
fn finish(
    app: &App,
    applied: Applied,
    refresh_secret: &RefreshSecret,
    now: DateTime<Utc>,
) -> Result<SignedUp, SignUpError> {
    let Applied {
        outcome,
        user,
        association,
        session_id,
    } = applied;
    let tokens = session_id
        .map(|session_id| {
            let access_token =
                app.access_tokens
                    .mint(user.id, session_id, now, now, app.random())?;
            Ok(TokenSet {
                access_token,
                expires_in_seconds: ACCESS_TOKEN_SECONDS,
                refresh_token: app.refresh_chain.spell(session_id, refresh_secret),
            })
        })
        .transpose()
        .map_err(SignUpError::Signing)?;
    Ok(SignedUp {
        outcome,
        user,
        social_auth: association,
        tokens,
    })
}

/// Writes the audit entry of a proof that was judged and refused. A database that is down must not turn a refusal into anything
/// else, so a failure here is only logged.
async fn record_refusal(
    app: &App,
    error: &SignUpError,
    caller: Caller,
    hand_in: &HandIn,
    context: RequestContext,
) {
    let Some(reason) = error.audit_reason() else {
        return;
    };
    let entry = AuditEntry {
        actor: actor(caller),
        action: AuditAction::Refused,
        reason: Some(reason.into()),
        detail: None,
        user_id: None,
        social_auth_id: None,
        provider: Some(hand_in.provider.clone()),
        uid: None,
        context,
    };
    let now = app.clock.now();
    let written = app.db.write(move |tx| audit::insert(tx, &entry, now)).await;
    if let Err(error) = written {
        tracing::error!(error = %error, "Could not write the audit entry of a refused hand-in");
    }
}

const fn actor(caller: Caller) -> Actor {
    match caller {
        Caller::Anonymous => Actor::Anonymous,
        Caller::User(user_id) => Actor::User(user_id),
    }
}

impl From<BearerRefused> for SignUpError {
    fn from(_: BearerRefused) -> Self {
        Self::BearerGone
    }
}
