//! The read models, kept up from behind a mark.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::super::schema::{
    audit_log, last_sign_ins, social_auth, social_auth_index, upkeep_marks, user_gaps, users,
};
use super::super::{Conn, search_text};
use super::{LockMark, Suffixed, find_one, prepared};
use crate::domain::search::searchable_text;
use crate::storage::upkeep::{Done, Round, Unsettled};
use crate::storage::{StorageError, rfc3339};

pub(in crate::storage) fn find_position(
    conn: &mut Conn,
    name: &str,
) -> Result<Option<i64>, StorageError> {
    let query = upkeep_marks::table
        .filter(upkeep_marks::name.eq(name))
        .select(upkeep_marks::position);
    Ok(find_one(conn, query)?)
}

pub(super) fn position(conn: &mut Conn, name: &str) -> Result<i64, StorageError> {
    Ok(find_position(conn, name)?.unwrap_or_default())
}

pub(in crate::storage) fn lock(conn: &mut Conn, name: &str) -> Result<Option<i64>, StorageError> {
    diesel::insert_into(upkeep_marks::table)
        .values((upkeep_marks::name.eq(name), upkeep_marks::position.eq(0)))
        .on_conflict_do_nothing()
        .execute(conn)?;
    lock_existing(conn, name)
}

pub(in crate::storage) fn lock_existing(
    conn: &mut Conn,
    name: &str,
) -> Result<Option<i64>, StorageError> {
    let query = upkeep_marks::table
        .filter(upkeep_marks::name.eq(name))
        .select(upkeep_marks::position);
    Ok(find_one(conn, Suffixed::<_, LockMark>::new(query))?)
}

prepared! {
    struct SetPosition<'a> {
        position: i64,
        name: &'a str,
    }
    "UPDATE upkeep_marks SET position = " [position: BigInt]
    " WHERE name = " [name: Text]
}

pub(in crate::storage) fn set_position(
    conn: &mut Conn,
    name: &str,
    position: i64,
) -> Result<(), StorageError> {
    SetPosition { position, name }.execute(conn)?;
    Ok(())
}

/// Whether the first row behind a mark is there and settled.
pub(super) fn is_settled(first: Option<DateTime<Utc>>, unsettled: Option<Unsettled>) -> bool {
    first.is_some_and(|at| unsettled.is_none_or(|unsettled| !unsettled.has(at)))
}

/// The ids of those first rows that are settled.
pub(super) fn settled_ids(
    rows: Vec<(i64, DateTime<Utc>)>,
    unsettled: Option<Unsettled>,
) -> Vec<i64> {
    rows.into_iter()
        .take_while(|(_, at)| is_settled(Some(*at), unsettled))
        .map(|(id, _)| id)
        .collect()
}

pub(in crate::storage) fn users_are_due(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
) -> Result<bool, StorageError> {
    let query = users::table
        .filter(users::id.gt(round.position))
        .order(users::id)
        .limit(1)
        .select(users::date_joined);
    Ok(is_settled(find_one(conn, query)?, unsettled))
}

/// A user as search sees them.
#[derive(Queryable)]
pub(in crate::storage) struct Searchable {
    pub(in crate::storage) id: i64,
    username: String,
    pub(in crate::storage) email: Option<String>,
    first_name: String,
    last_name: String,
    date_joined: DateTime<Utc>,
    last_sign_in_at: Option<DateTime<Utc>>,
}

impl Searchable {
    /// The text as `user_search` has it.
    pub(in crate::storage) fn text(&self) -> String {
        let email = self.email.as_deref();
        let text = searchable_text(&self.username, email, &self.first_name, &self.last_name);
        search_text::searchable(&text)
    }

    pub(in crate::storage) fn gaps(&self) -> impl Iterator<Item = &'static str> {
        let email = self.email.is_none().then_some("email");
        let sign_in = self.last_sign_in_at.is_none().then_some("sign_in");
        email.into_iter().chain(sign_in)
    }
}

/// The columns of [`Searchable`].
macro_rules! searchable {
    () => {
        users::table.left_join(last_sign_ins::table).select((
            users::id,
            users::username,
            users::email,
            users::first_name,
            users::last_name,
            users::date_joined,
            last_sign_ins::at.nullable(),
        ))
    };
}

pub(in crate::storage) fn index_users(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
) -> Result<Done, StorageError> {
    let mut rows: Vec<Searchable> = searchable!()
        .filter(users::id.gt(round.position))
        .order(users::id)
        .limit(round.batch.into())
        .load(conn)?;
    let is_last = |row: &Searchable| !is_settled(Some(row.date_joined), unsettled);
    if let Some(end) = rows.iter().position(is_last) {
        rows.truncate(end);
    }
    let Some(last) = rows.last().map(|row| row.id) else {
        return Ok(round.nothing());
    };
    let texts: Vec<(i64, String)> = rows.iter().map(|row| (row.id, row.text())).collect();
    search_text::insert_all(conn, &texts)?;
    for row in &rows {
        fill_gaps(conn, row)?;
    }
    let first_block = (round.position + 1) / super::BLOCK;
    count_user_blocks(conn, first_block, last / super::BLOCK, last)?;
    Ok(round.done(last, rows.len()))
}

/// Notes what the user lacks, and forgets what they lack no more.
pub(in crate::storage) fn fill_gaps(conn: &mut Conn, row: &Searchable) -> Result<(), StorageError> {
    for gap in row.gaps() {
        diesel::insert_into(user_gaps::table)
            .values((user_gaps::gap.eq(gap), user_gaps::user_id.eq(row.id)))
            .on_conflict_do_nothing()
            .execute(conn)?;
    }
    Ok(())
}

/// The users with these ids, as search sees them.
pub(in crate::storage) fn list_searchable(
    conn: &mut Conn,
    ids: &[i64],
) -> Result<Vec<Searchable>, StorageError> {
    Ok(searchable!().filter(users::id.eq_any(ids)).load(conn)?)
}

prepared! {
    struct CountUsers<'a> {
        block: i64,
        from: i64,
        to: i64,
        last: i64,
        marker: std::marker::PhantomData<&'a ()>,
    }
    "INSERT INTO user_blocks (block, users, joined_from, joined_to) SELECT id / " [block: BigInt]
    ", count(*), min(date_joined), max(date_joined) FROM users WHERE id >= " [from: BigInt]
    " AND id < " [to: BigInt]
    " AND id <= " [last: BigInt]
    " GROUP BY 1 ON CONFLICT (block) DO UPDATE SET users = excluded.users, joined_from = excluded.joined_from, joined_to = excluded.joined_to"
}

/// Counts the users of some blocks, up to the user `last`.
pub(in crate::storage) fn count_user_blocks(
    conn: &mut Conn,
    first_block: i64,
    last_block: i64,
    last: i64,
) -> Result<(), StorageError> {
    let counting = CountUsers {
        block: super::BLOCK,
        from: first_block * super::BLOCK,
        to: (last_block + 1) * super::BLOCK,
        last,
        marker: std::marker::PhantomData,
    };
    counting.execute(conn)?;
    Ok(())
}

prepared! {
    struct CountAccounts<'a> {
        block: i64,
        from: i64,
        to: i64,
        last: i64,
        marker: std::marker::PhantomData<&'a ()>,
    }
    "INSERT INTO social_auth_blocks (block, accounts, associated_from, associated_to) SELECT id / " [block: BigInt]
    ", count(*), min(created_at), max(created_at) FROM social_auth WHERE id >= " [from: BigInt]
    " AND id < " [to: BigInt]
    " AND id <= " [last: BigInt]
    " GROUP BY 1 ON CONFLICT (block) DO UPDATE SET accounts = excluded.accounts, associated_from = excluded.associated_from, associated_to = excluded.associated_to"
}

/// Counts the social accounts of some blocks, up to the one `last`.
pub(in crate::storage) fn count_account_blocks(
    conn: &mut Conn,
    first_block: i64,
    last_block: i64,
    last: i64,
) -> Result<(), StorageError> {
    let counting = CountAccounts {
        block: super::BLOCK,
        from: first_block * super::BLOCK,
        to: (last_block + 1) * super::BLOCK,
        last,
        marker: std::marker::PhantomData,
    };
    counting.execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn social_auths_are_due(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
) -> Result<bool, StorageError> {
    let query = social_auth::table
        .filter(social_auth::id.gt(round.position))
        .order(social_auth::id)
        .limit(1)
        .select(social_auth::created_at);
    Ok(is_settled(find_one(conn, query)?, unsettled))
}

prepared! {
    struct IndexSocialAuths<'a> {
        now: &'a str,
        after: i64,
        last: i64,
    }
    "INSERT INTO social_auth_index (social_auth_id, user_id, provider, expires_at, is_expired) \
     SELECT id, user_id, provider, extra_data ->> 'expires_at', coalesce(extra_data ->> 'expires_at' <= " [now: Text]
    ", FALSE) FROM social_auth WHERE id > " [after: BigInt]
    " AND id <= " [last: BigInt]
    " ON CONFLICT DO NOTHING"
}

pub(in crate::storage) fn index_social_auths(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
) -> Result<Done, StorageError> {
    let rows: Vec<(i64, DateTime<Utc>)> = social_auth::table
        .filter(social_auth::id.gt(round.position))
        .order(social_auth::id)
        .limit(round.batch.into())
        .select((social_auth::id, social_auth::created_at))
        .load(conn)?;
    let ids = settled_ids(rows, unsettled);
    let Some(last) = ids.last().copied() else {
        return Ok(round.nothing());
    };
    index_between(conn, round.position, last, &rfc3339(round.now))?;
    let first_block = (round.position + 1) / super::BLOCK;
    count_account_blocks(conn, first_block, last / super::BLOCK, last)?;
    Ok(round.done(last, ids.len()))
}

/// Puts social accounts with ids above `after` up to `last` into the index, unless they are there.
pub(in crate::storage) fn index_between(
    conn: &mut Conn,
    after: i64,
    last: i64,
    now: &str,
) -> Result<(), StorageError> {
    IndexSocialAuths { now, after, last }.execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn changes_are_due(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
) -> Result<bool, StorageError> {
    let query = audit_log::table
        .filter(audit_log::id.gt(round.position))
        .order(audit_log::id)
        .limit(1)
        .select(audit_log::at);
    Ok(is_settled(find_one(conn, query)?, unsettled))
}

pub(in crate::storage) fn expiries_are_due(
    conn: &mut Conn,
    round: &Round,
) -> Result<bool, StorageError> {
    let query = social_auth_index::table
        .filter(diesel::dsl::not(social_auth_index::is_expired))
        .filter(social_auth_index::expires_at.le(rfc3339(round.now)))
        .limit(1)
        .select(social_auth_index::social_auth_id);
    Ok(find_one::<_, i64>(conn, query)?.is_some())
}

prepared! {
    struct NoteExpiries<'a> {
        now: &'a str,
        batch: i64,
    }
    "UPDATE social_auth_index SET expires_at = (SELECT s.extra_data ->> 'expires_at' FROM social_auth AS s \
     WHERE s.id = social_auth_index.social_auth_id), is_expired = coalesce((SELECT s.extra_data ->> 'expires_at' <= " [now: Text]
    " FROM social_auth AS s WHERE s.id = social_auth_index.social_auth_id), FALSE) WHERE social_auth_id IN (\
     SELECT d.social_auth_id FROM social_auth_index AS d WHERE NOT d.is_expired AND d.expires_at <= " [now: Text]
    " ORDER BY d.expires_at LIMIT " [batch: BigInt]
    ")"
}

/// The index keeps the first expiry that it saw; a sign-in has moved it on since, or it has come.
pub(in crate::storage) fn note_expiries(
    conn: &mut Conn,
    round: &Round,
) -> Result<Done, StorageError> {
    let noting = NoteExpiries {
        now: &rfc3339(round.now),
        batch: round.batch.into(),
    };
    let rows = noting.execute(conn)?;
    Ok(round.done(round.position, rows))
}
