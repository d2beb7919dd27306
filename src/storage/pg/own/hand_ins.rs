//! See [`crate::storage::hand_ins`]: whole hand-ins by one statement, as many as wait, since a round trip, a transaction and the start
//! of a statement cost more than what they store.
//!
//! The parts of such a statement see the same snapshot, and foreign keys are checked at its end, so that a row may refer to one
//! that is inserted beside it. No part waits for a row that somebody else has in hand: such a hand-in is passed over, so that it
//! holds up no other. Rows are inserted in one order, so that two statements that wait for each other's names never do so in a circle.
//!
//! `(SELECT ..)` around an array keeps its length from the planner, which would otherwise plan anew for each.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text};
use serde_json::Value;

use super::super::Conn;
use super::super::queries::prepared;
use super::super::types::{Json, Tstz};
use crate::domain::{
    Actor, Association, AuditAction, NewSession, SessionId, SocialAuthId, User, UserId,
};
use crate::storage::gatherer::{Gathered, Key};
use crate::storage::hand_ins::{Associated, Associating, HandIn, SignedUp, SigningIn, SigningUp};
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

/// The job at a place, which counts from 1.
fn job_at<J>(jobs: &[J], place: i64) -> Result<(usize, &J), StorageError> {
    let index = usize::try_from(place - 1).unwrap_or(usize::MAX);
    let job = jobs.get(index).ok_or(StorageError::Corrupt("place"))?;
    Ok((index, job))
}

fn account_key(hand_in: &dyn HandIn) -> Key {
    let account = hand_in.social_auth();
    Key::Account(account.provider.clone(), account.uid.clone())
}

/// What all kinds of hand-ins have, in columns.
struct Columns<'a> {
    accounts: Vec<NewSocialAuth<'a>>,
    sessions: Vec<&'a NewSession>,
    now: Vec<DateTime<Utc>>,
    request_ids: Vec<&'a str>,
    addresses: Vec<Option<String>>,
}

impl<'a> Columns<'a> {
    fn of(hand_ins: impl Iterator<Item = &'a dyn HandIn> + Clone) -> Self {
        let contexts = hand_ins.clone().map(HandIn::context);
        Self {
            accounts: hand_ins.clone().map(HandIn::social_auth).collect(),
            sessions: hand_ins.clone().map(HandIn::session).collect(),
            now: hand_ins.map(|hand_in| micros(hand_in.now())).collect(),
            request_ids: contexts
                .clone()
                .map(|context| context.request_id.as_str())
                .collect(),
            addresses: contexts
                .map(|context| context.address.map(|address| address.to_string()))
                .collect(),
        }
    }

    fn account<T>(&self, of: impl Fn(&NewSocialAuth<'a>) -> T) -> Vec<T> {
        self.accounts.iter().map(of).collect()
    }

    fn session<T>(&self, of: impl Fn(&'a NewSession) -> T) -> Vec<T> {
        self.sessions.iter().copied().map(of).collect()
    }
}

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
