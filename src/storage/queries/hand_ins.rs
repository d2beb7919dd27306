//! What a hand-in writes as part of a transaction: the single statements, one after another.

use chrono::{DateTime, Utc};

use super::super::Conn;
use super::{audit, sessions, social_auths, users};
use crate::domain::{AuditEntry, SessionId};
use crate::storage::StorageError;
use crate::storage::hand_ins::{SignIn, SignUp, SignedUp};

pub(in crate::storage) fn write_sign_in(
    conn: &mut Conn,
    sign_in: &SignIn<'_>,
    now: DateTime<Utc>,
) -> Result<SessionId, StorageError> {
    let social_auth = sign_in.social_auth;
    social_auths::update_extra_data(
        conn,
        social_auth.id,
        &social_auth.extra_data,
        sign_in.client_id,
        sign_in.email,
        sign_in.email_verified,
        now,
    )?;
    let session = sign_in.session;
    let (user_id, id) = (social_auth.user_id, Some(social_auth.id));
    let session_id = sessions::insert(conn, user_id, id, None, session, now)?;
    audit::insert(conn, sign_in.entry, now)?;
    Ok(session_id)
}

pub(in crate::storage) fn write_sign_up(
    conn: &mut Conn,
    sign_up: &SignUp<'_>,
    now: DateTime<Utc>,
) -> Result<Option<SignedUp>, StorageError> {
    let Some(user) = users::insert_as(conn, sign_up.user, sign_up.username, 1, now)? else {
        return Ok(None);
    };
    users::record_sign_in(conn, user.id, now)?;
    let social_auth = social_auths::insert_uncounted(conn, user.id, sign_up.social_auth, now)?
        .ok_or(StorageError::Restart)?;
    let session_id = sessions::insert(
        conn,
        user.id,
        Some(social_auth.id),
        None,
        sign_up.session,
        now,
    )?;
    let entry = AuditEntry {
        user_id: Some(user.id),
        social_auth_id: Some(social_auth.id),
        ..sign_up.entry.clone()
    };
    audit::insert(conn, &entry, now)?;
    Ok(Some((user, social_auth.into(), session_id)))
}
