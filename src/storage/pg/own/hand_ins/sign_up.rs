//! Signing up.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text};
use serde_json::Value;

use super::super::super::queries::prepared;
use super::super::super::types::{Json, Tstz};
use super::super::Conn;
use super::{Columns, account_key, association, job_at};
use crate::domain::{Actor, AuditAction, SessionId, User, UserId};
use crate::storage::gatherer::{Gathered, Key};
use crate::storage::hand_ins::{SignedUp, SigningUp};
use crate::storage::{StorageError, micros};

prepared! {
    /// Where the name is taken, somebody has the social account or staff ordered something about it, it writes nothing. Only who loses a
    /// race for the account fails, and all with them: of two conflicts in one statement only the first can be passed over, and names are
    /// taken more often.
    struct SignUpStatement<'a> {
        username: Vec<&'a str>,
        username_folded: Vec<String>,
        user_email: Vec<Option<&'a str>>,
        email_folded: Vec<Option<String>>,
        user_email_verified: Vec<bool>,
        first_name: Vec<&'a str>,
        last_name: Vec<&'a str>,
        now: Vec<DateTime<Utc>>,
        provider: Vec<&'a str>,
        uid: Vec<&'a str>,
        client_id: Vec<Option<&'a str>>,
        email: Vec<Option<&'a str>>,
        email_verified: Vec<bool>,
        extra_data: Vec<&'a Value>,
        refresh_hash: Vec<&'a [u8]>,
        authenticated_at: Vec<DateTime<Utc>>,
        expires_at: Vec<DateTime<Utc>>,
        opened_from: Vec<Option<String>>,
        user_agent: Vec<Option<&'a str>>,
        request_id: Vec<&'a str>,
        address: Vec<Option<String>>,
        actor_kind: &'a str,
        action: &'a str,
    }
    returns (BigInt, BigInt, BigInt, BigInt);
    "WITH new AS MATERIALIZED (SELECT * FROM unnest((SELECT " [username: Array<Text>]
    "), " [username_folded: Array<Text>]
    ", " [user_email: Array<Nullable<Text>>]
    ", " [email_folded: Array<Nullable<Text>>]
    ", " [user_email_verified: Array<Bool>]
    ", " [first_name: Array<Text>]
    ", " [last_name: Array<Text>]
    ", " [now: Array<Tstz>]
    ", " [provider: Array<Text>]
    ", " [uid: Array<Text>]
    ", " [client_id: Array<Nullable<Text>>]
    ", " [email: Array<Nullable<Text>>]
    ", " [email_verified: Array<Bool>]
    ", " [extra_data: Array<Json>]
    ", " [refresh_hash: Array<Binary>]
    ", " [authenticated_at: Array<Tstz>]
    ", " [expires_at: Array<Tstz>]
    ", " [opened_from: Array<Nullable<Text>>]
    ", " [user_agent: Array<Nullable<Text>>]
    ", " [request_id: Array<Text>]
    ", " [address: Array<Nullable<Text>>]
    ") WITH ORDINALITY AS new (username, username_folded, user_email, email_folded, user_email_verified, first_name, last_name, now, provider, uid, \
     client_id, email, email_verified, extra_data, refresh_hash, authenticated_at, expires_at, opened_from, user_agent, request_id, address, place) \
     WHERE NOT EXISTS (SELECT 1 FROM social_auth AS account WHERE account.provider = new.provider AND account.uid = new.uid) \
     AND NOT EXISTS (SELECT 1 FROM standing_orders AS standing WHERE standing.provider = new.provider AND standing.uid = new.uid)), \
     made AS (INSERT INTO users (username, username_folded, email, email_folded, email_verified, first_name, last_name, is_active, date_joined, \
     modified_at, social_accounts) SELECT username, username_folded, user_email, email_folded, user_email_verified, first_name, last_name, TRUE, now, \
     now, 1 FROM new ORDER BY username_folded COLLATE \"C\" ON CONFLICT (username_folded) DO NOTHING RETURNING id AS user_id, username_folded), \
     people AS MATERIALIZED (SELECT new.*, made.user_id FROM new JOIN made ON made.username_folded = new.username_folded COLLATE \"C\"), \
     recorded AS (INSERT INTO last_sign_ins (user_id, at) SELECT user_id, now FROM people), \
     associated AS (INSERT INTO social_auth (user_id, provider, uid, client_id, email, email_verified, extra_data, created_at, modified_at) \
     SELECT user_id, provider, uid, client_id, email, email_verified, extra_data, now, now FROM people ORDER BY provider, uid RETURNING id, user_id), \
     accounts AS MATERIALIZED (SELECT people.*, associated.id FROM people JOIN associated ON associated.user_id = people.user_id), \
     logged AS (INSERT INTO audit_log (at, actor_kind, action, user_id, social_auth_id, provider, uid, request_id, address) SELECT now, " [actor_kind: Text]
    ", " [action: Text]
    ", user_id, id, provider, uid, request_id, address FROM accounts), \
     opened AS (INSERT INTO sessions (user_id, social_auth_id, refresh_hash, created_at, authenticated_at, last_used_at, expires_at, address, user_agent) \
     SELECT user_id, id, refresh_hash, now, authenticated_at, now, expires_at, opened_from, user_agent FROM accounts RETURNING id, user_id) \
     SELECT place, accounts.user_id, accounts.id, opened.id FROM accounts JOIN opened ON opened.user_id = accounts.user_id"
}

impl Gathered for SigningUp {
    type Done = SignedUp;

    fn keys(&self) -> Vec<Key> {
        let name = Key::Name(self.username.to_ascii_lowercase());
        vec![account_key(&*self.hand_in), name]
    }

    fn store(conn: &mut Conn, jobs: &[Self]) -> Result<Vec<(usize, SignedUp)>, StorageError> {
        let columns = Columns::of(jobs.iter().map(|job| &*job.hand_in));
        let user = |job: &SigningUp| job.user.email_verified && job.user.email.is_some();
        let statement = SignUpStatement {
            username: jobs.iter().map(|job| job.username.as_str()).collect(),
            username_folded: jobs
                .iter()
                .map(|job| job.username.to_ascii_lowercase())
                .collect(),
            user_email: jobs.iter().map(|job| job.user.email.as_deref()).collect(),
            email_folded: jobs
                .iter()
                .map(|job| job.user.email.as_deref().map(str::to_lowercase))
                .collect(),
            user_email_verified: jobs.iter().map(user).collect(),
            first_name: jobs
                .iter()
                .map(|job| job.user.first_name.as_str())
                .collect(),
            last_name: jobs.iter().map(|job| job.user.last_name.as_str()).collect(),
            provider: columns.account(|account| account.provider.as_str()),
            uid: columns.account(|account| account.uid.as_str()),
            client_id: columns.account(|account| account.client_id),
            email: columns.account(|account| account.email),
            email_verified: columns
                .account(|account| account.email_verified && account.email.is_some()),
            extra_data: columns.account(|account| account.extra_data),
            refresh_hash: columns.session(|session| &session.refresh_hash[..]),
            authenticated_at: columns.session(|session| micros(session.authenticated_at)),
            expires_at: columns.session(|session| micros(session.expires_at)),
            opened_from: columns
                .session(|session| session.address.map(|address| address.to_string())),
            user_agent: columns.session(|session| session.user_agent.as_deref()),
            now: columns.now,
            request_id: columns.request_ids,
            address: columns.addresses,
            actor_kind: Actor::Anonymous.kind(),
            action: AuditAction::SignedUp.as_str(),
        };
        let rows: Vec<(i64, i64, i64, i64)> = statement.load(conn)?;
        let done = rows.into_iter().map(|(place, user_id, id, session_id)| {
            let (index, job) = job_at(jobs, place)?;
            let (account, now) = (job.hand_in.social_auth(), micros(job.hand_in.now()));
            let made = User {
                id: UserId(user_id),
                username: job.username.clone(),
                email: job.user.email.clone(),
                email_verified: user(job),
                first_name: job.user.first_name.clone(),
                last_name: job.user.last_name.clone(),
                is_active: true,
                date_joined: now,
            };
            let association = association(id, &account, now, now);
            Ok((index, (made, association, SessionId(session_id))))
        });
        done.collect()
    }
}
