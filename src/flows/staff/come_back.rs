//! A browser that comes back from a provider: whose code it brings, and as whom they get in.

mod arrival;

use std::time::Instant;

use super::go_to_provider::Door;
use super::sign_in::new_key;
use super::{SessionGrant, StaffError, address_counter, admit, hash_of};
use crate::app::App;
use crate::domain::{Proof, RequestContext, Secret};
use crate::flows::SignUpError;
use crate::providers::{ProviderError, Verified};
use crate::storage::authorizations::{self, Authorization, Purpose, Return};
use arrival::{Arrival, Refused};

/// What a browser brings back from a provider (RFC 6749 §4.1.2 and RFC 9207 §2).
#[derive(Debug)]
pub struct ProviderAnswer {
    /// From which.
    pub provider: String,
    /// The parameter `state`.
    pub state: String,
    /// What the browser holds.
    pub browser_key: Option<Secret>,
    /// The code.
    pub code: Option<Secret>,
    /// Who says that they answer.
    pub issuer: Option<String>,
    /// Whether the provider says that it gives no code. Its words are of no interest.
    pub is_error: bool,
}

/// Somebody who came through a provider.
#[derive(Debug)]
pub struct CameBack {
    /// What the browser gets.
    pub grant: SessionGrant,
    /// Whether the second factor is owed before anything else.
    pub awaits_code: bool,
    /// Where they wanted to go, an address of ours.
    pub next: String,
}

/// Judges what a browser brings back, and signs its holder in or renews their proof. The session gets a new key either way.
///
/// # Errors
/// [`StaffError::Gone`] where staff may not come through this provider; [`StaffError::Refused`] and [`StaffError::StepUpRefused`],
/// with the reason in the audit log alone; [`StaffError::NotCompleted`]; [`StaffError::Provider`] when it cannot be asked;
/// [`StaffError::Throttled`].
pub async fn come_back_from_provider(
    app: &App,
    answer: ProviderAnswer,
    context: RequestContext,
) -> Result<CameBack, StaffError> {
    let door = Door::find(app, &answer.provider).ok_or(StaffError::Gone)?;
    let authorization = redeem_state(app, &door, &answer, &context).await?;
    let purpose = authorization.purpose;
    let (reason, error) = match prove(app, &door, answer).await {
        Ok(verified) => return arrive(app, &door, authorization, verified, context).await,
        Err(NotProven::Unavailable(error)) => return Err(error.into()),
        Err(NotProven::Refused(reason)) => (reason, refusal_of(purpose)),
        Err(NotProven::NotCompleted) => ("refused_by_provider", StaffError::NotCompleted),
    };
    let (now, provider) = (app.clock.now(), door.id.clone());
    app.db
        .write(move |tx| Refused::early(&provider, reason).write(tx, &context, now))
        .await?;
    Err(error)
}

/// Decides as whom somebody gets in.
async fn arrive(
    app: &App,
    door: &Door<'_>,
    authorization: Authorization,
    verified: Verified,
    context: RequestContext,
) -> Result<CameBack, StaffError> {
    let key = new_key(app);
    let (purpose, next) = (authorization.purpose, authorization.next.clone());
    let arrival = Arrival {
        provider: door.id.clone(),
        rule: door.rule.clone(),
        identity: verified.identity,
        authenticated_at: verified.authenticated_at,
        counters: [address_counter(&context)],
        key_hash: hash_of(key.expose()),
        policy: app.staff_policy,
        authorization,
        context,
    };
    let now = app.clock.now();
    let concluded = app.db.write(move |tx| arrival.conclude(tx, now)).await?;
    let (session_id, awaits_code) = concluded.ok_or_else(|| refusal_of(purpose))?;
    Ok(CameBack {
        grant: SessionGrant { session_id, key },
        awaits_code,
        next,
    })
}

const fn refusal_of(purpose: Purpose) -> StaffError {
    match purpose {
        Purpose::StaffSignIn => StaffError::Refused,
        Purpose::StaffStepUp => StaffError::StepUpRefused,
    }
}

/// Uses the state up. A state that is not this browser's counts as a try of the client's address, as a wrong password does.
async fn redeem_state(
    app: &App,
    door: &Door<'_>,
    answer: &ProviderAnswer,
    context: &RequestContext,
) -> Result<Authorization, StaffError> {
    let now = app.clock.now();
    let returned = answer.browser_key.as_ref().map(|key| Return {
        state_hash: hash_of(&answer.state),
        browser_hash: hash_of(key.expose()),
    });
    let (provider, context) = (door.id.clone(), context.clone());
    app.db
        .write(move |tx| {
            let found = match returned {
                Some(returned) => authorizations::redeem(tx, returned, &provider)?,
                None => None,
            };
            let reason = match &found {
                Some(found) if now < found.expires_at => return Ok(Ok(found.clone())),
                Some(_) => "expired_state",
                None => "unknown_state",
            };
            admit(tx, &[address_counter(&context)], now)?;
            Refused::early(&provider, reason).write(tx, &context, now)?;
            // Stored, so it is no error here.
            Ok::<_, StaffError>(Err(StaffError::Refused))
        })
        .await?
}

/// Why an answer proves nothing.
enum NotProven {
    /// It is not as it should be; the code for the audit log.
    Refused(&'static str),
    /// The provider gives no code.
    NotCompleted,
    /// The provider cannot be asked.
    Unavailable(ProviderError),
}

/// Redeems the code, which proves that it is ours, and verifies what it yields.
async fn prove(app: &App, door: &Door<'_>, answer: ProviderAnswer) -> Result<Verified, NotProven> {
    if let Some(issuer) = &answer.issuer
        && !door.provider.may_answer_as(issuer)
    {
        return Err(NotProven::Refused("wrong_issuer"));
    }
    if answer.is_error {
        return Err(NotProven::NotCompleted);
    }
    let (Some(code), Some(browser_key)) = (answer.code, answer.browser_key) else {
        return Err(NotProven::Refused("missing_code"));
    };
    let keys = &app.staff_keys.authorizations;
    let secrets = keys.secrets(&answer.state, browser_key.expose());
    let proof = Proof::Code {
        code,
        code_verifier: Some(secrets.code_verifier),
        redirect_uri: Some(door.redirect_uri.clone()),
        nonce: door.provider.binds_nonces().then_some(secrets.nonce),
    };
    let (started, asked_at) = (Instant::now(), app.clock.now());
    let client_id = Some(door.rule.client_id.as_str());
    let verified = door.provider.verify(&proof, client_id, asked_at).await;
    app.metrics
        .time_provider(door.id.as_str(), started.elapsed());
    verified.map_err(|error| match error {
        ProviderError::Unavailable { .. } => NotProven::Unavailable(error),
        refused => NotProven::Refused(SignUpError::from(refused).code()),
    })
}
