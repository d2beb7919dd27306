//! Registered API clients.

use super::connection::dispatch;
use super::{Reader, StorageError};

/// A registered application. For each list, `None` admits all and a list admits what is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiClient {
    /// The row.
    pub id: i64,
    /// The public identifier (RFC 6749 §2.2).
    pub client_id: String,
    /// For people.
    pub title: String,
    /// Hash of the secret; a public client has none.
    pub secret_hash: Option<String>,
    /// An inactive client is refused.
    pub is_active: bool,
    /// Providers whose proofs it may hand in.
    pub allowed_providers: Option<Vec<String>>,
    /// Intents it may state.
    pub allowed_intents: Option<Vec<String>>,
    /// Origins it may be used from in a browser.
    pub allowed_origins: Option<Vec<String>>,
}

/// The API client with this identifier, compared byte for byte.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find(reader: &mut Reader<'_>, client_id: &str) -> Result<Option<ApiClient>, StorageError> {
    dispatch!(reader, api_clients::find(client_id))
}
