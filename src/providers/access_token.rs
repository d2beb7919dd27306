//! Access tokens and token pairs: the profile and the proof of the audience, asked for at the same time.

use std::sync::Arc;

use crate::domain::{ExtraData, ProofKind, Secret, SocialIdentity, TokenFacts};

use super::audience::Bound;
use super::engine::{Run, telling_failure};
use super::error::{Outage, ProviderError};
use super::expression::Sources;
use super::extract::{TokenRecord, put_fields};
use super::jwks::{Discovery, KeySource};
use super::plan::{IdentityPlan, RunPlan};
use super::provider::{HandInContext, Provider, Verified, check_token};
use super::settings::Client;
use super::template::{Needs, Values};
use crate::domain::json::Json;

/// What happens with a token that nothing proves to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unbound {
    /// It is refused before any request.
    Refused,
    /// Its owner counts all the same.
    Accepted,
}

/// An access token whose owner is known.
#[derive(Debug)]
pub(super) struct Proven {
    /// Who it is.
    pub(super) identity: SocialIdentity,
    /// The members that the entry lists.
    pub(super) extra_data: ExtraData,
    /// Which of our client ids it was issued to, where that is known.
    pub(super) client_id: Option<String>,
    /// The expiry in seconds since 1970, if the provider tells.
    pub(super) expires_at: Option<i64>,
    /// The scopes, if the provider tells.
    pub(super) scope: Option<String>,
}

impl Provider {
    pub(super) async fn verify_access_token(
        &self,
        access_token: &Secret,
        facts: &TokenFacts,
        context: HandInContext<'_>,
    ) -> Result<Verified, ProviderError> {
        if !self.takes_access_tokens() {
            return Err(ProviderError::ProofNotTaken(ProofKind::AccessToken));
        }
        let token = check_token(access_token)?;
        let proven = self
            .prove(token, None, Some(facts), self.unbound(), context)
            .await?;
        let record = TokenRecord::of_caller(facts, context.now);
        Ok(proven.into_verified(token, record, context))
    }

    pub(super) async fn verify_token_pair(
        &self,
        access_token: &Secret,
        access_token_secret: &Secret,
        context: HandInContext<'_>,
    ) -> Result<Verified, ProviderError> {
        if !self.plan.takes_token_pair || !self.quirks.allowed_claims.is_empty() {
            return Err(ProviderError::ProofNotTaken(ProofKind::TokenPair));
        }
        let token = check_token(access_token)?;
        let secret = check_token(access_token_secret)?;
        let proven = self
            .prove(token, Some(secret), None, self.unbound(), context)
            .await?;
        let record = TokenRecord {
            access_token_secret: Some(secret),
            ..TokenRecord::default()
        };
        Ok(proven.into_verified(token, record, context))
    }

    /// Whose token it is, and that it was issued to us; where the provider does not let us prove that, only with `leave`.
    pub(super) async fn prove(
        &self,
        access_token: &str,
        access_token_secret: Option<&str>,
        facts: Option<&TokenFacts>,
        leave: Unbound,
        context: HandInContext<'_>,
    ) -> Result<Proven, ProviderError> {
        let needs = &self.plan.full.needs;
        let discovery = if self.can_bind() {
            self.discovery_for(needs, context).await?
        } else {
            None
        };
        let input = self.input(facts, context);
        if !self.can_bind() || !self.discovered_enough(discovery.as_deref()) {
            return match leave {
                Unbound::Refused => Err(ProviderError::UnboundToken),
                Unbound::Accepted => {
                    let secret = access_token_secret;
                    self.ask_owner(access_token, secret, None, input.as_ref(), context)
                        .await
                }
            };
        }
        let acting = self.acting_for(needs, context)?;
        let values = Values {
            access_token_secret,
            ..values(access_token, acting, discovery.as_deref(), input.as_ref())
        };
        let Run { answers, failures } = self.run(&self.plan.full, values, context).await;
        let sources = Sources {
            answers: &answers,
            ..values.sources
        };
        // The audience before other failures: it is the one that tells an attack from a mistake.
        let bound = match self.judge_audience(&sources, acting, failures.is_empty(), context) {
            Some(Err(error)) => return Err(error),
            Some(Ok(bound)) => Some(bound),
            None => None,
        };
        if let Some(error) = telling_failure(failures, self.plan.audience.request) {
            return Err(error);
        }
        let bound = bound.ok_or(ProviderError::UnboundToken)?;
        let identity = self.identity_plan()?.read(&sources)?;
        self.plan.audience.is_about(&identity.uid, &sources)?;
        Ok(self.proven(identity, bound, &sources))
    }

    /// What the operator says about tokens that nothing proves to be ours.
    const fn unbound(&self) -> Unbound {
        if self.allows_unbound_tokens() {
            Unbound::Accepted
        } else {
            Unbound::Refused
        }
    }

    /// Whose token it is. Proves nothing about the audience: for codes, id tokens and the operator's leave.
    pub(super) async fn ask_owner(
        &self,
        access_token: &str,
        access_token_secret: Option<&str>,
        token_answer: Option<&Json>,
        input: Option<&Json>,
        context: HandInContext<'_>,
    ) -> Result<Proven, ProviderError> {
        let run_plan: &RunPlan = &self.plan.profile;
        let discovery = self.discovery_for(&run_plan.needs, context).await?;
        let acting = self.acting_for(&run_plan.needs, context)?;
        let mut values = values(access_token, acting, discovery.as_deref(), input);
        values.access_token_secret = access_token_secret;
        values.sources.token = token_answer;
        let Run { answers, failures } = self.run(run_plan, values, context).await;
        if let Some(error) = telling_failure(failures, None) {
            return Err(error);
        }
        let sources = Sources {
            answers: &answers,
            ..values.sources
        };
        let identity = self.identity_plan()?.read(&sources)?;
        let bound = Bound {
            client_id: context.client.map(|client| client.id.as_str()),
            ..Bound::default()
        };
        Ok(self.proven(identity, bound, &sources))
    }

    fn proven(&self, identity: SocialIdentity, bound: Bound<'_>, sources: &Sources<'_>) -> Proven {
        let mut extra_data = ExtraData::default();
        put_fields(&self.plan.extra, sources, &mut extra_data);
        Proven {
            identity,
            extra_data,
            client_id: bound.client_id.map(str::to_owned),
            expires_at: bound.expires_at,
            scope: bound.scope.map(std::borrow::Cow::into_owned),
        }
    }

    /// What the audience's answer says, if it is there.
    fn judge_audience<'a>(
        &'a self,
        sources: &Sources<'a>,
        acting: Option<&'a Client>,
        all_answered: bool,
        context: HandInContext<'a>,
    ) -> Option<Result<Bound<'a>, ProviderError>> {
        let audience = &self.plan.audience;
        match audience.request {
            Some(request) => {
                sources.answers.get(request)?.as_ref()?;
            }
            // Signed or keyed requests prove the audience by being answered at all.
            None if all_answered => {}
            None => return None,
        }
        let ours: Vec<&Client> = match context.client {
            Some(client) => vec![client],
            None => self.clients.iter().collect(),
        };
        Some(audience.judge(sources, &ours, context.now).map(|bound| {
            // Where the proof names our application and not the client id, there may be only one that it can be.
            let only = match ours.as_slice() {
                [only] => Some(*only),
                _ => None,
            };
            let proven_for = acting.or(only).map(|client| client.id.as_str());
            Bound {
                client_id: bound.client_id.or(proven_for),
                ..bound
            }
        }))
    }

    fn acting_for<'a>(
        &'a self,
        needs: &Needs,
        context: HandInContext<'a>,
    ) -> Result<Option<&'a Client>, ProviderError> {
        if !needs.client_id && !needs.client_secret {
            return Ok(None);
        }
        let client = self.acting_client(context.client, needs.client_secret)?;
        // Where the proof says "a token of the client that asks", asking as another than the named one would prove the wrong thing.
        let asks_for_itself =
            self.plan.audience.binds_access_tokens() && !self.plan.audience.names_application();
        match context.client {
            Some(named) if asks_for_itself && named.id != client.id => {
                Err(ProviderError::BadMember {
                    member: "client_id",
                    problem: "has no secret here, which this provider's proof needs",
                })
            }
            _ => Ok(Some(client)),
        }
    }

    pub(super) fn identity_plan(&self) -> Result<&IdentityPlan, ProviderError> {
        self.plan
            .identity
            .as_ref()
            .ok_or(ProviderError::ProofNotTaken(ProofKind::AccessToken))
    }

    /// The discovery document, where `needs` say so.
    pub(super) async fn discovery_for(
        &self,
        needs: &Needs,
        context: HandInContext<'_>,
    ) -> Result<Option<Arc<Discovery>>, ProviderError> {
        if !needs.discovery {
            return Ok(None);
        }
        let keys: Option<&KeySource> = match (&self.quirks.discovery, &self.plan.id_token) {
            (Some(keys), _) => Some(keys),
            (None, Some(id_token)) => Some(&id_token.rules.keys),
            (None, None) => None,
        };
        let Some(keys) = keys else {
            return Ok(None);
        };
        let discovery = keys.discovery(context.now, context.deadline).await?;
        // OpenID Connect Discovery §4.3: a document may only speak for the issuer that we asked.
        let id_token = self.plan.id_token.as_ref();
        if id_token.is_none_or(|id_token| id_token.rules.are_spoken_for_by(&discovery)) {
            Ok(Some(discovery))
        } else {
            Err(Outage::Malformed("the discovery document is of another issuer").into())
        }
    }

    /// Whether the provider offers the endpoint that proves the audience.
    fn discovered_enough(&self, discovery: Option<&Discovery>) -> bool {
        let Some(request) = self
            .plan
            .audience
            .request
            .and_then(|index| self.plan.requests.get(index))
        else {
            return true;
        };
        request.url.is_discovered(discovery)
    }

    /// What the caller handed in beside the token, if an expression wants it.
    fn input(&self, facts: Option<&TokenFacts>, context: HandInContext<'_>) -> Option<Json> {
        if !self.plan.uses_input {
            return None;
        }
        let text = |text: &str| Json::String(text.to_owned());
        let scope = facts.and_then(|facts| facts.scope.as_deref()).map(text);
        let client_id = context.client.map(|client| text(&client.id));
        let expires_in = facts
            .and_then(|facts| facts.expires_in_seconds)
            .map(|seconds| Json::Number(seconds.to_string()));
        let members = [
            ("scope", scope),
            ("client_id", client_id),
            ("expires_in", expires_in),
        ];
        Some(Json::Object(
            members
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect(),
        ))
    }
}

impl Proven {
    fn into_verified(
        self,
        token: &str,
        record: TokenRecord<'_>,
        context: HandInContext<'_>,
    ) -> Verified {
        let mut extra_data = self.extra_data;
        TokenRecord {
            access_token: Some(token),
            expires_at: self.expires_at.or(record.expires_at),
            scope: self.scope.map(std::borrow::Cow::Owned).or(record.scope),
            client_id: self.client_id.as_deref(),
            ..record
        }
        .put(&mut extra_data, context.now);
        Verified {
            identity: self.identity,
            extra_data,
            client_id: self.client_id,
            nonce: None,
            authenticated_at: None,
        }
    }
}

fn values<'a>(
    access_token: &'a str,
    acting: Option<&'a Client>,
    discovery: Option<&'a Discovery>,
    input: Option<&'a Json>,
) -> Values<'a> {
    Values {
        access_token: Some(access_token),
        access_token_secret: None,
        client_id: acting.map(|client| client.id.as_str()),
        client_secret: acting
            .and_then(|client| client.secret.as_ref())
            .map(Secret::expose),
        uid: None,
        discovery,
        sources: Sources {
            input,
            ..Sources::default()
        },
    }
}
