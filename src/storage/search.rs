//! Finding users exactly, and which providers there are. Search inside texts is a filter of [`super::user_lists`].

use super::connection::dispatch;
use super::sql::Sql;
use super::{Reader, StorageError};
use crate::domain::search::Search;
use crate::domain::{ProviderId, UserId};

pub(super) fn provider_id(text: &str) -> Result<ProviderId, StorageError> {
    ProviderId::parse(text).ok_or(StorageError::Corrupt("social_auth.provider"))
}

/// The providers there are, one look into the index each.
pub(super) const PROVIDERS: &str = "WITH RECURSIVE p(provider) AS (SELECT min(provider) FROM social_auth UNION ALL \
     SELECT (SELECT min(s.provider) FROM social_auth AS s WHERE s.provider > p.provider) FROM p WHERE p.provider IS NOT NULL) ";

/// The providers of which there is any social account, in the order of their ids.
///
/// # Errors
/// [`StorageError`] when the database fails or an id does not parse.
pub fn list_providers(reader: &mut Reader<'_>) -> Result<Vec<ProviderId>, StorageError> {
    let sql = Sql::new(PROVIDERS)
        .with("SELECT CAST(0 AS BIGINT), provider FROM p WHERE provider IS NOT NULL LIMIT 1000");
    dispatch!(reader, lists::named(&sql))?
        .iter()
        .map(|(_, provider)| provider_id(provider))
        .collect()
}

/// The users whom a search names exactly: by id, address, user name or uid. At most `limit`, the latest first.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find_exactly(
    reader: &mut Reader<'_>,
    search: &Search,
    limit: u16,
) -> Result<Vec<UserId>, StorageError> {
    let mut sql = Sql::new(PROVIDERS).with("SELECT id FROM (SELECT id FROM users WHERE id = ");
    sql.bind(search.user_id.map_or(0, |id| id.0));
    if let Some(email) = &search.email {
        sql.push(" UNION SELECT id FROM (SELECT id FROM users WHERE email_folded = ")
            .bind(email.as_str())
            .push(format!(" LIMIT {limit}) AS by_email"));
    }
    if let Some(username) = &search.username {
        sql.push(" UNION SELECT id FROM users WHERE username_folded = ")
            .bind(username.as_str());
    }
    if let Some(uid) = &search.uid {
        sql.push(" UNION SELECT s.user_id FROM p JOIN social_auth AS s ON s.provider = p.provider AND s.uid = ")
            .bind(uid.as_str());
    }
    if let Some((provider, uid)) = &search.provider_uid {
        sql.push(" UNION SELECT user_id FROM social_auth WHERE provider = ")
            .bind(provider.as_str())
            .push(" AND uid = ")
            .bind(uid.as_str());
    }
    sql.push(format!(") AS found ORDER BY id DESC LIMIT {limit}"));
    let ids = dispatch!(reader, lists::ids(&sql))?;
    Ok(ids.into_iter().map(UserId).collect())
}
