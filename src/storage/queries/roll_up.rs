//! The roll-up of the audit log.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::super::schema::{audit_blocks, audit_hours, audit_kinds, audit_log};
use super::super::{Backend, Conn};
use super::counts::{add, delete_hours_before};
use super::upkeep::is_settled;
use crate::storage::StorageError;
use crate::storage::counts::hour_of;
use crate::storage::roll_up::{AuditKind, Digest, Entry, HOURS_KEPT};
use crate::storage::upkeep::{Done, Round, Unsettled};

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

pub(in crate::storage) fn digest(
    conn: &mut Conn,
    after: i64,
    unsettled: Option<Unsettled>,
    limit: i64,
) -> Result<Digest, StorageError> {
    let rows: Vec<EntryRow> = audit_log::table
        .filter(audit_log::id.gt(after))
        .order(audit_log::id)
        .limit(limit)
        .select(EntryRow::as_select())
        .load(conn)?;
    let mut digest = Digest::default();
    for row in rows
        .into_iter()
        .take_while(|row| is_settled(Some(row.at), unsettled))
    {
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
    round: &Round,
    unsettled: Option<Unsettled>,
) -> Result<Done, StorageError> {
    let digest = digest(conn, round.position, unsettled, round.batch.into())?;
    let Some(last_id) = digest.last_id else {
        return Ok(round.nothing());
    };
    let hours_from = hour_of(round.now - HOURS_KEPT);
    for ((hour, key), count) in &digest.counts {
        add(conn, *hour, key, i32::try_from(*count).unwrap_or(i32::MAX))?;
    }
    delete_hours_before(conn, hours_from)?;
    put_hours(conn, &digest)?;
    put_blocks(conn, &digest)?;
    Ok(round.done(last_id, digest.entries))
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
