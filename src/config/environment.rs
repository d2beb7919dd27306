//! Settings from environment variables: `LATCHKEY_DATABASE__URL`, and plain `DATABASE_URL` and `PORT`.

use figment::value::{Dict, Map, Tag, Value};
use figment::{Error, Metadata, Profile, Provider};

const PREFIX: &str = "LATCHKEY_";

/// The variables of this process that are settings.
pub(super) struct Variables {
    variables: Vec<(String, String)>,
}

impl Variables {
    pub(super) fn of_this_process() -> Self {
        // Variables that are not UTF-8 are none of ours.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { variables }
    }

    /// Plain variables first, so that the prefixed ones win.
    fn settings(&self) -> Vec<(Vec<String>, Value)> {
        let mut settings = Vec::new();
        let find = |wanted: &str| {
            self.variables
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.clone())
        };
        let path = |keys: [&str; 2]| keys.map(str::to_owned).to_vec();
        if let Some(url) = find("DATABASE_URL") {
            settings.push((path(["database", "url"]), Value::from(url)));
        }
        if let Some(port) = find("PORT") {
            // Whoever sets PORT is a platform that reaches us from outside.
            settings.push((
                path(["server", "bind"]),
                Value::from(format!("0.0.0.0:{port}")),
            ));
        }
        for (name, value) in &self.variables {
            // LATCHKEY_TEST_... belongs to the test run.
            let Some(key) = name
                .strip_prefix(PREFIX)
                .filter(|key| !key.starts_with("TEST_"))
            else {
                continue;
            };
            let keys: Vec<String> = key.split("__").map(str::to_ascii_lowercase).collect();
            let value = typed(&keys, value);
            settings.push((keys, value));
        }
        settings
    }
}

/// A client id made of digits is a text all the same: below `providers` only lists, tables and booleans are parsed.
fn typed(keys: &[String], value: &str) -> Value {
    let is_provider = keys.first().is_some_and(|key| key == "providers");
    let is_text =
        is_provider && !matches!(value, "true" | "false") && !value.starts_with(['[', '{']);
    if is_text {
        return Value::from(value);
    }
    value.parse().unwrap_or_else(|never| match never {})
}

fn insert(dict: &mut Dict, keys: &[String], value: Value) {
    match keys {
        [] => {}
        [last] => {
            dict.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = dict
                .entry(first.clone())
                .or_insert_with(|| Value::Dict(Tag::Default, Dict::new()));
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

impl Provider for Variables {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment variable")
            .interpolater(|_, keys| format!("{PREFIX}{}", keys.join("__").to_ascii_uppercase()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut dict = Dict::new();
        for (keys, value) in self.settings() {
            insert(&mut dict, &keys, value);
        }
        Ok(Profile::Default.collect(dict))
    }
}

#[cfg(test)]
mod tests {
    use figment::Figment;

    use super::*;
    use crate::config::Config;

    fn config(variables: &[(&str, &str)]) -> Config {
        let variables = variables
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        Figment::new()
            .merge(Variables { variables })
            .extract()
            .unwrap()
    }

    #[test]
    fn a_client_id_of_digits_stays_a_text() {
        let config = config(&[
            ("LATCHKEY_PROVIDERS__FACEBOOK__CLIENT_ID", "1234567890"),
            ("LATCHKEY_PROVIDERS__FACEBOOK__ALLOW_UNBOUND_TOKENS", "true"),
            ("LATCHKEY_SERVER__TRUSTED_PROXIES", "2"),
        ]);

        assert!(config.providers.contains_key("facebook"));
        assert_eq!(config.server.trusted_proxies, 2);
    }

    #[test]
    fn the_prefixed_variable_wins_over_the_plain_one() {
        let plain = config(&[("DATABASE_URL", "sqlite://a.db"), ("PORT", "80")]);
        let both = config(&[
            ("LATCHKEY_DATABASE__URL", "sqlite://b.db"),
            ("DATABASE_URL", "sqlite://a.db"),
        ]);

        assert_eq!(
            (plain.database.url.as_str(), plain.server.bind.port()),
            ("sqlite://a.db", 80)
        );
        assert_eq!(both.database.url, "sqlite://b.db");
    }
}
