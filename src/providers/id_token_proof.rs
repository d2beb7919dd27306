//! Id tokens as proofs, with or without an access token beside them.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::domain::{ExtraData, ProofKind, Secret, SocialIdentity, TokenFacts};

use super::access_token::{Proven, Unbound};
use super::error::ProviderError;
use super::expression::{Sources, Value};
use super::extract::{TokenRecord, put_fields};
use super::id_token::{Binding, VerifiedIdToken};
use super::provider::{HandInContext, Provider, Verified, check_token};
use crate::domain::json::Json;

/// An id token that was verified in full, and who it is about.
pub(super) struct ProvenIdToken {
    /// The verified token.
    pub(super) token: VerifiedIdToken,
    /// Who it is.
    pub(super) identity: SocialIdentity,
    /// The members that the entry lists.
    pub(super) extra_data: ExtraData,
}

/// The nonce that the id token carries.
pub(super) fn nonce_claim(claims: &Json) -> Option<String> {
    claims
        .get("nonce")
        .and_then(Json::as_str)
        .map(str::to_owned)
}

/// When the id token says that the person last proved who they are.
pub(super) fn auth_time_claim(claims: &Json) -> Option<DateTime<Utc>> {
    let seconds = Value::Json(claims.get("auth_time")?).seconds()?;
    DateTime::from_timestamp(seconds, 0)
}

impl Provider {
    pub(super) async fn verify_id_token(
        &self,
        id_token: &Secret,
        nonce: Option<&str>,
        beside: Option<(&Secret, &TokenFacts)>,
        context: HandInContext<'_>,
    ) -> Result<Verified, ProviderError> {
        let access_token = match beside {
            Some((token, _)) => Some(check_token(token)?),
            None => None,
        };
        let proven = self
            .prove_id_token(id_token.expose(), nonce, access_token, None, context)
            .await?;
        let owner = match (access_token, beside) {
            (Some(token), Some((_, facts))) if !proven.token.access_token_bound => {
                Some(self.bind_beside(token, facts, &proven, context).await?)
            }
            _ => None,
        };
        let identity = match (access_token, &owner) {
            (Some(_), Some(owner)) if proven.identity.is_bare() => owner.identity.clone(),
            (Some(token), None) => self.complete(proven.identity, token, None, context).await?,
            _ => proven.identity,
        };
        let mut extra_data = proven.extra_data;
        let client_id = proven.token.client_id;
        let mut record = match beside {
            Some((_, facts)) => TokenRecord::of_caller(facts, context.now),
            None => TokenRecord::default(),
        };
        record.access_token = access_token;
        record.id_token = Some(id_token.expose());
        record.client_id = Some(&client_id);
        if let Some(owner) = &owner {
            record.expires_at = owner.expires_at.or(record.expires_at);
            record.scope = owner.scope.as_deref().map(Into::into).or(record.scope);
        }
        record.put(&mut extra_data, context.now);
        Ok(Verified {
            identity,
            extra_data,
            client_id: Some(client_id),
            nonce: nonce_claim(&proven.token.claims),
            authenticated_at: auth_time_claim(&proven.token.claims),
        })
    }

    /// Verifies an id token and reads the identity from its claims.
    pub(super) async fn prove_id_token(
        &self,
        id_token: &str,
        nonce: Option<&str>,
        access_token: Option<&str>,
        token_answer: Option<&Json>,
        context: HandInContext<'_>,
    ) -> Result<ProvenIdToken, ProviderError> {
        let plan = self
            .plan
            .id_token
            .as_ref()
            .ok_or(ProviderError::ProofNotTaken(ProofKind::IdToken))?;
        let client_ids: Vec<&str> = match context.client {
            Some(client) => vec![client.id.as_str()],
            None => self
                .clients
                .iter()
                .map(|client| client.id.as_str())
                .collect(),
        };
        let binding = Binding {
            client_ids: &client_ids,
            nonce,
            access_token,
        };
        let token = plan
            .rules
            .verify(id_token, binding, context.now, context.deadline)
            .await?;
        self.check_allowed_claims(&token.claims)?;
        let sources = Sources {
            claims: Some(&token.claims),
            token: token_answer,
            ..Sources::default()
        };
        let identity = plan.identity.read(&sources)?;
        let mut extra_data = ExtraData::default();
        put_fields(&plan.extra, &sources, &mut extra_data);
        Ok(ProvenIdToken {
            token,
            identity,
            extra_data,
        })
    }

    /// An access token beside an id token that does not vouch for it (no `at_hash`) must be of the same person, and ours wherever
    /// the provider lets us prove that.
    async fn bind_beside(
        &self,
        access_token: &str,
        facts: &TokenFacts,
        proven: &ProvenIdToken,
        context: HandInContext<'_>,
    ) -> Result<Proven, ProviderError> {
        if !self.plan.takes_access_token {
            return Err(ProviderError::UnboundToken);
        }
        // The id token proves who it is and that they came to us, so here the same person is enough.
        let owner = self
            .prove(access_token, None, Some(facts), Unbound::Accepted, context)
            .await?;
        if owner.identity.uid == proven.identity.uid {
            Ok(owner)
        } else {
            Err(ProviderError::InvalidToken(
                "the access token is not of the person whom the id token names",
            ))
        }
    }

    /// Where an access token comes with it, an issuer may leave names and address out of the id token and tell them for the access
    /// token alone (OpenID Connect Core §5.4). Asked only where the id token tells nothing; an outage or a refusal costs no more
    /// than the names.
    ///
    /// # Errors
    /// [`ProviderError::InvalidToken`] when the answer is about another person (§5.3.2).
    pub(super) async fn complete(
        &self,
        identity: SocialIdentity,
        access_token: &str,
        token_answer: Option<&Json>,
        context: HandInContext<'_>,
    ) -> Result<SocialIdentity, ProviderError> {
        if !identity.is_bare() || !self.plan.takes_access_token {
            return Ok(identity);
        }
        // As for every request that the hand-in can do without.
        let left = context.deadline.duration_since(Instant::now());
        let context = HandInContext {
            deadline: context.deadline - left / 2,
            ..context
        };
        let owner = self
            .ask_owner(access_token, None, token_answer, None, context)
            .await;
        match owner {
            Ok(owner) if owner.identity.uid == identity.uid => Ok(owner.identity),
            Ok(_) => Err(ProviderError::InvalidToken(
                "the access token is not of the person whom the id token names",
            )),
            Err(_) => Ok(identity),
        }
    }

    fn check_allowed_claims(&self, claims: &Json) -> Result<(), ProviderError> {
        let admitted = self.quirks.allowed_claims.iter().all(|(name, allowed)| {
            claims
                .get(name)
                .and_then(Json::to_text)
                .is_some_and(|text| allowed.contains(&text))
        });
        if admitted {
            Ok(())
        } else {
            Err(ProviderError::Rejected(
                "a claim is not among those allowed",
            ))
        }
    }
}
