//! Where a browser is sent to get a code (RFC 6749 §4.1.1).

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use url::Url;

use crate::domain::ProofKind;

use super::error::ProviderError;
use super::provider::{HandInContext, Provider};
use super::template::Values;

/// What a browser brings to the provider, all of it made by us.
#[derive(Debug, Clone, Copy)]
pub struct Authorization<'a> {
    /// Which of our client ids; needed where several are configured.
    pub client_id: Option<&'a str>,
    /// Where the provider sends the browser back to.
    pub redirect_uri: &'a str,
    /// Ties the answer to this browser (RFC 6749 §10.12).
    pub state: &'a str,
    /// Ties the id token to this browser (OpenID Connect Core §3.1.2.1).
    pub nonce: Option<&'a str>,
    /// S256 of the verifier (RFC 7636 §4.2).
    pub code_challenge: Option<&'a str>,
}

impl Provider {
    /// The address that starts the browser flow, and the client id it is for.
    ///
    /// # Errors
    /// [`ProviderError::ProofNotTaken`] where the provider has no such address, [`ProviderError::BadMember`] where the client is
    /// not told, [`ProviderError::Unavailable`] where the discovery document cannot be had.
    pub async fn authorization_url(
        &self,
        authorization: Authorization<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Url, &str), ProviderError> {
        let refused = ProviderError::ProofNotTaken(ProofKind::Code);
        let Some(plan) = self.plan.oauth2.as_ref().filter(|_| self.takes_codes()) else {
            return Err(refused);
        };
        let Some(template) = &plan.authorization_url else {
            return Err(refused);
        };
        let context = HandInContext {
            client: self.named_client(authorization.client_id)?,
            now,
            deadline: Instant::now() + self.total_timeout(),
        };
        let client = self.acting_client(context.client, false)?;
        let discovery = self.discovery_for(&template.needs(), context).await?;
        let values = Values {
            client_id: Some(&client.id),
            discovery: discovery.as_deref(),
            ..Values::default()
        };
        let mut url = template.render(&values)?;
        let scope = plan.scopes.join(&plan.scope_separator);
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", client.id.as_str()),
            ("redirect_uri", authorization.redirect_uri),
            ("state", authorization.state),
        ];
        if !scope.is_empty() {
            pairs.push(("scope", &scope));
        }
        if let Some(nonce) = authorization.nonce.filter(|_| self.plan.id_token.is_some()) {
            pairs.push(("nonce", nonce));
        }
        if let Some(challenge) = authorization.code_challenge {
            pairs.push(("code_challenge", challenge));
            pairs.push(("code_challenge_method", "S256"));
        }
        url.query_pairs_mut().extend_pairs(pairs);
        Ok((url, &client.id))
    }
}
