//! Social accounts.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use serde_json::Value;

use super::super::schema::{social_auth, users as users_table};
use super::super::types::{Json, Tstz};
use super::super::{Backend, Conn};
use super::users::{self, UserRow};
use super::{LockSocialAuth, Suffixed, find_one, prepared};
use crate::domain::{ProviderId, SocialAuth, SocialAuthId, Uid, User, UserId};
use crate::storage::social_auths::NewSocialAuth;
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = social_auth, check_for_backend(Backend))]
pub(super) struct SocialAuthRow {
    id: i64,
    user_id: i64,
    provider: String,
    uid: String,
    extra_data: Value,
    created_at: DateTime<Utc>,
    modified_at: DateTime<Utc>,
}

impl TryFrom<SocialAuthRow> for SocialAuth {
    type Error = StorageError;

    fn try_from(row: SocialAuthRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: SocialAuthId(row.id),
            user_id: UserId(row.user_id),
            provider: ProviderId::parse(&row.provider)
                .ok_or(StorageError::Corrupt("social_auth.provider"))?,
            uid: Uid::parse(&row.uid).ok_or(StorageError::Corrupt("social_auth.uid"))?,
            extra_data: row.extra_data,
            created_at: row.created_at,
            modified_at: row.modified_at,
        })
    }
}

type WithOwner = (SocialAuthRow, UserRow);

fn with_owner((account, owner): WithOwner) -> Result<(SocialAuth, User), StorageError> {
    Ok((account.try_into()?, owner.into()))
}

pub(in crate::storage) fn find_with_owner(
    conn: &mut Conn,
    provider: &ProviderId,
    uid: &Uid,
) -> Result<Option<(SocialAuth, User)>, StorageError> {
    let query = social_auth::table
        .inner_join(users_table::table)
        .filter(social_auth::provider.eq(provider.as_str()))
        .filter(social_auth::uid.eq(uid.as_str()))
        .select((SocialAuthRow::as_select(), UserRow::as_select()));
    find_one::<_, WithOwner>(conn, query)?
        .map(with_owner)
        .transpose()
}

pub(in crate::storage) fn find_with_owner_for_update(
    conn: &mut Conn,
    provider: &ProviderId,
    uid: &Uid,
) -> Result<Option<(SocialAuth, User)>, StorageError> {
    let query = social_auth::table
        .inner_join(users_table::table)
        .filter(social_auth::provider.eq(provider.as_str()))
        .filter(social_auth::uid.eq(uid.as_str()))
        .select((SocialAuthRow::as_select(), UserRow::as_select()));
    let locked = Suffixed::<_, LockSocialAuth>::new(query);
    find_one::<_, WithOwner>(conn, locked)?
        .map(with_owner)
        .transpose()
}

pub(in crate::storage) fn list_of_user(
    conn: &mut Conn,
    user_id: UserId,
) -> Result<Vec<SocialAuth>, StorageError> {
    let rows: Vec<SocialAuthRow> = social_auth::table
        .filter(social_auth::user_id.eq(user_id.0))
        .order(social_auth::id)
        .select(SocialAuthRow::as_select())
        .load(conn)?;
    rows.into_iter().map(SocialAuth::try_from).collect()
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    user_id: UserId,
    new: &NewSocialAuth<'_>,
    now: DateTime<Utc>,
) -> Result<Option<SocialAuth>, StorageError> {
    let inserted = insert_uncounted(conn, user_id, new, now)?;
    if inserted.is_some() {
        users::count_social_accounts(conn, user_id, 1)?;
    }
    Ok(inserted)
}

/// As [`insert`], for a user who was inserted with the account counted.
pub(in crate::storage) fn insert_uncounted(
    conn: &mut Conn,
    user_id: UserId,
    new: &NewSocialAuth<'_>,
    now: DateTime<Utc>,
) -> Result<Option<SocialAuth>, StorageError> {
    let now = micros(now);
    let query = diesel::insert_into(social_auth::table)
        .values((
            social_auth::user_id.eq(user_id.0),
            social_auth::provider.eq(new.provider.as_str()),
            social_auth::uid.eq(new.uid.as_str()),
            social_auth::client_id.eq(new.client_id),
            social_auth::email.eq(new.email),
            social_auth::email_verified.eq(new.email_verified && new.email.is_some()),
            social_auth::extra_data.eq(new.extra_data),
            social_auth::created_at.eq(now),
            social_auth::modified_at.eq(now),
        ))
        .on_conflict((social_auth::provider, social_auth::uid))
        .do_nothing()
        .returning(social_auth::id);
    let id: Option<i64> = find_one(conn, query)?;
    Ok(id.map(|id| SocialAuth {
        id: SocialAuthId(id),
        user_id,
        provider: new.provider.clone(),
        uid: new.uid.clone(),
        extra_data: new.extra_data.clone(),
        created_at: now,
        modified_at: now,
    }))
}

prepared! {
    struct UpdateExtraData<'a> {
        extra_data: &'a Value,
        client_id: Option<&'a str>,
        email: Option<&'a str>,
        email_verified: Option<bool>,
        now: DateTime<Utc>,
        id: i64,
    }
    "UPDATE social_auth SET extra_data = " [extra_data: Json]
    ", client_id = COALESCE(" [client_id: Nullable<Text>]
    ", client_id), email = COALESCE(" [email: Nullable<Text>]
    ", email), email_verified = COALESCE(" [email_verified: Nullable<Bool>]
    ", email_verified), modified_at = " [now: Tstz]
    " WHERE id = " [id: BigInt]
}

pub(in crate::storage) fn update_extra_data(
    conn: &mut Conn,
    id: SocialAuthId,
    extra_data: &Value,
    client_id: Option<&str>,
    email: Option<&str>,
    email_verified: bool,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let update = UpdateExtraData {
        extra_data,
        client_id,
        email,
        email_verified: email.map(|_| email_verified),
        now: micros(now),
        id: id.0,
    };
    update.execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn delete_unverified_of_user(
    conn: &mut Conn,
    user_id: UserId,
    email: &str,
) -> Result<Vec<SocialAuth>, StorageError> {
    let emails: Vec<(i64, Option<String>, bool)> = social_auth::table
        .filter(social_auth::user_id.eq(user_id.0))
        .select((
            social_auth::id,
            social_auth::email,
            social_auth::email_verified,
        ))
        .load(conn)?;
    // Compared here and not in SQL: SQLite folds the case of ASCII letters only.
    let folded = email.to_lowercase();
    let vouches =
        |stored: Option<String>| stored.is_some_and(|stored| stored.to_lowercase() == folded);
    let leftovers: Vec<i64> = emails
        .into_iter()
        .filter_map(|(id, stored, verified)| (!(verified && vouches(stored))).then_some(id))
        .collect();
    if leftovers.is_empty() {
        return Ok(Vec::new());
    }
    let mut deleted: Vec<SocialAuthRow> =
        diesel::delete(social_auth::table.filter(social_auth::id.eq_any(leftovers)))
            .returning(SocialAuthRow::as_returning())
            .get_results(conn)?;
    deleted.sort_by_key(|row| row.id);
    let gone = i32::try_from(deleted.len())
        .map_err(|_too_many| StorageError::Corrupt("social_auth.user_id"))?;
    users::count_social_accounts(conn, user_id, -gone)?;
    deleted.into_iter().map(SocialAuth::try_from).collect()
}
