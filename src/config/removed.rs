//! `removed_providers`: providers that are gone for good, although users may have no other way in.

use super::problem::Problem;
use super::{Config, ConfigError};
use crate::domain::ProviderId;
use crate::storage::provider_users::{Dependants, Removed};

const KEY: &str = "removed_providers";

impl Config {
    /// What is wrong with the list by itself.
    pub(super) fn removed_name_problems(&self) -> Vec<Problem> {
        let problem_of = |name: &String| {
            if self.providers.contains_key(name) {
                return Some(Problem::new(
                    KEY,
                    &format!("names `{name}`, which is configured"),
                    &format!("take it out of the list, or remove [providers.{name}]"),
                ));
            }
            let is_id = ProviderId::parse(name).is_some();
            (!is_id).then(|| {
                Problem::new(
                    KEY,
                    "has something that is no provider id",
                    "write ids as they stood below `providers`, such as \"github\"",
                )
            })
        };
        self.removed_providers
            .iter()
            .filter_map(problem_of)
            .collect()
    }

    /// Why the service does not start without providers that users depend on.
    #[must_use]
    pub fn refuse_removed(&self, removed: &[Removed]) -> ConfigError {
        let problems = removed.iter().map(|removed| {
            let id = &removed.provider;
            let names = self.removed_providers.iter().chain([id]);
            let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
            Problem::new(
                &format!("providers.{id}"),
                &format!(
                    "is gone from the configuration, and {}",
                    without_way_in(removed.dependants)
                ),
                &format!(
                    "put it back; or put it back with `enabled = false`, which switches it off and keeps it: social accounts stay as \
                     they are either way;\n    or accept it by name, above the first table: {KEY} = [{}]",
                    names.join(", ")
                ),
            )
        });
        ConfigError::from_problems(problems.collect())
    }
}

/// "3 users have no other way in", or "at least 3 users ..." where not everybody was looked at.
#[must_use]
pub fn without_way_in(dependants: Dependants) -> String {
    let least = if dependants.is_complete {
        ""
    } else {
        "at least "
    };
    let (users, have) = match dependants.users {
        1 => ("user", "has"),
        _ => ("users", "have"),
    };
    format!("{least}{} {users} {have} no other way in", dependants.users)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_configured_or_no_id_is_refused_by_name() {
        let refusal = |text| Config::from_toml(text).unwrap_err().to_string();

        let text =
            refusal("removed_providers = ['fake', 'github']\n[providers.fake]\nenabled = false");
        assert!(
            text.contains("removed_providers names `fake`, which is configured")
                && text.contains("remove [providers.fake]")
                && !text.contains("github"),
            "{text}"
        );
        let text = refusal("removed_providers = ['Git Hub']");
        assert!(text.contains("is no provider id"), "{text}");
    }

    #[test]
    fn a_refusal_says_how_many_and_offers_the_whole_list() {
        let config = Config::from_toml("removed_providers = ['discord']").unwrap();
        let removed = |provider: &str, users, is_complete| Removed {
            provider: provider.to_owned(),
            dependants: Dependants {
                users,
                accounts: 10_000,
                is_complete,
            },
        };

        let told =
            config.refuse_removed(&[removed("github", 1, true), removed("google", 9_702, false)]);

        let told = told.to_string();
        for words in [
            "providers.github is gone from the configuration, and 1 user has no other way in",
            "and at least 9702 users have no other way in",
            "`enabled = false`",
            "removed_providers = [\"discord\", \"github\"]",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}
