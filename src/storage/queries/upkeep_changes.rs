//! Following the audit log: whom an entry names may have changed.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::super::schema::{
    audit_log, social_auth, social_auth_blocks, social_auth_index, user_blocks, user_gaps,
    user_search,
};
use super::super::{Conn, search_text};
use super::upkeep::{
    count_account_blocks, count_user_blocks, fill_gaps, is_settled, list_searchable, position,
};
use crate::storage::upkeep::{Done, Round, Unsettled, marks};
use crate::storage::{StorageError, rfc3339};

/// Entries among which those are that may still get a neighbour.
const NEWEST: i64 = 50_000;

type Entry = (i64, DateTime<Utc>, Option<i64>, Option<i64>);

pub(in crate::storage) fn follow_changes(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
) -> Result<Done, StorageError> {
    if position(conn, marks::USERS)? == 0 && position(conn, marks::SOCIAL_AUTHS)? == 0 {
        // What is read from now on is read as it is now.
        let newest = newest_settled(conn, unsettled)?;
        return Ok(round.done(newest.max(round.position), 0));
    }
    let entries: Vec<Entry> = audit_log::table
        .filter(audit_log::id.gt(round.position))
        .order(audit_log::id)
        .limit(round.batch.into())
        .select((
            audit_log::id,
            audit_log::at,
            audit_log::user_id,
            audit_log::social_auth_id,
        ))
        .load(conn)?;
    let entries: Vec<Entry> = entries
        .into_iter()
        .take_while(|(_, at, _, _)| is_settled(Some(*at), unsettled))
        .collect();
    let Some(last) = entries.last().map(|entry| entry.0) else {
        return Ok(round.nothing());
    };
    // Those behind the other marks have their turn there.
    let known = |conn: &mut Conn, mark, pick: fn(&Entry) -> Option<i64>| {
        let mark = position(conn, mark)?;
        let ids: BTreeSet<i64> = entries.iter().filter_map(pick).collect();
        Ok::<Vec<i64>, StorageError>(ids.into_iter().filter(|id| *id <= mark).collect())
    };
    let user_ids = known(conn, marks::USERS, |entry| entry.2)?;
    let social_auth_ids = known(conn, marks::SOCIAL_AUTHS, |entry| entry.3)?;
    refresh_users(conn, &user_ids)?;
    refresh_social_auths(conn, &social_auth_ids, round.now)?;
    Ok(round.done(last, entries.len()))
}

/// The newest entry that is in its final order.
fn newest_settled(conn: &mut Conn, unsettled: Option<Unsettled>) -> Result<i64, StorageError> {
    let newest: Vec<(i64, DateTime<Utc>)> = audit_log::table
        .order(audit_log::id.desc())
        .limit(NEWEST)
        .select((audit_log::id, audit_log::at))
        .load(conn)?;
    // The one before the oldest that may still get a neighbour.
    let oldest_unsettled = newest
        .iter()
        .rfind(|(_, at)| !is_settled(Some(*at), unsettled));
    Ok(match (oldest_unsettled, newest.first()) {
        (Some((id, _)), _) => id - 1,
        (None, Some((id, _))) => *id,
        (None, None) => 0,
    })
}

/// Looks again at users: their names and addresses, what they lack, whether they are there.
fn refresh_users(conn: &mut Conn, ids: &[i64]) -> Result<(), StorageError> {
    let kept: Vec<(i64, String)> = user_search::table
        .filter(user_search::user_id.eq_any(ids))
        .select((user_search::user_id, user_search::text))
        .load(conn)?;
    let mut kept: HashMap<i64, String> = kept.into_iter().collect();
    let mut filled = Vec::new();
    for user in list_searchable(conn, ids)? {
        let text = user.text();
        match kept.remove(&user.id) {
            Some(old) if old == text => {}
            Some(old) => search_text::replace(conn, user.id, &old, &text)?,
            None => search_text::insert(conn, user.id, &text)?,
        }
        fill_gaps(conn, &user)?;
        let has = |gap: &str| user.gaps().all(|lacking| lacking != gap);
        filled.extend(
            ["email", "sign_in"]
                .into_iter()
                .filter(|gap| has(gap))
                .map(|gap| (gap, user.id)),
        );
    }
    close_gaps(conn, &filled)?;
    // Who is left is gone.
    let last = position(conn, marks::USERS)?;
    for (id, old) in kept {
        search_text::delete(conn, id, &old)?;
        let block = id / super::BLOCK;
        recount_users(conn, block, last)?;
    }
    Ok(())
}

/// Forgets what users lack no more. Almost always there is nothing to forget.
fn close_gaps(conn: &mut Conn, filled: &[(&'static str, i64)]) -> Result<(), StorageError> {
    let ids: Vec<i64> = filled.iter().map(|(_, id)| *id).collect();
    let open: Vec<(String, i64)> = user_gaps::table
        .filter(user_gaps::user_id.eq_any(ids))
        .filter(user_gaps::gap.eq_any(["email", "sign_in"]))
        .select((user_gaps::gap, user_gaps::user_id))
        .load(conn)?;
    for (gap, user_id) in open {
        if filled.contains(&(gap.as_str(), user_id)) {
            diesel::delete(user_gaps::table.find((gap, user_id))).execute(conn)?;
        }
    }
    Ok(())
}

#[derive(Queryable, Insertable, PartialEq)]
#[diesel(table_name = social_auth_index)]
struct IndexRow {
    social_auth_id: i64,
    user_id: i64,
    provider: String,
    expires_at: Option<String>,
    is_expired: bool,
}

/// Looks again at social accounts: whether they are there, and when their access tokens expire.
fn refresh_social_auths(
    conn: &mut Conn,
    ids: &[i64],
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let indexed: Vec<IndexRow> = social_auth_index::table
        .filter(social_auth_index::social_auth_id.eq_any(ids))
        .load(conn)?;
    let mut indexed: HashMap<i64, IndexRow> = indexed
        .into_iter()
        .map(|row| (row.social_auth_id, row))
        .collect();
    let now = rfc3339(now);
    let stored: Vec<(i64, i64, String, Option<String>)> = social_auth::table
        .filter(social_auth::id.eq_any(ids))
        .select((
            social_auth::id,
            social_auth::user_id,
            social_auth::provider,
            diesel::dsl::sql::<Nullable<Text>>("extra_data ->> 'expires_at'"),
        ))
        .load(conn)?;
    for (social_auth_id, user_id, provider, expires_at) in stored {
        let row = IndexRow {
            social_auth_id,
            user_id,
            provider,
            is_expired: expires_at.as_ref().is_some_and(|at| *at <= now),
            expires_at,
        };
        match indexed.remove(&social_auth_id) {
            Some(old) if old.will_do_for(&row) => {}
            Some(_) => {
                diesel::delete(social_auth_index::table.find(social_auth_id)).execute(conn)?;
                diesel::insert_into(social_auth_index::table)
                    .values(row)
                    .execute(conn)?;
            }
            None => {
                diesel::insert_into(social_auth_index::table)
                    .values(row)
                    .execute(conn)?;
                let last = position(conn, marks::SOCIAL_AUTHS)?;
                recount_accounts(conn, social_auth_id / super::BLOCK, last)?;
            }
        }
    }
    let last = position(conn, marks::SOCIAL_AUTHS)?;
    for gone in indexed.into_keys() {
        diesel::delete(social_auth_index::table.find(gone)).execute(conn)?;
        recount_accounts(conn, gone / super::BLOCK, last)?;
    }
    Ok(())
}

/// Counts the users of one block again. A block that has become empty has no row.
pub(in crate::storage) fn recount_users(
    conn: &mut Conn,
    block: i64,
    last: i64,
) -> Result<(), StorageError> {
    diesel::delete(user_blocks::table.find(block)).execute(conn)?;
    count_user_blocks(conn, block, block, last)
}

/// As [`recount_users`], for social accounts.
pub(in crate::storage) fn recount_accounts(
    conn: &mut Conn,
    block: i64,
    last: i64,
) -> Result<(), StorageError> {
    diesel::delete(social_auth_blocks::table.find(block)).execute(conn)?;
    count_account_blocks(conn, block, block, last)
}

impl IndexRow {
    /// Whether this row may stay where `new` would be right. An expiry that was put off is written when the first one has come:
    /// otherwise each sign-in would be one more write.
    fn will_do_for(&self, new: &Self) -> bool {
        let is_the_same = self.user_id == new.user_id && self.provider == new.provider;
        let was_put_off = match (&self.expires_at, &new.expires_at) {
            (Some(old), Some(new)) => old <= new,
            (None, None) => true,
            _ => false,
        };
        is_the_same && (self.is_expired, new.is_expired) == (false, false) && was_put_off
            || self == new
    }
}
