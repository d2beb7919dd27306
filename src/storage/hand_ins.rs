//! What a successful hand-in writes, in one go.
//!
//! The functions that take a [`Db`] are a whole hand-in by one statement, together with others that come at the same time (see
//! `gatherer.rs`): a round trip and a transaction for all of them. Each hand-in assumes how things stand, and either everything of it is
//! written or, if they stand differently, nothing; then it is decided in a transaction of its own. SQLite, where a statement costs no
//! round trip and the writer gathers transactions, has none of them.
//!
//! The functions that take a [`Tx`] are one part of a transaction, with the same effect as the single operations of the other
//! modules one after another.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::connection::dispatch;
use super::social_auths::NewSocialAuth;
use super::{Db, StorageError, Tx};
use crate::domain::{
    Association, AuditEntry, NewSession, NewUser, RequestContext, SessionId, SocialAuth, User,
    UserId,
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

/// A hand-in, as far as it is stored together with others.
pub trait HandIn: Send + Sync {
    /// What the provider said now. On a sign-in it is put over what is stored; no member of `extra_data` is null.
    fn social_auth(&self) -> NewSocialAuth<'_>;
    /// The session to open.
    fn session(&self) -> &NewSession;
    /// The request, for the audit entry.
    fn context(&self) -> &RequestContext;
    /// The time.
    fn now(&self) -> DateTime<Utc>;
}

/// Somebody unknown signs in.
pub struct SigningIn {
    /// With what.
    pub hand_in: Arc<dyn HandIn>,
    /// Whether the provider gave a name, with which an empty one would have to be filled.
    pub brings_name: bool,
}

/// Somebody unknown signs up.
pub struct SigningUp {
    /// With what.
    pub hand_in: Arc<dyn HandIn>,
    /// The user.
    pub user: NewUser,
    /// The name to have.
    pub username: String,
}

/// A user associates a social account. No session is opened.
pub struct Associating {
    /// What.
    pub hand_in: Arc<dyn HandIn>,
    /// The caller.
    pub user_id: UserId,
    /// The caller's session.
    pub session_id: SessionId,
}

/// Who signed up or in, with which social account, and the session that was opened.
pub type SignedUp = (User, Association, SessionId);

/// With whom a social account was associated.
pub type Associated = (User, Association);

/// Signs the owner in, assuming that the social account has an active one whose name need not be filled, and that nobody else has its row
/// in hand. Otherwise nothing and `None`.
///
/// May have been done without our hearing of it, when the connection broke: to do it again then opens one session more.
///
/// # Errors
/// [`StorageError::Restart`] if it should be done in a transaction; [`StorageError::Unavailable`] when the database is not to be had, or
/// nobody knows in time whether it was done.
pub async fn sign_in(db: &Db, signing_in: SigningIn) -> Result<Option<SignedUp>, StorageError> {
    db.gather(signing_in, |gatherers| &gatherers.sign_ins).await
}

/// Signs up, assuming that nobody has the social account and the name, and that nothing is ordered about the account. Otherwise
/// nothing and `None`.
///
/// May have been done without our hearing of it, as for [`sign_in`]: whoever does it again then signs in.
///
/// # Errors
/// [`StorageError::Restart`] if it should be done in a transaction; [`StorageError::Unavailable`] when the database is not to be had, or
/// nobody knows in time whether it was done.
pub async fn sign_up(db: &Db, signing_up: SigningUp) -> Result<Option<SignedUp>, StorageError> {
    db.gather(signing_up, |gatherers| &gatherers.sign_ups).await
}

/// Associates with the caller, assuming that nobody has the social account, that nothing is ordered about it, that the caller's
/// session is live, and that nobody else has the caller's row in hand. Otherwise nothing and `None`.
///
/// May have been done without our hearing of it, as for [`sign_in`]: to do it again then changes nothing.
///
/// # Errors
/// [`StorageError::Restart`] if it should be done in a transaction; [`StorageError::Unavailable`] when the database is not to be had, or
/// nobody knows in time whether it was done.
pub async fn associate(
    db: &Db,
    associating: Associating,
) -> Result<Option<Associated>, StorageError> {
    db.gather(associating, |gatherers| &gatherers.associations)
        .await
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
