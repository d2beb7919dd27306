//! What a successful hand-in writes, in one go: on PostgreSQL one statement instead of several round trips.
//!
//! Each function is one part of a transaction, with the same effect as the single operations of the other modules one after
//! another. On SQLite, where a statement costs no round trip, it is just that.

use chrono::{DateTime, Utc};

use super::connection::Connection;
use super::social_auths::NewSocialAuth;
use super::{Reader, StorageError, Tx, pg, sqlite};
use crate::domain::{AuditEntry, NewSession, NewUser, SessionId, SocialAuth, User};

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

/// What a sign-up made.
pub type SignedUp = (User, SocialAuth, SessionId);

/// Refreshes the social account as [`super::social_auths::update_extra_data`] and records the sign-in as
/// [`super::users::record_sign_in`] do, opens the session and appends the audit entry.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn write_sign_in(
    tx: &mut Tx<'_>,
    sign_in: &SignIn<'_>,
    now: DateTime<Utc>,
) -> Result<SessionId, StorageError> {
    let reader: &mut Reader<'_> = tx;
    let written = match reader.connection() {
        Connection::Sqlite(connection) => sqlite::hand_ins::write_sign_in(connection, sign_in, now),
        Connection::Postgres(connection) => {
            pg::own::hand_ins::write_sign_in(connection, sign_in, now)
        }
    };
    reader.note(written)
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
    let reader: &mut Reader<'_> = tx;
    let written = match reader.connection() {
        Connection::Sqlite(connection) => sqlite::hand_ins::write_sign_up(connection, sign_up, now),
        Connection::Postgres(connection) => {
            pg::own::hand_ins::write_sign_up(connection, sign_up, now)
        }
    };
    reader.note(written)
}
