//! Unlinked social accounts.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::Value;

use super::super::schema::{api_clients, staff, unlinked_accounts as table};
use super::super::types::Tstz;
use super::super::{Backend, Conn};
use super::actors::{self, join_actor, names};
use super::{LockRows, Suffixed, find_one, get_one, prepared};
use crate::domain::stewardship::{UnlinkedAccount, UnlinkedId};
use crate::domain::{ProviderId, SocialAuthId, Uid, UserId};
use crate::storage::unlinked_accounts::{NamedAccount, NewUnlinkedAccount};
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = table, check_for_backend(Backend))]
struct Row {
    id: i64,
    user_id: i64,
    social_auth_id: i64,
    provider: String,
    uid: String,
    client_id: Option<String>,
    email: Option<String>,
    email_verified: bool,
    kept_data: Value,
    linked_at: DateTime<Utc>,
    actor_kind: String,
    actor_id: Option<i64>,
    reason: String,
    unlinked_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    restored_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for UnlinkedAccount {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: UnlinkedId(row.id),
            user_id: UserId(row.user_id),
            social_auth_id: SocialAuthId(row.social_auth_id),
            provider: ProviderId::parse(&row.provider)
                .ok_or(StorageError::Corrupt("unlinked_accounts.provider"))?,
            uid: Uid::parse(&row.uid).ok_or(StorageError::Corrupt("unlinked_accounts.uid"))?,
            client_id: row.client_id,
            email: row.email,
            email_verified: row.email_verified,
            kept_data: row.kept_data,
            linked_at: row.linked_at,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            reason: row.reason,
            unlinked_at: row.unlinked_at,
            expires_at: row.expires_at,
            restored_at: row.restored_at,
        })
    }
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    new: &NewUnlinkedAccount<'_>,
    now: DateTime<Utc>,
) -> Result<UnlinkedId, StorageError> {
    let account = new.account;
    let social_auth = &account.social_auth;
    let query = diesel::insert_into(table::table)
        .values((
            table::user_id.eq(social_auth.user_id.0),
            table::social_auth_id.eq(social_auth.id.0),
            table::provider.eq(social_auth.provider.as_str()),
            table::uid.eq(social_auth.uid.as_str()),
            table::client_id.eq(account.client_id.as_deref()),
            table::email.eq(account.email.as_deref()),
            table::email_verified.eq(account.email_verified),
            table::kept_data.eq(new.kept_data),
            table::linked_at.eq(social_auth.created_at),
            table::actor_kind.eq(new.actor.kind()),
            table::actor_id.eq(new.actor.id()),
            table::reason.eq(new.reason),
            table::unlinked_at.eq(micros(now)),
            table::expires_at.eq(micros(new.expires_at)),
        ))
        .returning(table::id);
    Ok(UnlinkedId(get_one(conn, query)?))
}

pub(in crate::storage) fn find(
    conn: &mut Conn,
    user_id: UserId,
    id: UnlinkedId,
) -> Result<Option<UnlinkedAccount>, StorageError> {
    let query = table::table
        .filter(table::id.eq(id.0))
        .filter(table::user_id.eq(user_id.0))
        .select(Row::as_select());
    find_one::<_, Row>(conn, query)?
        .map(UnlinkedAccount::try_from)
        .transpose()
}

pub(in crate::storage) fn find_for_update(
    conn: &mut Conn,
    user_id: UserId,
    id: UnlinkedId,
) -> Result<Option<UnlinkedAccount>, StorageError> {
    let query = table::table
        .filter(table::id.eq(id.0))
        .filter(table::user_id.eq(user_id.0))
        .select(Row::as_select());
    let locked = Suffixed::<_, LockRows>::new(query);
    find_one::<_, Row>(conn, locked)?
        .map(UnlinkedAccount::try_from)
        .transpose()
}

pub(in crate::storage) fn find_by_social_auth(
    conn: &mut Conn,
    user_id: UserId,
    id: SocialAuthId,
) -> Result<Option<UnlinkedAccount>, StorageError> {
    let query = table::table
        .filter(table::social_auth_id.eq(id.0))
        .filter(table::user_id.eq(user_id.0))
        .select(Row::as_select());
    find_one::<_, Row>(conn, query)?
        .map(UnlinkedAccount::try_from)
        .transpose()
}

pub(in crate::storage) fn list_of_user(
    conn: &mut Conn,
    user_id: UserId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<NamedAccount>, StorageError> {
    let rows: Vec<(Row, actors::Names)> = join_actor!(table::table, table)
        .filter(table::user_id.eq(user_id.0))
        .filter(table::restored_at.is_null())
        .filter(table::expires_at.gt(micros(now)))
        .order(table::id.desc())
        .limit(limit)
        .select((Row::as_select(), names!()))
        .load(conn)?;
    rows.into_iter()
        .map(|(row, names)| {
            Ok(NamedAccount {
                account: row.try_into()?,
                actor_name: actors::name(names),
            })
        })
        .collect()
}

pub(in crate::storage) fn mark_restored(
    conn: &mut Conn,
    id: UnlinkedId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(table::table.find(id.0))
        .set(table::restored_at.eq(micros(now)))
        .execute(conn)?;
    Ok(())
}

prepared! {
    struct DeleteExpired<'a> { now: DateTime<Utc>, limit: &'a i64, }
    "DELETE FROM unlinked_accounts WHERE id IN (SELECT id FROM unlinked_accounts WHERE expires_at <= " [now: Tstz]
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
