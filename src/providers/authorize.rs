//! Where a browser is sent to get a code (RFC 6749 §4.1.1), and what it brings back beside the code.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use tokio::time::Instant;
use url::Url;

use crate::domain::{ProofKind, Secret};

use super::entry::ClientAuth;
use super::error::ProviderError;
use super::id_token::fits_issuer_template;
use super::plan::OAuth2Plan;
use super::provider::{HandInContext, Provider};
use super::template::Values;

/// How old a proof of identity may be that a provider is asked to renew, in seconds. Not 0, which some take for "not given".
const REAUTHENTICATION_MAX_AGE: &str = "60";

/// What a browser brings to the provider, all of it made by us.
#[derive(Debug, Clone, Copy)]
pub struct Authorization<'a> {
    /// Which of our client ids; needed where several are configured.
    pub client_id: Option<&'a str>,
    /// Where the provider sends the browser back to.
    pub redirect_uri: &'a str,
    /// Ties the answer to this browser (RFC 6749 §10.12).
    pub state: &'a str,
    /// Ties the id token to this browser (OpenID Connect Core §3.1.2.1); sent where [`Provider::binds_nonces`].
    pub nonce: Option<&'a str>,
    /// Only its S256 is sent (RFC 7636 §4.2).
    pub code_verifier: Option<&'a Secret>,
    /// Asks that the person prove anew who they are (OpenID Connect Core §3.1.2.1, `prompt` and `max_age`).
    pub reauthenticate: bool,
}

impl Provider {
    /// Whether it sends a browser back with a code by itself. Apple lets the browser post it, and a browser sends no cookie of ours
    /// along with what another site posts.
    #[must_use]
    pub fn sends_browsers_back(&self) -> bool {
        self.authorization_plan()
            .is_some_and(|plan| plan.client_auth != ClientAuth::AppleJwt)
    }

    /// Whether its codes yield an id token, which carries the nonce: only where the scope `openid` is asked for (OpenID Connect
    /// Core §3.1.2.1).
    #[must_use]
    pub fn binds_nonces(&self) -> bool {
        self.plan.id_token.is_some()
            && self.plan.oauth2.as_ref().is_some_and(|plan| {
                !plan.ignore_id_token && plan.scopes.iter().any(|scope| scope == "openid")
            })
    }

    /// Whether an answer that names its issuer (RFC 9207 §2.4) may be this provider's. Where we know no issuer there is nothing to
    /// compare with; an address of its own to come back to tells such providers apart (RFC 9700 §4.4.2.2).
    #[must_use]
    pub fn may_answer_as(&self, issuer: &str) -> bool {
        self.plan.id_token.as_ref().is_none_or(|plan| {
            let mut issuers = plan.rules.issuers.iter();
            issuers.any(|template| fits_issuer_template(template, issuer))
        })
    }

    fn authorization_plan(&self) -> Option<&OAuth2Plan> {
        let plan = self.plan.oauth2.as_ref().filter(|_| self.takes_codes());
        plan.filter(|plan| plan.authorization_url.is_some())
    }

    /// The address that starts the browser flow, and the client id it is for.
    ///
    /// # Errors
    /// [`ProviderError::ProofNotTaken`] where the provider has no such address, [`ProviderError::BadMember`] where the client is
    /// not told or the address to come back to is none, [`ProviderError::Unavailable`] where the discovery document cannot be had.
    pub async fn authorization_url(
        &self,
        authorization: Authorization<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Url, &str), ProviderError> {
        let refused = ProviderError::ProofNotTaken(ProofKind::Code);
        let Some(plan) = self.authorization_plan() else {
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
        let endpoint = self.outbound.browser_address(template.render(&values)?)?;
        let url = self.request_url(plan, &client.id, endpoint, authorization)?;
        Ok((url, &client.id))
    }

    /// The request, written by the oauth2 crate.
    fn request_url(
        &self,
        plan: &OAuth2Plan,
        client_id: &str,
        endpoint: Url,
        authorization: Authorization<'_>,
    ) -> Result<Url, ProviderError> {
        let redirect_url = RedirectUrl::new(authorization.redirect_uri.to_owned());
        let redirect_url = redirect_url.map_err(|_unparsed| ProviderError::BadMember {
            member: "redirect_uri",
            problem: "not an address",
        })?;
        let client = BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_auth_uri(AuthUrl::from_url(endpoint))
            .set_redirect_uri(redirect_url);
        let mut request = client.authorize_url(|| CsrfToken::new(authorization.state.to_owned()));
        let scope = plan.scopes.join(&plan.scope_separator);
        if !scope.is_empty() {
            request = request.add_scope(Scope::new(scope));
        }
        if let Some(verifier) = authorization.code_verifier {
            let verifier = PkceCodeVerifier::new(verifier.expose().to_owned());
            let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
            request = request.set_pkce_challenge(challenge);
        }
        if let Some(nonce) = authorization.nonce.filter(|_| self.binds_nonces()) {
            request = request.add_extra_param("nonce", Cow::Borrowed(nonce));
        }
        if authorization.reauthenticate && self.binds_nonces() {
            request = request
                .add_extra_param("prompt", "login")
                .add_extra_param("max_age", REAUTHENTICATION_MAX_AGE);
        }
        Ok(request.url().0)
    }
}
