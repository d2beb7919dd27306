//! Standing orders about social accounts that nobody has.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::schema::{api_clients, staff, standing_orders as table};
use super::super::types::Tstz;
use super::super::{Backend, Conn};
use super::actors::{self, join_actor, names};
use super::{find_one, prepared};
use crate::domain::stewardship::StandingOrder;
use crate::domain::{ProviderId, Uid, UserId};
use crate::storage::standing_orders::{NewStandingOrder, StandingOrderRecord};
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = table, check_for_backend(Backend))]
struct Row {
    provider: String,
    uid: String,
    kind: String,
    user_id: i64,
    actor_kind: String,
    actor_id: Option<i64>,
    reason: String,
    expires_at: DateTime<Utc>,
}

type Named = (Row, actors::Names);

fn record((row, names): Named) -> Result<StandingOrderRecord, StorageError> {
    Ok(StandingOrderRecord {
        provider: ProviderId::parse(&row.provider)
            .ok_or(StorageError::Corrupt("standing_orders.provider"))?,
        uid: Uid::parse(&row.uid).ok_or(StorageError::Corrupt("standing_orders.uid"))?,
        order: order_of(&row.kind, row.user_id)?,
        actor_kind: row.actor_kind,
        actor_id: row.actor_id,
        actor_name: actors::name(names),
        reason: row.reason,
        expires_at: row.expires_at,
    })
}

fn order_of(kind: &str, user_id: i64) -> Result<StandingOrder, StorageError> {
    match kind {
        "refuse" => Ok(StandingOrder::Refuse),
        "associate" => Ok(StandingOrder::AssociateWith(UserId(user_id))),
        _ => Err(StorageError::Corrupt("standing_orders.kind")),
    }
}

const fn kind_of(order: StandingOrder) -> &'static str {
    match order {
        StandingOrder::Refuse => "refuse",
        StandingOrder::AssociateWith(_) => "associate",
    }
}

pub(in crate::storage) fn find(
    conn: &mut Conn,
    provider: &ProviderId,
    uid: &Uid,
    now: DateTime<Utc>,
) -> Result<Option<StandingOrder>, StorageError> {
    let query = table::table
        .filter(table::provider.eq(provider.as_str()))
        .filter(table::uid.eq(uid.as_str()))
        .filter(table::expires_at.gt(micros(now)))
        .select((table::kind, table::user_id));
    find_one::<_, (String, i64)>(conn, query)?
        .map(|(kind, user_id)| order_of(&kind, user_id))
        .transpose()
}

pub(in crate::storage) fn put(
    conn: &mut Conn,
    new: &NewStandingOrder<'_>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let values = (
        table::kind.eq(kind_of(new.order)),
        table::user_id.eq(new.user_id.0),
        table::actor_kind.eq(new.actor.kind()),
        table::actor_id.eq(new.actor.id()),
        table::reason.eq(new.reason),
        table::created_at.eq(micros(now)),
        table::expires_at.eq(micros(new.expires_at)),
    );
    diesel::insert_into(table::table)
        .values((
            table::provider.eq(new.provider.as_str()),
            table::uid.eq(new.uid.as_str()),
            values,
        ))
        .on_conflict((table::provider, table::uid))
        .do_update()
        .set(values)
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn delete(
    conn: &mut Conn,
    provider: &ProviderId,
    uid: &Uid,
) -> Result<bool, StorageError> {
    let order = table::table
        .filter(table::provider.eq(provider.as_str()))
        .filter(table::uid.eq(uid.as_str()));
    Ok(diesel::delete(order).execute(conn)? > 0)
}

pub(in crate::storage) fn list_of_user(
    conn: &mut Conn,
    user_id: UserId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<StandingOrderRecord>, StorageError> {
    let rows: Vec<Named> = join_actor!(table::table, table)
        .filter(table::user_id.eq(user_id.0))
        .filter(table::expires_at.gt(micros(now)))
        .order(table::created_at.desc())
        .limit(limit)
        .select((Row::as_select(), names!()))
        .load(conn)?;
    rows.into_iter().map(record).collect()
}

prepared! {
    struct DeleteExpired<'a> { now: DateTime<Utc>, limit: &'a i64, }
    "DELETE FROM standing_orders WHERE (provider, uid) IN (SELECT provider, uid FROM standing_orders WHERE expires_at <= " [now: Tstz]
    " ORDER BY expires_at LIMIT " [limit: BigInt]
    ")"
}

pub(in crate::storage) fn delete_expired(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StorageError> {
    let delete = DeleteExpired {
        now: micros(now),
        limit: &limit,
    };
    Ok(delete.execute(conn)?)
}

pub(in crate::storage) fn any_expired(
    conn: &mut Conn,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let expired = table::table.filter(table::expires_at.le(micros(now)));
    Ok(diesel::select(exists(expired)).get_result(conn)?)
}
