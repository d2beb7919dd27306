//! Registered API clients.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};

use super::super::schema::api_clients;
use super::super::{Backend, Conn};
use super::{find_one, get_one};
use crate::domain::api_client::{Scope, Scopes};
use crate::storage::api_clients::{ApiClient, NewApiClient};
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_clients, check_for_backend(Backend))]
struct ApiClientRow {
    id: i64,
    client_id: String,
    title: String,
    secret_hash: Option<String>,
    is_active: bool,
    allowed_providers: Option<Value>,
    allowed_intents: Option<Value>,
    allowed_origins: Option<Value>,
    scopes: Value,
    created_at: DateTime<Utc>,
}

impl TryFrom<ApiClientRow> for ApiClient {
    type Error = StorageError;

    fn try_from(row: ApiClientRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            client_id: row.client_id,
            title: row.title,
            secret_hash: row.secret_hash,
            is_active: row.is_active,
            allowed_providers: texts(row.allowed_providers, "api_clients.allowed_providers")?,
            allowed_intents: texts(row.allowed_intents, "api_clients.allowed_intents")?,
            allowed_origins: texts(row.allowed_origins, "api_clients.allowed_origins")?,
            scopes: scopes(row.scopes)?,
            created_at: row.created_at,
        })
    }
}

/// The texts in a stored array. Anything but texts is an error: a list that cannot be read must not admit everyone.
fn texts(stored: Option<Value>, column: &'static str) -> Result<Option<Vec<String>>, StorageError> {
    let Some(stored) = stored else {
        return Ok(None);
    };
    match serde_json::from_value(stored) {
        Ok(texts) => Ok(Some(texts)),
        Err(_) => Err(StorageError::Corrupt(column)),
    }
}

/// The scopes in a stored array. One of another version of the program grants nothing here.
fn scopes(stored: Value) -> Result<Scopes, StorageError> {
    let names = texts(Some(stored), "api_clients.scopes")?.unwrap_or_default();
    Ok(names.iter().filter_map(|name| Scope::parse(name)).collect())
}

pub(in crate::storage) fn find(
    conn: &mut Conn,
    client_id: &str,
) -> Result<Option<ApiClient>, StorageError> {
    let query = api_clients::table
        .filter(api_clients::client_id.eq(client_id))
        .select(ApiClientRow::as_select());
    find_one::<_, ApiClientRow>(conn, query)?
        .map(ApiClient::try_from)
        .transpose()
}

pub(in crate::storage) fn list(
    conn: &mut Conn,
    limit: i64,
) -> Result<Vec<ApiClient>, StorageError> {
    let rows: Vec<ApiClientRow> = api_clients::table
        .order(api_clients::id)
        .limit(limit)
        .select(ApiClientRow::as_select())
        .load(conn)?;
    rows.into_iter().map(ApiClient::try_from).collect()
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    new: &NewApiClient,
    now: DateTime<Utc>,
) -> Result<i64, StorageError> {
    let names: Vec<&str> = new.scopes.names().collect();
    let query = diesel::insert_into(api_clients::table)
        .values((
            api_clients::client_id.eq(&new.client_id),
            api_clients::title.eq(new.title.as_str()),
            api_clients::secret_hash.eq(&new.secret_hash),
            api_clients::is_active.eq(true),
            api_clients::scopes.eq(json!(names)),
            api_clients::created_at.eq(micros(now)),
        ))
        .returning(api_clients::id);
    Ok(get_one(conn, query)?)
}

pub(in crate::storage) fn deactivate(
    conn: &mut Conn,
    client_id: &str,
) -> Result<bool, StorageError> {
    let active = api_clients::table
        .filter(api_clients::client_id.eq(client_id))
        .filter(api_clients::is_active.eq(true));
    let changed = diesel::update(active)
        .set(api_clients::is_active.eq(false))
        .execute(conn)?;
    Ok(changed > 0)
}
