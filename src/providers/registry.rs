//! The providers that are configured, built once at start.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::catalog;
use super::compile::compile;
use super::entry::{AudienceProof, ClientAuth, Entry};
use super::guard::Guard;
use super::jwks::Guarded;
use super::outbound::{Outbound, OutboundSettings};
use super::plan::Plan;
use super::provider::{Provider, Quirks};
use super::quirks::apple::AppleKey;
use super::settings::{Client, Problems, ProviderSettings, SetupProblem, checked_id};
use resolve::entry_of;
pub use set_up::{Face, SetUp};

mod resolve;
mod set_up;

/// How long and how often providers are asked.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest time for one hand-in, everything included.
    pub total_timeout: Duration,
    /// Greatest number of requests under way at one provider.
    pub max_in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total_timeout: Duration::from_secs(5),
            max_in_flight: 64,
        }
    }
}

/// What providers are built with.
#[derive(Debug, Clone)]
pub struct BuildEnv {
    /// How we reach them.
    pub outbound: OutboundSettings,
    /// How long and how often.
    pub limits: Limits,
    /// Whether requests may be led away from the real providers.
    pub development: bool,
}

/// What a slug in a request leads to.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// A provider that takes hand-ins.
    Enabled(Arc<Provider>),
    /// Known, but switched off or not configured.
    Disabled,
    /// Nobody knows it.
    Unknown,
}

/// The configured providers. Immutable.
#[derive(Debug)]
pub struct Providers {
    by_id: BTreeMap<String, Arc<Provider>>,
    by_name: HashMap<String, Arc<Provider>>,
    disabled: BTreeMap<String, SetUp>,
    outbound: Outbound,
    limits: Limits,
    /// What the catalogue's entries look like, read when somebody first asks for one that is not configured.
    catalog_faces: OnceLock<HashMap<&'static str, Face>>,
}

impl Providers {
    /// Builds every enabled provider. Reads files that hold secrets, so it blocks: at start only.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn build(
        settings: &BTreeMap<String, ProviderSettings>,
        env: &BuildEnv,
    ) -> Result<Self, Vec<SetupProblem>> {
        let outbound = connect(env)?;
        let mut found = Vec::new();
        let mut by_id = BTreeMap::new();
        let mut disabled = BTreeMap::new();
        for (slug, settings) in settings {
            if !settings.is_enabled() {
                let set_up = SetUp::of(slug, settings, &outbound, env.limits);
                disabled.insert(slug.clone(), set_up);
                continue;
            }
            let mut problems = Problems::of(slug);
            match build_one(slug, settings, &outbound, env.limits, &mut problems) {
                Some(provider) if problems.is_empty() => {
                    by_id.insert(slug.clone(), Arc::new(provider));
                }
                _ => found.append(&mut problems.into_vec()),
            }
        }
        let by_name = names(&by_id, &mut found);
        if found.is_empty() {
            Ok(Self {
                by_id,
                by_name,
                disabled,
                outbound,
                limits: env.limits,
                catalog_faces: OnceLock::new(),
            })
        } else {
            Err(found)
        }
    }

    /// The provider that `name` is the id or an alias of, letter for letter.
    #[must_use]
    pub fn find(&self, name: &str) -> Lookup {
        match self.by_name.get(name) {
            Some(provider) => Lookup::Enabled(Arc::clone(provider)),
            None if self.disabled.contains_key(name) || catalog::find_by_name(name).is_some() => {
                Lookup::Disabled
            }
            None => Lookup::Unknown,
        }
    }

    /// Every enabled provider, in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.by_id.values()
    }
}

/// The one client. Outside development every request goes to the provider itself.
fn connect(env: &BuildEnv) -> Result<Outbound, Vec<SetupProblem>> {
    let mut problems = Problems::of("*");
    let led_away = env.outbound.provider_origin.is_some() || !env.outbound.host_routes.is_empty();
    if led_away && !env.development {
        problems.add(
            "provider_origin",
            "requests to providers would go elsewhere",
            "remove `development.provider_origin`, or set `environment = \"development\"`",
        );
        return Err(problems.into_vec());
    }
    Outbound::new(env.outbound.clone()).map_err(|problem| {
        problems.add("outbound", problem, "correct the outbound settings");
        problems.into_vec()
    })
}

/// Ids and aliases. Two providers never answer to one name.
fn names(
    by_id: &BTreeMap<String, Arc<Provider>>,
    found: &mut Vec<SetupProblem>,
) -> HashMap<String, Arc<Provider>> {
    let mut names: HashMap<String, Arc<Provider>> = by_id
        .iter()
        .map(|(id, provider)| (id.clone(), Arc::clone(provider)))
        .collect();
    for (id, provider) in by_id {
        for alias in provider.aliases() {
            if let Some(other) = names.insert(alias.clone(), Arc::clone(provider))
                && other.id() != provider.id()
            {
                let mut problems = Problems::of(id);
                problems.add(
                    "aliases",
                    format!("`{alias}` is also a name of `{}`", other.id()),
                    "give one of the two another id",
                );
                found.append(&mut problems.into_vec());
            }
        }
    }
    names
}

fn build_one(
    slug: &str,
    settings: &ProviderSettings,
    outbound: &Outbound,
    limits: Limits,
    problems: &mut Problems<'_>,
) -> Option<Provider> {
    let id = checked_id(slug, problems)?;
    let entry = entry_of(slug, settings, problems)?;
    let clients = settings.clients(problems);
    if clients.is_empty() {
        problems.add(
            "client_id",
            "no client id",
            "set `client_id` to what the provider's console shows, or `enabled = false`",
        );
    }
    let apple = apple_key(settings, &entry, problems);
    let guard = Arc::new(Guard::new(limits.max_in_flight));
    let guarded = Guarded {
        outbound: outbound.clone(),
        guard: Arc::clone(&guard),
    };
    let plan = compile(&entry, &guarded, problems)?;
    check_secrets(&plan, &clients, problems);
    let quirks = Quirks {
        apple,
        allowed_claims: settings.allowed_claims.clone(),
        discovery: super::compile::separate_discovery(&entry, &plan, &guarded),
    };
    if !quirks.allowed_claims.is_empty() && plan.id_token.is_none() {
        problems.add(
            "allowed_claims",
            "this provider has no id tokens",
            "remove it",
        );
    }
    Some(Provider::new(
        id,
        entry,
        plan,
        clients,
        settings,
        quirks,
        guard,
        outbound.clone(),
        limits,
    ))
}

/// The key that Apple's client secrets are minted from. Optional: id tokens need none.
fn apple_key(
    settings: &ProviderSettings,
    entry: &Entry,
    problems: &mut Problems<'_>,
) -> Option<AppleKey> {
    let mints = entry
        .oauth2
        .as_ref()
        .is_some_and(|oauth2| oauth2.client_auth == ClientAuth::AppleJwt);
    let private_key = settings.private_key(problems);
    let given = [
        settings.team_id.is_some(),
        settings.key_id.is_some(),
        private_key.is_some(),
    ];
    if !mints {
        if given.contains(&true) {
            problems.add(
                "private_key",
                "this provider has no use for a private key",
                "remove `team_id`, `key_id` and `private_key`",
            );
        }
        return None;
    }
    match (&settings.team_id, &settings.key_id, private_key) {
        (None, None, None) => None,
        (Some(team_id), Some(key_id), Some(pem)) => match AppleKey::new(team_id, key_id, &pem) {
            Ok(key) => Some(key),
            Err(problem) => {
                problems.add(
                    "private_key",
                    problem.to_string(),
                    "give the .p8 file that Apple's console offered for download",
                );
                None
            }
        },
        _ => {
            problems.add(
                "private_key",
                "`team_id`, `key_id` and `private_key` belong together",
                "set all three, or none to take id tokens only",
            );
            None
        }
    }
}

/// A proof that needs our secret cannot be made without one.
fn check_secrets(plan: &Plan, clients: &[Client], problems: &mut Problems<'_>) {
    let only_access_tokens = plan.id_token.is_none();
    if only_access_tokens
        && plan.full.needs.client_secret
        && plan.audience.proof != AudienceProof::None
        && clients.iter().all(|client| client.secret.is_none())
    {
        problems.add(
            "client_secret",
            "the proof that a token is ours needs our client secret",
            "set `client_secret` or `client_secret_file`",
        );
    }
}

#[cfg(test)]
mod tests;
