//! Statements that are put together from what a list is asked for.
//!
//! Only fixed text of ours and numbers go into the text; everything else is bound. They are not kept as prepared statements: there
//! are too many of them, and PostgreSQL plans a statement better when it knows the values.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::micros;

/// The columns of a user in a list: `u` is the user, `l` the latest sign-in.
pub(super) const USER_COLUMNS: &str = "u.id, u.username, u.email, u.email_verified, u.first_name, u.last_name, u.is_active, u.date_joined, l.at";

/// The columns of a social account in a list: `s` is the account, `u` the user. No more of the access token than whether it is there.
pub(super) const SOCIAL_AUTH_COLUMNS: &str = "s.id, s.provider, s.uid, s.created_at, s.modified_at, s.extra_data -> 'access_token' IS NOT NULL, s.extra_data ->> 'expires_at', u.id, u.username, u.first_name, u.last_name, u.is_active";

/// A value that is bound.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bind {
    Id(i64),
    Text(String),
    Time(DateTime<Utc>),
}

impl From<i64> for Bind {
    fn from(id: i64) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for Bind {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<DateTime<Utc>> for Bind {
    fn from(at: DateTime<Utc>) -> Self {
        Self::Time(micros(at))
    }
}

/// A part of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(Cow<'static, str>),
    Bind(Bind),
}

/// A statement, or a piece of one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sql(pub(super) Vec<Part>);

impl Sql {
    pub(super) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![Part::Text(text.into())])
    }

    /// Appends text.
    pub(super) fn push(&mut self, text: impl Into<Cow<'static, str>>) -> &mut Self {
        self.0.push(Part::Text(text.into()));
        self
    }

    /// Appends a bound value.
    pub(super) fn bind(&mut self, value: impl Into<Bind>) -> &mut Self {
        self.0.push(Part::Bind(value.into()));
        self
    }

    /// Appends another piece.
    pub(super) fn append(&mut self, other: &Self) -> &mut Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// As [`Sql::push`], for chains.
    pub(super) fn with(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.push(text);
        self
    }

    /// As [`Sql::bind`], for chains.
    pub(super) fn and(mut self, value: impl Into<Bind>) -> Self {
        self.bind(value);
        self
    }

    /// As [`Sql::append`], for chains.
    pub(super) fn joined(mut self, other: &Self) -> Self {
        self.append(other);
        self
    }

    /// Appends bound values between commas.
    pub(super) fn bind_all<'v>(&mut self, values: impl IntoIterator<Item = &'v str>) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self
    }
}

/// Ids between commas. They are numbers of our own, and there may be more of them than values can be bound.
pub(super) fn id_list(ids: &[i64]) -> String {
    let mut text = String::with_capacity(ids.len() * 8);
    for (index, id) in ids.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{id}");
    }
    if ids.is_empty() {
        text.push_str("NULL");
    }
    text
}
