//! Deliveries to webhooks.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, max};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::schema::{audit_log, upkeep_marks, webhook_deliveries as table};
use super::super::types::Tstz;
use super::super::{Backend, Conn};
use super::upkeep::settled_ids;
use super::{LockMark, Suffixed, find_one, prepared};
use crate::domain::webhook::{Event, event_name};
use crate::storage::upkeep::{Done, Round, Unsettled};
use crate::storage::webhook_deliveries::{
    CLAIM, Claimed, DELIVERED_KEPT, Delivery, Ended, MARK, Subscription, UNDELIVERED_KEPT,
};
use crate::storage::{StorageError, micros};

/// Rows of one statement: far from what either database binds at most.
const ROWS: usize = 1000;

pub(in crate::storage) fn begin(conn: &mut Conn) -> Result<(), StorageError> {
    let newest: Option<i64> = audit_log::table
        .select(max(audit_log::id))
        .get_result(conn)?;
    diesel::insert_into(upkeep_marks::table)
        .values((
            upkeep_marks::name.eq(MARK),
            upkeep_marks::position.eq(newest.unwrap_or_default()),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn forget(conn: &mut Conn) -> Result<(), StorageError> {
    diesel::delete(upkeep_marks::table.filter(upkeep_marks::name.eq(MARK))).execute(conn)?;
    Ok(())
}

/// What the next audit entries come to.
struct Next {
    /// Who is to be told of what, and is not yet.
    missing: Vec<(String, i64, &'static str)>,
    /// The last entry before which no other can come.
    settled_id: Option<i64>,
    entries: usize,
}

fn next(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
    subscriptions: &[Subscription],
) -> Result<Next, StorageError> {
    let entries: Vec<(i64, DateTime<Utc>, String, Option<String>)> = audit_log::table
        .filter(audit_log::id.gt(round.position))
        .order(audit_log::id)
        .limit(round.batch.into())
        .select((
            audit_log::id,
            audit_log::at,
            audit_log::action,
            audit_log::reason,
        ))
        .load(conn)?;
    let mut missing: Vec<(String, i64, &'static str)> = entries
        .iter()
        .filter_map(|(id, _, action, reason)| {
            Some((*id, action, reason.as_deref(), event_name(action)?))
        })
        .flat_map(|(id, action, reason, event)| {
            subscriptions
                .iter()
                .filter(move |subscription| subscription.wants(action, reason))
                .map(move |subscription| (subscription.webhook.clone(), id, event))
        })
        .collect();
    if let (Some((_, first, _)), Some((_, last, _))) = (missing.first(), missing.last()) {
        let there: HashSet<(String, i64)> = table::table
            .filter(table::event_id.between(*first, *last))
            .select((table::webhook, table::event_id))
            .load(conn)?
            .into_iter()
            .collect();
        missing.retain(|(webhook, id, _)| !there.contains(&(webhook.clone(), *id)));
    }
    let count = entries.len();
    let ids = entries.into_iter().map(|(id, at, ..)| (id, at)).collect();
    Ok(Next {
        missing,
        settled_id: settled_ids(ids, unsettled).last().copied(),
        entries: count,
    })
}

pub(in crate::storage) fn is_due(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
    subscriptions: &[Subscription],
) -> Result<bool, StorageError> {
    let next = next(conn, round, unsettled, subscriptions)?;
    Ok(next.settled_id.is_some() || !next.missing.is_empty())
}

pub(in crate::storage) fn queue(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
    subscriptions: &[Subscription],
) -> Result<Done, StorageError> {
    let next = next(conn, round, unsettled, subscriptions)?;
    let now = micros(round.now);
    for rows in next.missing.chunks(ROWS) {
        let rows: Vec<_> = rows
            .iter()
            .map(|(webhook, event_id, event)| {
                (
                    table::webhook.eq(webhook),
                    table::event_id.eq(event_id),
                    table::event.eq(*event),
                    table::created_at.eq(now),
                    table::attempts.eq(0),
                    table::next_attempt_at.eq(Some(now)),
                )
            })
            .collect();
        diesel::insert_into(table::table)
            .values(&rows)
            .execute(conn)?;
    }
    // More may wait only where we got further.
    match next.settled_id {
        Some(position) => Ok(round.done(position, next.entries)),
        None => Ok(round.nothing()),
    }
}

pub(in crate::storage) fn any_due(
    conn: &mut Conn,
    webhook: &str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let due = table::table
        .filter(table::webhook.eq(webhook))
        .filter(table::next_attempt_at.le(Some(micros(now))));
    Ok(diesel::select(exists(due)).get_result(conn)?)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log, check_for_backend(Backend))]
struct EventRow {
    id: i64,
    at: DateTime<Utc>,
    action: String,
    actor_kind: String,
    actor_id: Option<i64>,
    user_id: Option<i64>,
    social_auth_id: Option<i64>,
    provider: Option<String>,
    uid: Option<String>,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            action: row.action,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            user_id: row.user_id,
            social_auth_id: row.social_auth_id,
            provider: row.provider,
            uid: row.uid,
        }
    }
}

pub(in crate::storage) fn claim(
    conn: &mut Conn,
    webhook: &str,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, StorageError> {
    let due = table::table
        .filter(table::webhook.eq(webhook))
        .filter(table::next_attempt_at.le(Some(micros(now))))
        .order(table::next_attempt_at)
        .limit(limit)
        .select((table::id, table::event_id, table::attempts));
    let rows: Vec<(i64, i64, i32)> = Suffixed::<_, LockMark>::new(due).load(conn)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|(id, ..)| *id).collect();
    diesel::update(table::table.filter(table::id.eq_any(ids)))
        .set((
            table::attempts.eq(table::attempts + 1),
            table::attempted_at.eq(Some(micros(now))),
            table::next_attempt_at.eq(Some(micros(now + CLAIM))),
        ))
        .execute(conn)?;
    let events: Vec<EventRow> = audit_log::table
        .filter(audit_log::id.eq_any(rows.iter().map(|(_, event_id, _)| *event_id)))
        .select(EventRow::as_select())
        .load(conn)?;
    let events: HashMap<i64, Event> = events.into_iter().map(|row| (row.id, row.into())).collect();
    Ok(rows
        .into_iter()
        .map(|(id, event_id, attempts)| Claimed {
            id,
            attempts: attempts + 1,
            event: events.get(&event_id).cloned(),
        })
        .collect())
}

pub(in crate::storage) fn end(
    conn: &mut Conn,
    ids: &[i64],
    ended: &Ended,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    // Another instance may have delivered it after our claim ran out.
    let rows = table::table
        .filter(table::id.eq_any(ids))
        .filter(table::delivered_at.is_null());
    let (delivered_at, next_attempt_at, problem) = match ended {
        Ended::Delivered => (Some(micros(now)), None, None),
        Ended::Failed {
            problem,
            next_attempt_at,
        } => (None, next_attempt_at.map(micros), Some(problem.as_str())),
    };
    diesel::update(rows)
        .set((
            table::delivered_at.eq(delivered_at),
            table::next_attempt_at.eq(next_attempt_at),
            table::problem.eq(problem),
        ))
        .execute(conn)?;
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = table, check_for_backend(Backend))]
struct Row {
    id: i64,
    webhook: String,
    event_id: i64,
    event: String,
    created_at: DateTime<Utc>,
    attempts: i32,
    attempted_at: Option<DateTime<Utc>>,
    next_attempt_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    problem: Option<String>,
}

impl From<Row> for Delivery {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            webhook: row.webhook,
            event_id: row.event_id,
            event: row.event,
            created_at: row.created_at,
            attempts: row.attempts,
            attempted_at: row.attempted_at,
            next_attempt_at: row.next_attempt_at,
            delivered_at: row.delivered_at,
            problem: row.problem,
        }
    }
}

pub(in crate::storage) fn resend(
    conn: &mut Conn,
    id: i64,
    now: DateTime<Utc>,
) -> Result<Option<Delivery>, StorageError> {
    let given_up = table::table
        .filter(table::id.eq(id))
        .filter(table::delivered_at.is_null())
        .filter(table::next_attempt_at.is_null());
    let query = diesel::update(given_up)
        .set((
            table::attempts.eq(0),
            table::next_attempt_at.eq(Some(micros(now))),
        ))
        .returning(Row::as_returning());
    Ok(find_one::<_, Row>(conn, query)?.map(Delivery::from))
}

pub(in crate::storage) fn list(
    conn: &mut Conn,
    undelivered_only: bool,
    limit: i64,
) -> Result<Vec<Delivery>, StorageError> {
    let rows: Vec<Row> = if undelivered_only {
        table::table
            .filter(table::delivered_at.is_null())
            .order((table::created_at.desc(), table::id.desc()))
            .limit(limit)
            .select(Row::as_select())
            .load(conn)?
    } else {
        table::table
            .order(table::id.desc())
            .limit(limit)
            .select(Row::as_select())
            .load(conn)?
    };
    Ok(rows.into_iter().map(Delivery::from).collect())
}

pub(in crate::storage) fn any_old(
    conn: &mut Conn,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let delivered = table::table.filter(table::delivered_at.le(Some(micros(now - DELIVERED_KEPT))));
    if diesel::select(exists(delivered)).get_result(conn)? {
        return Ok(true);
    }
    let others = table::table
        .filter(table::delivered_at.is_null())
        .filter(table::created_at.le(micros(now - UNDELIVERED_KEPT)));
    Ok(diesel::select(exists(others)).get_result(conn)?)
}

prepared! {
    struct DeleteDelivered<'a> { before: DateTime<Utc>, limit: &'a i64, }
    "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE delivered_at <= " [before: Tstz]
    " ORDER BY delivered_at LIMIT " [limit: BigInt]
    ")"
}

prepared! {
    struct DeleteOthers<'a> { before: DateTime<Utc>, limit: &'a i64, }
    "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE delivered_at IS NULL AND created_at <= " [before: Tstz]
    " ORDER BY created_at LIMIT " [limit: BigInt]
    ")"
}

pub(in crate::storage) fn delete_old(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StorageError> {
    let delivered = DeleteDelivered {
        before: micros(now - DELIVERED_KEPT),
        limit: &limit,
    };
    let others = DeleteOthers {
        before: micros(now - UNDELIVERED_KEPT),
        limit: &limit,
    };
    Ok(delivered.execute(conn)? + others.execute(conn)?)
}
