//! Tokens that are stored with a social account: whether one still works, and giving our access back.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, timeout_at};

use crate::domain::{Secret, Uid};

use super::access_token::Unbound;
use super::entry::{ClientAuth, StoredToken};
use super::error::{Outage, ProviderError};
use super::plan::RevokePlan;
use super::provider::{GRACE, HandInContext, Provider, check_token};
use super::settings::Client;
use super::template::Values;

/// What is stored of one person's consent.
#[derive(Debug, Clone)]
pub struct StoredGrant {
    /// The provider's id of the person.
    pub uid: Uid,
    /// Which of our client ids the tokens were issued to, where that is known.
    pub client_id: Option<String>,
    /// The access token.
    pub access_token: Option<Secret>,
    /// The secret of a token pair.
    pub access_token_secret: Option<Secret>,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
}

/// Whether a stored access token still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It does, for the same person and for us.
    Works,
    /// It has expired.
    Expired,
    /// The provider refuses it.
    Refused,
    /// It was issued to another application.
    AnotherApps,
    /// It belongs to another person.
    AnotherPersons,
    /// The provider was not reached, or answered nonsense.
    NotReached,
    /// There is none, or the provider offers no way to ask.
    NotAskable,
}

impl TokenState {
    /// The name as stored and answered.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::AnotherApps => "another_apps",
            Self::AnotherPersons => "another_persons",
            Self::NotReached => "not_reached",
            Self::NotAskable => "not_askable",
        }
    }

    /// The state called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Works,
            Self::Expired,
            Self::Refused,
            Self::AnotherApps,
            Self::AnotherPersons,
            Self::NotReached,
            Self::NotAskable,
        ]
        .into_iter()
        .find(|state| state.as_str() == name)
    }
}

/// What came of giving our access back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The provider took it.
    Revoked,
    /// The provider refused, as it does with a token that has ended already.
    Refused,
    /// The provider was not reached in time.
    NotReached,
    /// The provider offers no request for it, or we lack what it takes: a stored token, or our client's secret.
    NotOffered,
}

impl Revocation {
    /// The name as stored and answered.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Refused => "refused",
            Self::NotReached => "not_reached",
            Self::NotOffered => "not_offered",
        }
    }
}

impl Provider {
    /// Whether the entry has a request that gives our access back, and we have the secrets for it. An OpenID Connect provider
    /// may turn out to have no such endpoint.
    #[must_use]
    pub fn can_revoke(&self) -> bool {
        self.plan.revoke.as_ref().is_some_and(|revoke| {
            !revoke.request.needs.client_secret
                || self.mints_secrets()
                || self.clients.iter().any(|client| client.secret.is_some())
        })
    }

    /// Whether the stored access token still works, asked as for a hand-in. Where the provider proves no audience, whose token it
    /// is has to do.
    pub async fn check_stored(&self, grant: &StoredGrant, now: DateTime<Utc>) -> TokenState {
        let Some(access_token) = &grant.access_token else {
            return TokenState::NotAskable;
        };
        let is_askable = match &grant.access_token_secret {
            Some(_) => self.plan.takes_token_pair,
            None => self.takes_access_tokens(),
        };
        if !is_askable {
            return TokenState::NotAskable;
        }
        let context = self.stored_context(grant, now);
        let asking = async {
            let token = check_token(access_token)?;
            let secret = grant.access_token_secret.as_ref().map(check_token);
            let proven = self
                .prove(token, secret.transpose()?, None, Unbound::Accepted, context)
                .await?;
            Ok(proven.identity.uid == grant.uid)
        };
        match timeout_at(context.deadline + GRACE, asking).await {
            Ok(Ok(true)) => TokenState::Works,
            Ok(Ok(false)) => TokenState::AnotherPersons,
            Ok(Err(error)) => state_of(&error),
            Err(_) => TokenState::NotReached,
        }
    }

    /// Gives our access back, as far as the provider lets us. Ends before the configured deadline.
    pub async fn revoke_stored(&self, grant: &StoredGrant, now: DateTime<Utc>) -> Revocation {
        let Some(plan) = self.plan.revoke.as_ref().filter(|_| self.can_revoke()) else {
            return Revocation::NotOffered;
        };
        let token = plan.tokens.iter().find_map(|token| match token {
            StoredToken::AccessToken => grant.access_token.as_ref(),
            StoredToken::RefreshToken => grant.refresh_token.as_ref(),
        });
        let lacks_pair = plan.request.token.needs_pair() && grant.access_token_secret.is_none();
        if (plan.request.needs.access_token && token.is_none()) || lacks_pair {
            return Revocation::NotOffered;
        }
        let context = self.stored_context(grant, now);
        let asking = self.revoke(plan, grant, token, context);
        match timeout_at(context.deadline + GRACE, asking).await {
            Ok(Ok(revocation)) => revocation,
            Ok(Err(ProviderError::Unavailable { .. })) | Err(_) => Revocation::NotReached,
            Ok(Err(ProviderError::BadMember { .. })) => Revocation::NotOffered,
            Ok(Err(_)) => Revocation::Refused,
        }
    }

    async fn revoke(
        &self,
        plan: &RevokePlan,
        grant: &StoredGrant,
        token: Option<&Secret>,
        context: HandInContext<'_>,
    ) -> Result<Revocation, ProviderError> {
        let needs = &plan.request.needs;
        let discovery = self.discovery_for(needs, context).await?;
        if !plan.request.url.is_discovered(discovery.as_deref()) {
            return Ok(Revocation::NotOffered);
        }
        let client =
            self.acting_client(context.client, needs.client_secret && !self.mints_secrets())?;
        if context.client.is_some_and(|named| named.id != client.id) {
            // RFC 7009 §2.1: only the client that a token was issued to may revoke it.
            return Ok(Revocation::NotOffered);
        }
        let secret = self.secret_of(client, context.now)?;
        let values = Values {
            access_token: token.map(check_token).transpose()?,
            access_token_secret: grant
                .access_token_secret
                .as_ref()
                .map(check_token)
                .transpose()?,
            client_id: Some(&client.id),
            client_secret: secret.as_deref(),
            uid: Some(grant.uid.as_str()),
            discovery: discovery.as_deref(),
            ..Values::default()
        };
        self.command(&plan.request, &values, context).await?;
        Ok(Revocation::Revoked)
    }

    /// As which of our clients we ask: the one that the tokens were issued to, if it is still configured.
    fn stored_context<'a>(&'a self, grant: &StoredGrant, now: DateTime<Utc>) -> HandInContext<'a> {
        let client_id = grant.client_id.as_deref();
        HandInContext {
            client: self
                .clients
                .iter()
                .find(|client| Some(client.id.as_str()) == client_id),
            now,
            deadline: Instant::now() + self.total_timeout(),
        }
    }

    fn mints_secrets(&self) -> bool {
        self.quirks.apple.is_some()
    }

    /// Our client's secret, if it has one; minted where the provider wants that.
    pub(super) fn secret_of<'a>(
        &self,
        client: &'a Client,
        now: DateTime<Utc>,
    ) -> Result<Option<Cow<'a, str>>, ProviderError> {
        let mints = self
            .plan
            .oauth2
            .as_ref()
            .is_some_and(|oauth2| oauth2.client_auth == ClientAuth::AppleJwt);
        if !mints {
            let secret = client.secret.as_ref();
            return Ok(secret.map(|secret| Cow::Borrowed(secret.expose())));
        }
        let minted = self
            .quirks
            .apple
            .as_ref()
            .and_then(|key| key.client_secret(&client.id, now).ok());
        match minted {
            Some(secret) => Ok(Some(Cow::Owned(secret.expose().to_owned()))),
            None => Err(Outage::Malformed("our client secret cannot be minted").into()),
        }
    }
}

const fn state_of(error: &ProviderError) -> TokenState {
    match error {
        ProviderError::ExpiredToken => TokenState::Expired,
        ProviderError::WrongAudience => TokenState::AnotherApps,
        ProviderError::InvalidToken(_)
        | ProviderError::NonceMismatch(_)
        | ProviderError::Rejected(_) => TokenState::Refused,
        ProviderError::Unavailable { .. } => TokenState::NotReached,
        ProviderError::UnboundToken
        | ProviderError::ProofNotTaken(_)
        | ProviderError::BadMember { .. } => TokenState::NotAskable,
    }
}
