//! The audit log.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::super::schema::{api_clients, audit_log, staff};
use super::super::{Backend, Conn};
use super::actors::{self, join_actor, names};
use crate::domain::{AuditEntry, ProviderId, SocialAuthId, Uid, UserId};
use crate::storage::audit::{AuditRecord, NamedEntry};
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log, check_for_backend(Backend))]
pub(super) struct AuditRow {
    id: i64,
    at: DateTime<Utc>,
    actor_kind: String,
    actor_id: Option<i64>,
    action: String,
    reason: Option<String>,
    detail: Option<Value>,
    user_id: Option<i64>,
    social_auth_id: Option<i64>,
    provider: Option<String>,
    uid: Option<String>,
    request_id: String,
    address: Option<String>,
}

impl From<AuditRow> for AuditRecord {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            action: row.action,
            reason: row.reason,
            detail: row.detail,
            user_id: row.user_id.map(UserId),
            social_auth_id: row.social_auth_id.map(SocialAuthId),
            provider: row.provider,
            uid: row.uid,
            request_id: row.request_id,
            address: row.address,
        }
    }
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    entry: &AuditEntry,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let address = entry.context.address.map(|address| address.to_string());
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::at.eq(micros(now)),
            audit_log::actor_kind.eq(entry.actor.kind()),
            audit_log::actor_id.eq(entry.actor.id()),
            audit_log::action.eq(entry.action.as_str()),
            audit_log::reason.eq(entry.reason.as_deref()),
            audit_log::detail.eq(entry.detail.as_ref()),
            audit_log::user_id.eq(entry.user_id.map(|id| id.0)),
            audit_log::social_auth_id.eq(entry.social_auth_id.map(|id| id.0)),
            audit_log::provider.eq(entry.provider.as_ref().map(ProviderId::as_str)),
            audit_log::uid.eq(entry.uid.as_ref().map(Uid::as_str)),
            audit_log::request_id.eq(&entry.context.request_id),
            audit_log::address.eq(address),
        ))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn list(
    conn: &mut Conn,
    limit: i64,
) -> Result<Vec<AuditRecord>, StorageError> {
    let rows: Vec<AuditRow> = audit_log::table
        .order(audit_log::id.desc())
        .limit(limit)
        .select(AuditRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(AuditRecord::from).collect())
}

pub(in crate::storage) fn list_of_user(
    conn: &mut Conn,
    user_id: UserId,
    limit: i64,
) -> Result<Vec<NamedEntry>, StorageError> {
    let rows: Vec<(AuditRow, actors::Names)> = join_actor!(audit_log::table, audit_log)
        .filter(audit_log::user_id.eq(user_id.0))
        .order(audit_log::id.desc())
        .limit(limit)
        .select((AuditRow::as_select(), names!()))
        .load(conn)?;
    let named = rows.into_iter().map(|(row, names)| NamedEntry {
        record: row.into(),
        actor_name: actors::name(names),
    });
    Ok(named.collect())
}
