//! `[webhooks.<name>]`: who is told what happens.

use url::{Host, Url};

use super::problem::Problem;
use super::{Config, ConfigError};
use crate::app::webhooks::{Webhook, WebhookSettings};
use crate::domain::webhook::{EventType, WebhookSecret};
use crate::providers::settings::{Problems, read_secret};

/// Longest name.
const NAME_MAX_BYTES: usize = 32;

impl Config {
    /// The webhooks. Reads the files that hold secrets, so it blocks: at start only.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn webhooks(&self) -> Result<Vec<Webhook>, ConfigError> {
        let (mut webhooks, mut problems) = (Vec::new(), Vec::new());
        for (name, settings) in &self.webhooks {
            webhooks.extend(webhook_of(name, settings, &mut problems));
        }
        if problems.is_empty() {
            Ok(webhooks)
        } else {
            Err(ConfigError::from_problems(problems))
        }
    }
}

/// The webhook, if nothing is wrong with it.
fn webhook_of(
    name: &str,
    settings: &WebhookSettings,
    problems: &mut Vec<Problem>,
) -> Option<Webhook> {
    let before = problems.len();
    let mut add = |key: &str, what: &str, remedy: &str| {
        let key = format!("webhooks.{name}{key}");
        problems.push(Problem::new(&key, what, remedy));
    };
    if !is_name(name) {
        add(
            "",
            "is no name",
            "use 1 to 32 of a-z, 0-9, `-` and `_`, such as [webhooks.crm]",
        );
    }
    match &settings.url {
        None => add(
            ".url",
            "is missing",
            "set it to where the receiver listens, such as \"https://crm.example.org/latchkey\"",
        ),
        Some(url) if !is_reachable(url) => add(
            ".url",
            "is not an address that webhooks are told at",
            "write https://HOST/PATH without a user in it, or http:// to this machine",
        ),
        Some(_) => {}
    }
    if settings.events.as_ref().is_some_and(Vec::is_empty) {
        add(
            ".events",
            "names no event",
            "name some, or leave it out to be told of all",
        );
    }
    let secret = secret_of(name, settings, &mut add);
    let (Some(url), Some(secret)) = (settings.url.clone(), secret) else {
        return None;
    };
    (problems.len() == before).then(|| Webhook {
        name: name.to_owned(),
        url,
        secret,
        events: settings
            .events
            .clone()
            .unwrap_or_else(|| EventType::ALL.to_vec()),
    })
}

fn secret_of(
    name: &str,
    settings: &WebhookSettings,
    add: &mut impl FnMut(&str, &str, &str),
) -> Option<WebhookSecret> {
    const REMEDY: &str =
        "make one with `latchkey keys webhook-secret`, and give it to the receiver as well";
    let (inline, file) = (settings.secret.as_ref(), settings.secret_file.as_deref());
    let mut found = Problems::of(name);
    let secret = read_secret("secret", inline, file, &mut found);
    let found = found.into_vec();
    if secret.is_none() && found.is_empty() {
        add(".secret", "is missing", REMEDY);
    }
    for problem in found {
        let what = format!("cannot be used: {}", problem.problem);
        add(&format!(".{}", problem.key), &what, &problem.remedy);
    }
    let parsed = WebhookSecret::parse(&secret?);
    if parsed.is_none() {
        add(
            ".secret",
            "is not `whsec_` and 24 to 64 bytes in base64",
            REMEDY,
        );
    }
    parsed
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    (1..=NAME_MAX_BYTES).contains(&name.len()) && name.bytes().all(is_plain)
}

/// What is sent must reach the receiver alone: over TLS, or without leaving the machine.
fn is_reachable(url: &Url) -> bool {
    let has_user = !url.username().is_empty() || url.password().is_some();
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    !has_user && (url.scheme() == "https" || url.scheme() == "http" && is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "secret = \"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\"\n";

    fn webhooks(text: &str) -> Result<Vec<Webhook>, String> {
        let config = Config::from_toml(text).map_err(|error| error.to_string())?;
        config.webhooks().map_err(|error| error.to_string())
    }

    #[test]
    fn a_webhook_is_told_of_everything_unless_it_chooses() {
        let url = "url = \"https://crm.example.org/hook\"\n";
        let all = webhooks(&format!("[webhooks.crm]\n{url}{SECRET}")).unwrap();
        let one = webhooks(&format!(
            "[webhooks.crm]\n{url}{SECRET}events = [\"user.signed_up\"]"
        ))
        .unwrap();

        assert_eq!(all[0].events, EventType::ALL);
        assert_eq!(one[0].events, [EventType::UserSignedUp]);
        assert_eq!(one[0].host(), "crm.example.org");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_remedy() {
        for (text, key) in [
            ("[webhooks.crm]", "webhooks.crm.url is missing"),
            ("[webhooks.crm]", "webhooks.crm.secret is missing"),
            (
                "[webhooks.crm]\nsecret = \"hunter2\"",
                "webhooks.crm.secret is not",
            ),
            (
                "[webhooks.crm]\nsecret_file = \"/nonexistent/secret\"",
                "webhooks.crm.secret_file cannot be used",
            ),
            (
                "[webhooks.crm]\nurl = \"http://crm.example.org\"",
                "webhooks.crm.url is not",
            ),
            (
                "[webhooks.crm]\nurl = \"https://ada:x@crm.example.org\"",
                "webhooks.crm.url is not",
            ),
            ("[webhooks.crm]\nevents = []", "webhooks.crm.events names"),
            (
                "[webhooks.crm]\nevents = [\"user.signedup\"]",
                "did you mean `user.signed_up`",
            ),
            ("[webhooks.\"C R M\"]", "webhooks.C R M is no name"),
            ("[webhooks.crm]\nuri = \"x\"", "webhooks.crm.uri"),
        ] {
            let said = webhooks(text).unwrap_err();
            assert!(said.contains(key), "{text}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn a_receiver_on_this_machine_needs_no_tls() {
        let text = format!("[webhooks.crm]\nurl = \"http://127.0.0.1:9/hook\"\n{SECRET}");

        assert_eq!(webhooks(&text).unwrap().len(), 1);
    }
}
