//! The roll-up of the audit log.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use super::super::schema::{audit_blocks, audit_hours, audit_kinds, audit_log, upkeep_marks};
use super::super::{Backend, Conn, SETTLED_AFTER_SECONDS};
use super::counts::{add, delete_hours_before};
use super::{LockRows, Suffixed, find_one};
use crate::storage::StorageError;
use crate::storage::counts::hour_of;
use crate::storage::roll_up::{AuditKind, Digest, Entry, HOURS_KEPT, MARK};

/// A clock that was set back leaves entries of the future. Those beyond this many seconds are not waited for.
const FUTURE_SECONDS: i64 = 60;

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log, check_for_backend(Backend))]
struct EntryRow {
    id: i64,
    at: DateTime<Utc>,
    actor_kind: String,
    actor_id: Option<i64>,
    action: String,
    reason: Option<String>,
    provider: Option<String>,
}

pub(in crate::storage) fn mark(conn: &mut Conn) -> Result<i64, StorageError> {
    let query = upkeep_marks::table
        .find(MARK)
        .select(upkeep_marks::position);
    Ok(find_one::<_, i64>(conn, query)?.unwrap_or(0))
}

pub(in crate::storage) fn digest(
    conn: &mut Conn,
    after: i64,
    unsettled: Option<(DateTime<Utc>, DateTime<Utc>)>,
    limit: i64,
) -> Result<Digest, StorageError> {
    let rows: Vec<EntryRow> = audit_log::table
        .filter(audit_log::id.gt(after))
        .order(audit_log::id)
        .limit(limit)
        .select(EntryRow::as_select())
        .load(conn)?;
    let is_settled =
        |row: &EntryRow| unsettled.is_none_or(|(from, to)| row.at < from || row.at > to);
    let mut digest = Digest::default();
    for row in rows.into_iter().take_while(is_settled) {
        digest.add(Entry {
            id: row.id,
            at: row.at,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            action: row.action,
            reason: row.reason,
            provider: row.provider,
        });
    }
    Ok(digest)
}

pub(in crate::storage) fn advance(
    conn: &mut Conn,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    let after = lock_mark(conn)?;
    let unsettled = SETTLED_AFTER_SECONDS.map(|seconds| {
        (
            now - TimeDelta::seconds(seconds),
            now + TimeDelta::seconds(FUTURE_SECONDS),
        )
    });
    let digest = digest(conn, after, unsettled, limit)?;
    let Some(last_id) = digest.last_id else {
        return Ok(0);
    };
    diesel::update(upkeep_marks::table.find(MARK))
        .set(upkeep_marks::position.eq(last_id))
        .execute(conn)?;
    let hours_from = hour_of(now - HOURS_KEPT);
    for ((hour, key), count) in &digest.counts {
        add(conn, *hour, key, i32::try_from(*count).unwrap_or(i32::MAX))?;
    }
    delete_hours_before(conn, hours_from)?;
    put_hours(conn, &digest)?;
    put_blocks(conn, &digest)?;
    Ok(digest.entries)
}

/// The mark, locked until the transaction ends, so that one instance at a time works.
fn lock_mark(conn: &mut Conn) -> Result<i64, StorageError> {
    let query = upkeep_marks::table
        .find(MARK)
        .select(upkeep_marks::position);
    let locked = Suffixed::<_, LockRows>::new(query);
    if let Some(position) = find_one::<_, i64>(conn, locked)? {
        return Ok(position);
    }
    let inserted = diesel::insert_into(upkeep_marks::table)
        .values((upkeep_marks::name.eq(MARK), upkeep_marks::position.eq(0)))
        .on_conflict(upkeep_marks::name)
        .do_nothing()
        .execute(conn)?;
    match inserted {
        1 => Ok(0),
        _ => Err(StorageError::Restart),
    }
}

fn put_hours(conn: &mut Conn, digest: &Digest) -> Result<(), StorageError> {
    for (hour, (first, last)) in &digest.hours {
        let inserted = diesel::insert_into(audit_hours::table)
            .values((
                audit_hours::hour.eq(hour),
                audit_hours::first_id.eq(first),
                audit_hours::last_id.eq(last),
            ))
            .on_conflict(audit_hours::hour)
            .do_nothing()
            .execute(conn)?;
        if inserted == 0 {
            // Batches come in the order of ids: what was there before began earlier.
            diesel::update(audit_hours::table.find(hour))
                .set(audit_hours::last_id.eq(last))
                .execute(conn)?;
        }
    }
    Ok(())
}

fn put_blocks(conn: &mut Conn, digest: &Digest) -> Result<(), StorageError> {
    let mut ids: HashMap<AuditKind, i64> = list_kinds(conn)?
        .into_iter()
        .map(|(id, kind)| (kind, id))
        .collect();
    for (kind, block) in &digest.blocks {
        let id = if let Some(id) = ids.get(kind) {
            *id
        } else {
            let id = insert_kind(conn, kind)?;
            ids.insert(kind.clone(), id);
            id
        };
        diesel::insert_into(audit_blocks::table)
            .values((audit_blocks::kind_id.eq(id), audit_blocks::block.eq(block)))
            .on_conflict((audit_blocks::kind_id, audit_blocks::block))
            .do_nothing()
            .execute(conn)?;
    }
    Ok(())
}

fn insert_kind(conn: &mut Conn, kind: &AuditKind) -> Result<i64, StorageError> {
    let query = diesel::insert_into(audit_kinds::table)
        .values((
            audit_kinds::actor_kind.eq(&kind.actor_kind),
            audit_kinds::actor_id.eq(kind.actor_id),
            audit_kinds::action.eq(&kind.action),
            audit_kinds::provider.eq(&kind.provider),
        ))
        .returning(audit_kinds::id);
    Ok(super::get_one(conn, query)?)
}

/// Every kind there is. Few: actors that are told apart are staff and API clients.
pub(in crate::storage) fn list_kinds(
    conn: &mut Conn,
) -> Result<Vec<(i64, AuditKind)>, StorageError> {
    let rows: Vec<(i64, String, i64, String, String)> = audit_kinds::table
        .select((
            audit_kinds::id,
            audit_kinds::actor_kind,
            audit_kinds::actor_id,
            audit_kinds::action,
            audit_kinds::provider,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, actor_kind, actor_id, action, provider)| {
            let kind = AuditKind {
                actor_kind,
                actor_id,
                action,
                provider,
            };
            (id, kind)
        })
        .collect())
}
