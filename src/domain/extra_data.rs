//! The JSON kept with a social account: tokens, expiry, scopes, an extract of the profile.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Secret;

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
