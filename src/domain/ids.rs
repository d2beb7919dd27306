//! Distinct ids are distinct types, so that one can never be passed for another.

use std::fmt;

/// Longest uid that is stored, in bytes. Real ones stay under 100.
pub const UID_MAX_BYTES: usize = 255;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id! {
    /// A user's row.
    UserId
}
row_id! {
    /// A social account's row.
    SocialAuthId
}
row_id! {
    /// A session's row.
    SessionId
}
row_id! {
    /// The row of a member of staff.
    StaffId
}

row_id! {
    /// A staff session's row.
    StaffSessionId
}

/// A provider's id: a lower-case slug such as `google` or `gitlab-work`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderId(String);

impl ProviderId {
    /// The id for `slug`, if it is one: 1 to 32 of `a-z`, `0-9`, `-` and `_`, beginning with a letter or digit.
    ///
    /// ASCII only, so that no look-alike letter can pass for a known provider.
    #[must_use]
    pub fn parse(slug: &str) -> Option<Self> {
        let well_formed = (1..=32).contains(&slug.len())
            && slug
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
            && !slug.starts_with(['-', '_']);
        well_formed.then(|| Self(slug.to_owned()))
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The provider's stable id of a person, always text, compared byte for byte. OpenID Connect calls it the subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(String);

impl Uid {
    /// The uid in `text`, unless it is empty, blank at either end, longer than [`UID_MAX_BYTES`] or has a control character.
    ///
    /// Nothing is trimmed, folded or normalised: two spellings are two people.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = !text.is_empty()
            && text.len() <= UID_MAX_BYTES
            && text.trim() == text
            && !text.chars().any(char::is_control);
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The uid as the provider spelled it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_id_is_a_short_ascii_slug() {
        for good in ["x", "google", "gitlab-work", "1password", "a_b"] {
            assert!(ProviderId::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "Google",
            "google ",
            "gооgle",
            "-x",
            "a/b",
            &"a".repeat(33),
        ] {
            assert!(ProviderId::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn zero_is_a_uid_and_blank_is_not() {
        assert!(Uid::parse("0").is_some());
        for bad in ["", " ", " 1", "1 ", "a\0b", "a\nb", &"9".repeat(256)] {
            assert!(Uid::parse(bad).is_none(), "{bad:?}");
        }
    }
}
