//! One configured provider: what it takes, and the way in for every hand-in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::domain::policy::SignUpRules;
use crate::domain::{ExtraData, Proof, ProofKind, ProviderId, Secret, SocialIdentity};

use super::entry::{AudienceProof, ClientAuth, Entry, Status};
use super::error::{Outage, ProviderError};
use super::guard::Guard;
use super::jwks::KeySource;
use super::mark::Mark;
use super::outbound::Outbound;
use super::plan::Plan;
use super::quirks::apple::AppleKey;
use super::registry::Limits;
use super::settings::{Client, ProviderSettings};
use super::tally::{Tally, check_of};

/// How long after the deadline a hand-in is cut off.
pub(super) const GRACE: Duration = Duration::from_millis(100);

/// A proven identity, and what is kept with it.
#[derive(Debug)]
pub struct Verified {
    /// Who it is.
    pub identity: SocialIdentity,
    /// What is kept.
    pub extra_data: ExtraData,
    /// Which of our client ids the proof was issued to, where that is known.
    pub client_id: Option<String>,
    /// The nonce claim of the id token that proved it, so that a nonce of ours is used once.
    pub nonce: Option<String>,
    /// When the person last proved to the provider who they are, where its id token says (`auth_time`, OpenID Connect Core §2).
    pub authenticated_at: Option<DateTime<Utc>>,
}

/// What only some providers have.
#[derive(Debug, Default)]
pub(super) struct Quirks {
    /// Mints client secrets.
    pub(super) apple: Option<AppleKey>,
    /// Claims that must have one of these texts.
    pub(super) allowed_claims: BTreeMap<String, Vec<String>>,
    /// The discovery document, where the keys are pinned apart from it.
    pub(super) discovery: Option<KeySource>,
}

/// One configured provider.
#[derive(Debug)]
pub struct Provider {
    id: ProviderId,
    title: String,
    mark: Mark,
    aliases: Vec<String>,
    docs: Option<String>,
    status: Status,
    allow_unbound: bool,
    sign_up_rules: SignUpRules,
    limits: Limits,
    pub(super) clients: Vec<Client>,
    pub(super) plan: Plan,
    pub(super) quirks: Quirks,
    pub(super) guard: Arc<Guard>,
    pub(super) outbound: Outbound,
    tally: Tally,
}

/// What one hand-in runs with.
#[derive(Debug, Clone, Copy)]
pub(super) struct HandInContext<'a> {
    /// The client id that the caller names, one of ours.
    pub(super) client: Option<&'a Client>,
    /// The time of day.
    pub(super) now: DateTime<Utc>,
    /// When everything must be done.
    pub(super) deadline: Instant,
}

impl Provider {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once, by the registry, with the parts it made"
    )]
    pub(super) fn new(
        id: ProviderId,
        entry: Entry,
        plan: Plan,
        clients: Vec<Client>,
        settings: &ProviderSettings,
        quirks: Quirks,
        guard: Arc<Guard>,
        outbound: Outbound,
        limits: Limits,
    ) -> Self {
        let derived = Mark::derive(id.as_str(), &entry.title);
        Self {
            mark: Mark {
                letters: entry.mark.unwrap_or(derived.letters),
                color: entry.color.unwrap_or(derived.color),
            },
            id,
            title: entry.title,
            aliases: entry.aliases,
            docs: entry.docs,
            status: entry.status,
            allow_unbound: settings.allow_unbound_tokens,
            sign_up_rules: settings.sign_up_rules(),
            limits,
            clients,
            plan,
            quirks,
            guard,
            outbound,
            tally: Tally::default(),
        }
    }

    /// The slug.
    #[must_use]
    pub const fn id(&self) -> &ProviderId {
        &self.id
    }

    /// Name for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What stands for it on pages.
    #[must_use]
    pub const fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Other ids that requests may use.
    #[must_use]
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// The provider's documentation.
    #[must_use]
    pub fn docs(&self) -> Option<&str> {
        self.docs.as_deref()
    }

    /// Whether the provider still offers this.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Our client ids here.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// How an access token is proven to be ours, and why not where it is not.
    #[must_use]
    pub fn audience(&self) -> (AudienceProof, Option<&str>) {
        (
            self.plan.audience.proof,
            self.plan.audience.reason.as_deref(),
        )
    }

    /// Whether the operator accepts access tokens that nothing proves to be ours.
    #[must_use]
    pub const fn allows_unbound_tokens(&self) -> bool {
        self.allow_unbound
    }

    /// Who may sign up here.
    #[must_use]
    pub const fn sign_up_rules(&self) -> &SignUpRules {
        &self.sign_up_rules
    }

    /// The bulkhead and the circuit breaker, for metrics.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What its checks came to since the process started.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The kinds of proof that this provider takes as it is configured.
    #[must_use]
    pub fn proofs(&self) -> Vec<ProofKind> {
        let kinds = [
            (ProofKind::AccessToken, self.proves_access_tokens()),
            (ProofKind::TokenPair, self.plan.takes_token_pair),
            (ProofKind::IdToken, self.plan.id_token.is_some()),
            (ProofKind::Code, self.takes_codes()),
        ];
        kinds
            .into_iter()
            .filter_map(|(kind, taken)| taken.then_some(kind))
            .collect()
    }

    /// Judges `proof`: whose account it is, and whether it was issued to us.
    ///
    /// Everything happens before the configured deadline, waiting for the bulkhead included. What came of it is counted in
    /// [`Provider::tally`].
    ///
    /// # Errors
    /// [`ProviderError`] says why the proof is not accepted, or cannot be judged now.
    pub async fn verify(
        &self,
        proof: &Proof,
        client_id: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Verified, ProviderError> {
        let started = Instant::now();
        let result = self.verify_uncounted(proof, client_id, now).await;
        if let Some(check) = check_of(&result) {
            let took = started.elapsed();
            self.tally.count(check, now + took, took);
        }
        result
    }

    /// As [`Provider::verify`], for a trial that is nobody's hand-in.
    ///
    /// # Errors
    /// The same.
    pub async fn verify_uncounted(
        &self,
        proof: &Proof,
        client_id: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Verified, ProviderError> {
        let deadline = Instant::now() + self.limits.total_timeout;
        let context = HandInContext {
            client: self.named_client(client_id)?,
            now,
            deadline,
        };
        let work = async {
            match proof {
                Proof::AccessToken {
                    access_token,
                    facts,
                } => self.verify_access_token(access_token, facts, context).await,
                Proof::TokenPair {
                    access_token,
                    access_token_secret,
                } => {
                    self.verify_token_pair(access_token, access_token_secret, context)
                        .await
                }
                Proof::IdToken {
                    id_token,
                    nonce,
                    access_token,
                    facts,
                } => {
                    let beside = access_token.as_ref().map(|token| (token, facts));
                    self.verify_id_token(id_token, nonce.as_deref(), beside, context)
                        .await
                }
                Proof::Code { .. } => self.verify_code(proof, context).await,
            }
        };
        // What runs inside keeps the deadline and tells the breaker; this catches what would not.
        tokio::time::timeout_at(deadline + GRACE, work)
            .await
            .unwrap_or_else(|_| Err(Outage::Timeout.into()))
    }

    pub(super) fn takes_codes(&self) -> bool {
        self.plan.oauth2.as_ref().is_some_and(|oauth2| {
            oauth2.client_auth != ClientAuth::AppleJwt || self.quirks.apple.is_some()
        })
    }

    /// Whether a bare access token can be accepted.
    fn proves_access_tokens(&self) -> bool {
        self.takes_access_tokens() && (self.allow_unbound || self.can_bind())
    }

    /// Whether requests lead from an access token to a uid.
    pub(super) fn takes_access_tokens(&self) -> bool {
        self.plan.takes_access_token && self.quirks.allowed_claims.is_empty()
    }

    /// Whether the entry's proof can be made with the secrets we have.
    pub(super) fn can_bind(&self) -> bool {
        self.plan.audience.binds_access_tokens()
            && (!self.plan.full.needs.client_secret
                || self.clients.iter().any(|client| client.secret.is_some()))
    }

    pub(super) const fn total_timeout(&self) -> Duration {
        self.limits.total_timeout
    }

    pub(super) fn named_client(
        &self,
        client_id: Option<&str>,
    ) -> Result<Option<&Client>, ProviderError> {
        match client_id {
            None => Ok(None),
            Some(id) => match self.clients.iter().find(|client| client.id == id) {
                Some(client) => Ok(Some(client)),
                None => Err(ProviderError::BadMember {
                    member: "client_id",
                    problem: "not one of the client ids that are configured for this provider",
                }),
            },
        }
    }

    /// The client that we act as in requests of our own.
    pub(super) fn acting_client<'a>(
        &'a self,
        named: Option<&'a Client>,
        needs_secret: bool,
    ) -> Result<&'a Client, ProviderError> {
        let fits = |client: &&Client| !needs_secret || client.secret.is_some();
        if let Some(client) = named.filter(fits) {
            return Ok(client);
        }
        if named.is_some() {
            // Another of our clients may ask about this one's token; whose it is stays to be proven.
            return self.only(fits, "has no secret here, and several others have one");
        }
        match self.clients.as_slice() {
            [client] if fits(&client) => Ok(client),
            _ => self.only(
                |client| client.secret.is_some(),
                "needed: several are configured for this provider",
            ),
        }
    }

    fn only(
        &self,
        fits: impl Fn(&&Client) -> bool,
        problem: &'static str,
    ) -> Result<&Client, ProviderError> {
        let mut fitting = self.clients.iter().filter(|client| fits(client));
        match (fitting.next(), fitting.next()) {
            (Some(client), None) => Ok(client),
            (None, _) => Err(ProviderError::BadMember {
                member: "client_id",
                problem: "no client here has the secret that this takes",
            }),
            _ => Err(ProviderError::BadMember {
                member: "client_id",
                problem,
            }),
        }
    }
}

/// Whether `token` can stand in a header (RFC 6750 §2.1 and RFC 6749 appendix A.12: visible ASCII). Nothing else reaches a request.
pub(super) fn check_token(token: &Secret) -> Result<&str, ProviderError> {
    let text = token.expose();
    let well_formed = !text.is_empty() && text.bytes().all(|b| (0x20..0x7f).contains(&b));
    if well_formed {
        Ok(text)
    } else {
        Err(ProviderError::InvalidToken("no token could look like this"))
    }
}
