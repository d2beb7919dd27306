//! What can be proven about a provider's settings without a person's token: that its endpoints are reached, that its keys can be
//! read, and, where its token endpoint says so, that our client credentials are accepted.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::code::CODE_REFUSED;
use super::entry::Method;
use super::error::{Outage, ProviderError};
use super::outbound::OutboundRequest;
use super::provider::Provider;
use crate::domain::{Proof, Secret};

/// A code that no provider ever issued.
const NO_CODE: &str = "latchkey-trial-no-such-code";
/// A verifier of the length that RFC 7636 §4.1 asks for.
const NO_VERIFIER: &str = "latchkey-trial-verifier-0123456789-0123456789";

/// What was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// A connection to this host.
    Host(String),
    /// Reading the keys that id tokens are signed with.
    Keys,
    /// The credentials of this client id.
    Credentials(String),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialResult {
    /// It works. For keys: how many there are.
    Works(Option<usize>),
    /// The provider could not be asked, or its answer not be used.
    Fails(Outage),
    /// The provider refuses our credentials.
    Refused,
    /// The provider's answer tells neither.
    Unclear,
}

impl TrialResult {
    /// The name for the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Works(_) => "works",
            Self::Fails(outage) => outage.label(),
            Self::Refused => "refused",
            Self::Unclear => "unclear",
        }
    }
}

impl Provider {
    /// Tries what can be tried. `redirect_uri` is sent along with the made-up code, as some providers look at it first. Nothing of
    /// it is counted as a check.
    pub async fn try_settings(
        &self,
        redirect_uri: &str,
        now: DateTime<Utc>,
    ) -> Vec<(Tried, TrialResult)> {
        let mut results = self.try_hosts(now).await;
        if let Some(id_token) = &self.plan.id_token {
            let fetched = id_token.rules.keys.try_fetch(now, self.deadline()).await;
            let result = match fetched {
                Ok(0) => TrialResult::Fails(Outage::Malformed("no key can be used")),
                Ok(count) => TrialResult::Works(Some(count)),
                Err(outage) => TrialResult::Fails(outage),
            };
            results.push((Tried::Keys, result));
        }
        if self.takes_codes() {
            for client in self.clients.iter().filter(|client| client.secret.is_some()) {
                let result = self.try_credentials(&client.id, redirect_uri, now).await;
                results.push((Tried::Credentials(client.id.clone()), result));
            }
        }
        results
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.total_timeout()
    }

    /// A host is reached when it answers anything at all.
    async fn try_hosts(&self, now: DateTime<Utc>) -> Vec<(Tried, TrialResult)> {
        let discovery = match &self.plan.id_token {
            Some(id_token) if id_token.rules.keys.has_discovery() => {
                let keys = &id_token.rules.keys;
                keys.discovery(now, self.deadline()).await.ok()
            }
            _ => None,
        };
        let token_url = self.plan.oauth2.iter().map(|oauth2| &oauth2.token_url);
        let mut origins: Vec<url::Url> = self
            .plan
            .requests
            .iter()
            .map(|request| &request.url)
            .chain(token_url)
            .filter_map(|url| url.origin(discovery.as_deref()))
            .collect();
        origins.sort();
        origins.dedup();
        let deadline = self.deadline();
        let tries = origins.into_iter().map(|origin| async move {
            let host = origin.host_str().unwrap_or_default().to_owned();
            let request = OutboundRequest::new(Method::Get, origin);
            let result = match self.outbound.send(request, deadline).await {
                Err(outage @ (Outage::Timeout | Outage::Connect)) => TrialResult::Fails(outage),
                Ok(_) | Err(_) => TrialResult::Works(None),
            };
            (Tried::Host(host), result)
        });
        futures_util::future::join_all(tries).await
    }

    /// Redeems a code that cannot be good: a token endpoint looks at the client first (RFC 6749 §3.2.1), and says `invalid_client` for
    /// bad credentials and `invalid_grant` for the code (§5.2).
    async fn try_credentials(
        &self,
        client_id: &str,
        redirect_uri: &str,
        now: DateTime<Utc>,
    ) -> TrialResult {
        let proof = Proof::Code {
            code: Secret::new(NO_CODE),
            code_verifier: Some(Secret::new(NO_VERIFIER)),
            redirect_uri: Some(redirect_uri.to_owned()),
            nonce: None,
        };
        match self.verify_uncounted(&proof, Some(client_id), now).await {
            Err(ProviderError::InvalidToken(CODE_REFUSED)) => TrialResult::Works(None),
            Err(ProviderError::Unavailable { outage, .. }) => match outage {
                Outage::Malformed("our client credentials are refused") => TrialResult::Refused,
                Outage::Malformed(_) => TrialResult::Unclear,
                outage => TrialResult::Fails(outage),
            },
            Ok(_) | Err(_) => TrialResult::Unclear,
        }
    }
}
