//! The catalogue: entries that come with the program.
//!
//! An entry is parsed only when it is configured or listed, so that two hundred of them cost nothing at start.

use figment::Figment;
use figment::providers::{Format, Toml};

use super::entry::Entry;

/// One entry of the catalogue, not yet parsed.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// The provider's id.
    pub id: &'static str,
    /// Other ids that requests may use; the same as in the entry.
    pub aliases: &'static [&'static str],
    text: &'static str,
}

impl Line {
    /// The entry as it is written.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// The parsed entry.
    ///
    /// # Errors
    /// What is wrong with it; the tests parse every entry.
    pub fn entry(&self) -> Result<Entry, String> {
        parse(self.text)
    }
}

/// Reads an entry from TOML.
///
/// # Errors
/// What is wrong with it, with the key.
pub fn parse(text: &str) -> Result<Entry, String> {
    Figment::from(Toml::string(text))
        .extract()
        .map_err(|error| error.to_string())
}

/// The whole catalogue, in the order of ids.
#[must_use]
pub const fn lines() -> &'static [Line] {
    CATALOG
}

/// The entry called `id`.
#[must_use]
pub fn find(id: &str) -> Option<&'static Line> {
    let at = CATALOG.binary_search_by(|line| line.id.cmp(id)).ok()?;
    CATALOG.get(at)
}

/// The entry that has `name` as its id or as an alias.
#[must_use]
pub fn find_by_name(name: &str) -> Option<&'static Line> {
    find(name).or_else(|| CATALOG.iter().find(|line| line.aliases.contains(&name)))
}

macro_rules! catalog {
    ($($id:literal $([$($alias:literal),* $(,)?])?),* $(,)?) => {
        &[$(Line {
            id: $id,
            aliases: &[$($($alias),*)?],
            text: include_str!(concat!("catalog/", $id, ".toml")),
        }),*]
    };
}

#[rustfmt::skip]
const CATALOG: &[Line] = catalog![
    "amazon",
    "apple" ["apple-id"],
    "discord",
    "facebook" ["facebook-app", "facebook-limited-login"],
    "fake",
    "github" ["github-app", "github-oauth2"],
    "gitlab",
    "google" ["google-oauth2", "google-openidconnect", "google-onetap", "google-plus"],
    "instagram",
    "kakao",
    "line",
    "linkedin" ["linkedin-oauth2", "linkedin-openidconnect"],
    "microsoft" ["azuread-v2-tenant-oauth2", "azuread-oauth2-v2", "azuread-tenant-oauth2", "azuread-oauth2", "microsoft-graph"],
    "oidc",
    "slack" ["slack-oauth2"],
    "spotify",
    "twitch",
    "twitter",
    "x" ["twitter-oauth2"],
    "yandex" ["yandex-oauth2", "yaru"],
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_entry_parses_and_has_the_aliases_of_its_line() {
        for line in lines() {
            let entry = line
                .entry()
                .unwrap_or_else(|error| panic!("{}: {error}", line.id));
            assert_eq!(entry.aliases, line.aliases, "{}", line.id);
        }
    }

    #[test]
    fn ids_are_sorted_and_no_name_is_given_twice() {
        let mut names = BTreeSet::new();
        for line in lines() {
            assert!(names.insert(line.id), "{}", line.id);
            for alias in line.aliases {
                assert!(names.insert(alias), "{alias}");
            }
            assert!(std::ptr::eq(find(line.id).unwrap(), line), "{}", line.id);
        }
    }

    #[test]
    fn every_file_of_the_catalogue_has_its_line() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/providers/catalog");
        for file in std::fs::read_dir(folder).into_iter().flatten() {
            let path = file.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let id = path.file_stem().unwrap().to_str().unwrap();
                assert!(find(id).is_some(), "catalog.rs lacks a line for {id}");
            }
        }
    }
}
