//! Rows, queries, migrations, and the sealing of secrets: the only diesel.
//!
//! [`Db`] is one database, SQLite or PostgreSQL by its URL. Closures reach it through [`Db::read`] and [`Db::write`] and call the
//! functions of the modules named after the nouns ([`users`], [`social_auths`], ...). Rows stay in here; entities of
//! [`crate::domain`] leave.

pub mod account_records;
pub mod api_clients;
pub mod audit;
pub mod audit_search;
pub mod authorizations;
pub mod counts;
pub mod hand_ins;
pub mod link_tickets;
pub mod nonces;
pub mod provider_health;
pub mod provider_users;
pub mod roll_up;
pub mod sealing;
pub mod search;
pub mod seeding;
pub mod session_records;
pub mod sessions;
pub mod social_auth_lists;
pub mod social_auths;
pub mod staff;
pub mod staff_links;
pub mod staff_providers;
pub mod staff_sessions;
pub mod staff_throttles;
pub mod standing_orders;
pub mod token_checks;
pub mod unlinked_accounts;
pub mod upkeep;
pub mod user_lists;
pub mod user_records;
pub mod users;
pub mod webhook_deliveries;

mod connection;
mod db;
mod disk;
mod error;
mod gatherer;
mod migrations;
#[expect(
    clippy::duplicate_mod,
    reason = "schema and queries are compiled once more here, against the types of PostgreSQL"
)]
mod pg;
mod pool;
mod sql;
mod sqlite;
mod stats;
mod target;
mod writer;

#[cfg(test)]
mod acceptance;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, SubsecRound as _, Utc};

pub use connection::{Reader, Tx};
pub use db::{Backend, Db};
pub use disk::DiskSpace;
pub(crate) use error::storage_failure;
pub use error::{StorageError, StorageFailure, Unavailability};
pub use stats::Stats;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `sqlite://PATH` or `postgres://...`. May hold a password.
    pub url: String,
    /// Connections in the pool: readers on SQLite, all of them on PostgreSQL. At least 1.
    pub max_connections: u32,
    /// How long a request may wait for a connection or for a place in the writer's queue.
    pub wait_timeout: Duration,
}

impl Settings {
    /// Settings for `url` with everything else at its default: 8 connections, 2 seconds.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 8,
            wait_timeout: Duration::from_secs(2),
        }
    }
}

/// `at` without what is finer than a microsecond, which PostgreSQL would drop and SQLite keep.
fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// `at` as `extra_data` writes instants: RFC 3339 in whole seconds with `Z`.
fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
