//! Associating.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use serde_json::Value;

use super::super::super::queries::prepared;
use super::super::super::types::{Json, Tstz};
use super::super::Conn;
use super::{Columns, UserColumns, UserRow, account_key, active_user, association, job_at};
use crate::domain::{Actor, AuditAction, UserId};
use crate::storage::gatherer::{Gathered, Key};
use crate::storage::hand_ins::{Associated, Associating};
use crate::storage::{StorageError, micros};

prepared! {
    /// The caller must be live in the sense of [`crate::domain::Session::is_live`], and nothing ordered about the account.
    struct AssociateStatement<'a> {
        user_id: Vec<i64>,
        session_id: Vec<i64>,
        now: Vec<DateTime<Utc>>,
        provider: Vec<&'a str>,
        uid: Vec<&'a str>,
        client_id: Vec<Option<&'a str>>,
        email: Vec<Option<&'a str>>,
        email_verified: Vec<bool>,
        extra_data: Vec<&'a Value>,
        request_id: Vec<&'a str>,
        address: Vec<Option<String>>,
        actor_kind: &'a str,
        action: &'a str,
    }
    returns (BigInt, BigInt, UserColumns);
    "WITH found AS MATERIALIZED (SELECT new.*, users.username, users.email AS user_email, users.email_verified AS user_email_verified, users.first_name, \
     users.last_name, users.date_joined FROM unnest((SELECT " [user_id: Array<BigInt>]
    "), " [session_id: Array<BigInt>]
    ", " [now: Array<Tstz>]
    ", " [provider: Array<Text>]
    ", " [uid: Array<Text>]
    ", " [client_id: Array<Nullable<Text>>]
    ", " [email: Array<Nullable<Text>>]
    ", " [email_verified: Array<Bool>]
    ", " [extra_data: Array<Json>]
    ", " [request_id: Array<Text>]
    ", " [address: Array<Nullable<Text>>]
    ") WITH ORDINALITY AS new (user_id, session_id, now, provider, uid, client_id, email, email_verified, extra_data, request_id, address, place) \
     JOIN sessions ON sessions.id = new.session_id AND sessions.user_id = new.user_id JOIN users ON users.id = new.user_id \
     WHERE users.is_active AND sessions.revoked_at IS NULL AND sessions.expires_at > new.now \
     AND NOT EXISTS (SELECT 1 FROM standing_orders AS standing WHERE standing.provider = new.provider AND standing.uid = new.uid) \
     FOR NO KEY UPDATE OF users SKIP LOCKED), \
     associated AS (INSERT INTO social_auth (user_id, provider, uid, client_id, email, email_verified, extra_data, created_at, modified_at) \
     SELECT user_id, provider, uid, client_id, email, email_verified, extra_data, now, now FROM found ORDER BY provider, uid \
     ON CONFLICT (provider, uid) DO NOTHING RETURNING id, user_id), \
     counted AS (UPDATE users SET social_accounts = social_accounts + 1 FROM associated WHERE users.id = associated.user_id), \
     logged AS (INSERT INTO audit_log (at, actor_kind, actor_id, action, user_id, social_auth_id, provider, uid, request_id, address) SELECT now, " [actor_kind: Text]
    ", found.user_id, " [action: Text]
    ", found.user_id, associated.id, provider, uid, request_id, address FROM found JOIN associated ON associated.user_id = found.user_id) \
     SELECT place, associated.id, found.user_id, username, user_email, user_email_verified, first_name, last_name, date_joined \
     FROM found JOIN associated ON associated.user_id = found.user_id"
}

impl Gathered for Associating {
    type Done = Associated;

    fn keys(&self) -> Vec<Key> {
        vec![account_key(&*self.hand_in), Key::User(self.user_id)]
    }

    fn store(conn: &mut Conn, jobs: &[Self]) -> Result<Vec<(usize, Associated)>, StorageError> {
        let columns = Columns::of(jobs.iter().map(|job| &*job.hand_in));
        let statement = AssociateStatement {
            user_id: jobs.iter().map(|job| job.user_id.0).collect(),
            session_id: jobs.iter().map(|job| job.session_id.0).collect(),
            provider: columns.account(|account| account.provider.as_str()),
            uid: columns.account(|account| account.uid.as_str()),
            client_id: columns.account(|account| account.client_id),
            email: columns.account(|account| account.email),
            email_verified: columns
                .account(|account| account.email_verified && account.email.is_some()),
            extra_data: columns.account(|account| account.extra_data),
            now: columns.now,
            request_id: columns.request_ids,
            address: columns.addresses,
            actor_kind: Actor::User(UserId(0)).kind(),
            action: AuditAction::Associated.as_str(),
        };
        let rows: Vec<(i64, i64, UserRow)> = statement.load(conn)?;
        let done = rows.into_iter().map(|(place, id, user)| {
            let (index, job) = job_at(jobs, place)?;
            let (account, now) = (job.hand_in.social_auth(), micros(job.hand_in.now()));
            Ok((
                index,
                (active_user(user), association(id, &account, now, now)),
            ))
        });
        done.collect()
    }
}
