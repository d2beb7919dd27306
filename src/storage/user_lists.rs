//! Pages of users: any filter in any order, from an index each.
//!
//! # How
//! 1. `tail` reads in one statement how many users each filter has, up to a bound, and what the read models do not know yet.
//! 2. `count` chooses what leads. A filter's users are found through an index that has them in the order of their ids: a partial index
//!    of `users`, or one of the read models that the upkeep keeps ([`super::upkeep`]). Such a `sources::Stream` leads if it is the
//!    rarest. In another order than that of ids a rare stream is gathered and sorted, else the list's own index is walked.
//! 3. What leads gives *candidates*, so many and no more ([`Limits::budget`]): `SELECT user_id ... ORDER BY ... LIMIT ...`, put
//!    into the statement as a subquery. Only these are joined with the tables and tested for the rest of the filter
//!    (`conditions`), by narrow indexes first.
//! 4. A page that finds too few among its candidates says how far it came, and the next one goes on from there (`walk`).
//!
//! What the upkeep has not reached yet, the *tail*, is left out of the read models' answers and tested in the tables (`run`).

mod conditions;
mod count;
mod keys;
mod plan;
mod run;
mod sources;
mod tail;
mod walk;

use chrono::{DateTime, Utc};

pub(super) use count::COUNTED;
pub(super) use plan::FAR_AWAY;
pub(super) use tail::mark;

use super::{Backend, Reader, StorageError};
use crate::domain::paging::{Count, Direction, OrderKey, Page, Position};
use crate::domain::search::searchable_text;
use crate::domain::{ProviderId, User, UserId};

/// What users are listed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum UserOrder {
    /// When they signed up: the order of their ids.
    #[default]
    SignedUp,
    /// When they last signed in; those who never did come last.
    LastSignIn,
    /// Their user names.
    Username,
    /// Their addresses; those without one come last.
    Email,
}

/// How many social accounts a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SocialAccounts {
    /// None.
    None,
    /// One.
    One,
    /// Two or more.
    Several,
}

/// Which users are listed. Everything that is set has to hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserFilter {
    /// Has a social account at one of these; empty for all users.
    pub providers: Vec<ProviderId>,
    /// Signed up at or after this instant.
    pub joined_from: Option<DateTime<Utc>>,
    /// Signed up before this instant.
    pub joined_before: Option<DateTime<Utc>>,
    /// May, or may not, sign in.
    pub is_active: Option<bool>,
    /// Has so many social accounts.
    pub social_accounts: Option<SocialAccounts>,
    /// Signed in before this instant for the last time.
    pub last_sign_in_before: Option<DateTime<Utc>>,
    /// Has a social account whose access token has expired.
    pub access_token_expired: bool,
    /// Has this in the user name, address or name; lower case, at least [`crate::domain::search::SHORTEST_NEEDLE`] characters.
    pub needle: Option<String>,
}

impl UserFilter {
    /// Whether it lets everybody through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How much work one page may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Candidates that are looked at for one page where their index does not tell everything about them: on SQLite. PostgreSQL, which
    /// takes longer for each, gets two thirds.
    pub budget: i64,
    /// Ids of a filter that are few enough to be sorted; half as many users are few enough to be joined and sorted.
    pub few: i64,
}

impl Limits {
    pub(super) fn budget_of(self, backend: Backend) -> i64 {
        match backend {
            Backend::Sqlite => self.budget,
            Backend::Postgres => self.budget * 2 / 3,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            budget: 3_000,
            few: 10_000,
        }
    }
}

/// Which page is wanted.
#[derive(Debug, Clone)]
pub struct ListRequest<F, O> {
    /// Which rows.
    pub filter: F,
    /// By what.
    pub order: O,
    /// Which way.
    pub direction: Direction,
    /// From where; the beginning if `None`.
    pub from: Option<Position>,
    /// Whether the page before `from` is wanted.
    pub is_backwards: bool,
    /// How many rows.
    pub rows: u16,
    /// The time, for what has expired.
    pub now: DateTime<Utc>,
    /// How much work it may be.
    pub limits: Limits,
}

impl<F, O> ListRequest<F, O> {
    /// The place right behind another in the direction of reading: going back from there meets the row at that other place again, on
    /// which the page before may have ended.
    pub(super) fn beside(&self, from: &Position) -> Position {
        let is_upwards = (self.direction == Direction::Ascending) != self.is_backwards;
        Position {
            id: from.id.saturating_add(if is_upwards { 1 } else { -1 }),
            ..from.clone()
        }
    }
}

/// A user in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedUser {
    /// The user.
    pub user: User,
    /// The latest sign-in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// The providers of the social accounts, in the order in which they were associated.
    pub providers: Vec<ProviderId>,
}

/// A page, and how many there are.
#[derive(Debug, Clone)]
pub struct ListPage<T> {
    /// The rows.
    pub page: Page<T>,
    /// How many match; counted for a page at the beginning only.
    pub count: Option<Count>,
    /// How many there are of all.
    pub total: i64,
    /// Whether the upkeep is so far behind that filters may miss what is new.
    pub is_behind: bool,
    /// Whom a search names exactly and the list has not, the latest first.
    pub exact: Vec<T>,
    /// The providers of which there is any social account, in the order of their ids.
    pub providers: Vec<ProviderId>,
}

/// A page of users.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list(
    reader: &mut Reader<'_>,
    request: &ListRequest<UserFilter, UserOrder>,
) -> Result<ListPage<ListedUser>, StorageError> {
    run::list(reader, request, &[])
}

/// A page of users found by a search alone, with those whom it names exactly: they are in [`ListPage::exact`] unless they come in their
/// place in the list.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list_with_exact(
    reader: &mut Reader<'_>,
    request: &ListRequest<UserFilter, UserOrder>,
    exact: &[UserId],
) -> Result<ListPage<ListedUser>, StorageError> {
    run::list(reader, request, exact)
}

/// How many users there are. As cheap with millions as with one.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn count_everybody(reader: &mut Reader<'_>) -> Result<u64, StorageError> {
    Ok(u64::try_from(tail::count_everybody(reader)?).unwrap_or_default())
}

type Request = ListRequest<UserFilter, UserOrder>;

impl ListedUser {
    /// Whether search finds the user by this text, which is in lower case.
    #[must_use]
    pub fn is_found_by(&self, needle: &str) -> bool {
        let user = &self.user;
        let email = user.email.as_deref();
        searchable_text(&user.username, email, &user.first_name, &user.last_name).contains(needle)
    }

    /// Where the user stands in a list of this order.
    #[must_use]
    pub fn position(&self, order: UserOrder) -> Position {
        let key = match order {
            UserOrder::SignedUp => OrderKey::Id,
            UserOrder::LastSignIn => self.last_sign_in_at.map_or(OrderKey::Missing, |at| {
                OrderKey::Time(at.timestamp_micros())
            }),
            UserOrder::Username => OrderKey::Text(self.user.username.to_ascii_lowercase()),
            UserOrder::Email => self.user.email.as_ref().map_or(OrderKey::Missing, |email| {
                OrderKey::Text(email.to_lowercase())
            }),
        };
        Position {
            key,
            id: self.user.id.0,
        }
    }
}
