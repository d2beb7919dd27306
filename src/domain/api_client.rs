//! Registered applications: what they may do by themselves, and the secret by which they are known.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Secret;

/// Longest title, in characters.
const TITLE_MAX: usize = 80;

/// Something that an API client may do by itself. None contains another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// List users and social accounts, look at people, read the audit log.
    AdminRead,
    /// Unlink, undo, link, deactivate, end sessions.
    AdminWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::AdminRead, Self::AdminWrite];

    /// The name, as stored and as tokens have it (RFC 6749 §3.3).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AdminRead => "admin:read",
            Self::AdminWrite => "admin:write",
        }
    }

    /// The scope called `name`, compared byte for byte.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// A set of scopes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// The scopes in `text`, with one blank between two (RFC 6749 §3.3). `None` if it is empty or names one that there is not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.split(' ').map(Scope::parse).collect()
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether all of `others` are among them.
    #[must_use]
    pub fn has_all(&self, others: &Self) -> bool {
        others.0.is_subset(&self.0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are among `others`, too.
    #[must_use]
    pub fn within(&self, others: &Self) -> Self {
        Self(self.0.intersection(&others.0).copied().collect())
    }

    /// The names, in a fixed order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|scope| scope.as_str())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// As tokens and answers write them: with a blank between two.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names().collect();
        f.write_str(&names.join(" "))
    }
}

/// What people call an API client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTitle(String);

impl ClientTitle {
    /// The title in `text`, blanks at its ends apart, unless it is empty, longer than 80 characters or has a control character.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_well_formed = !text.is_empty()
            && text.chars().count() <= TITLE_MAX
            && !text.chars().any(char::is_control);
        is_well_formed.then(|| Self(text.to_owned()))
    }

    /// The title.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A client id of fresh randomness. It is never a number, and so never a user's id, which is what else a token's `sub` may be
/// (RFC 9068 §5).
#[must_use]
pub fn new_client_id(random: [u8; 8]) -> String {
    format!("client-{}", hex::encode(random))
}

/// A client secret of fresh randomness. The beginning lets scanners of leaked secrets know it.
#[must_use]
pub fn new_client_secret(random: [u8; 32]) -> Secret {
    Secret::new(format!("lkcs_{}", URL_SAFE_NO_PAD.encode(random)))
}

/// What is stored of a client secret.
///
/// One round of SHA-256, unlike passwords: a slow hash makes up for secrets that can be guessed. These are 256 bits of randomness,
/// which nobody guesses at any speed, and a slow hash at the token endpoint would be work that anybody could have us do.
#[must_use]
pub fn client_secret_hash(secret: &Secret) -> String {
    hex::encode(
        Sha256::new()
            .chain_update(b"api client secret")
            .chain_update(secret.expose())
            .finalize(),
    )
}

/// Whether `stored` is the hash of `secret`; takes the same time either way.
#[must_use]
pub fn is_client_secret(secret: &Secret, stored: &str) -> bool {
    client_secret_hash(secret)
        .as_bytes()
        .ct_eq(stored.as_bytes())
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written_as_tokens_have_them() {
        let both = Scopes::parse("admin:write admin:read").unwrap();

        assert_eq!(both.to_string(), "admin:read admin:write");
        assert_eq!(both, Scope::ALL.into_iter().collect());
        assert_eq!(Scopes::parse("admin:read admin:read").unwrap().0.len(), 1);
        for bad in [
            "",
            " ",
            "admin:read ",
            "admin:read  admin:write",
            "Admin:read",
            "admin",
            "admin:read,admin:write",
        ] {
            assert_eq!(Scopes::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn no_scope_contains_another() {
        let (read, write) = (
            Scopes::parse("admin:read").unwrap(),
            Scopes::parse("admin:write").unwrap(),
        );

        assert!(!read.has(Scope::AdminWrite) && !write.has(Scope::AdminRead));
        assert!(!read.has_all(&write) && read.has_all(&Scopes::default()));
        assert!(read.within(&write).is_empty());
    }

    #[test]
    fn a_secret_is_known_by_its_hash_alone() {
        let secret = new_client_secret([7; 32]);
        let stored = client_secret_hash(&secret);

        assert_eq!(secret.expose().len(), 5 + 43);
        assert!(is_client_secret(&secret, &stored) && !stored.contains(secret.expose()));
        assert!(!is_client_secret(&new_client_secret([8; 32]), &stored));
        assert!(!is_client_secret(&secret, ""));
        assert!(!is_client_secret(&Secret::new(stored.clone()), &stored));
    }

    #[test]
    fn a_client_id_is_never_a_number() {
        assert!(new_client_id([0x11; 8]).parse::<i64>().is_err());
    }
}
