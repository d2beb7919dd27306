//! One provider of the catalogue, configured, with its mock behind it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use latchkey::domain::{Proof, Secret, TokenFacts};
use latchkey::providers::error::ProviderError;
use latchkey::providers::outbound::OutboundSettings;
use latchkey::providers::provider::{Provider, Verified};
use latchkey::providers::registry::{BuildEnv, Limits, Lookup, Providers};
use latchkey::providers::settings::{ProviderSettings, SetupProblem};
use serde_json::Value;

use super::fixtures::{ACCESS_TOKEN, Fixture, Kind, NONCE, Recorded, fill, now};
use crate::support::issuer_keys::issuer_keys;
use crate::support::mock_provider::{Answer, MockProvider};

/// Long enough for a busy machine.
const PATIENT: Duration = Duration::from_secs(20);
/// Short enough to wait for it often.
pub(super) const HASTY: Duration = Duration::from_millis(300);
/// Larger than every recorded answer.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// A body in which this text is replaced by a number that `serde_json` cannot hold.
pub(super) const HUGE_NUMBER: (&str, &str) = ("@huge@", "18446744073709551617");

/// The provider that is behind a fixture, and what it does.
pub(super) struct Scene {
    pub(super) fixture: &'static Fixture,
    pub(super) mock: MockProvider,
    /// How we are configured there.
    pub(super) settings: ProviderSettings,
    /// The answers as they are given.
    pub(super) answers: BTreeMap<String, Recorded>,
    /// The claims as they are signed.
    pub(super) claims: Value,
    /// Longest time for one hand-in.
    pub(super) total_timeout: Duration,
}

impl Scene {
    /// The good case. Tokens that prove nothing are accepted where there is no other way.
    pub(super) async fn new(fixture: &'static Fixture) -> Self {
        let mut settings = fixture.settings.clone();
        settings.allow_unbound_tokens =
            fixture.entry.audience.proof == latchkey::providers::entry::AudienceProof::None;
        let claims = fixture
            .id_token
            .as_ref()
            .map_or(Value::Null, |recorded| recorded.claims.clone());
        Self {
            fixture,
            mock: MockProvider::start().await,
            settings,
            answers: fixture.answers.clone(),
            claims,
            total_timeout: PATIENT,
        }
    }

    /// Back to the good case.
    pub(super) fn reset(&mut self) {
        self.answers = self.fixture.answers.clone();
        if let Some(recorded) = &self.fixture.id_token {
            self.claims = recorded.claims.clone();
        }
        self.total_timeout = PATIENT;
        self.mock.behave();
    }

    /// Gives `answers` instead of the good ones.
    pub(super) fn override_answers(&mut self, answers: &BTreeMap<String, Recorded>) {
        for (endpoint, recorded) in answers {
            let good = self.answers.get_mut(endpoint);
            let good = good.unwrap_or_else(|| panic!("{}: {endpoint}", self.fixture.id));
            good.status = recorded.status;
            good.body = recorded.body.clone();
        }
    }

    /// The body at `endpoint`.
    pub(super) fn body(&mut self, endpoint: &str) -> &mut Value {
        &mut self.answers.get_mut(endpoint).unwrap().body
    }

    /// A provider as it is after a fresh start: no cached keys, closed circuit.
    pub(super) fn provider(&self) -> Arc<Provider> {
        self.try_provider()
            .unwrap_or_else(|problems| panic!("{}: {problems:?}", self.fixture.slug))
    }

    /// The same, or what is wrong with the settings.
    pub(super) fn try_provider(&self) -> Result<Arc<Provider>, Vec<SetupProblem>> {
        let slug = &self.fixture.slug;
        let settings = BTreeMap::from([(slug.clone(), self.settings.clone())]);
        let env = BuildEnv {
            outbound: OutboundSettings {
                provider_origin: Some(self.mock.origin()),
                max_answer_bytes: MAX_ANSWER_BYTES,
                ..OutboundSettings::default()
            },
            limits: Limits {
                total_timeout: self.total_timeout,
                ..Limits::default()
            },
            development: true,
        };
        match Providers::build(&settings, &env)?.find(slug) {
            Lookup::Enabled(provider) => Ok(provider),
            other => panic!("{slug}: {other:?}"),
        }
    }

    /// Puts the scripts on the mock: answers, keys, the token endpoint.
    fn script(&self, access_token: &str) {
        for (endpoint, recorded) in &self.answers {
            let mut body = recorded.body.clone();
            fill(&mut body, access_token, "");
            self.mock
                .answer_with(endpoint, answer(recorded.status, &body));
        }
        if let Some(recorded) = &self.fixture.id_token {
            self.mock.publish_keys(&recorded.endpoint);
        }
    }

    /// The id token for the claims, with `access_token` beside it.
    pub(super) fn sign(&self, access_token: &str) -> String {
        let recorded = self.fixture.id_token.as_ref().unwrap();
        issuer_keys().sign(&recorded.algorithm, &self.filled_claims(access_token))
    }

    /// The claims without placeholders.
    pub(super) fn filled_claims(&self, access_token: &str) -> Value {
        let mut claims = self.claims.clone();
        fill(&mut claims, access_token, "");
        claims
    }

    /// Hands in a proof of this kind at a fresh provider.
    pub(super) async fn hand_in(&self, kind: Kind) -> Result<Verified, ProviderError> {
        let proof = match kind {
            Kind::AccessToken => Proof::AccessToken {
                access_token: Secret::new(ACCESS_TOKEN),
                facts: TokenFacts::default(),
            },
            Kind::TokenPair => Proof::TokenPair {
                access_token: Secret::new(ACCESS_TOKEN),
                access_token_secret: Secret::new("handed-in-access-token-secret"),
            },
            Kind::IdToken => return self.hand_in_id_token(self.sign(ACCESS_TOKEN)).await,
            Kind::Code => return self.hand_in_code().await,
        };
        self.script(ACCESS_TOKEN);
        self.provider().verify(&proof, None, now()).await
    }

    /// Hands in this id token, with the nonce if there is one in the claims.
    pub(super) async fn hand_in_id_token(
        &self,
        id_token: String,
    ) -> Result<Verified, ProviderError> {
        self.script(ACCESS_TOKEN);
        let proof = Proof::IdToken {
            id_token: Secret::new(id_token),
            nonce: self.nonce(),
            access_token: None,
            facts: TokenFacts::default(),
        };
        self.provider().verify(&proof, None, now()).await
    }

    /// Hands in the id token with an access token beside it.
    pub(super) async fn hand_in_both(&self) -> Result<Verified, ProviderError> {
        self.script(ACCESS_TOKEN);
        let proof = Proof::IdToken {
            id_token: Secret::new(self.sign(ACCESS_TOKEN)),
            nonce: self.nonce(),
            access_token: Some(Secret::new(ACCESS_TOKEN)),
            facts: TokenFacts::default(),
        };
        self.provider().verify(&proof, None, now()).await
    }

    async fn hand_in_code(&self) -> Result<Verified, ProviderError> {
        let recorded = self.fixture.token_answer.as_ref().unwrap();
        let access_token = recorded.body["access_token"].as_str().unwrap();
        let id_token = match self.claims {
            Value::Null => String::new(),
            _ => self.sign(access_token),
        };
        self.script(access_token);
        let mut body = recorded.body.clone();
        fill(&mut body, access_token, &id_token);
        self.mock
            .answer_with(&recorded.endpoint, answer(recorded.status, &body));
        let signed = self.fixture.code_yields_id_token();
        self.redeem(self.nonce().filter(|_| signed)).await
    }

    /// Hands in a code that the token endpoint refuses.
    pub(super) async fn hand_in_bad_code(&self) -> Result<Verified, ProviderError> {
        let recorded = self.fixture.token_answer.as_ref().unwrap();
        self.script(ACCESS_TOKEN);
        self.mock.answer_with(
            &recorded.endpoint,
            answer(recorded.refused.status, &recorded.refused.body),
        );
        self.redeem(None).await
    }

    async fn redeem(&self, nonce: Option<String>) -> Result<Verified, ProviderError> {
        let proof = Proof::Code {
            code: Secret::new("handed-in-code"),
            code_verifier: Some(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
            redirect_uri: Some("https://app.example/callback".to_owned()),
            nonce,
        };
        // With several of them, the app says which one asked for the code.
        let several = self.settings.clients.len() > 1;
        let client_id = several.then(|| self.fixture.client_id());
        self.provider().verify(&proof, client_id, now()).await
    }

    fn nonce(&self) -> Option<String> {
        self.claims.get("nonce").map(|_| NONCE.to_owned())
    }
}

fn answer(status: u16, body: &Value) -> Answer {
    if body.is_null() {
        return Answer::raw(status, "text/plain", "");
    }
    let (placeholder, number) = HUGE_NUMBER;
    let text = body
        .to_string()
        .replace(&format!("\"{placeholder}\""), number);
    Answer::raw(status, "application/json", text)
}

/// The code that a caller gets for `error`.
pub(super) fn code(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::InvalidToken(_) => "invalid_token",
        ProviderError::ExpiredToken => "expired_token",
        ProviderError::WrongAudience => "wrong_audience",
        ProviderError::UnboundToken => "unbound_token",
        ProviderError::NonceMismatch(_) => "nonce_mismatch",
        ProviderError::Rejected(_) => "social_auth_failed",
        ProviderError::ProofNotTaken(_) => "proof_not_taken",
        ProviderError::BadMember { .. } => "invalid_request",
        ProviderError::Unavailable { .. } => "provider_unavailable",
    }
}

/// What came of a hand-in, in a word.
pub(super) fn outcome(result: &Result<Verified, ProviderError>) -> String {
    match result {
        Ok(verified) => format!("accepted as {}", verified.identity.uid),
        Err(error) => code(error).to_owned(),
    }
}

/// Collects what went wrong over many cases, so that one run shows all of it.
#[derive(Default)]
pub(super) struct Failures(Vec<String>);

impl Failures {
    /// Notes `what` unless `holds`.
    pub(super) fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }

    /// Takes those of another.
    pub(super) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Fails with all of them.
    #[track_caller]
    pub(super) fn finish(self) {
        assert!(
            self.0.is_empty(),
            "{} cases failed:\n{}",
            self.0.len(),
            self.0.join("\n")
        );
    }
}

/// Runs `cases` for every entry, all entries at the same time.
pub(super) async fn for_every_entry<F, C>(cases: C)
where
    C: Fn(Scene) -> F,
    F: Future<Output = Failures>,
{
    let runs = super::fixtures::all()
        .iter()
        .map(|fixture| async { cases(Scene::new(fixture).await).await });
    let mut failures = Failures::default();
    for found in futures_util::future::join_all(runs).await {
        failures.merge(found);
    }
    failures.finish();
}
