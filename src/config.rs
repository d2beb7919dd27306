//! The configuration: `latchkey.toml`, then the environment, then flags. Every layer owns its settings; this composes them.

mod environment;
pub mod keys;
mod problem;
mod removed;
mod sign_in;
mod webhooks;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use serde::Deserialize;
use url::Url;

use crate::app::webhooks::WebhookSettings;
use crate::domain::policy::SignUps;
use crate::domain::{EmailMatch, Policy, Secret, SignUpRules};
use crate::providers::{ProviderSettings, fake};
use crate::web;
pub use problem::ConfigError;
pub use removed::without_way_in;

/// The file that is read from the working folder unless `--config` names another.
pub const DEFAULT_FILE: &str = "latchkey.toml";

/// All settings. Everything has a default: an empty configuration starts in development.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `development` or `production`.
    pub environment: Environment,
    /// Providers that are gone although users may have no other way in, by id.
    pub removed_providers: Vec<String>,
    /// How we listen.
    pub server: web::Settings,
    /// Where the data is.
    pub database: DatabaseSettings,
    /// Where the secret keys are.
    pub keys: KeySettings,
    /// How we log.
    pub log: LogSettings,
    /// How long and how much we ask of providers.
    pub outbound: OutboundLimits,
    /// The staff pages.
    pub admin: web::admin::Settings,
    /// Things that production refuses.
    pub development: DevelopmentSettings,
    /// Who may sign up.
    pub policy: PolicySettings,
    /// The providers, by id.
    pub providers: BTreeMap<String, ProviderSettings>,
    /// Who is told what happens, by name.
    pub webhooks: BTreeMap<String, WebhookSettings>,
}

/// Where the service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Secrets are made on first start, the fake provider and `provider_origin` are possible.
    #[default]
    Development,
    /// What is needed must be there; what is for development is refused.
    Production,
}

/// Where the data is.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `sqlite://PATH` or `postgres://...`.
    pub url: String,
    /// Connections: readers on SQLite, all on PostgreSQL.
    pub max_connections: u32,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self {
            url: "sqlite://latchkey.db".to_owned(),
            max_connections: 8,
        }
    }
}

/// Where the secret keys are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeySettings {
    /// The key file; `latchkey.keys.toml` beside the SQLite file, or in the working folder, unless set.
    pub file: Option<PathBuf>,
}

/// How we log.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
    /// A level or a filter in the form of `tracing-subscriber`, such as `info` or `warn,latchkey=debug`.
    pub level: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How long and how much we ask of providers.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundLimits {
    /// Longest wait for a connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Longest time that all requests of one hand-in may take together, in milliseconds.
    pub total_timeout_ms: u64,
    /// Largest answer that is read, in bytes.
    pub max_answer_bytes: usize,
    /// Requests to one provider under way at once.
    pub max_in_flight: NonZeroUsize,
}

impl Default for OutboundLimits {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 2_000,
            total_timeout_ms: 5_000,
            max_answer_bytes: 1024 * 1024,
            max_in_flight: NonZeroUsize::MIN.saturating_add(63),
        }
    }
}

/// Things that production refuses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DevelopmentSettings {
    /// Where requests to `https://HOST/PATH?QUERY` go instead, as `ORIGIN/HOST/PATH?QUERY`.
    pub provider_origin: Option<Url>,
}

/// Who may sign up, and what a known e-mail address means.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySettings {
    /// `open` or `closed`.
    pub sign_ups: SignUps,
    /// `separate`, `ask` or `link`.
    pub email_match: EmailMatch,
    /// Domains of verified addresses that may sign up; empty means all.
    pub allowed_email_domains: Vec<String>,
    /// Verified addresses that may sign up, beside the domains; empty means all.
    pub allowed_emails: Vec<String>,
}

impl PolicySettings {
    /// The switches as flows use them.
    #[must_use]
    pub fn to_policy(&self) -> Policy {
        Policy {
            sign_up: SignUpRules {
                sign_ups: self.sign_ups,
                allowed_email_domains: self.allowed_email_domains.clone(),
                allowed_emails: self.allowed_emails.clone(),
            },
            email_match: self.email_match,
        }
    }
}

/// What flags say; it comes last and wins.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Keys with dots and their values, such as `server.bind`.
    pub values: Vec<(&'static str, String)>,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Every problem found, each with file or variable, key and remedy.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, ConfigError> {
        let path = file.unwrap_or_else(|| Path::new(DEFAULT_FILE));
        if file.is_some() && !path.is_file() {
            return Err(ConfigError::missing_file(path));
        }
        let mut figment = Figment::new();
        if path.is_file() {
            figment = figment.merge(Toml::file_exact(path));
        }
        figment = figment.merge(environment::Variables::of_this_process());
        for (key, value) in &overrides.values {
            figment = figment.merge(Serialized::default(key, value));
        }
        Self::extract(&figment)
    }

    /// Reads the configuration from text alone, for tests and for examples.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::extract(&Figment::new().merge(Toml::string(text)))
    }

    fn extract(figment: &Figment) -> Result<Self, ConfigError> {
        let mut config: Self = figment
            .extract()
            .map_err(|error| ConfigError::from_figment(&error))?;
        config.check(figment)?;
        config.complete_fake_providers();
        Ok(config)
    }

    /// Whether this is a production configuration.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// The rules that no single key can state.
    fn check(&self, figment: &Figment) -> Result<(), ConfigError> {
        let mut problems = self.sign_in_problems();
        problems.extend(self.removed_name_problems());
        if self.is_production() {
            if self.development.provider_origin.is_some() {
                problems.push(problem::Problem::new(
                    "development.provider_origin",
                    "is refused in production: whoever answers there could sign in as anyone",
                    "remove it, or set environment = \"development\"",
                ));
            }
            for (id, _) in self.fake_providers() {
                problems.push(problem::Problem::new(
                    &format!("providers.{id}"),
                    "is refused in production: the fake provider signs in anyone",
                    "remove it, or set environment = \"development\"",
                ));
            }
            if self.server.public_url.is_none() {
                problems.push(problem::Problem::new(
                    "server.public_url",
                    "is needed in production: it is the issuer of our tokens",
                    "set it to the address that clients use, such as \"https://id.example.org\"",
                ));
            }
        }
        if let Some(origin) = &self.development.provider_origin
            && (origin.scheme() != "http" && origin.scheme() != "https" || origin.query().is_some())
        {
            problems.push(problem::Problem::new(
                "development.provider_origin",
                "is not an origin",
                "write it like \"http://127.0.0.1:9009\"",
            ));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            let problems = problems.into_iter();
            let located = problems.map(|problem| problem.located_by(figment));
            Err(ConfigError::from_problems(located.collect()))
        }
    }

    /// The providers that follow the built-in fake one's entry and are on.
    fn fake_providers(&self) -> impl Iterator<Item = (&String, &ProviderSettings)> {
        self.providers
            .iter()
            .filter(|(id, settings)| settings.is_enabled() && settings.entry_id(id) == fake::ID)
    }

    /// Whether the built-in fake provider has to answer.
    #[must_use]
    pub fn has_fake_provider(&self) -> bool {
        self.fake_providers().next().is_some()
    }

    /// The fake provider needs no credentials: it has its own.
    fn complete_fake_providers(&mut self) {
        for (id, settings) in &mut self.providers {
            if settings.entry_id(id) == fake::ID
                && settings.client_id.is_none()
                && settings.clients.is_empty()
            {
                settings.client_id = Some(fake::CLIENT_ID.to_owned());
                settings.client_secret = Some(Secret::new(fake::CLIENT_SECRET));
            }
        }
    }

    /// Where the key file is.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        const NAME: &str = "latchkey.keys.toml";
        if let Some(file) = &self.keys.file {
            return file.clone();
        }
        let database = self.database.url.strip_prefix("sqlite://");
        let folder = database.and_then(|path| Path::new(path).parent());
        folder.map_or_else(|| PathBuf::from(NAME), |folder| folder.join(NAME))
    }

    /// The public URL without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> String {
        match &self.server.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.server.bind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Config::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_configuration_is_a_development_configuration() {
        let config = Config::from_toml("").unwrap();

        assert!(!config.is_production());
        assert_eq!(config.database.url, "sqlite://latchkey.db");
        assert_eq!(config.key_file(), Path::new("latchkey.keys.toml"));
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        let text = refusal("[server]\nbnid = \"127.0.0.1:1\"");
        assert!(
            text.contains("server.bnid") && text.contains("`bind`"),
            "{text}"
        );

        let text = refusal("[providers.github]\nclient_idd = \"x\"");
        assert!(
            text.contains("providers.github.client_idd") && text.contains("`client_id`"),
            "{text}"
        );
    }

    #[test]
    fn a_wrong_type_is_refused_by_key() {
        let text = refusal("[server]\ntrusted_proxies = \"many\"");
        assert!(text.contains("server.trusted_proxies"), "{text}");

        let text = refusal("environment = \"prod\"");
        assert!(
            text.contains("environment") && text.contains("`production`"),
            "{text}"
        );
    }

    #[test]
    fn production_refuses_what_is_for_development() {
        let text = refusal(
            "environment = \"production\"\n[development]\nprovider_origin = \"http://127.0.0.1:9\"\n[providers.fake]\n",
        );
        for key in [
            "development.provider_origin",
            "providers.fake",
            "server.public_url",
        ] {
            assert!(text.contains(key), "{key}: {text}");
        }
    }

    #[test]
    fn the_key_file_stands_beside_the_sqlite_file() {
        let config =
            Config::from_toml("[database]\nurl = \"sqlite:///var/lib/latchkey/l.db\"").unwrap();
        assert_eq!(
            config.key_file(),
            Path::new("/var/lib/latchkey/latchkey.keys.toml")
        );
    }
}
