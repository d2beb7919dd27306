//! Users with what is stored beside them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Nullable;

use super::super::schema::{api_clients, deactivations, last_sign_ins, staff, users};
use super::super::types::Tstz;
use super::super::{Backend, Conn};
use super::actors::{self, join_actor, names};
use super::users::UserRow;
use super::{LockUser, Suffixed, find_one};
use crate::domain::stewardship::Reason;
use crate::domain::{Actor, User, UserId};
use crate::storage::user_records::{Deactivation, UserRecord};
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = deactivations, check_for_backend(Backend))]
struct DeactivationRow {
    actor_kind: String,
    actor_id: Option<i64>,
    reason: String,
    at: DateTime<Utc>,
}

type Columns = (
    UserRow,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<DeactivationRow>,
    actors::Names,
);

fn record((user, noted, newest_session, deactivation, names): Columns) -> UserRecord {
    UserRecord {
        user: user.into(),
        // The upkeep notes it later, and the session may be purged by now.
        last_sign_in_at: noted.max(newest_session),
        deactivation: deactivation.map(|row| Deactivation {
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            actor_name: actors::name(names),
            reason: row.reason,
            at: row.at,
        }),
    }
}

/// When the user's newest session was opened.
const NEWEST_SESSION: &str = "(SELECT sessions.created_at FROM sessions WHERE sessions.user_id = users.id ORDER BY sessions.id DESC LIMIT 1)";

pub(in crate::storage) fn find(
    conn: &mut Conn,
    id: UserId,
) -> Result<Option<UserRecord>, StorageError> {
    let users = users::table
        .left_join(last_sign_ins::table)
        .left_join(deactivations::table);
    let query = join_actor!(users, deactivations)
        .filter(users::id.eq(id.0))
        .select((
            UserRow::as_select(),
            last_sign_ins::at.nullable(),
            diesel::dsl::sql::<Nullable<Tstz>>(NEWEST_SESSION),
            Option::<DeactivationRow>::as_select(),
            names!(),
        ));
    Ok(find_one::<_, Columns>(conn, query)?.map(record))
}

pub(in crate::storage) fn find_for_update(
    conn: &mut Conn,
    id: UserId,
) -> Result<Option<User>, StorageError> {
    let query = users::table
        .filter(users::id.eq(id.0))
        .select(UserRow::as_select());
    let locked = Suffixed::<_, LockUser>::new(query);
    Ok(find_one::<_, UserRow>(conn, locked)?.map(User::from))
}

pub(in crate::storage) fn deactivate(
    conn: &mut Conn,
    id: UserId,
    actor: Actor,
    reason: &Reason,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    set_active(conn, id, false, now)?;
    let values = (
        deactivations::actor_kind.eq(actor.kind()),
        deactivations::actor_id.eq(actor.id()),
        deactivations::reason.eq(reason.as_str()),
        deactivations::at.eq(micros(now)),
    );
    diesel::insert_into(deactivations::table)
        .values((deactivations::user_id.eq(id.0), values))
        .on_conflict(deactivations::user_id)
        .do_update()
        .set(values)
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn reactivate(
    conn: &mut Conn,
    id: UserId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    set_active(conn, id, true, now)?;
    diesel::delete(deactivations::table.find(id.0)).execute(conn)?;
    Ok(())
}

fn set_active(
    conn: &mut Conn,
    id: UserId,
    is_active: bool,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(users::table.find(id.0))
        .set((
            users::is_active.eq(is_active),
            users::modified_at.eq(micros(now)),
        ))
        .execute(conn)?;
    Ok(())
}
