//! What an operator sets for one provider: `[providers.<id>]`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::policy::{SignUpRules, SignUps};
use crate::domain::{ProviderId, Secret};

use super::entry::{Audience, ExtraField, IdToken, Identity, OAuth2, Request, Revoke, Status};
use super::mark::MarkColor;

/// One provider's table. Everything is optional: `client_id` and `client_secret` are enough for most of the catalogue.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// Off without deleting the table.
    pub enabled: Option<bool>,
    /// The catalogue entry this is an instance of, unless the table has the entry's own name.
    pub entry: Option<String>,
    /// Name for people.
    pub title: Option<String>,
    /// See [`Entry::mark`](super::entry::Entry::mark).
    pub mark: Option<String>,
    /// See [`Entry::color`](super::entry::Entry::color).
    pub color: Option<MarkColor>,
    /// Host of a self-hosted instance, without scheme and path.
    pub host: Option<String>,
    /// Our client id, in the short form for one client.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// A file that holds its secret.
    pub client_secret_file: Option<PathBuf>,
    /// Our client ids, in the long form.
    pub clients: Vec<ClientSettings>,
    /// Accepts access tokens of which nothing proves that they were issued to us.
    pub allow_unbound_tokens: bool,
    /// Issuer of a generic OpenID Connect provider (OpenID Connect Discovery §4).
    pub issuer: Option<String>,
    /// Scopes to ask for in the browser flow.
    pub scopes: Option<Vec<String>>,
    /// Values for the entry's params.
    pub params: BTreeMap<String, String>,
    /// Whether people without a user may get one here.
    pub sign_ups: SignUps,
    /// Domains of e-mail addresses that may sign up here; empty means all.
    pub allowed_email_domains: Vec<String>,
    /// Addresses that may sign up here, beside the domains; empty means all.
    pub allowed_emails: Vec<String>,
    /// Claims of the id token that must have one of these texts, such as Microsoft's `tid`. Where this is set, only proofs with
    /// an id token are taken.
    pub allowed_claims: BTreeMap<String, Vec<String>>,
    /// Apple's team id.
    pub team_id: Option<String>,
    /// The id of Apple's private key.
    pub key_id: Option<String>,
    /// Apple's private key, PEM.
    pub private_key: Option<Secret>,
    /// A file that holds Apple's private key.
    pub private_key_file: Option<PathBuf>,
    /// Other ids that requests may use, for an entry of one's own.
    pub aliases: Vec<String>,
    /// See [`Entry::status`](super::entry::Entry::status).
    pub status: Option<Status>,
    /// See [`Entry::docs`](super::entry::Entry::docs).
    pub docs: Option<String>,
    /// See [`Entry::oauth2`](super::entry::Entry::oauth2).
    pub oauth2: Option<OAuth2>,
    /// See [`Entry::id_token`](super::entry::Entry::id_token).
    pub id_token: Option<IdToken>,
    /// See [`Entry::requests`](super::entry::Entry::requests).
    pub requests: Vec<Request>,
    /// See [`Entry::identity`](super::entry::Entry::identity).
    pub identity: Option<Identity>,
    /// See [`Entry::audience`](super::entry::Entry::audience).
    pub audience: Option<Audience>,
    /// See [`Entry::extra_data`](super::entry::Entry::extra_data).
    pub extra_data: Vec<ExtraField>,
    /// See [`Entry::revoke`](super::entry::Entry::revoke).
    pub revoke: Option<Revoke>,
}

/// One of our client ids at a provider.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSettings {
    /// The client id, compared byte for byte.
    pub id: String,
    /// Its secret; mobile clients have none.
    pub secret: Option<Secret>,
    /// A file that holds its secret.
    pub secret_file: Option<PathBuf>,
    /// `ios`, `android`, `web` and so on, for people.
    pub platform: Option<String>,
    /// A name, for people.
    pub label: Option<String>,
}

/// One thing that is wrong with a provider's settings or entry, for `config check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupProblem {
    /// The provider's id.
    pub provider: String,
    /// The key in its table.
    pub key: String,
    /// What is wrong, in one clause.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for SetupProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider,
            key,
            problem,
            remedy,
        } = self;
        write!(f, "providers.{provider}.{key}: {problem}; {remedy}")
    }
}

/// Collects what is wrong with one provider.
#[derive(Debug)]
pub struct Problems<'a> {
    provider: &'a str,
    found: Vec<SetupProblem>,
}

impl<'a> Problems<'a> {
    /// Nothing wrong yet with `provider`.
    #[must_use]
    pub const fn of(provider: &'a str) -> Self {
        Self {
            provider,
            found: Vec::new(),
        }
    }

    /// Adds a problem.
    pub fn add(
        &mut self,
        key: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.found.push(SetupProblem {
            provider: self.provider.to_owned(),
            key: key.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    /// Whether nothing was added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them.
    #[must_use]
    pub fn into_vec(self) -> Vec<SetupProblem> {
        self.found
    }
}

/// One of our client ids at a provider, with its secret in reach.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client id.
    pub id: String,
    /// Its secret, if it has one.
    pub secret: Option<Secret>,
    /// Platform, for people.
    pub platform: Option<String>,
    /// Name, for people.
    pub label: Option<String>,
}

impl ProviderSettings {
    /// Whether the provider is to be offered.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// The catalogue entry that the provider called `id` follows, if it is one of the catalogue's.
    #[must_use]
    pub fn entry_id<'a>(&'a self, id: &'a str) -> &'a str {
        self.entry.as_deref().unwrap_or(id)
    }

    /// Who may sign up here.
    #[must_use]
    pub fn sign_up_rules(&self) -> SignUpRules {
        SignUpRules {
            sign_ups: self.sign_ups,
            allowed_email_domains: self.allowed_email_domains.clone(),
            allowed_emails: self.allowed_emails.clone(),
        }
    }

    /// Whether the table describes a provider itself.
    #[must_use]
    pub const fn has_entry_tables(&self) -> bool {
        self.oauth2.is_some()
            || self.id_token.is_some()
            || !self.requests.is_empty()
            || self.identity.is_some()
            || self.audience.is_some()
            || self.revoke.is_some()
    }

    /// Our client ids. Reads the files that hold secrets, so it blocks: at start only.
    pub fn clients(&self, problems: &mut Problems<'_>) -> Vec<Client> {
        let mut clients = Vec::new();
        let short_form = self.client_id.as_ref().map(|id| ClientSettings {
            id: id.clone(),
            secret: self.client_secret.clone(),
            secret_file: self.client_secret_file.clone(),
            ..ClientSettings::default()
        });
        if short_form.is_none()
            && (self.client_secret.is_some() || self.client_secret_file.is_some())
        {
            problems.add(
                "client_id",
                "a secret without a client id",
                "set `client_id`, or put the secret into `clients`",
            );
        }
        let named = short_form
            .iter()
            .map(|client| ("client_id".to_owned(), "client_secret".to_owned(), client))
            .chain(self.clients.iter().enumerate().map(|(index, client)| {
                (
                    format!("clients[{index}].id"),
                    format!("clients[{index}].secret"),
                    client,
                )
            }));
        for (id_key, secret_key, client) in named {
            check_client_id(&client.id, &id_key, &clients, problems);
            clients.push(Client {
                id: client.id.clone(),
                secret: read_secret(
                    &secret_key,
                    client.secret.as_ref(),
                    client.secret_file.as_deref(),
                    problems,
                ),
                platform: client.platform.clone(),
                label: client.label.clone(),
            });
        }
        clients
    }

    /// Apple's private key. Reads a file, so it blocks: at start only.
    pub fn private_key(&self, problems: &mut Problems<'_>) -> Option<Secret> {
        read_secret(
            "private_key",
            self.private_key.as_ref(),
            self.private_key_file.as_deref(),
            problems,
        )
    }
}

/// A blank client id would match a blank audience, so it is never accepted.
fn check_client_id(id: &str, key: &str, others: &[Client], problems: &mut Problems<'_>) {
    if id.trim().is_empty() {
        problems.add(key, "the client id is blank", "set it or remove the client");
    } else if id.trim() != id || id.chars().any(char::is_control) {
        problems.add(
            key,
            "the client id has blanks or control characters around or in it",
            "remove them: client ids are compared byte for byte",
        );
    } else if others.iter().any(|other| other.id == id) {
        problems.add(
            key,
            "the client id is there twice",
            "keep one of the two clients",
        );
    }
}

/// A secret given inline or in a file, without blanks around it. Reads the file, so it blocks: at start only.
pub fn read_secret(
    key: &str,
    inline: Option<&Secret>,
    file: Option<&Path>,
    problems: &mut Problems<'_>,
) -> Option<Secret> {
    let secret = match (inline, file) {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            problems.add(
                key,
                "the secret is given both inline and in a file",
                "keep one of the two",
            );
            return None;
        }
        (Some(secret), None) => Secret::new(secret.expose().trim()),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => Secret::new(text.trim()),
            Err(error) => {
                problems.add(
                    format!("{key}_file"),
                    format!("{} cannot be read: {}", path.display(), error.kind()),
                    "create the file, or let the service's account read it",
                );
                return None;
            }
        },
    };
    if secret.is_empty() {
        problems.add(key, "the secret is blank", "set it or remove the key");
        return None;
    }
    Some(secret)
}

/// The id that `slug` is, or a problem.
pub fn checked_id(slug: &str, problems: &mut Problems<'_>) -> Option<ProviderId> {
    let id = ProviderId::parse(slug);
    if id.is_none() {
        problems.add(
            "",
            "this is no provider id",
            "use 1 to 32 of a-z, 0-9, `-` and `_`, beginning with a letter or digit",
        );
    }
    id
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    fn settings(toml: &str) -> ProviderSettings {
        Figment::from(Toml::string(toml)).extract().unwrap()
    }

    fn problems_of(toml: &str) -> Vec<String> {
        let mut problems = Problems::of("x");
        settings(toml).clients(&mut problems);
        problems
            .into_vec()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn blank_and_repeated_client_ids_are_refused() {
        for bad in [
            "client_id = ''",
            "client_id = '  '",
            "client_id = ' a'",
            "client_id = \"a\\n\"",
            "clients = [{ platform = 'web' }]",
            "clients = [{ id = 'a' }, { id = 'a' }]",
            "client_id = 'a'\nclients = [{ id = 'a' }]",
            "client_secret = 'lonely'",
            "client_id = 'a'\nclient_secret = ' '",
            "client_id = 'a'\nclient_secret = 's'\nclient_secret_file = '/x'",
            "client_id = 'a'\nclient_secret_file = '/nonexistent/secret'",
        ] {
            assert_eq!(problems_of(bad).len(), 1, "{bad}: {:?}", problems_of(bad));
        }
        assert!(problems_of("clients = [{ id = 'a' }, { id = 'A' }]").is_empty());
    }

    #[test]
    fn a_secret_in_a_file_is_trimmed_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "s3cret\n").unwrap();
        let mut problems = Problems::of("x");
        let toml = format!("client_id = 'a'\nclient_secret_file = '{}'", path.display());

        let clients = settings(&toml).clients(&mut problems);

        assert_eq!(clients[0].secret.as_ref().unwrap().expose(), "s3cret");
        assert!(!format!("{clients:?}").contains("s3cret"));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let parsed = Figment::from(Toml::string("client_idd = 'a'")).extract::<ProviderSettings>();

        assert!(parsed.unwrap_err().to_string().contains("client_idd"));
    }
}
