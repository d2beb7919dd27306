//! Browsers that were sent to a provider.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::super::schema::authorizations;
use super::super::{Backend, Conn};
use super::find_one;
use crate::domain::{ProviderId, StaffSessionId};
use crate::storage::authorizations::{Authorization, Purpose, Return};
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = authorizations, check_for_backend(Backend))]
struct AuthorizationRow {
    purpose: String,
    provider: String,
    staff_session_id: Option<i64>,
    next: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl TryFrom<AuthorizationRow> for Authorization {
    type Error = StorageError;

    fn try_from(row: AuthorizationRow) -> Result<Self, StorageError> {
        let corrupt = StorageError::Corrupt;
        Ok(Self {
            purpose: Purpose::parse(&row.purpose).ok_or(corrupt("authorizations.purpose"))?,
            provider: ProviderId::parse(&row.provider).ok_or(corrupt("authorizations.provider"))?,
            staff_session_id: row.staff_session_id.map(StaffSessionId),
            next: row.next,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    }
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    expected: Return,
    authorization: &Authorization,
) -> Result<(), StorageError> {
    let session_id = authorization.staff_session_id.map(|id| id.0);
    diesel::insert_into(authorizations::table)
        .values((
            authorizations::state_hash.eq(expected.state_hash.as_slice()),
            authorizations::browser_hash.eq(expected.browser_hash.as_slice()),
            authorizations::purpose.eq(authorization.purpose.as_str()),
            authorizations::provider.eq(authorization.provider.as_str()),
            authorizations::staff_session_id.eq(session_id),
            authorizations::next.eq(authorization.next.as_str()),
            authorizations::created_at.eq(micros(authorization.created_at)),
            authorizations::expires_at.eq(micros(authorization.expires_at)),
        ))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn redeem(
    conn: &mut Conn,
    returned: Return,
    provider: &ProviderId,
) -> Result<Option<Authorization>, StorageError> {
    let of_browser = authorizations::table
        .find(returned.state_hash.as_slice())
        .filter(authorizations::browser_hash.eq(returned.browser_hash.as_slice()))
        .filter(authorizations::provider.eq(provider.as_str()));
    let query = diesel::delete(of_browser).returning(AuthorizationRow::as_returning());
    find_one::<_, AuthorizationRow>(conn, query)?
        .map(Authorization::try_from)
        .transpose()
}

pub(in crate::storage) fn delete_expired(
    conn: &mut Conn,
    expired_before: DateTime<Utc>,
) -> Result<usize, StorageError> {
    let expired =
        authorizations::table.filter(authorizations::expires_at.lt(micros(expired_before)));
    Ok(diesel::delete(expired).execute(conn)?)
}
