//! Registered API clients.

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::api_client::{ClientTitle, Scopes};

/// A registered application. For each `allowed_` list, `None` admits all and a list admits what is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiClient {
    /// The row.
    pub id: i64,
    /// The public identifier (RFC 6749 §2.2).
    pub client_id: String,
    /// For people.
    pub title: String,
    /// Hash of the secret, see [`crate::domain::api_client::client_secret_hash`]; a public client has none.
    pub secret_hash: Option<String>,
    /// An inactive client is refused.
    pub is_active: bool,
    /// Providers whose proofs it may hand in.
    pub allowed_providers: Option<Vec<String>>,
    /// Intents it may state.
    pub allowed_intents: Option<Vec<String>>,
    /// Origins it may be used from in a browser.
    pub allowed_origins: Option<Vec<String>>,
    /// What it may do by itself.
    pub scopes: Scopes,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// A confidential client about to be registered.
#[derive(Debug, Clone)]
pub struct NewApiClient {
    /// The public identifier.
    pub client_id: String,
    /// For people.
    pub title: ClientTitle,
    /// Hash of the secret.
    pub secret_hash: String,
    /// What it may do by itself.
    pub scopes: Scopes,
}

/// The API client with this identifier, compared byte for byte.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find(reader: &mut Reader<'_>, client_id: &str) -> Result<Option<ApiClient>, StorageError> {
    dispatch!(reader, api_clients::find(client_id))
}

/// The first `limit` API clients, in the order in which they were registered.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list(reader: &mut Reader<'_>, limit: u32) -> Result<Vec<ApiClient>, StorageError> {
    dispatch!(reader, api_clients::list(i64::from(limit)))
}

/// Registers an active client, and gives its row. It may hand in whatever anybody may.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewApiClient,
    now: DateTime<Utc>,
) -> Result<i64, StorageError> {
    dispatch!(tx, api_clients::insert(new, now))
}

/// Makes a client inactive. False if it was, or if there is none.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn deactivate(tx: &mut Tx<'_>, client_id: &str) -> Result<bool, StorageError> {
    dispatch!(tx, api_clients::deactivate(client_id))
}
