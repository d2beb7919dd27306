//! The queries: one text, compiled for SQLite and again for PostgreSQL.
//!
//! Every query on a hot path has one fixed text, so that its prepared statement is cached per connection. Diesel never caches
//! `UPDATE` (a changeset may vary) nor `IN` with a list on SQLite; those are written with [`prepared!`].

use std::marker::PhantomData;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::LoadQuery;

use super::{Backend, Conn};

pub(in crate::storage) mod account_records;
pub(in crate::storage) mod actors;
pub(in crate::storage) mod api_clients;
pub(in crate::storage) mod audit;
pub(in crate::storage) mod audit_search;
pub(in crate::storage) mod authorizations;
pub(in crate::storage) mod counts;
pub(in crate::storage) mod hand_ins;
pub(in crate::storage) mod link_tickets;
pub(in crate::storage) mod lists;
pub(in crate::storage) mod migrations;
pub(in crate::storage) mod nonces;
pub(in crate::storage) mod provider_health;
pub(in crate::storage) mod provider_users;
pub(in crate::storage) mod roll_up;
pub(in crate::storage) mod seeding;
pub(in crate::storage) mod session_records;
pub(in crate::storage) mod sessions;
pub(in crate::storage) mod social_auths;
pub(in crate::storage) mod staff;
pub(in crate::storage) mod staff_links;
pub(in crate::storage) mod staff_providers;
pub(in crate::storage) mod staff_sessions;
pub(in crate::storage) mod staff_throttles;
pub(in crate::storage) mod standing_orders;
pub(in crate::storage) mod token_checks;
pub(in crate::storage) mod unlinked_accounts;
pub(in crate::storage) mod upkeep;
pub(in crate::storage) mod upkeep_changes;
pub(in crate::storage) mod upkeep_sign_ins;
pub(in crate::storage) mod upkeep_sweep;
pub(in crate::storage) mod user_records;
pub(in crate::storage) mod users;
pub(in crate::storage) mod webhook_deliveries;

/// Users, or social accounts, that the read models count and compare together. Part of what is stored: never change it.
pub(in crate::storage) const BLOCK: i64 = 1024;

/// The only row of `query`, if there is one.
///
/// Reads to the end instead of stopping after the first row: SQLite checks foreign keys at the end of an `INSERT .. RETURNING`,
/// and diesel's `get_result` would never hear of it.
pub(in crate::storage) fn find_one<'query, Q, Row>(
    conn: &mut Conn,
    query: Q,
) -> QueryResult<Option<Row>>
where
    Q: RunQueryDsl<Conn> + LoadQuery<'query, Conn, Row>,
{
    let mut rows = query.internal_load(conn)?;
    let Some(first) = rows.next().transpose()? else {
        return Ok(None);
    };
    for row in rows {
        row?;
    }
    Ok(Some(first))
}

/// As [`find_one`], where a row must come back.
pub(in crate::storage) fn get_one<'query, Q, Row>(conn: &mut Conn, query: Q) -> QueryResult<Row>
where
    Q: RunQueryDsl<Conn> + LoadQuery<'query, Conn, Row>,
{
    find_one(conn, query)?.ok_or(diesel::result::Error::NotFound)
}

/// A query with fixed text after its end, such as a lock on one of the joined tables, which diesel cannot say.
#[derive(QueryId)]
struct Suffixed<Q, S> {
    query: Q,
    suffix: PhantomData<S>,
}

impl<Q, S> Suffixed<Q, S> {
    fn new(query: Q) -> Self {
        Self {
            query,
            suffix: PhantomData,
        }
    }
}

/// The text of a [`Suffixed`] query. A type of its own, because prepared statements are cached by type.
trait Suffix {
    const TEXT: &'static str;
}

/// See [`super::LOCK_SOCIAL_AUTH`].
#[derive(QueryId)]
struct LockSocialAuth;

impl Suffix for LockSocialAuth {
    const TEXT: &'static str = super::LOCK_SOCIAL_AUTH;
}

/// See [`super::LOCK_SESSION`].
#[derive(QueryId)]
struct LockSession;

impl Suffix for LockSession {
    const TEXT: &'static str = super::LOCK_SESSION;
}

/// See [`super::LOCK_ROWS`].
#[derive(QueryId)]
struct LockRows;

impl Suffix for LockRows {
    const TEXT: &'static str = super::LOCK_ROWS;
}

/// See [`super::LOCK_MARK`].
#[derive(QueryId)]
struct LockMark;

impl Suffix for LockMark {
    const TEXT: &'static str = super::LOCK_MARK;
}

/// See [`super::LOCK_USER`].
#[derive(QueryId)]
struct LockUser;

impl Suffix for LockUser {
    const TEXT: &'static str = super::LOCK_USER;
}

impl<Q: QueryFragment<Backend>, S: Suffix> QueryFragment<Backend> for Suffixed<Q, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(S::TEXT);
        Ok(())
    }
}

impl<Q: Query, S> Query for Suffixed<Q, S> {
    type SqlType = Q::SqlType;
}

impl<Q, S> RunQueryDsl<Conn> for Suffixed<Q, S> {}

/// Defines a statement with a fixed text and values bound in between, cached as a prepared statement.
///
/// After each piece of text comes, in brackets, the field that is bound there. `returns` names the types of the columns.
macro_rules! prepared {
    (
        $(#[$doc:meta])*
        struct $name:ident<'a> { $($field:ident: $type:ty,)+ }
        $(returns $row:ty;)?
        $($text:literal $([$bound:ident: $sql:ty])?)+
    ) => {
        $(#[$doc])*
        struct $name<'a> {
            $($field: $type,)+
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::QueryFragment<super::super::Backend> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, super::super::Backend>,
            ) -> diesel::QueryResult<()> {
                $(
                    out.push_sql($text);
                    $(out.push_bind_param::<$sql, _>(&self.$bound)?;)?
                )+
                Ok(())
            }
        }

        $(impl diesel::query_builder::Query for $name<'_> {
            type SqlType = $row;
        })?

        impl diesel::RunQueryDsl<super::super::Conn> for $name<'_> {}
    };
}
pub(in crate::storage) use prepared;
