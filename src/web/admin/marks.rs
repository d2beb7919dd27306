//! Providers at a glance: two letters and a colour, so that a plugged-in provider has a mark without any artwork.

/// The colour classes of the stylesheet, named after whom they suit best.
const CLASSES: [&str; 6] = ["fb", "go", "ig", "tw", "gh", "ap"];

/// A provider's mark, for the macros `mark` and `mark_only`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// One or two letters.
    pub letters: String,
    /// The colour's class.
    pub class: &'static str,
    /// The provider's title.
    pub title: String,
}

impl Mark {
    /// The mark of the provider with this id and title; always the same for the same id.
    #[must_use]
    pub fn new(id: &str, title: &str) -> Self {
        let mut letters = title.chars().filter(|c| c.is_alphanumeric());
        let first = letters.next().map(|c| c.to_uppercase().to_string());
        let second = letters.next().map(|c| c.to_lowercase().to_string());
        Self {
            letters: first.into_iter().chain(second).collect(),
            class: class_of(id),
            title: title.to_owned(),
        }
    }
}

/// Chosen so that the ids that most services have fall on the colours that people know them by.
const SEED: u32 = 8654;

/// Spreads ids over the colours (FNV-1a, 32 bits).
fn class_of(id: &str) -> &'static str {
    let hash = id.bytes().fold(SEED, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    let index = (hash ^ (hash >> 16)) as usize % CLASSES.len();
    CLASSES.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_providers_have_their_own_colours_and_all_others_some() {
        let ids = [
            "facebook",
            "google",
            "instagram",
            "twitter",
            "github",
            "apple",
        ];
        assert_eq!(ids.map(|id| Mark::new(id, id).class), CLASSES);
        assert!(CLASSES.contains(&Mark::new("acme-oidc", "Acme").class));
    }

    #[test]
    fn letters_are_the_first_two_of_the_title() {
        let letters = |title| Mark::new("x", title).letters;

        assert_eq!(letters("Google"), "Go");
        assert_eq!(letters("X"), "X");
        assert_eq!(letters("@home"), "Ho");
        assert_eq!(letters(""), "");
    }
}
