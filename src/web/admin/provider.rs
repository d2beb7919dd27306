//! `GET /admin/providers/{id}` and `POST /admin/providers/{id}/test`: one provider, what it lacks, and whether it works.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::context::StaffContext;
use super::dependants::{accounts_text, count_dependants, dependants_text};
use super::error::AdminError;
use super::forms::ProtectedForm;
use super::frame::{Frame, Nav};
use super::marks::Mark;
use super::provider_words::{Alert, alert, href, status};
use super::text::{Message, filters, t};
use super::time::Time;
use super::words;
use crate::app::App;
use crate::domain::hand_in::ProofKind;
use crate::domain::provider_health::CheckSums;
use crate::domain::{Proof, Secret, TokenFacts};
use crate::flows::overview::{ProviderFigures, read_health};
use crate::flows::try_provider::{TokenVerdict, try_provider, try_token};
use crate::providers::trial::{TrialResult, Tried};
use crate::providers::{Lookup, Outage, Provider, SetupProblem};
use crate::storage::provider_users::Dependants;
use crate::web::extract::Context;

/// Social accounts of a provider that are looked at for who depends on it.
const LOOKED_AT: u32 = 10_000;

/// The page.
#[derive(Template)]
#[template(path = "admin/providers/show.html")]
struct ProviderPage {
    frame: Frame,
    mark: Mark,
    id: String,
    state: State,
    /// Whether no table names it, and there are social accounts of it.
    is_removed: bool,
    dependants: Dependants,
    dependants_text: Message,
    accounts_text: Message,
}

/// Whether the provider is on.
enum State {
    On(Box<OnState>),
    /// What is missing, of one that somebody knows.
    Off {
        problems: Option<Vec<SetupProblem>>,
    },
}

/// A provider that is on.
struct OnState {
    tone: &'static str,
    status: Message,
    alert: Option<Alert>,
    facts: Vec<(Message, Message)>,
    seen: Option<Time>,
    outage: Option<(Message, Time)>,
    clients: Vec<ClientRow>,
    proofs: Vec<Message>,
    audience: Message,
    audience_reason: Option<String>,
    is_unbound: bool,
    aliases: String,
    docs: Option<String>,
    trials: Vec<TrialRow>,
    verdict: Option<VerdictBox>,
    takes_pairs: bool,
    kinds: Vec<(&'static str, Message)>,
}

struct ClientRow {
    id: String,
    platform: String,
    secret: Message,
}

struct TrialRow {
    what: Message,
    tone: &'static str,
    result: Message,
}

struct VerdictBox {
    tone: &'static str,
    headline: Message,
    text: Message,
}

/// What is to be tried.
#[derive(Deserialize)]
pub struct TestForm {
    /// Absent for the settings alone.
    token: Option<Secret>,
    token_secret: Option<Secret>,
    kind: Option<String>,
}

/// `GET /admin/providers/{id}`
///
/// # Errors
/// [`AdminError::NotFound`] for a provider that nobody knows; others when the database fails.
pub async fn show_provider(
    app: Data<App>,
    staff: StaffContext,
    id: Path<String>,
) -> Result<HttpResponse, AdminError> {
    let frame = frame_of(&app, &staff, &id);
    let state = match app.providers.find(&id) {
        Lookup::Enabled(provider) if provider.id().as_str() == *id => {
            State::On(Box::new(on_state(&app, &frame, &provider).await?))
        }
        _ => State::Off {
            problems: app.providers.set_up(&id).map(|set_up| set_up.problems),
        },
    };
    show(&app, &staff, frame, &id, state).await
}

fn frame_of(app: &App, staff: &StaffContext, id: &str) -> Frame {
    let title = app.providers.face(id).title;
    staff.frame(app, Message::verbatim(title), Nav::Providers)
}

/// `POST /admin/providers/{id}/test`. The answer is the page with what came of it: results are shown once and kept nowhere but in the
/// audit log, where a token is not.
///
/// # Errors
/// [`AdminError::NotFound`] for a provider that is not on; others when the database fails.
pub async fn test_provider(
    app: Data<App>,
    staff: StaffContext,
    context: Context,
    id: Path<String>,
    ProtectedForm(form): ProtectedForm<TestForm>,
) -> Result<HttpResponse, AdminError> {
    let Lookup::Enabled(provider) = app.providers.find(&id) else {
        return Err(AdminError::NotFound);
    };
    let context = context.0;
    let token = form.token.as_ref().filter(|token| !token.is_empty());
    let mut trials = Vec::new();
    let mut verdict = None;
    if let Some(token) = token {
        let proof = proof_of(token, &form);
        let judged = try_token(&app, &provider, proof, staff.actor(), context).await?;
        verdict = Some(verdict_box(&provider, &judged));
    } else {
        let results = try_provider(&app, &provider, staff.actor(), context).await?;
        trials = results.iter().map(trial_row).collect();
    }
    let frame = frame_of(&app, &staff, &id);
    let mut state = on_state(&app, &frame, &provider).await?;
    (state.trials, state.verdict) = (trials, verdict);
    show(&app, &staff, frame, &id, State::On(Box::new(state))).await
}

async fn show(
    app: &Arc<App>,
    staff: &StaffContext,
    frame: Frame,
    id: &str,
    state: State,
) -> Result<HttpResponse, AdminError> {
    let counted = count_dependants(app, vec![id.to_owned()], LOOKED_AT).await?;
    let dependants = counted.first().copied().unwrap_or(Dependants::NONE);
    let is_removed = dependants.accounts > 0 && !app.providers.is_configured(id);
    if !is_removed && matches!(state, State::Off { problems: None }) {
        return Err(AdminError::NotFound);
    }
    let mark = Mark::of(&app.providers, id);
    staff.render(&ProviderPage {
        frame,
        id: id.to_owned(),
        mark,
        state,
        dependants_text: dependants_text(dependants),
        accounts_text: accounts_text(dependants),
        is_removed,
        dependants,
    })
}

async fn on_state(
    app: &Arc<App>,
    frame: &Frame,
    provider: &Provider,
) -> Result<OnState, AdminError> {
    let figures = read_health(app).await?;
    let own = figures
        .into_iter()
        .find(|figures| figures.provider == provider.id().as_str())
        .ok_or(AdminError::NotFound)?;
    let (tone, status) = status(own.health);
    let (proof, reason) = provider.audience();
    Ok(OnState {
        tone,
        status,
        alert: alert(app, frame, &own),
        facts: facts(&own),
        seen: own.accepted_at.map(|at| frame.time(at)),
        outage: own
            .outage
            .map(|(at, check)| (words::outage(check), frame.time(at))),
        clients: clients(provider),
        proofs: provider.proofs().into_iter().map(words::proof).collect(),
        audience: words::audience(proof),
        audience_reason: reason.map(str::to_owned),
        is_unbound: provider.allows_unbound_tokens(),
        aliases: joined(provider.aliases().iter().map(String::as_str)),
        docs: provider.docs().map(str::to_owned),
        trials: Vec::new(),
        verdict: None,
        takes_pairs: provider.proofs().contains(&ProofKind::TokenPair),
        kinds: provider
            .proofs()
            .into_iter()
            .filter(|kind| *kind != ProofKind::Code)
            .map(|kind| (kind.as_str(), words::proof_label(kind)))
            .collect(),
    })
}

fn joined<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn facts(figures: &ProviderFigures) -> Vec<(Message, Message)> {
    let duration = |ms: Option<u64>| ms.map_or_else(|| Message::verbatim("–"), words::duration);
    let share = |sums: CheckSums| match sums.share() {
        Some(share) => t("provider-share-of-checks")
            .with("share", words::percent(share))
            .with("checks", sums.checks),
        None => t("provider-no-checks"),
    };
    vec![
        (t("provider-half-within"), duration(figures.p50_ms)),
        (t("provider-most-within"), duration(figures.p95_ms)),
        (t("provider-failed-hour"), share(figures.last_hour)),
        (t("provider-failed-day"), share(figures.last_day)),
        (
            t("provider-circuit"),
            t(if figures.is_circuit_open {
                "provider-circuit-open"
            } else {
                "provider-circuit-closed"
            }),
        ),
    ]
}

fn clients(provider: &Provider) -> Vec<ClientRow> {
    provider
        .clients()
        .iter()
        .map(|client| ClientRow {
            id: client.id.clone(),
            platform: joined(
                client
                    .platform
                    .iter()
                    .chain(&client.label)
                    .map(String::as_str),
            ),
            secret: match &client.secret {
                Some(secret) => {
                    let length = secret.expose().chars().count();
                    t("provider-secret-set").with("count", length)
                }
                None => t("provider-secret-none"),
            },
        })
        .collect()
}

/// What was pasted, as the kind that was chosen.
fn proof_of(token: &Secret, form: &TestForm) -> Proof {
    let token = Secret::new(token.expose().trim());
    let secret = form
        .token_secret
        .as_ref()
        .filter(|secret| !secret.is_empty());
    match (form.kind.as_deref(), secret) {
        (Some("id_token"), _) => Proof::IdToken {
            id_token: token,
            nonce: None,
            access_token: None,
            facts: TokenFacts::default(),
        },
        (_, Some(secret)) => Proof::TokenPair {
            access_token: token,
            access_token_secret: Secret::new(secret.expose().trim()),
        },
        _ => Proof::AccessToken {
            access_token: token,
            facts: TokenFacts::default(),
        },
    }
}

fn verdict_box(provider: &Provider, verdict: &TokenVerdict) -> VerdictBox {
    let title = || provider.title();
    let (tone, headline, text) = match verdict {
        TokenVerdict::Ours { client_id, uid } => (
            "ok",
            "verdict-ours-heading",
            match client_id {
                Some(client_id) => t("verdict-ours").with("client_id", client_id),
                None => t("verdict-ours-untold"),
            }
            .with("uid", uid.as_str()),
        ),
        TokenVerdict::NotOurs => ("bad", "verdict-not-ours-heading", t("verdict-not-ours")),
        TokenVerdict::Unproven => (
            "warn",
            "verdict-unproven-heading",
            t("verdict-unproven").with("id", provider.id().as_str()),
        ),
        TokenVerdict::Expired => ("warn", "verdict-expired-heading", t("verdict-expired")),
        TokenVerdict::NotValid => (
            "bad",
            "verdict-not-valid-heading",
            t("verdict-not-valid").with("provider", title()),
        ),
        TokenVerdict::NotReached => (
            "warn",
            "verdict-not-reached-heading",
            t("verdict-not-reached").with("provider", title()),
        ),
        TokenVerdict::NotTaken => ("warn", "verdict-not-taken-heading", t("verdict-not-taken")),
    };
    VerdictBox {
        tone,
        headline: t(headline),
        text,
    }
}

fn trial_row((tried, result): &(Tried, TrialResult)) -> TrialRow {
    let what = match tried {
        Tried::Host(host) => t("trial-host").with("host", host),
        Tried::Keys => t("trial-keys"),
        Tried::Credentials(client_id) => t("trial-credentials").with("client_id", client_id),
    };
    let (tone, result) = match (result, tried) {
        (TrialResult::Works(Some(count)), _) => ("", t("trial-usable").with("count", *count)),
        (TrialResult::Works(None), Tried::Credentials(_)) => ("", t("trial-accepted")),
        (TrialResult::Works(None), _) => ("", t("trial-works")),
        (TrialResult::Fails(outage), _) => ("bad", trial_failure(outage)),
        (TrialResult::Refused, _) => ("bad", t("trial-refused")),
        (TrialResult::Unclear, _) => ("off", t("trial-unclear")),
    };
    TrialRow { what, tone, result }
}

/// Why something could not be tried.
fn trial_failure(outage: &Outage) -> Message {
    match outage {
        Outage::Timeout => t("trial-timeout"),
        Outage::Connect => t("trial-connect"),
        Outage::Redirect => t("trial-redirect"),
        Outage::TooLarge => t("trial-too-large"),
        Outage::Status { code, .. } => t("trial-status").with("code", code.to_string()),
        Outage::Malformed(what) => t("trial-malformed").with("what", *what),
        Outage::CircuitOpen { .. } => t("trial-circuit-open"),
        Outage::Overloaded => t("trial-overloaded"),
    }
}

impl ProviderPage {
    fn test_href(&self) -> String {
        format!("{}/test", href(&self.id))
    }
}
