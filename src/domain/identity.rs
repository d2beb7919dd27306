//! What a provider says about a person, before we store anything.

use super::{ClientProfile, Uid};

/// Longest name or user name that is kept, in characters.
const NAME_MAX_CHARS: usize = 150;
/// Longest e-mail address that is kept, in bytes (RFC 5321 §4.5.3.1.3 allows 254).
const EMAIL_MAX_BYTES: usize = 254;

/// A person as one provider describes them. Only `uid` identifies; everything else is for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocialIdentity {
    /// The provider's stable id of the person.
    pub uid: Uid,
    /// The person's handle at the provider.
    pub username: Option<String>,
    /// The e-mail address, if the provider gave a usable one.
    pub email: Option<String>,
    /// True only if the provider says that it verified this very address.
    pub email_verified: bool,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
}

impl SocialIdentity {
    /// The identity for `uid`, with every text cleaned: control characters removed, lengths bounded, a malformed e-mail dropped.
    ///
    /// Where both names are missing, `full_name` is split at its first space.
    #[must_use]
    pub fn new(uid: Uid, raw: RawIdentity) -> Self {
        let email = raw.email.as_deref().and_then(clean_email);
        let email_verified = raw.email_verified && email.is_some();
        let (mut first_name, mut last_name) =
            (clean_name(raw.first_name), clean_name(raw.last_name));
        if first_name.is_empty() && last_name.is_empty() {
            let full_name = clean_name(raw.full_name);
            (first_name, last_name) = match full_name.split_once(' ') {
                Some((first, last)) => (first.to_owned(), last.trim().to_owned()),
                None => (full_name, String::new()),
            };
        }
        let username = Some(clean_name(raw.username)).filter(|name| !name.is_empty());
        Self {
            uid,
            username,
            email,
            email_verified,
            first_name,
            last_name,
        }
    }

    /// Whether nothing is known but who it is.
    #[must_use]
    pub const fn is_bare(&self) -> bool {
        self.username.is_none()
            && self.email.is_none()
            && self.first_name.is_empty()
            && self.last_name.is_empty()
    }

    /// Takes the names that the app handed in, if the provider gave none at all.
    pub fn fill_names(&mut self, profile: &ClientProfile) {
        if self.first_name.is_empty() && self.last_name.is_empty() {
            self.first_name = clean_name(profile.first_name.clone());
            self.last_name = clean_name(profile.last_name.clone());
        }
    }
}

/// What was read from a provider's answer, not yet cleaned.
#[derive(Debug, Clone, Default)]
pub struct RawIdentity {
    /// Handle.
    pub username: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether the provider says it verified that address.
    pub email_verified: bool,
    /// Full name.
    pub full_name: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
}

fn clean_name(text: Option<String>) -> String {
    let Some(text) = text else {
        return String::new();
    };
    let kept: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(NAME_MAX_CHARS)
        .collect();
    kept.trim().to_owned()
}

/// The address if it has one `@` with something on both sides and neither blanks nor control characters.
fn clean_email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let well_formed = !local.is_empty()
        && !local.contains('@')
        && !domain.is_empty()
        && text.len() <= EMAIL_MAX_BYTES
        && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    well_formed.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(raw: RawIdentity) -> SocialIdentity {
        SocialIdentity::new(Uid::parse("1").unwrap(), raw)
    }

    #[test]
    fn a_full_name_is_split_only_when_both_names_are_missing() {
        let split = identity(RawIdentity {
            full_name: Some("Ada Maria Okafor".into()),
            ..RawIdentity::default()
        });
        assert_eq!(
            (split.first_name.as_str(), split.last_name.as_str()),
            ("Ada", "Maria Okafor")
        );

        let kept = identity(RawIdentity {
            full_name: Some("Ada Okafor".into()),
            last_name: Some("Okafor".into()),
            ..RawIdentity::default()
        });
        assert_eq!(
            (kept.first_name.as_str(), kept.last_name.as_str()),
            ("", "Okafor")
        );
    }

    #[test]
    fn a_malformed_address_is_dropped_and_never_verified() {
        for bad in ["", "ada", "@x", "ada@", "a@b@c", "a b@c", "a\u{0}@c"] {
            let dropped = identity(RawIdentity {
                email: Some(bad.into()),
                email_verified: true,
                ..RawIdentity::default()
            });
            assert_eq!(
                (dropped.email, dropped.email_verified),
                (None, false),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn the_callers_names_are_used_only_when_the_provider_gives_none() {
        let profile = ClientProfile {
            first_name: Some("Eve".into()),
            last_name: None,
        };
        let mut given = identity(RawIdentity {
            full_name: Some("Ada".into()),
            ..RawIdentity::default()
        });
        let mut nameless = identity(RawIdentity::default());

        given.fill_names(&profile);
        nameless.fill_names(&profile);

        assert_eq!(given.first_name, "Ada");
        assert_eq!(nameless.first_name, "Eve");
    }
}
