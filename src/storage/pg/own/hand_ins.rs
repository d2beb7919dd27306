//! See [`crate::storage::hand_ins`]: here one statement each, since a round trip costs more than what it asks for.
//!
//! The parts of such a statement see the same snapshot, and constraints are checked at its end, so that a session may refer to
//! the social account that is inserted beside it.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use serde_json::Value;

use super::super::Conn;
use super::super::queries::{find_one, get_one, prepared};
use super::super::types::{Json, Tstz};
use crate::domain::{ProviderId, SessionId, SocialAuth, SocialAuthId, Uid, User, UserId};
use crate::storage::hand_ins::{SignIn, SignUp, SignedUp};
use crate::storage::{StorageError, micros};

prepared! {
    struct WriteSignIn<'a> {
        extra_data: &'a Value,
        client_id: Option<&'a str>,
        email: Option<&'a str>,
        email_verified: Option<bool>,
        now: DateTime<Utc>,
        social_auth_id: i64,
        user_id: i64,
        refresh_hash: &'a [u8],
        authenticated_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        opened_from: Option<String>,
        user_agent: Option<&'a str>,
        actor_kind: &'a str,
        actor_id: Option<i64>,
        action: &'a str,
        provider: Option<&'a str>,
        uid: Option<&'a str>,
        request_id: &'a str,
        address: Option<String>,
    }
    returns BigInt;
    "WITH refreshed AS (UPDATE social_auth SET extra_data = " [extra_data: Json]
    ", client_id = COALESCE(" [client_id: Nullable<Text>]
    ", client_id), email = COALESCE(" [email: Nullable<Text>]
    ", email), email_verified = COALESCE(" [email_verified: Nullable<Bool>]
    ", email_verified), modified_at = " [now: Tstz]
    " WHERE id = " [social_auth_id: BigInt]
    "), recorded AS (INSERT INTO last_sign_ins (user_id, at) VALUES (" [user_id: BigInt]
    ", " [now: Tstz]
    ") ON CONFLICT (user_id) DO UPDATE SET at = EXCLUDED.at), logged AS (INSERT INTO audit_log (at, actor_kind, actor_id, action, user_id, social_auth_id, provider, uid, request_id, address) VALUES (" [now: Tstz]
    ", " [actor_kind: Text]
    ", " [actor_id: Nullable<BigInt>]
    ", " [action: Text]
    ", " [user_id: BigInt]
    ", " [social_auth_id: BigInt]
    ", " [provider: Nullable<Text>]
    ", " [uid: Nullable<Text>]
    ", " [request_id: Text]
    ", " [address: Nullable<Text>]
    ")) INSERT INTO sessions (user_id, social_auth_id, refresh_hash, created_at, authenticated_at, last_used_at, expires_at, address, user_agent) VALUES (" [user_id: BigInt]
    ", " [social_auth_id: BigInt]
    ", " [refresh_hash: Binary]
    ", " [now: Tstz]
    ", " [authenticated_at: Tstz]
    ", " [now: Tstz]
    ", " [expires_at: Tstz]
    ", " [opened_from: Nullable<Text>]
    ", " [user_agent: Nullable<Text>]
    ") RETURNING id"
}

pub(in crate::storage) fn write_sign_in(
    conn: &mut Conn,
    sign_in: &SignIn<'_>,
    now: DateTime<Utc>,
) -> Result<SessionId, StorageError> {
    let SignIn {
        social_auth,
        session,
        entry,
        ..
    } = *sign_in;
    let statement = WriteSignIn {
        extra_data: &social_auth.extra_data,
        client_id: sign_in.client_id,
        email: sign_in.email,
        email_verified: sign_in.email.map(|_| sign_in.email_verified),
        now: micros(now),
        social_auth_id: social_auth.id.0,
        user_id: social_auth.user_id.0,
        refresh_hash: &session.refresh_hash,
        authenticated_at: micros(session.authenticated_at),
        expires_at: micros(session.expires_at),
        opened_from: session.address.map(|address| address.to_string()),
        user_agent: session.user_agent.as_deref(),
        actor_kind: entry.actor.kind(),
        actor_id: entry.actor.id(),
        action: entry.action.as_str(),
        provider: entry.provider.as_ref().map(ProviderId::as_str),
        uid: entry.uid.as_ref().map(Uid::as_str),
        request_id: &entry.context.request_id,
        address: entry.context.address.map(|address| address.to_string()),
    };
    let id: i64 = get_one(conn, statement)?;
    Ok(SessionId(id))
}

prepared! {
    struct WriteSignUp<'a> {
        username: &'a str,
        username_folded: String,
        user_email: Option<&'a str>,
        email_folded: Option<String>,
        user_email_verified: bool,
        first_name: &'a str,
        last_name: &'a str,
        now: DateTime<Utc>,
        provider: &'a str,
        uid: &'a str,
        client_id: Option<&'a str>,
        email: Option<&'a str>,
        email_verified: bool,
        extra_data: &'a Value,
        refresh_hash: &'a [u8],
        authenticated_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        opened_from: Option<String>,
        user_agent: Option<&'a str>,
        actor_kind: &'a str,
        actor_id: Option<i64>,
        action: &'a str,
        request_id: &'a str,
        address: Option<String>,
    }
    returns (BigInt, Nullable<BigInt>, Nullable<BigInt>);
    "WITH made AS (INSERT INTO users (username, username_folded, email, email_folded, email_verified, first_name, last_name, is_active, date_joined, modified_at, social_accounts) VALUES (" [username: Text]
    ", " [username_folded: Text]
    ", " [user_email: Nullable<Text>]
    ", " [email_folded: Nullable<Text>]
    ", " [user_email_verified: Bool]
    ", " [first_name: Text]
    ", " [last_name: Text]
    ", TRUE, " [now: Tstz]
    ", " [now: Tstz]
    ", 1) ON CONFLICT (username_folded) DO NOTHING RETURNING id), \
     recorded AS (INSERT INTO last_sign_ins (user_id, at) SELECT id, " [now: Tstz]
    " FROM made), \
     associated AS (INSERT INTO social_auth (user_id, provider, uid, client_id, email, email_verified, extra_data, created_at, modified_at) SELECT id, " [provider: Text]
    ", " [uid: Text]
    ", " [client_id: Nullable<Text>]
    ", " [email: Nullable<Text>]
    ", " [email_verified: Bool]
    ", " [extra_data: Json]
    ", " [now: Tstz]
    ", " [now: Tstz]
    " FROM made ON CONFLICT (provider, uid) DO NOTHING RETURNING id, user_id), \
     logged AS (INSERT INTO audit_log (at, actor_kind, actor_id, action, user_id, social_auth_id, provider, uid, request_id, address) SELECT " [now: Tstz]
    ", " [actor_kind: Text]
    ", " [actor_id: Nullable<BigInt>]
    ", " [action: Text]
    ", user_id, id, " [provider: Text]
    ", " [uid: Text]
    ", " [request_id: Text]
    ", " [address: Nullable<Text>]
    " FROM associated), \
     opened AS (INSERT INTO sessions (user_id, social_auth_id, refresh_hash, created_at, authenticated_at, last_used_at, expires_at, address, user_agent) SELECT user_id, id, " [refresh_hash: Binary]
    ", " [now: Tstz]
    ", " [authenticated_at: Tstz]
    ", " [now: Tstz]
    ", " [expires_at: Tstz]
    ", " [opened_from: Nullable<Text>]
    ", " [user_agent: Nullable<Text>]
    " FROM associated RETURNING id) \
     SELECT made.id, associated.id, opened.id FROM made LEFT JOIN associated ON TRUE LEFT JOIN opened ON TRUE"
}

pub(in crate::storage) fn write_sign_up(
    conn: &mut Conn,
    sign_up: &SignUp<'_>,
    now: DateTime<Utc>,
) -> Result<Option<SignedUp>, StorageError> {
    let now = micros(now);
    let written: Option<(i64, Option<i64>, Option<i64>)> = find_one(conn, statement(sign_up, now))?;
    let Some((user_id, social_auth_id, session_id)) = written else {
        return Ok(None);
    };
    let (Some(social_auth_id), Some(session_id)) = (social_auth_id, session_id) else {
        return Err(StorageError::Restart);
    };
    let SignUp {
        user, social_auth, ..
    } = *sign_up;
    let made = User {
        id: UserId(user_id),
        username: sign_up.username.to_owned(),
        email: user.email.clone(),
        email_verified: user.email_verified && user.email.is_some(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        is_active: true,
        date_joined: now,
    };
    let associated = SocialAuth {
        id: SocialAuthId(social_auth_id),
        user_id: UserId(user_id),
        provider: social_auth.provider.clone(),
        uid: social_auth.uid.clone(),
        extra_data: social_auth.extra_data.clone(),
        created_at: now,
        modified_at: now,
    };
    Ok(Some((made, associated, SessionId(session_id))))
}

/// `now` in whole microseconds.
fn statement<'a>(sign_up: &SignUp<'a>, now: DateTime<Utc>) -> WriteSignUp<'a> {
    let SignUp {
        user,
        username,
        social_auth,
        session,
        entry,
    } = *sign_up;
    WriteSignUp {
        username,
        username_folded: username.to_ascii_lowercase(),
        user_email: user.email.as_deref(),
        email_folded: user.email.as_deref().map(str::to_lowercase),
        user_email_verified: user.email_verified && user.email.is_some(),
        first_name: &user.first_name,
        last_name: &user.last_name,
        now,
        provider: social_auth.provider.as_str(),
        uid: social_auth.uid.as_str(),
        client_id: social_auth.client_id,
        email: social_auth.email,
        email_verified: social_auth.email_verified && social_auth.email.is_some(),
        extra_data: social_auth.extra_data,
        refresh_hash: &session.refresh_hash,
        authenticated_at: micros(session.authenticated_at),
        expires_at: micros(session.expires_at),
        opened_from: session.address.map(|address| address.to_string()),
        user_agent: session.user_agent.as_deref(),
        actor_kind: entry.actor.kind(),
        actor_id: entry.actor.id(),
        action: entry.action.as_str(),
        request_id: &entry.context.request_id,
        address: entry.context.address.map(|address| address.to_string()),
    }
}
