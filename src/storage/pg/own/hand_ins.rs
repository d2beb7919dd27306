//! See [`crate::storage::hand_ins`]: a whole hand-in by one statement, since a round trip costs more than what it asks for.
//!
//! The parts of such a statement see the same snapshot, and foreign keys are checked at its end, so that a row may refer to one
//! that is inserted beside it. What waited for another hand-in's row sees it as that one left it.

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use serde_json::Value;

use super::super::Conn;
use super::super::queries::{find_one, prepared};
use super::super::types::{Json, Tstz};
use crate::domain::{Association, AuditEntry, SessionId, SocialAuthId, User, UserId};
use crate::storage::hand_ins::{Associated, AtOnce, SignUp, SignedUp};
use crate::storage::social_auths::NewSocialAuth;
use crate::storage::{StorageError, micros};

/// A user's row, as the statements below return it.
type UserColumns = (BigInt, Text, Nullable<Text>, Bool, Text, Text, Tstz);
type UserRow = (
    i64,
    String,
    Option<String>,
    bool,
    String,
    String,
    DateTime<Utc>,
);

fn active_user(row: UserRow) -> User {
    let (id, username, email, email_verified, first_name, last_name, date_joined) = row;
    User {
        id: UserId(id),
        username,
        email,
        email_verified,
        first_name,
        last_name,
        is_active: true,
        date_joined,
    }
}

fn association(
    id: i64,
    account: &NewSocialAuth<'_>,
    created_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Association {
    Association {
        id: SocialAuthId(id),
        provider: account.provider.clone(),
        uid: account.uid.clone(),
        created_at,
        modified_at: now,
    }
}

fn address_of(entry: &AuditEntry) -> Option<String> {
    entry.context.address.map(|address| address.to_string())
}

prepared! {
    /// `||` puts the members of the new object over those of the stored one, as [`crate::storage::sealing::merge`] does: none is null.
    struct SignIn<'a> {
        extra_data: &'a Value,
        client_id: Option<&'a str>,
        email: Option<&'a str>,
        email_verified: Option<bool>,
        now: DateTime<Utc>,
        provider: &'a str,
        uid: &'a str,
        brings_name: bool,
        actor_kind: &'a str,
        actor_id: Option<i64>,
        action: &'a str,
        request_id: &'a str,
        address: Option<String>,
        refresh_hash: &'a [u8],
        authenticated_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        opened_from: Option<String>,
        user_agent: Option<&'a str>,
    }
    returns (BigInt, BigInt, Tstz, UserColumns);
    "WITH refreshed AS (UPDATE social_auth AS account SET extra_data = account.extra_data || " [extra_data: Json]
    ", client_id = COALESCE(" [client_id: Nullable<Text>]
    ", account.client_id), email = COALESCE(" [email: Nullable<Text>]
    ", account.email), email_verified = COALESCE(" [email_verified: Nullable<Bool>]
    ", account.email_verified), modified_at = " [now: Tstz]
    " FROM users WHERE account.provider = " [provider: Text]
    " AND account.uid = " [uid: Text]
    " AND users.id = account.user_id AND users.is_active AND (users.first_name <> '' OR users.last_name <> '' OR NOT " [brings_name: Bool]
    ") RETURNING account.id, account.created_at, account.user_id, users.username, users.email, users.email_verified, \
     users.first_name, users.last_name, users.date_joined), \
     logged AS (INSERT INTO audit_log (at, actor_kind, actor_id, action, user_id, social_auth_id, provider, uid, request_id, address) SELECT " [now: Tstz]
    ", " [actor_kind: Text]
    ", " [actor_id: Nullable<BigInt>]
    ", " [action: Text]
    ", user_id, id, " [provider: Text]
    ", " [uid: Text]
    ", " [request_id: Text]
    ", " [address: Nullable<Text>]
    " FROM refreshed), \
     opened AS (INSERT INTO sessions (user_id, social_auth_id, refresh_hash, created_at, authenticated_at, last_used_at, expires_at, address, user_agent) SELECT user_id, id, " [refresh_hash: Binary]
    ", " [now: Tstz]
    ", " [authenticated_at: Tstz]
    ", " [now: Tstz]
    ", " [expires_at: Tstz]
    ", " [opened_from: Nullable<Text>]
    ", " [user_agent: Nullable<Text>]
    " FROM refreshed RETURNING id) \
     SELECT opened.id, refreshed.id, created_at, user_id, username, email, email_verified, first_name, last_name, date_joined FROM refreshed, opened"
}

pub(in crate::storage) fn sign_in(
    conn: &mut Conn,
    hand_in: &AtOnce<'_>,
    brings_name: bool,
    now: DateTime<Utc>,
) -> Result<Option<SignedUp>, StorageError> {
    let AtOnce {
        social_auth,
        session,
        entry,
    } = *hand_in;
    let now = micros(now);
    let statement = SignIn {
        extra_data: social_auth.extra_data,
        client_id: social_auth.client_id,
        email: social_auth.email,
        email_verified: social_auth.email.map(|_| social_auth.email_verified),
        now,
        provider: social_auth.provider.as_str(),
        uid: social_auth.uid.as_str(),
        brings_name,
        actor_kind: entry.actor.kind(),
        actor_id: entry.actor.id(),
        action: entry.action.as_str(),
        request_id: &entry.context.request_id,
        address: address_of(entry),
        refresh_hash: &session.refresh_hash,
        authenticated_at: micros(session.authenticated_at),
        expires_at: micros(session.expires_at),
        opened_from: session.address.map(|address| address.to_string()),
        user_agent: session.user_agent.as_deref(),
    };
    let row: Option<(i64, i64, DateTime<Utc>, UserRow)> = find_one(conn, statement)?;
    Ok(row.map(|(session_id, id, created_at, user)| {
        (
            active_user(user),
            association(id, social_auth, created_at, now),
            SessionId(session_id),
        )
    }))
}

prepared! {
    /// Where the name is taken, somebody has the social account or staff ordered something about it, it writes nothing. Only who loses a race for the account fails:
    /// of two conflicts in one statement only the first can be passed over, and names are taken more often.
    struct SignUpStatement<'a> {
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
    returns (BigInt, BigInt, BigInt);
    "WITH made AS (INSERT INTO users (username, username_folded, email, email_folded, email_verified, first_name, last_name, is_active, date_joined, modified_at, social_accounts) SELECT " [username: Text]
    ", " [username_folded: Text]
    ", " [user_email: Nullable<Text>]
    ", " [email_folded: Nullable<Text>]
    ", " [user_email_verified: Bool]
    ", " [first_name: Text]
    ", " [last_name: Text]
    ", TRUE, " [now: Tstz]
    ", " [now: Tstz]
    ", 1 WHERE NOT EXISTS (SELECT 1 FROM social_auth WHERE provider = " [provider: Text]
    " AND uid = " [uid: Text]
    ") AND NOT EXISTS (SELECT 1 FROM standing_orders WHERE provider = " [provider: Text]
    " AND uid = " [uid: Text]
    ") ON CONFLICT (username_folded) DO NOTHING RETURNING id), \
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
    " FROM made RETURNING id, user_id), \
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
     SELECT associated.user_id, associated.id, opened.id FROM associated, opened"
}

pub(in crate::storage) fn sign_up(
    conn: &mut Conn,
    sign_up: &SignUp<'_>,
    now: DateTime<Utc>,
) -> Result<Option<SignedUp>, StorageError> {
    let now = micros(now);
    let written = find_one::<_, (i64, i64, i64)>(conn, statement(sign_up, now));
    let row = written.map_err(|error| match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => StorageError::Restart,
        error => error.into(),
    })?;
    Ok(row.map(|(user_id, id, session_id)| {
        let user = sign_up.user;
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
        let associated = association(id, sign_up.social_auth, now, now);
        (made, associated, SessionId(session_id))
    }))
}

/// `now` in whole microseconds.
fn statement<'a>(sign_up: &SignUp<'a>, now: DateTime<Utc>) -> SignUpStatement<'a> {
    let SignUp {
        user,
        username,
        social_auth,
        session,
        entry,
    } = *sign_up;
    SignUpStatement {
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
        address: address_of(entry),
    }
}

prepared! {
    /// The caller must be live in the sense of [`crate::domain::Session::is_live`], and nothing ordered about the account.
    struct Associate<'a> {
        user_id: i64,
        session_id: i64,
        now: DateTime<Utc>,
        provider: &'a str,
        uid: &'a str,
        client_id: Option<&'a str>,
        email: Option<&'a str>,
        email_verified: bool,
        extra_data: &'a Value,
        actor_kind: &'a str,
        actor_id: Option<i64>,
        action: &'a str,
        request_id: &'a str,
        address: Option<String>,
    }
    returns (BigInt, UserColumns);
    "WITH caller AS (SELECT users.id, username, email, email_verified, first_name, last_name, date_joined FROM sessions JOIN users ON users.id = sessions.user_id WHERE sessions.id = " [session_id: BigInt]
    " AND users.id = " [user_id: BigInt]
    " AND users.is_active AND sessions.revoked_at IS NULL AND sessions.expires_at > " [now: Tstz]
    "), associated AS (INSERT INTO social_auth (user_id, provider, uid, client_id, email, email_verified, extra_data, created_at, modified_at) SELECT id, " [provider: Text]
    ", " [uid: Text]
    ", " [client_id: Nullable<Text>]
    ", " [email: Nullable<Text>]
    ", " [email_verified: Bool]
    ", " [extra_data: Json]
    ", " [now: Tstz]
    ", " [now: Tstz]
    " FROM caller WHERE NOT EXISTS (SELECT 1 FROM standing_orders WHERE provider = " [provider: Text]
    " AND uid = " [uid: Text]
    ") ON CONFLICT (provider, uid) DO NOTHING RETURNING id, user_id), \
     counted AS (UPDATE users SET social_accounts = social_accounts + 1 FROM associated WHERE users.id = associated.user_id), \
     logged AS (INSERT INTO audit_log (at, actor_kind, actor_id, action, user_id, social_auth_id, provider, uid, request_id, address) SELECT " [now: Tstz]
    ", " [actor_kind: Text]
    ", " [actor_id: Nullable<BigInt>]
    ", " [action: Text]
    ", user_id, id, " [provider: Text]
    ", " [uid: Text]
    ", " [request_id: Text]
    ", " [address: Nullable<Text>]
    " FROM associated) \
     SELECT associated.id, caller.id, username, email, email_verified, first_name, last_name, date_joined FROM associated, caller"
}

pub(in crate::storage) fn associate(
    conn: &mut Conn,
    caller: (UserId, SessionId),
    social_auth: &NewSocialAuth<'_>,
    entry: &AuditEntry,
    now: DateTime<Utc>,
) -> Result<Option<Associated>, StorageError> {
    let now = micros(now);
    let statement = Associate {
        user_id: caller.0.0,
        session_id: caller.1.0,
        now,
        provider: social_auth.provider.as_str(),
        uid: social_auth.uid.as_str(),
        client_id: social_auth.client_id,
        email: social_auth.email,
        email_verified: social_auth.email_verified && social_auth.email.is_some(),
        extra_data: social_auth.extra_data,
        actor_kind: entry.actor.kind(),
        actor_id: entry.actor.id(),
        action: entry.action.as_str(),
        request_id: &entry.context.request_id,
        address: address_of(entry),
    };
    let row: Option<(i64, UserRow)> = find_one(conn, statement)?;
    Ok(row.map(|(id, user)| (active_user(user), association(id, social_auth, now, now))))
}
