//! Sending a browser to a provider, to sign in there or to prove once more who it is.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use url::Url;

use super::{StaffError, address_counter, admit, hash_of};
use crate::app::App;
use crate::domain::staff::SignInRule;
use crate::domain::{ProviderId, RequestContext, Secret, StaffSessionId};
use crate::providers::{self, Lookup, Provider};
use crate::storage::authorizations::{self, Authorization, Purpose, Return};

/// How long a browser is expected back.
pub const AUTHORIZATION_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long after that we still know that it was late.
const KEEP_EXPIRED: TimeDelta = TimeDelta::hours(1);
/// What a browser holds while it is away: 256 bits in base64url.
const BROWSER_KEY_LENGTH: usize = 43;

/// A browser that wants to go to a provider.
pub struct GoToProvider {
    /// To which.
    pub provider: String,
    /// What for.
    pub purpose: Purpose,
    /// The key that it holds from an earlier trip, so that two trips at once do not disturb each other.
    pub browser_key: Option<Secret>,
    /// The session that it has now.
    pub session_id: Option<StaffSessionId>,
    /// Where it goes afterwards, an address of ours.
    pub next: String,
}

/// Where to go, and what to take along.
pub struct SentToProvider {
    /// The provider's address.
    pub url: Url,
    /// The provider's name for people.
    pub title: String,
    /// What the browser must hold when it comes back.
    pub browser_key: Secret,
}

/// A provider through which staff may come.
pub(super) struct Door<'a> {
    pub(super) id: &'a ProviderId,
    pub(super) rule: &'a SignInRule,
    pub(super) provider: Arc<Provider>,
    /// Where it sends browsers back to. One address for each provider, so that none can pass off another's answer as its own
    /// (RFC 9700 §4.4.2.2).
    pub(super) redirect_uri: String,
}

impl<'a> Door<'a> {
    pub(super) fn find(app: &'a App, provider: &str) -> Option<Self> {
        let (id, rule) = app.staff_sign_in.find(provider)?;
        let Lookup::Enabled(provider) = app.providers.find(id.as_str()) else {
            return None;
        };
        let public_url = app.access_tokens.issuer();
        Some(Self {
            id,
            rule,
            provider,
            redirect_uri: format!("{public_url}/admin/sign-in/complete/{id}"),
        })
    }
}

/// Prepares the trip. It counts as a try of the client's address until it has led in.
///
/// # Errors
/// [`StaffError::Gone`] where staff may not come through this provider; [`StaffError::Provider`] when its discovery document cannot
/// be had; [`StaffError::Throttled`].
pub async fn go_to_provider(
    app: &App,
    request: GoToProvider,
    context: RequestContext,
) -> Result<SentToProvider, StaffError> {
    let door = Door::find(app, &request.provider).ok_or(StaffError::Gone)?;
    let now = app.clock.now();
    let state = URL_SAFE_NO_PAD.encode(app.random::<32>());
    let browser_key = request
        .browser_key
        .filter(|key| key.expose().len() == BROWSER_KEY_LENGTH)
        .unwrap_or_else(|| Secret::new(URL_SAFE_NO_PAD.encode(app.random::<32>())));
    let keys = &app.staff_keys.authorizations;
    let secrets = keys.secrets(&state, browser_key.expose());
    let wanted = providers::Authorization {
        client_id: Some(&door.rule.client_id),
        redirect_uri: &door.redirect_uri,
        state: &state,
        nonce: Some(&secrets.nonce),
        code_verifier: Some(&secrets.code_verifier),
        reauthenticate: request.purpose == Purpose::StaffStepUp,
    };
    let (url, _) = door.provider.authorization_url(wanted, now).await?;
    let expected = Return {
        state_hash: hash_of(&state),
        browser_hash: hash_of(browser_key.expose()),
    };
    let authorization = Authorization {
        purpose: request.purpose,
        provider: door.id.clone(),
        staff_session_id: request.session_id,
        next: request.next,
        created_at: now,
        expires_at: now + AUTHORIZATION_LIFETIME,
    };
    let counter = address_counter(&context);
    app.db
        .write(move |tx| {
            admit(tx, &[counter], now)?;
            authorizations::delete_expired(tx, now - KEEP_EXPIRED)?;
            authorizations::insert(tx, expected, &authorization)?;
            Ok::<_, StaffError>(())
        })
        .await?;
    Ok(SentToProvider {
        url,
        title: door.provider.title().to_owned(),
        browser_key,
    })
}
