//! Comparing the read models with the tables, a block at a time, so that whatever went past the audit log is mended.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::schema::{
    social_auth, social_auth_blocks, social_auth_index, user_blocks, user_search, users,
};
use super::super::{Conn, search_text};
use super::upkeep::{index_between, list_searchable, position};
use super::upkeep_changes::{recount_accounts, recount_users};
use super::{find_one, prepared};
use crate::storage::upkeep::{Done, Round, marks};
use crate::storage::{StorageError, rfc3339};

/// Rows of one block that are behind the mark already.
struct Span {
    from: i64,
    /// Exclusive.
    to: i64,
}

/// The span of `round` among the rows up to `last`.
fn span(round: &Round, last: i64) -> Span {
    let blocks = u64::try_from(last / super::BLOCK + 1).unwrap_or(1);
    let block = i64::try_from(round.number % blocks).unwrap_or_default();
    Span {
        from: block * super::BLOCK,
        to: ((block + 1) * super::BLOCK).min(last + 1),
    }
}

macro_rules! count {
    ($conn:expr, $table:ident . $id:ident, $span:expr) => {
        $table::table
            .filter($table::$id.ge($span.from))
            .filter($table::$id.lt($span.to))
            .count()
            .get_result::<i64>($conn)?
    };
}

pub(in crate::storage) fn block_differs(
    conn: &mut Conn,
    round: &Round,
) -> Result<bool, StorageError> {
    let of_users = span(round, position(conn, marks::USERS)?);
    let there = count!(conn, users.id, of_users);
    let searchable = count!(conn, user_search.user_id, of_users);
    let query = user_blocks::table
        .find(of_users.from / super::BLOCK)
        .select(user_blocks::users);
    let counted: i64 = find_one(conn, query)?.unwrap_or_default();
    let of_accounts = span(round, position(conn, marks::SOCIAL_AUTHS)?);
    let accounts = count!(conn, social_auth.id, of_accounts);
    let indexed = count!(conn, social_auth_index.social_auth_id, of_accounts);
    let query = social_auth_blocks::table
        .find(of_accounts.from / super::BLOCK)
        .select(social_auth_blocks::accounts);
    let accounts_counted: i64 = find_one(conn, query)?.unwrap_or_default();
    Ok(there != searchable
        || there != counted
        || accounts != indexed
        || accounts != accounts_counted)
}

pub(in crate::storage) fn mend_block(conn: &mut Conn, round: &Round) -> Result<Done, StorageError> {
    let last_user = position(conn, marks::USERS)?;
    mend_users(conn, &span(round, last_user), last_user)?;
    let last_account = position(conn, marks::SOCIAL_AUTHS)?;
    mend_accounts(conn, &span(round, last_account), round)?;
    Ok(round.done(round.position, 1))
}

fn mend_users(conn: &mut Conn, span: &Span, last: i64) -> Result<(), StorageError> {
    let there: Vec<i64> = users::table
        .filter(users::id.ge(span.from))
        .filter(users::id.lt(span.to))
        .select(users::id)
        .load(conn)?;
    let kept: Vec<(i64, String)> = user_search::table
        .filter(user_search::user_id.ge(span.from))
        .filter(user_search::user_id.lt(span.to))
        .select((user_search::user_id, user_search::text))
        .load(conn)?;
    for (id, text) in &kept {
        if !there.contains(id) {
            search_text::delete(conn, *id, text)?;
        }
    }
    let missing: Vec<i64> = there
        .into_iter()
        .filter(|id| kept.iter().all(|(known, _)| known != id))
        .collect();
    for user in list_searchable(conn, &missing)? {
        search_text::insert(conn, user.id, &user.text())?;
    }
    let block = span.from / super::BLOCK;
    recount_users(conn, block, last)
}

prepared! {
    struct DropGone<'a> {
        from: i64,
        to: i64,
        marker: std::marker::PhantomData<&'a ()>,
    }
    "DELETE FROM social_auth_index WHERE social_auth_id >= " [from: BigInt]
    " AND social_auth_id < " [to: BigInt]
    " AND NOT EXISTS (SELECT 1 FROM social_auth AS s WHERE s.id = social_auth_index.social_auth_id)"
}

fn mend_accounts(conn: &mut Conn, span: &Span, round: &Round) -> Result<(), StorageError> {
    let dropping = DropGone {
        from: span.from,
        to: span.to,
        marker: std::marker::PhantomData,
    };
    dropping.execute(conn)?;
    index_between(conn, span.from - 1, span.to - 1, &rfc3339(round.now))?;
    recount_accounts(conn, span.from / super::BLOCK, span.to - 1)
}
