//! Signing in.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text};
use serde_json::Value;

use super::super::super::queries::prepared;
use super::super::super::types::{Json, Tstz};
use super::super::Conn;
use super::{Columns, UserColumns, UserRow, account_key, active_user, association, job_at};
use crate::domain::{Actor, AuditAction, SessionId};
use crate::storage::gatherer::{Gathered, Key};
use crate::storage::hand_ins::{SignedUp, SigningIn};
use crate::storage::{StorageError, micros};

prepared! {
    /// `||` puts the members of the new object over those of the stored one, as [`crate::storage::sealing::merge`] does: none is null.
    struct SignInStatement<'a> {
        provider: Vec<&'a str>,
        uid: Vec<&'a str>,
        client_id: Vec<Option<&'a str>>,
        email: Vec<Option<&'a str>>,
        email_verified: Vec<Option<bool>>,
        extra_data: Vec<&'a Value>,
        brings_name: Vec<bool>,
        now: Vec<DateTime<Utc>>,
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
    returns (BigInt, BigInt, BigInt, Tstz, UserColumns);
    "WITH found AS MATERIALIZED (SELECT new.*, account.id, account.created_at, account.user_id, users.username, users.email AS user_email, \
     users.email_verified AS user_email_verified, users.first_name, users.last_name, users.date_joined FROM unnest((SELECT " [provider: Array<Text>]
    "), " [uid: Array<Text>]
    ", " [client_id: Array<Nullable<Text>>]
    ", " [email: Array<Nullable<Text>>]
    ", " [email_verified: Array<Nullable<Bool>>]
    ", " [extra_data: Array<Json>]
    ", " [brings_name: Array<Bool>]
    ", " [now: Array<Tstz>]
    ", " [refresh_hash: Array<Binary>]
    ", " [authenticated_at: Array<Tstz>]
    ", " [expires_at: Array<Tstz>]
    ", " [opened_from: Array<Nullable<Text>>]
    ", " [user_agent: Array<Nullable<Text>>]
    ", " [request_id: Array<Text>]
    ", " [address: Array<Nullable<Text>>]
    ") WITH ORDINALITY AS new (provider, uid, client_id, email, email_verified, extra_data, brings_name, now, refresh_hash, authenticated_at, \
     expires_at, opened_from, user_agent, request_id, address, place) \
     JOIN social_auth AS account ON account.provider = new.provider AND account.uid = new.uid JOIN users ON users.id = account.user_id \
     WHERE users.is_active AND (users.first_name <> '' OR users.last_name <> '' OR NOT new.brings_name) FOR NO KEY UPDATE OF account SKIP LOCKED), \
     refreshed AS (UPDATE social_auth AS account SET extra_data = account.extra_data || found.extra_data, \
     client_id = COALESCE(found.client_id, account.client_id), email = COALESCE(found.email, account.email), \
     email_verified = COALESCE(found.email_verified, account.email_verified), modified_at = found.now FROM found WHERE account.id = found.id), \
     logged AS (INSERT INTO audit_log (at, actor_kind, action, user_id, social_auth_id, provider, uid, request_id, address) SELECT now, " [actor_kind: Text]
    ", " [action: Text]
    ", user_id, id, provider, uid, request_id, address FROM found), \
     opened AS (INSERT INTO sessions (user_id, social_auth_id, refresh_hash, created_at, authenticated_at, last_used_at, expires_at, address, user_agent) \
     SELECT user_id, id, refresh_hash, now, authenticated_at, now, expires_at, opened_from, user_agent FROM found RETURNING id, social_auth_id) \
     SELECT place, opened.id, found.id, created_at, user_id, username, user_email, user_email_verified, first_name, last_name, date_joined \
     FROM found JOIN opened ON opened.social_auth_id = found.id"
}

impl Gathered for SigningIn {
    type Done = SignedUp;

    fn keys(&self) -> Vec<Key> {
        vec![account_key(&*self.hand_in)]
    }

    fn store(conn: &mut Conn, jobs: &[Self]) -> Result<Vec<(usize, SignedUp)>, StorageError> {
        let columns = Columns::of(jobs.iter().map(|job| &*job.hand_in));
        let statement = SignInStatement {
            provider: columns.account(|account| account.provider.as_str()),
            uid: columns.account(|account| account.uid.as_str()),
            client_id: columns.account(|account| account.client_id),
            email: columns.account(|account| account.email),
            email_verified: columns
                .account(|account| account.email.map(|_| account.email_verified)),
            extra_data: columns.account(|account| account.extra_data),
            brings_name: jobs.iter().map(|job| job.brings_name).collect(),
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
            action: AuditAction::SignedIn.as_str(),
        };
        let rows: Vec<(i64, i64, i64, DateTime<Utc>, UserRow)> = statement.load(conn)?;
        let done = rows
            .into_iter()
            .map(|(place, session_id, id, created_at, user)| {
                let (index, job) = job_at(jobs, place)?;
                let (account, now) = (job.hand_in.social_auth(), micros(job.hand_in.now()));
                let association = association(id, &account, created_at, now);
                Ok((
                    index,
                    (active_user(user), association, SessionId(session_id)),
                ))
            });
        done.collect()
    }
}
