//! Running the statements of lists.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::super::types::Tstz;
use super::super::{Backend, Conn};
use crate::domain::{ProviderId, SocialAuthId, Uid, User, UserId};
use crate::storage::StorageError;
use crate::storage::social_auth_lists::ListedSocialAuth;
use crate::storage::sql::{Bind, Part, Sql};
use crate::storage::user_lists::ListedUser;

/// A statement whose rows have the type `T`.
struct Statement<'s, T>(&'s Sql, PhantomData<T>);

impl<'s, T> Statement<'s, T> {
    const fn of(sql: &'s Sql) -> Self {
        Self(sql, PhantomData)
    }
}

impl<T> QueryId for Statement<'_, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> QueryFragment<Backend> for Statement<'_, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        for part in &self.0.0 {
            match part {
                Part::Text(text) => out.push_sql(text),
                Part::Bind(Bind::Id(id)) => out.push_bind_param::<BigInt, _>(id)?,
                Part::Bind(Bind::Text(text)) => out.push_bind_param::<Text, _>(text)?,
                Part::Bind(Bind::Time(at)) => out.push_bind_param::<Tstz, _>(at)?,
            }
        }
        Ok(())
    }
}

impl<T> Query for Statement<'_, T> {
    type SqlType = T;
}

impl<T> RunQueryDsl<Conn> for Statement<'_, T> {}

/// Two numbers a row.
pub(in crate::storage) fn numbers(
    conn: &mut Conn,
    sql: &Sql,
) -> Result<Vec<(i64, i64)>, StorageError> {
    Ok(Statement::<(BigInt, BigInt)>::of(sql).load(conn)?)
}

/// One number a row.
pub(in crate::storage) fn ids(conn: &mut Conn, sql: &Sql) -> Result<Vec<i64>, StorageError> {
    Ok(Statement::<BigInt>::of(sql).load(conn)?)
}

/// A number and a text a row.
pub(in crate::storage) fn named(
    conn: &mut Conn,
    sql: &Sql,
) -> Result<Vec<(i64, String)>, StorageError> {
    Ok(Statement::<(BigInt, Text)>::of(sql).load(conn)?)
}

/// A text, a number and a truth a row.
pub(in crate::storage) fn flagged(
    conn: &mut Conn,
    sql: &Sql,
) -> Result<Vec<(String, i64, bool)>, StorageError> {
    Ok(Statement::<(Text, BigInt, Bool)>::of(sql).load(conn)?)
}

type UserColumns = (
    BigInt,
    Text,
    Nullable<Text>,
    Bool,
    Text,
    Text,
    Bool,
    Tstz,
    Nullable<Tstz>,
);

#[derive(Queryable)]
struct UserRow {
    id: i64,
    username: String,
    email: Option<String>,
    email_verified: bool,
    first_name: String,
    last_name: String,
    is_active: bool,
    date_joined: DateTime<Utc>,
    last_sign_in_at: Option<DateTime<Utc>>,
}

impl From<UserRow> for ListedUser {
    fn from(row: UserRow) -> Self {
        Self {
            user: User {
                id: UserId(row.id),
                username: row.username,
                email: row.email,
                email_verified: row.email_verified,
                first_name: row.first_name,
                last_name: row.last_name,
                is_active: row.is_active,
                date_joined: row.date_joined,
            },
            last_sign_in_at: row.last_sign_in_at,
            providers: Vec::new(),
        }
    }
}

/// Users, without their providers.
pub(in crate::storage) fn users(
    conn: &mut Conn,
    sql: &Sql,
) -> Result<Vec<ListedUser>, StorageError> {
    let rows: Vec<UserRow> = Statement::<UserColumns>::of(sql).load(conn)?;
    Ok(rows.into_iter().map(ListedUser::from).collect())
}

/// Users, without their providers, and apart from them those of which the last column says that they are only where the reading ended.
pub(in crate::storage) fn users_and_end(
    conn: &mut Conn,
    sql: &Sql,
) -> Result<(Vec<ListedUser>, Vec<ListedUser>), StorageError> {
    let rows: Vec<(UserRow, bool)> = Statement::<(UserColumns, Bool)>::of(sql).load(conn)?;
    let (ends, users): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, is_end)| *is_end);
    let listed = |rows: Vec<(UserRow, bool)>| rows.into_iter().map(|(row, _)| row.into()).collect();
    Ok((listed(users), listed(ends)))
}

type SocialAuthColumns = (
    BigInt,
    Text,
    Text,
    Tstz,
    Tstz,
    Bool,
    Nullable<Text>,
    BigInt,
    Text,
    Text,
    Text,
    Bool,
);

#[derive(Queryable)]
struct SocialAuthRow {
    id: i64,
    provider: String,
    uid: String,
    created_at: DateTime<Utc>,
    modified_at: DateTime<Utc>,
    has_access_token: bool,
    expires_at: Option<String>,
    user_id: i64,
    username: String,
    first_name: String,
    last_name: String,
    is_active: bool,
}

/// Social accounts with their users.
pub(in crate::storage) fn social_auths(
    conn: &mut Conn,
    sql: &Sql,
) -> Result<Vec<ListedSocialAuth>, StorageError> {
    let rows: Vec<SocialAuthRow> = Statement::<SocialAuthColumns>::of(sql).load(conn)?;
    let rows = rows.into_iter().map(|row| {
        Ok(ListedSocialAuth {
            id: SocialAuthId(row.id),
            provider: ProviderId::parse(&row.provider)
                .ok_or(StorageError::Corrupt("social_auth.provider"))?,
            uid: Uid::parse(&row.uid).ok_or(StorageError::Corrupt("social_auth.uid"))?,
            created_at: row.created_at,
            modified_at: row.modified_at,
            has_access_token: row.has_access_token,
            expires_at: row.expires_at,
            user_id: UserId(row.user_id),
            username: row.username,
            first_name: row.first_name,
            last_name: row.last_name,
            is_active: row.is_active,
        })
    });
    rows.collect()
}
