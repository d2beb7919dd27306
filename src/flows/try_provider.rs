//! Trying a provider's settings, and a token that an operator pastes: nobody signs in, and no token is kept.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::{Actor, AuditAction, AuditEntry, Proof, RequestContext};
use crate::providers::trial::{TrialResult, Tried};
use crate::providers::{Provider, ProviderError};
use crate::storage::{StorageError, audit};

/// What a pasted token turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenVerdict {
    /// It was issued to us: a hand-in of it would be accepted.
    Ours {
        /// Which of our client ids, where that is known.
        client_id: Option<String>,
        /// The provider's id of its person.
        uid: String,
    },
    /// It was issued to another application.
    NotOurs,
    /// Nothing proves to whom it was issued.
    Unproven,
    /// It was good once.
    Expired,
    /// The provider, or a signature, does not know it.
    NotValid,
    /// The provider could not be asked.
    NotReached,
    /// A token of this kind is not taken here.
    NotTaken,
}

impl TokenVerdict {
    /// The name for the audit log.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ours { .. } => "ours",
            Self::NotOurs => "not_ours",
            Self::Unproven => "unproven",
            Self::Expired => "expired",
            Self::NotValid => "not_valid",
            Self::NotReached => "not_reached",
            Self::NotTaken => "not_taken",
        }
    }
}

/// Tries what can be proven without a person's token, and writes that into the audit log.
///
/// # Errors
/// [`StorageError`] when the audit entry cannot be written; then the results are lost as well.
pub async fn try_provider(
    app: &Arc<App>,
    provider: &Provider,
    actor: Actor,
    context: RequestContext,
) -> Result<Vec<(Tried, TrialResult)>, StorageError> {
    let redirect_uri = format!("{}/complete/{}/", app.access_tokens.issuer(), provider.id());
    let results = provider.try_settings(&redirect_uri, app.clock.now()).await;
    let detail: Vec<Value> = results
        .iter()
        .map(|(tried, result)| {
            let what = match tried {
                Tried::Host(host) => json!({ "host": host }),
                Tried::Keys => json!({ "keys": true }),
                Tried::Credentials(client_id) => json!({ "client_id": client_id }),
            };
            json!({ "tried": what, "result": result.as_str() })
        })
        .collect();
    record(
        app,
        provider,
        actor,
        context,
        None,
        json!({ "settings": detail }),
    )
    .await?;
    Ok(results)
}

/// Judges a token that an operator has pasted. It is neither stored nor logged, and its person is not signed in.
///
/// # Errors
/// [`StorageError`] when the audit entry cannot be written; then the verdict is lost as well.
pub async fn try_token(
    app: &Arc<App>,
    provider: &Provider,
    proof: Proof,
    actor: Actor,
    context: RequestContext,
) -> Result<TokenVerdict, StorageError> {
    let kind = proof.kind().as_str();
    let verdict = match provider
        .verify_uncounted(&proof, None, app.clock.now())
        .await
    {
        Ok(verified) => TokenVerdict::Ours {
            client_id: verified.client_id,
            uid: verified.identity.uid.to_string(),
        },
        Err(error) => match error {
            ProviderError::WrongAudience => TokenVerdict::NotOurs,
            ProviderError::UnboundToken => TokenVerdict::Unproven,
            ProviderError::ExpiredToken => TokenVerdict::Expired,
            ProviderError::InvalidToken(_)
            | ProviderError::NonceMismatch(_)
            | ProviderError::Rejected(_) => TokenVerdict::NotValid,
            ProviderError::Unavailable { .. } => TokenVerdict::NotReached,
            ProviderError::ProofNotTaken(_) | ProviderError::BadMember { .. } => {
                TokenVerdict::NotTaken
            }
        },
    };
    let detail = json!({ "kind": kind });
    record(
        app,
        provider,
        actor,
        context,
        Some(verdict.as_str()),
        detail,
    )
    .await?;
    Ok(verdict)
}

async fn record(
    app: &Arc<App>,
    provider: &Provider,
    actor: Actor,
    context: RequestContext,
    reason: Option<&'static str>,
    detail: Value,
) -> Result<(), StorageError> {
    let entry = AuditEntry {
        actor,
        action: AuditAction::ProviderTested,
        reason: reason.map(Into::into),
        detail: Some(detail),
        user_id: None,
        social_auth_id: None,
        provider: Some(provider.id().clone()),
        uid: None,
        context,
    };
    let now = app.clock.now();
    app.db.write(move |tx| audit::insert(tx, &entry, now)).await
}
