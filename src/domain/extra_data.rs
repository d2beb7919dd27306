//! The JSON kept with a social account: tokens, expiry, scopes, an extract of the profile.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Secret;

/// Names that say something about a token without being secret. They go with it.
const TOKEN_FACTS: [&str; 5] = [
    "auth_time",
    "client_id",
    "expires_at",
    "scope",
    "token_type",
];

/// Whether a member of this name may hold a secret, whatever is in it. Nothing of such a member is ever shown.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name != "token_type"
        && [
            "token",
            "secret",
            "password",
            "private_key",
            "api_key",
            "cookie",
        ]
        .iter()
        .any(|part| name.contains(part))
}

/// Whether a member of this name is a secret or says something about one.
#[must_use]
pub fn is_about_a_token(name: &str) -> bool {
    is_secret_name(name) || TOKEN_FACTS.contains(&name)
}

/// One member of `extra_data`.
#[derive(Debug, Clone)]
pub enum Member {
    /// Readable in the database.
    Plain(Value),
    /// Sealed before it reaches the database.
    Secret(Secret),
}

/// The members that one hand-in yields. A null or absent member is never in here, so that merging erases nothing.
#[derive(Debug, Clone, Default)]
pub struct ExtraData {
    members: BTreeMap<String, Member>,
}

impl ExtraData {
    /// Puts a plain member, unless `value` is null.
    pub fn put(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.members.insert(name.into(), Member::Plain(value));
        }
    }

    /// Puts a secret member, unless it is absent or empty.
    pub fn put_secret(&mut self, name: impl Into<String>, secret: Option<Secret>) {
        if let Some(secret) = secret.filter(|s| !s.is_empty()) {
            self.members.insert(name.into(), Member::Secret(secret));
        }
    }

    /// The member called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Member> {
        self.members.get(name)
    }

    /// All members in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.members
            .iter()
            .map(|(name, member)| (name.as_str(), member))
    }
}
