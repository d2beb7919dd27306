//! PostgreSQL: what the schema and the queries are compiled against, and how connections are set up.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

pub(super) type Conn = PgConnection;
pub(super) type Backend = diesel::pg::Pg;

/// Column types.
pub(super) mod types {
    pub(in crate::storage) use diesel::sql_types::{Jsonb as Json, Timestamptz as Tstz};
}

/// Keeps two hand-ins of one social account from merging `extra_data` over each other. Of the joined rows only this one is locked.
pub(super) const LOCK_SOCIAL_AUTH: &str = " FOR UPDATE OF \"social_auth\"";
/// Keeps two uses of one refresh token from rotating it twice.
pub(super) const LOCK_SESSION: &str = " FOR UPDATE OF \"sessions\"";
/// Keeps a decision about the rows of a query of one table from being taken twice.
pub(super) const LOCK_ROWS: &str = " FOR UPDATE";
/// One instance at a time does a step of the upkeep; the others do not wait for it.
pub(super) const LOCK_MARK: &str = " FOR UPDATE SKIP LOCKED";
/// Keeps two unlinks at once from each taking the other's account for the way in that is left. Not `FOR UPDATE`, which whoever opens
/// a session for the user would wait for.
pub(super) const LOCK_USER: &str = " FOR NO KEY UPDATE OF \"users\"";

#[path = "schema.rs"]
pub(super) mod schema;

#[path = "queries/mod.rs"]
pub(super) mod queries;

/// Queries that differ from those of SQLite.
pub(super) mod own {
    // For statements of modules below, see `prepared!`.
    use super::{Backend, Conn};

    pub(in crate::storage) mod hand_ins;
    pub(in crate::storage) mod search_text;
    pub(in crate::storage) mod seeding;
}

use own::search_text;
pub(in crate::storage) use own::search_text::{pattern, searchable};

/// Sets up a connection of the pool. No statement may hold a connection for longer than a caller waits, and a transaction that
/// was left open by a dying process must not keep its locks. Our statements look few rows up: none is worth being compiled, and the
/// planner should not take a whole table for cheaper because it thinks of spinning disks.
pub(super) fn set_up(connection: &mut Conn) -> QueryResult<()> {
    connection.batch_execute(
        "SET statement_timeout = '3s'; SET lock_timeout = '3s'; \
         SET idle_in_transaction_session_timeout = '30s'; SET timezone = 'UTC'; \
         SET jit = off; SET random_page_cost = 1.1",
    )
}
