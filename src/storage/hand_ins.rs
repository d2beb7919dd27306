//! What a successful hand-in writes, in one go.
//!
//! The functions that take a [`Single`] are a whole hand-in by one statement, which is a transaction by itself: one round trip
//! instead of ten. Each assumes how things stand, and writes either everything or, if they stand differently, nothing; then the
//! hand-in is decided in a transaction. SQLite, where a statement costs no round trip, has none of them.
//!
//! The functions that take a [`Tx`] are one part of a transaction, with the same effect as the single operations of the other
//! modules one after another.

use chrono::{DateTime, Utc};

use super::connection::{Connection, Single, dispatch};
use super::social_auths::NewSocialAuth;
use super::{Reader, StorageError, Tx, pg};
use crate::domain::{
    Association, AuditEntry, NewSession, NewUser, SessionId, SocialAuth, User, UserId,
};

/// What a sign-in writes: the refreshed social account, when its user signed in, a session, an audit entry.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// The social account with its merged `extra_data`; locked in this transaction.
    pub social_auth: &'a SocialAuth,
    /// As for [`super::social_auths::update_extra_data`].
    pub client_id: Option<&'a str>,
    /// As for [`super::social_auths::update_extra_data`].
    pub email: Option<&'a str>,
    /// As for [`super::social_auths::update_extra_data`].
    pub email_verified: bool,
    /// The session to open.
    pub session: &'a NewSession,
    /// The audit entry.
    pub entry: &'a AuditEntry,
}

/// What a sign-up writes: a user, the social account, a session, an audit entry.
#[derive(Debug, Clone, Copy)]
pub struct SignUp<'a> {
    /// The user.
    pub user: &'a NewUser,
    /// The name to have.
    pub username: &'a str,
    /// The social account.
    pub social_auth: &'a NewSocialAuth<'a>,
    /// The session to open.
    pub session: &'a NewSession,
    /// The audit entry; user and social account are filled in.
    pub entry: &'a AuditEntry,
}

/// What a sign-in by one statement knows: all but the row.
#[derive(Debug, Clone, Copy)]
pub struct AtOnce<'a> {
    /// What the provider said now; put over what is stored. No member of `extra_data` is null.
    pub social_auth: &'a NewSocialAuth<'a>,
    /// The session to open.
    pub session: &'a NewSession,
    /// The audit entry; user and social account are filled in.
    pub entry: &'a AuditEntry,
}

/// Who signed up or in, with which social account, and the session that was opened.
pub type SignedUp = (User, Association, SessionId);

/// With whom a social account was associated.
pub type Associated = (User, Association);

/// Signs the owner in, assuming that the social account has an active one whose name need not be filled: `brings_name` says that
/// the provider gave one. Otherwise nothing and `None`.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn sign_in_at_once(
    single: &mut Single<'_>,
    hand_in: &AtOnce<'_>,
    brings_name: bool,
    now: DateTime<Utc>,
) -> Result<Option<SignedUp>, StorageError> {
    at_once(single, |connection| {
        pg::own::hand_ins::sign_in(connection, hand_in, brings_name, now)
    })
}

/// Signs up, assuming that nobody has the social account and the name, and that nothing is ordered about the account. Otherwise
/// nothing and `None`.
///
/// # Errors
/// [`StorageError::Restart`] when somebody else associated the social account meanwhile; others when the database fails.
pub fn sign_up_at_once(
    single: &mut Single<'_>,
    sign_up: &SignUp<'_>,
    now: DateTime<Utc>,
) -> Result<Option<SignedUp>, StorageError> {
    at_once(single, |connection| {
        pg::own::hand_ins::sign_up(connection, sign_up, now)
    })
}

/// Associates with the caller, assuming that nobody has the social account, that nothing is ordered about it and that the caller's
/// session is live. Otherwise nothing and `None`. User and social account are filled into the audit entry.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn associate_at_once(
    single: &mut Single<'_>,
    caller: (UserId, SessionId),
    social_auth: &NewSocialAuth<'_>,
    entry: &AuditEntry,
    now: DateTime<Utc>,
) -> Result<Option<Associated>, StorageError> {
    at_once(single, |connection| {
        pg::own::hand_ins::associate(connection, caller, social_auth, entry, now)
    })
}

fn at_once<T>(
    single: &mut Single<'_>,
    statement: impl FnOnce(&mut pg::Conn) -> Result<Option<T>, StorageError>,
) -> Result<Option<T>, StorageError> {
    let reader: &mut Reader<'_> = single;
    let written = match reader.connection() {
        Connection::Sqlite(_) => Ok(None),
        Connection::Postgres(connection) => statement(connection),
    };
    reader.note(written)
}

/// Refreshes the social account as [`super::social_auths::update_extra_data`] does, opens the session and appends the audit entry,
/// from which the upkeep takes the time of the last sign-in.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn write_sign_in(
    tx: &mut Tx<'_>,
    sign_in: &SignIn<'_>,
    now: DateTime<Utc>,
) -> Result<SessionId, StorageError> {
    dispatch!(tx, hand_ins::write_sign_in(sign_in, now))
}

/// Inserts user, social account, session and audit entry; nothing and `None` when the name is taken.
///
/// # Errors
/// [`StorageError::Restart`] when somebody else associated the social account first; others when the database fails.
pub fn write_sign_up(
    tx: &mut Tx<'_>,
    sign_up: &SignUp<'_>,
    now: DateTime<Utc>,
) -> Result<Option<SignedUp>, StorageError> {
    dispatch!(tx, hand_ins::write_sign_up(sign_up, now))
}
