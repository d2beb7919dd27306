//! User names: derived from what the provider says, transliterated to ASCII, made unique by a short suffix.

use deunicode::deunicode;

use super::SocialIdentity;

/// Longest user name that is stored, in characters.
const MAX_CHARS: usize = 30;
/// Room kept for a suffix when a base name is cut.
const SUFFIX_CHARS: usize = 5;
/// The base when nothing usable is left, such as a name made of emoji.
const FALLBACK: &str = "user";
/// Highest number that is tried before a random suffix.
const HIGHEST_NUMBER: u32 = 9;
/// Letters and digits for random suffixes, without look-alikes. 32 of them, so that 5 bits pick one without bias.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The name to try first: the provider's own user name, else the local part of the address, else the person's name.
#[must_use]
pub fn base(identity: &SocialIdentity) -> String {
    let local_part = identity
        .email
        .as_deref()
        .and_then(|email| email.split_once('@'))
        .map(|(local, _)| local);
    let full_name = format!("{} {}", identity.first_name, identity.last_name);
    [
        identity.username.as_deref(),
        local_part,
        Some(full_name.as_str()),
    ]
    .into_iter()
    .flatten()
    .map(slug)
    .find(|name| !name.is_empty())
    .unwrap_or_else(|| FALLBACK.to_owned())
}

/// Names to try after `base` turned out to be taken: the numbers 2 to 9, then suffixes of 4 random characters.
///
/// `seed` is fresh randomness; 100 bits of it are used, so that the last five names cannot all be taken in practice.
#[must_use]
pub fn alternatives(base: &str, seed: u128) -> Vec<String> {
    let stem: String = base.chars().take(MAX_CHARS - SUFFIX_CHARS).collect();
    let numbered = (2..=HIGHEST_NUMBER).map(|number| format!("{stem}{number}"));
    let random = (0..5).map(|round| {
        let suffix: String = (0..4)
            .filter_map(|position| {
                let index = (seed >> (5 * (4 * round + position))) & 31;
                usize::try_from(index)
                    .ok()
                    .and_then(|index| ALPHABET.get(index))
                    .map(|letter| char::from(*letter))
            })
            .collect();
        format!("{stem}-{suffix}")
    });
    numbered.chain(random).collect()
}

/// Lower-case ASCII letters, digits, `.`, `_` and `-`; anything else between two words becomes one `-`.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len().min(MAX_CHARS));
    for c in deunicode(text).chars() {
        if slug.len() >= MAX_CHARS {
            break;
        }
        if c.is_ascii_alphanumeric() || c == '.' || c == '_' {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches(['-', '.', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Uid, identity::RawIdentity};

    fn base_of(username: Option<&str>, email: Option<&str>, full_name: Option<&str>) -> String {
        let raw = RawIdentity {
            username: username.map(Into::into),
            email: email.map(Into::into),
            full_name: full_name.map(Into::into),
            ..RawIdentity::default()
        };
        base(&SocialIdentity::new(Uid::parse("1").unwrap(), raw))
    }

    #[test]
    fn the_providers_name_comes_before_the_address_and_the_persons_name() {
        assert_eq!(
            base_of(Some("Ada"), Some("lovelace@example.org"), Some("A L")),
            "ada"
        );
        assert_eq!(
            base_of(None, Some("lovelace@example.org"), Some("A L")),
            "lovelace"
        );
        assert_eq!(base_of(None, None, Some("Ada Okafor")), "ada-okafor");
        assert_eq!(base_of(None, None, None), "user");
    }

    #[test]
    fn other_scripts_are_transliterated_instead_of_dropped() {
        assert_eq!(base_of(None, None, Some("Łukasz Żółć")), "lukasz-zolc");
        assert_eq!(base_of(Some("Дмитрий"), None, None), "dmitrii");
        assert!(!base_of(Some("李明"), None, None).is_empty());
    }

    #[test]
    fn alternatives_are_short_numbers_first_and_never_too_long() {
        let names = alternatives(&"a".repeat(30), 0x1234_5678_9abc_def0_1234_5678_9abc_def0);

        assert_eq!(
            names.first().map(String::as_str),
            Some("aaaaaaaaaaaaaaaaaaaaaaaaa2")
        );
        assert_eq!(names.len(), 13);
        assert!(names.iter().all(|name| name.len() <= MAX_CHARS));
    }

    #[test]
    fn a_new_seed_gives_new_random_suffixes() {
        assert_ne!(
            alternatives("ada", 1).last(),
            alternatives("ada", 1 << 90).last()
        );
    }
}
