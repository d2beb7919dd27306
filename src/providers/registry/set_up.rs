//! What a provider looks like, and what it lacks to be switched on: for providers that are off as well.

use super::super::catalog;
use super::super::mark::Mark;
use super::super::outbound::Outbound;
use super::super::settings::{Problems, ProviderSettings, SetupProblem};
use super::resolve::entry_of;
use super::{HashMap, Limits, Providers, build_one};

/// Name and mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// Name for people.
    pub title: String,
    /// What stands for it.
    pub mark: Mark,
}

/// A provider that is off, and what its settings lack.
#[derive(Debug, Clone)]
pub struct SetUp {
    /// What it looks like.
    pub face: Face,
    /// What is missing or wrong. Empty: it would work as it is.
    pub problems: Vec<SetupProblem>,
}

impl SetUp {
    pub(super) fn of(
        slug: &str,
        settings: &ProviderSettings,
        outbound: &Outbound,
        limits: Limits,
    ) -> Self {
        let mut problems = Problems::of(slug);
        let built = build_one(slug, settings, outbound, limits, &mut problems);
        let face = match built {
            Some(provider) => Face {
                title: provider.title().to_owned(),
                mark: provider.mark().clone(),
            },
            None => Face::of_entry(slug, settings),
        };
        Self {
            face,
            problems: problems.into_vec(),
        }
    }
}

impl Face {
    /// What is known of an entry that could not be built.
    fn of_entry(slug: &str, settings: &ProviderSettings) -> Self {
        match entry_of(slug, settings, &mut Problems::of(slug)) {
            Some(entry) => {
                let derived = Mark::derive(slug, &entry.title);
                Self {
                    mark: Mark {
                        letters: entry.mark.unwrap_or(derived.letters),
                        color: entry.color.unwrap_or(derived.color),
                    },
                    title: entry.title,
                }
            }
            None => Self::of_slug(slug),
        }
    }

    fn of_slug(slug: &str) -> Self {
        Self {
            title: slug.to_owned(),
            mark: Mark::derive(slug, slug),
        }
    }
}

impl Providers {
    /// What the provider called `id` looks like; of one that nobody knows any more, what can be made of its id.
    #[must_use]
    pub fn face(&self, id: &str) -> Face {
        if let Some(provider) = self.by_id.get(id) {
            return Face {
                title: provider.title().to_owned(),
                mark: provider.mark().clone(),
            };
        }
        if let Some(set_up) = self.disabled.get(id) {
            return set_up.face.clone();
        }
        self.catalog_faces()
            .get(id)
            .cloned()
            .unwrap_or_else(|| Face::of_slug(id))
    }

    /// What the provider called `id` lacks to be switched on. `None` if it is on, or if nobody knows it.
    #[must_use]
    pub fn set_up(&self, id: &str) -> Option<SetUp> {
        if self.by_id.contains_key(id) {
            return None;
        }
        if let Some(set_up) = self.disabled.get(id) {
            return Some(set_up.clone());
        }
        catalog::find(id).map(|line| {
            let nothing = ProviderSettings::default();
            SetUp::of(line.id, &nothing, &self.outbound, self.limits)
        })
    }

    /// The providers that have a table and are switched off, in the order of ids.
    pub fn switched_off(&self) -> impl Iterator<Item = (&str, &SetUp)> {
        self.disabled
            .iter()
            .map(|(id, set_up)| (id.as_str(), set_up))
    }

    /// The ids of all that have a table, switched off or not.
    pub fn configured(&self) -> impl Iterator<Item = &str> {
        let on = self.by_id.keys();
        on.chain(self.disabled.keys()).map(String::as_str)
    }

    /// Whether a table names `id`.
    #[must_use]
    pub fn is_configured(&self, id: &str) -> bool {
        self.by_id.contains_key(id) || self.disabled.contains_key(id)
    }

    /// The entries of the catalogue that no table names, in the order of ids. Without `fake`, which only development has.
    pub fn not_configured(&self) -> impl Iterator<Item = (&'static str, &Face)> {
        catalog::lines().iter().filter_map(|line| {
            let listed = !self.is_configured(line.id) && line.id != "fake" && line.id != "oidc";
            let face = self.catalog_faces().get(line.id);
            face.filter(|_| listed).map(|face| (line.id, face))
        })
    }

    fn catalog_faces(&self) -> &HashMap<&'static str, Face> {
        self.catalog_faces.get_or_init(|| {
            let nothing = ProviderSettings::default();
            catalog::lines()
                .iter()
                .map(|line| (line.id, Face::of_entry(line.id, &nothing)))
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{build, keys};
    use super::*;
    use crate::providers::MarkColor;

    #[test]
    fn a_second_instance_gets_a_mark_of_its_own_unless_the_operator_sets_one() {
        let providers = build(
            "[gitlab]\nclient_id = 'a'\nclient_secret = 's'\n\
             [gitlab-work]\nentry = 'gitlab'\ntitle = 'GitLab Work'\nclient_id = 'b'\nclient_secret = 's'\n\
             [gitlab-lab]\nentry = 'gitlab'\nmark = 'L1'\ncolor = 'red'\nclient_id = 'c'\nclient_secret = 's'",
        )
        .unwrap();

        assert_eq!(providers.face("gitlab").mark.letters, "Gl");
        assert_eq!(providers.face("gitlab-work").mark.letters, "Gw");
        assert_eq!(
            providers.face("gitlab-lab").mark,
            Mark {
                letters: "L1".to_owned(),
                color: MarkColor::Red
            }
        );
    }

    #[test]
    fn a_mark_of_three_letters_is_refused() {
        let problems =
            build("[github]\nmark = 'Git'\nclient_id = 'a'\nclient_secret = 's'").unwrap_err();

        assert_eq!(keys(&problems), ["mark"]);
    }

    #[test]
    fn what_is_off_has_a_face_and_says_what_it_lacks() {
        let providers = build("[github]\nenabled = false\nclient_id = 'a'").unwrap();

        assert_eq!(providers.face("github").title, "GitHub");
        assert_eq!(providers.face("spotify").mark.letters, "Sp");
        assert_eq!(providers.face("gone-corp").mark.letters, "Gc");
        let discord = providers.set_up("discord").unwrap().problems;
        assert_eq!(keys(&discord)[0], "client_id");
        for (id, lacks) in [
            ("github", &["client_secret"][..]),
            ("facebook", &["client_id"]),
            ("spotify", &["client_id"]),
        ] {
            let problems = providers.set_up(id).unwrap().problems;
            assert_eq!(keys(&problems), lacks, "{id}");
        }
        assert!(providers.set_up("gone-corp").is_none());
    }

    #[test]
    fn what_no_table_names_is_listed_apart() {
        let providers = build("[github]\nenabled = false\n[google]\nclient_id = 'a'").unwrap();

        let off: Vec<&str> = providers.switched_off().map(|(id, _)| id).collect();
        assert_eq!(off, ["github"]);
        assert!(providers.not_configured().any(|(id, _)| id == "spotify"));
        for configured in ["github", "google", "fake"] {
            assert!(providers.not_configured().all(|(id, _)| id != configured));
        }
    }
}
