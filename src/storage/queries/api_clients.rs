//! Registered API clients.

use diesel::prelude::*;
use serde_json::Value;

use super::super::schema::api_clients;
use super::super::{Backend, Conn};
use super::find_one;
use crate::storage::StorageError;
use crate::storage::api_clients::ApiClient;

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
