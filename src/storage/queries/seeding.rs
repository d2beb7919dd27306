//! The rows of `latchkey seed`.
#![expect(clippy::ref_option_ref, reason = "diesel's derive borrows each field")]

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::super::Conn;
use super::super::schema::{audit_log, last_sign_ins, sessions, social_auth, users};
use crate::storage::seeding::{
    Batch, SeededAuditEntry, SeededSession, SeededSocialAuth, SeededUser,
};
use crate::storage::{StorageError, micros};

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(in crate::storage) struct UserRow<'a> {
    id: i64,
    username: &'a str,
    username_folded: String,
    email: Option<&'a str>,
    email_folded: Option<String>,
    email_verified: bool,
    first_name: &'a str,
    last_name: &'a str,
    is_active: bool,
    date_joined: DateTime<Utc>,
    modified_at: DateTime<Utc>,
    social_accounts: i32,
}

impl<'a> From<&'a SeededUser> for UserRow<'a> {
    fn from(user: &'a SeededUser) -> Self {
        Self {
            id: user.id.0,
            username: &user.username,
            username_folded: user.username.to_ascii_lowercase(),
            email: user.email.as_deref(),
            email_folded: user.email.as_deref().map(str::to_lowercase),
            email_verified: user.email_verified && user.email.is_some(),
            first_name: user.first_name,
            last_name: user.last_name,
            is_active: user.is_active,
            date_joined: micros(user.date_joined),
            modified_at: micros(user.date_joined),
            social_accounts: user.social_accounts,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = last_sign_ins, treat_none_as_default_value = false)]
pub(in crate::storage) struct LastSignInRow {
    user_id: i64,
    at: DateTime<Utc>,
}

#[derive(Insertable)]
#[diesel(table_name = social_auth, treat_none_as_default_value = false)]
pub(in crate::storage) struct SocialAuthRow<'a> {
    id: i64,
    user_id: i64,
    provider: &'a str,
    uid: &'a str,
    client_id: Option<&'a str>,
    email: Option<&'a str>,
    email_verified: bool,
    extra_data: &'a Value,
    created_at: DateTime<Utc>,
    modified_at: DateTime<Utc>,
}

impl<'a> From<&'a SeededSocialAuth> for SocialAuthRow<'a> {
    fn from(account: &'a SeededSocialAuth) -> Self {
        Self {
            id: account.id.0,
            user_id: account.user_id.0,
            provider: account.provider.as_str(),
            uid: account.uid.as_str(),
            client_id: account.extra_data.get("client_id").and_then(Value::as_str),
            email: account.email.as_deref(),
            email_verified: account.email.is_some(),
            extra_data: &account.extra_data,
            created_at: micros(account.created_at),
            modified_at: micros(account.modified_at),
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(in crate::storage) struct SessionRow<'a> {
    user_id: i64,
    social_auth_id: Option<i64>,
    refresh_hash: &'a [u8],
    created_at: DateTime<Utc>,
    authenticated_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    address: Option<&'a str>,
    user_agent: Option<&'a str>,
}

impl<'a> From<&'a SeededSession> for SessionRow<'a> {
    fn from(session: &'a SeededSession) -> Self {
        let created_at = micros(session.created_at);
        Self {
            user_id: session.user_id.0,
            social_auth_id: Some(session.social_auth_id.0),
            refresh_hash: &session.refresh_hash,
            created_at,
            authenticated_at: created_at,
            last_used_at: created_at,
            expires_at: micros(session.expires_at),
            address: Some(&session.address),
            user_agent: Some(session.user_agent),
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
pub(in crate::storage) struct AuditRow<'a> {
    at: DateTime<Utc>,
    actor_kind: &'a str,
    actor_id: Option<i64>,
    action: &'a str,
    reason: Option<&'a str>,
    user_id: Option<i64>,
    social_auth_id: Option<i64>,
    provider: Option<&'a str>,
    uid: Option<&'a str>,
    request_id: &'a str,
    address: Option<&'a str>,
}

impl<'a> From<&'a SeededAuditEntry> for AuditRow<'a> {
    fn from(entry: &'a SeededAuditEntry) -> Self {
        Self {
            at: micros(entry.at),
            actor_kind: entry.actor_kind,
            actor_id: entry.actor_id,
            action: entry.action,
            reason: entry.reason,
            user_id: Some(entry.user_id.0),
            social_auth_id: Some(entry.social_auth_id.0),
            provider: Some(entry.provider.as_str()),
            uid: Some(entry.uid.as_str()),
            request_id: &entry.request_id,
            address: Some(&entry.address),
        }
    }
}

/// The rows of a batch, table by table.
pub(in crate::storage) struct Rows<'a> {
    pub(in crate::storage) users: Vec<UserRow<'a>>,
    pub(in crate::storage) last_sign_ins: Vec<LastSignInRow>,
    pub(in crate::storage) social_auths: Vec<SocialAuthRow<'a>>,
    pub(in crate::storage) sessions: Vec<SessionRow<'a>>,
    pub(in crate::storage) audit: Vec<AuditRow<'a>>,
}

impl<'a> From<&'a Batch> for Rows<'a> {
    fn from(batch: &'a Batch) -> Self {
        let last_sign_ins = batch.users.iter().filter_map(|user| {
            Some(LastSignInRow {
                user_id: user.id.0,
                at: micros(user.last_sign_in_at?),
            })
        });
        Self {
            users: batch.users.iter().map(UserRow::from).collect(),
            last_sign_ins: last_sign_ins.collect(),
            social_auths: batch.social_auths.iter().map(SocialAuthRow::from).collect(),
            sessions: batch.sessions.iter().map(SessionRow::from).collect(),
            audit: batch.audit.iter().map(AuditRow::from).collect(),
        }
    }
}

/// The first free ids of users and of social accounts.
pub(in crate::storage) fn free_ids(conn: &mut Conn) -> Result<(i64, i64), StorageError> {
    let last_user: Option<i64> = users::table
        .select(diesel::dsl::max(users::id))
        .first(conn)?;
    let last_account: Option<i64> = social_auth::table
        .select(diesel::dsl::max(social_auth::id))
        .first(conn)?;
    Ok((
        last_user.unwrap_or_default() + 1,
        last_account.unwrap_or_default() + 1,
    ))
}
