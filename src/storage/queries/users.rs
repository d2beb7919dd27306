//! Users.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Text};

use super::super::schema::users;
use super::super::types::Tstz;
use super::super::{Backend, Conn};
use super::{find_one, prepared};
use crate::domain::{NewUser, User, UserId};
use crate::storage::{StorageError, micros};

/// How many names are looked up at once: those that [`crate::domain::username::alternatives`] makes.
const CANDIDATES: usize = 13;
/// How many of the alternatives are tried before the work is done again.
const ROUNDS: usize = 4;

#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Backend))]
pub(super) struct UserRow {
    id: i64,
    username: String,
    email: Option<String>,
    email_verified: bool,
    first_name: String,
    last_name: String,
    is_active: bool,
    date_joined: DateTime<Utc>,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId(row.id),
            username: row.username,
            email: row.email,
            email_verified: row.email_verified,
            first_name: row.first_name,
            last_name: row.last_name,
            is_active: row.is_active,
            date_joined: row.date_joined,
        }
    }
}

pub(in crate::storage) fn find(conn: &mut Conn, id: UserId) -> Result<Option<User>, StorageError> {
    let query = users::table.find(id.0).select(UserRow::as_select());
    Ok(find_one::<_, UserRow>(conn, query)?.map(User::from))
}

pub(in crate::storage) fn list_by_verified_email(
    conn: &mut Conn,
    folded: &str,
) -> Result<Vec<User>, StorageError> {
    let rows: Vec<UserRow> = users::table
        .filter(users::email_folded.eq(folded))
        .filter(users::email_verified.eq(true))
        .order(users::id)
        .limit(2)
        .select(UserRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(User::from).collect())
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    user: &NewUser,
    base_name: &str,
    alternatives: impl FnOnce() -> Vec<String>,
    now: DateTime<Utc>,
) -> Result<User, StorageError> {
    let user = insert_under_a_free_name(conn, user, base_name, alternatives, now)?;
    record_sign_in(conn, user.id, now)?;
    Ok(user)
}

fn insert_under_a_free_name(
    conn: &mut Conn,
    user: &NewUser,
    base_name: &str,
    alternatives: impl FnOnce() -> Vec<String>,
    now: DateTime<Utc>,
) -> Result<User, StorageError> {
    if let Some(user) = insert_as(conn, user, base_name, 0, now)? {
        return Ok(user);
    }
    let names = alternatives();
    let mut last_resorts = names.iter().rev();
    for round in 0..ROUNDS {
        // Everybody who meets a taken name goes for the same first free one. Whoever loses that race as well takes one of the
        // last, which are random, instead of racing on.
        let free = if round == 0 {
            find_free_name(conn, &names)?
        } else {
            last_resorts.next().map(String::as_str)
        };
        let Some(free) = free else {
            break;
        };
        if let Some(user) = insert_as(conn, user, free, 0, now)? {
            return Ok(user);
        }
    }
    Err(StorageError::Restart)
}

/// The user under this name, unless the name is taken; only the row in `users`. `social_accounts` is how many the caller inserts
/// uncounted.
pub(in crate::storage) fn insert_as(
    conn: &mut Conn,
    user: &NewUser,
    username: &str,
    social_accounts: i32,
    now: DateTime<Utc>,
) -> Result<Option<User>, StorageError> {
    let now = micros(now);
    let email_folded = user.email.as_deref().map(str::to_lowercase);
    let query = diesel::insert_into(users::table)
        .values((
            users::username.eq(username),
            users::username_folded.eq(username.to_ascii_lowercase()),
            users::email.eq(user.email.as_deref()),
            users::email_folded.eq(email_folded),
            users::email_verified.eq(user.email_verified && user.email.is_some()),
            users::first_name.eq(&user.first_name),
            users::last_name.eq(&user.last_name),
            users::is_active.eq(true),
            users::date_joined.eq(now),
            users::modified_at.eq(now),
            users::social_accounts.eq(social_accounts),
        ))
        .on_conflict(users::username_folded)
        .do_nothing()
        .returning(UserRow::as_returning());
    Ok(find_one::<_, UserRow>(conn, query)?.map(User::from))
}

prepared! {
    /// The partial index has just these.
    struct CountInactive<'a> { limit: &'a i64, }
    returns BigInt;
    "SELECT count(*) FROM (SELECT 1 AS one FROM users WHERE NOT is_active LIMIT " [limit: BigInt]
    ") AS inactive"
}

pub(in crate::storage) fn count_inactive(conn: &mut Conn, limit: i64) -> Result<u64, StorageError> {
    let count: i64 = super::get_one(conn, CountInactive { limit: &limit })?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The first of `names` that nobody has, by one query.
pub(in crate::storage) fn find_free_name<'n>(
    conn: &mut Conn,
    names: &'n [String],
) -> Result<Option<&'n str>, StorageError> {
    for chunk in names.chunks(CANDIDATES) {
        let folded: Vec<String> = chunk.iter().map(|name| name.to_ascii_lowercase()).collect();
        let taken: Vec<String> = Taken { names: &folded }.load(conn)?;
        let free = chunk
            .iter()
            .zip(&folded)
            .find(|(_, folded)| !taken.contains(folded));
        if let Some((name, _)) = free {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Which of at most [`CANDIDATES`] names are taken. Always binds that many, so that the text never changes and stays prepared.
struct Taken<'a> {
    names: &'a [String],
}

impl QueryId for Taken<'_> {
    type QueryId = Taken<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Backend> for Taken<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("SELECT username_folded FROM users WHERE username_folded IN (");
        let padding = std::iter::repeat(self.names.last());
        for (index, name) in self
            .names
            .iter()
            .map(Some)
            .chain(padding)
            .take(CANDIDATES)
            .enumerate()
        {
            if index > 0 {
                out.push_sql(", ");
            }
            match name {
                Some(name) => out.push_bind_param::<Text, String>(name)?,
                None => out.push_sql("NULL"),
            }
        }
        out.push_sql(")");
        Ok(())
    }
}

impl Query for Taken<'_> {
    type SqlType = Text;
}

impl RunQueryDsl<Conn> for Taken<'_> {}

prepared! {
    struct RecordSignIn<'a> { id: &'a i64, now: &'a DateTime<Utc>, }
    "INSERT INTO last_sign_ins (user_id, at) VALUES (" [id: BigInt]
    ", " [now: Tstz]
    ") ON CONFLICT (user_id) DO UPDATE SET at = EXCLUDED.at"
}

pub(in crate::storage) fn record_sign_in(
    conn: &mut Conn,
    id: UserId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let upsert = RecordSignIn {
        id: &id.0,
        now: &micros(now),
    };
    upsert.execute(conn)?;
    Ok(())
}

prepared! {
    struct FillNames<'a> {
        first_name: &'a str,
        last_name: &'a str,
        now: DateTime<Utc>,
        id: i64,
    }
    "UPDATE users SET first_name = CASE WHEN first_name = '' THEN " [first_name: Text]
    " ELSE first_name END, last_name = CASE WHEN last_name = '' THEN " [last_name: Text]
    " ELSE last_name END, modified_at = " [now: Tstz]
    " WHERE id = " [id: BigInt]
}

pub(in crate::storage) fn fill_names(
    conn: &mut Conn,
    id: UserId,
    first_name: &str,
    last_name: &str,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let update = FillNames {
        first_name,
        last_name,
        now: micros(now),
        id: id.0,
    };
    update.execute(conn)?;
    Ok(())
}

prepared! {
    struct CountSocialAccounts<'a> { more: i32, id: &'a i64, }
    "UPDATE users SET social_accounts = social_accounts + " [more: Integer]
    " WHERE id = " [id: BigInt]
}

/// Keeps the number of a user's social accounts, after as many rows were inserted or, below zero, deleted.
pub(in crate::storage) fn count_social_accounts(
    conn: &mut Conn,
    id: UserId,
    more: i32,
) -> Result<(), StorageError> {
    let update = CountSocialAccounts { more, id: &id.0 };
    update.execute(conn)?;
    Ok(())
}
