//! A provider's mark: two letters on one of a fixed palette of colours, so that every provider has one without artwork.

use serde::Deserialize;

/// The palette. `static/admin.css` has a class and a pair of colours (light and dark) for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkColor {
    /// Blue.
    Blue,
    /// Orange.
    Orange,
    /// Pink.
    Pink,
    /// Nearly black; nearly white in the dark.
    Ink,
    /// Violet.
    Violet,
    /// Grey.
    Gray,
    /// Green.
    Green,
    /// Red.
    Red,
    /// Teal.
    Teal,
    /// Brown.
    Brown,
    /// Purple.
    Purple,
    /// Olive.
    Olive,
}

impl MarkColor {
    /// Every one, in the order in which they are given out.
    pub const ALL: [Self; 12] = [
        Self::Blue,
        Self::Orange,
        Self::Pink,
        Self::Ink,
        Self::Violet,
        Self::Gray,
        Self::Green,
        Self::Red,
        Self::Teal,
        Self::Brown,
        Self::Purple,
        Self::Olive,
    ];

    /// The class in the stylesheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Blue => "c-blue",
            Self::Orange => "c-orange",
            Self::Pink => "c-pink",
            Self::Ink => "c-ink",
            Self::Violet => "c-violet",
            Self::Gray => "c-gray",
            Self::Green => "c-green",
            Self::Red => "c-red",
            Self::Teal => "c-teal",
            Self::Brown => "c-brown",
            Self::Purple => "c-purple",
            Self::Olive => "c-olive",
        }
    }
}

/// Letters and colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// One or two letters or digits.
    pub letters: String,
    /// Their background, and the provider's colour in charts.
    pub color: MarkColor,
}

impl Mark {
    /// The mark of an entry that brings none: the initials of the title's first two words, or the first two letters of its only
    /// one, and a colour that `id` always leads to.
    #[must_use]
    pub fn derive(id: &str, title: &str) -> Self {
        Self {
            letters: letters_of(title)
                .or_else(|| letters_of(id))
                .unwrap_or_else(|| "?".to_owned()),
            color: color_of(id),
        }
    }

    /// Whether `letters` can stand in a mark: one or two ASCII letters or digits.
    #[must_use]
    pub fn accepts(letters: &str) -> bool {
        (1..=2).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_alphanumeric())
    }
}

fn letters_of(text: &str) -> Option<String> {
    let ascii = deunicode::deunicode(text);
    let mut words = ascii
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let first = words.next()?;
    let mut letters = first.chars();
    let initial = letters.next()?.to_ascii_uppercase();
    let second = match words.next() {
        Some(word) => word.chars().next(),
        None => letters.next(),
    };
    Some(
        std::iter::once(initial)
            .chain(second.map(|letter| letter.to_ascii_lowercase()))
            .collect(),
    )
}

/// FNV-1a over the id: the same on every machine and in every version.
fn color_of(id: &str) -> MarkColor {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let number = usize::try_from(hash % 12).unwrap_or_default();
    MarkColor::ALL
        .get(number)
        .copied()
        .unwrap_or(MarkColor::Gray)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::providers::catalog;

    #[test]
    fn letters_come_from_the_title() {
        for (id, title, letters) in [
            ("acme-oidc", "acme-oidc", "Ao"),
            ("x1", "Acme", "Ac"),
            ("x1", "École Normale", "En"),
            ("x1", "B", "B"),
            ("gitlab-work", "…", "Gw"),
        ] {
            assert_eq!(Mark::derive(id, title).letters, letters, "{title}");
        }
    }

    #[test]
    fn a_color_stays_and_the_palette_is_used() {
        let of = |id: &str| Mark::derive(id, "").color;
        let used: BTreeSet<_> = (0..200).map(|n| of(&format!("p{n}")).class()).collect();

        assert_eq!(of("acme"), of("acme"));
        assert_eq!(used.len(), MarkColor::ALL.len());
    }

    #[test]
    fn every_entry_of_the_catalogue_brings_a_mark_of_its_own() {
        let mut seen = BTreeSet::new();
        for line in catalog::lines() {
            let entry = line.entry().unwrap();
            let letters = entry
                .mark
                .unwrap_or_else(|| panic!("{} has no mark", line.id));
            let color = entry
                .color
                .unwrap_or_else(|| panic!("{} has no color", line.id));
            assert!(Mark::accepts(&letters), "{}: {letters}", line.id);
            assert!(
                seen.insert((letters, color.class())),
                "{} looks like another",
                line.id
            );
        }
    }
}
