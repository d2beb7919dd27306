//! `[admin.sign_in.<provider>]`: through which providers staff sign in.

use super::problem::Problem;
use super::{Config, ConfigError};
use crate::domain::staff::{NewAccountRole, SignInRule, SignInRules};
use crate::domain::{ProviderId, Uid};
use crate::providers::{Client, Lookup, Provider, Providers};
use crate::web::admin::SignInSettings;

/// The platform of a client id that browsers are sent with.
const WEB: &str = "web";

impl Config {
    /// What is wrong with these tables by themselves.
    pub(super) fn sign_in_problems(&self) -> Vec<Problem> {
        self.admin
            .sign_in
            .iter()
            .flat_map(|(id, settings)| problems_of(id, settings))
            .collect()
    }

    /// The rules, for the providers that are on.
    ///
    /// # Errors
    /// Every provider that cannot send a browser back, or of which several client ids fit.
    pub fn staff_sign_in(&self, providers: &Providers) -> Result<SignInRules, ConfigError> {
        let (mut rules, mut problems) = (Vec::new(), Vec::new());
        for (id, settings) in &self.admin.sign_in {
            match rule_of(id, settings, providers) {
                Ok(rule) => rules.push(rule),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(rules.into_iter().collect())
        } else {
            Err(ConfigError::from_problems(problems))
        }
    }
}

fn key_of(id: &str, key: &str) -> String {
    let separator = if key.is_empty() { "" } else { "." };
    format!("admin.sign_in.{id}{separator}{key}")
}

fn problems_of(id: &str, settings: &SignInSettings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |key: &str, what: &str, remedy: &str| {
        problems.push(Problem::new(&key_of(id, key), what, remedy));
    };
    if settings.allowed_domains.is_empty() && settings.allowed_uids.is_empty() {
        add(
            "",
            "says nobody may sign in: both lists are missing or empty",
            "set allowed_domains = [\"example.org\"], or allowed_uids with the provider's ids of people",
        );
    }
    let is_domain = |domain: &String| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        domain.contains('.')
            && domain.bytes().all(is_plain)
            && !domain.starts_with('.')
            && !domain.ends_with('.')
    };
    if !settings.allowed_domains.iter().all(is_domain) {
        add(
            "allowed_domains",
            "has something that is no domain",
            "write what stands after the @, such as \"example.org\", each domain by itself and without a wildcard",
        );
    }
    if settings
        .allowed_uids
        .iter()
        .any(|uid| Uid::parse(uid).is_none())
    {
        add(
            "allowed_uids",
            "has something that is no uid",
            "write the provider's id of the person as a text, without blanks around it",
        );
    }
    match settings.new_account_role.as_deref() {
        Some("superuser") => add(
            "new_account_role",
            "cannot be `superuser`: whoever the provider lets in would rule the service",
            "take `staff` or `admin`; a superuser can make them one later",
        ),
        Some(role) if NewAccountRole::parse(role).is_none() => add(
            "new_account_role",
            "is no role",
            "take `staff` or `admin`, or leave it out to admit existing accounts only",
        ),
        Some(_) | None => {}
    }
    problems
}

fn rule_of(
    id: &str,
    settings: &SignInSettings,
    providers: &Providers,
) -> Result<(ProviderId, SignInRule), Problem> {
    let problem =
        |key: &str, what: &str, remedy: &str| Problem::new(&key_of(id, key), what, remedy);
    let provider = match providers.find(id) {
        Lookup::Enabled(provider) if provider.id().as_str() == id => provider,
        Lookup::Enabled(provider) => {
            return Err(problem(
                "",
                "names a provider by an alias",
                &format!("write [admin.sign_in.{}]", provider.id()),
            ));
        }
        Lookup::Disabled | Lookup::Unknown => {
            return Err(problem(
                "",
                "names a provider that is not on",
                &format!("add [providers.{id}] with its client id, or remove this table"),
            ));
        }
    };
    if !provider.sends_browsers_back() {
        return Err(problem(
            "",
            "names a provider that cannot send a browser back with a code",
            "take one that can; `latchkey providers show` tells",
        ));
    }
    let client = client_of(settings, &provider).map_err(|what| {
        problem(
            "client_id",
            what,
            "set it to the client id whose redirect addresses the provider's console lists for browsers",
        )
    })?;
    let uids = settings.allowed_uids.iter();
    let rule = SignInRule {
        client_id: client.id.clone(),
        allowed_domains: settings.allowed_domains.clone(),
        allowed_uids: uids.filter_map(|uid| Uid::parse(uid)).collect(),
        new_account_role: settings
            .new_account_role
            .as_deref()
            .and_then(NewAccountRole::parse),
    };
    Ok((provider.id().clone(), rule))
}

/// The client id that is named, else that for the web, else the only one.
fn client_of<'a>(
    settings: &SignInSettings,
    provider: &'a Provider,
) -> Result<&'a Client, &'static str> {
    let clients = provider.clients();
    if let Some(id) = &settings.client_id {
        let mut clients = clients.iter();
        let found = clients.find(|client| client.id == *id);
        return found.ok_or("is none of those that are configured for this provider");
    }
    let is_web = |client: &&Client| client.platform.as_deref() == Some(WEB);
    let mut web = clients.iter().filter(is_web);
    match (web.next(), web.next(), clients) {
        (Some(client), None, _) | (None, None, [client]) => Ok(client),
        _ => Err("is needed: several client ids could be meant"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;
    use crate::start::build_providers;

    fn rules(text: &str) -> Result<SignInRules, String> {
        let config = Config::from_toml(text).map_err(|error| error.to_string())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let providers = build_providers(&config, address).unwrap();
        let rules = config.staff_sign_in(&providers);
        rules.map_err(|error| error.to_string())
    }

    #[test]
    fn a_superuser_is_never_made_and_the_refusal_says_so() {
        let text = "[providers.fake]\n[admin.sign_in.fake]\nallowed_uids = [\"1\"]\nnew_account_role = \"superuser\"";

        let refused = rules(text).unwrap_err();

        assert!(
            refused.contains("admin.sign_in.fake.new_account_role cannot be `superuser`"),
            "{refused}"
        );
    }

    #[test]
    fn a_table_that_admits_nobody_or_nonsense_is_refused_by_key() {
        for (table, key) in [
            ("", "admin.sign_in.fake says nobody may sign in"),
            (
                "allowed_domains = [\"@example.org\"]",
                "fake.allowed_domains",
            ),
            (
                "allowed_domains = [\"*.example.org\"]",
                "fake.allowed_domains",
            ),
            ("allowed_uids = [\" 1\"]", "fake.allowed_uids"),
            ("allowed_uids = [1]", "fake.allowed_uids"),
            (
                "allowed_uids = [\"1\"]\nnew_account_role = \"boss\"",
                "fake.new_account_role is no role",
            ),
            (
                "allowed_uids = [\"1\"]\nclient_id = \"theirs\"",
                "fake.client_id is none of those",
            ),
        ] {
            let refused = rules(&format!("[providers.fake]\n[admin.sign_in.fake]\n{table}"));
            let refused = refused.unwrap_err();
            assert!(refused.contains(key), "{table}: {refused}");
        }
    }

    #[test]
    fn the_provider_must_be_on_under_its_own_name_and_send_browsers_back() {
        let allowed = "allowed_uids = [\"1\"]";
        for (provider, named, what) in [
            ("google", "github", "names a provider that is not on"),
            ("google", "google-oauth2", "by an alias"),
            ("twitter", "twitter", "cannot send a browser back"),
            ("apple", "apple", "cannot send a browser back"),
        ] {
            let credentials = "client_id = \"c\"\nclient_secret = \"s\"";
            let refused = rules(&format!(
                "[providers.{provider}]\n{credentials}\n[admin.sign_in.{named}]\n{allowed}"
            ));
            let refused = refused.unwrap_err();
            assert!(refused.contains(what), "{named}: {refused}");
        }
    }

    #[test]
    fn the_client_is_the_one_for_the_web_unless_another_is_named() {
        let google = "[providers.google]\nclients = [{ id = \"ios\", platform = \"ios\" }, { id = \"web\", platform = \"web\", secret = \"s\" }]\n";
        let table = "[admin.sign_in.google]\nallowed_domains = [\"example.org\"]\n";
        let client = |more: &str| {
            let rules = rules(&format!("{google}{table}{more}")).unwrap();
            rules.find("google").unwrap().1.client_id.clone()
        };
        let two = "[providers.google]\nclients = [{ id = \"a\" }, { id = \"b\" }]\n";

        assert_eq!(client(""), "web");
        assert_eq!(client("client_id = \"ios\""), "ios");
        let refused = rules(&format!("{two}{table}")).unwrap_err();
        assert!(
            refused.contains("admin.sign_in.google.client_id is needed"),
            "{refused}"
        );
    }

    #[test]
    fn a_problem_names_the_file_that_it_stands_in() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("latchkey.toml");
        std::fs::write(&file, "[admin.sign_in.fake]\nallowed_domains = [\"x\"]\n").unwrap();

        let refused = Config::load(Some(&file), &super::super::Overrides::default());
        let refused = refused.unwrap_err().to_string();

        assert!(
            refused.contains("latchkey.toml: admin.sign_in.fake.allowed_domains"),
            "{refused}"
        );
    }
}
