//! Social accounts, each associated with one user. The unique index on (provider, uid) is the referee of every race.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};
use crate::domain::{ProviderId, SocialAuth, SocialAuthId, Uid, User, UserId};

/// A social account about to be associated.
#[derive(Debug, Clone, Copy)]
pub struct NewSocialAuth<'a> {
    /// At which provider.
    pub provider: &'a ProviderId,
    /// The provider's id of the person.
    pub uid: &'a Uid,
    /// Which of our client ids the proof was issued to.
    pub client_id: Option<&'a str>,
    /// The address that the provider gave.
    pub email: Option<&'a str>,
    /// Whether the provider vouches for `email`.
    pub email_verified: bool,
    /// A JSON object, secrets sealed (see [`super::sealing`]).
    pub extra_data: &'a Value,
}

/// The social account with this provider and uid, and its user, by one query.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find_with_owner(
    reader: &mut Reader<'_>,
    provider: &ProviderId,
    uid: &Uid,
) -> Result<Option<(SocialAuth, User)>, StorageError> {
    dispatch!(reader, social_auths::find_with_owner(provider, uid))
}

/// As [`find_with_owner`], and nobody else changes the social account until the transaction ends.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn find_with_owner_for_update(
    tx: &mut Tx<'_>,
    provider: &ProviderId,
    uid: &Uid,
) -> Result<Option<(SocialAuth, User)>, StorageError> {
    dispatch!(tx, social_auths::find_with_owner_for_update(provider, uid))
}

/// The user's social accounts, oldest first.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list_of_user(
    reader: &mut Reader<'_>,
    user_id: UserId,
) -> Result<Vec<SocialAuth>, StorageError> {
    dispatch!(reader, social_auths::list_of_user(user_id))
}

/// Associates a social account with a user. `None` means that somebody else was first: answer [`StorageError::Restart`], so that
/// the decision is taken again.
///
/// # Errors
/// [`StorageError`] when the database fails, such as when there is no such user.
pub fn insert(
    tx: &mut Tx<'_>,
    user_id: UserId,
    new: &NewSocialAuth<'_>,
    now: DateTime<Utc>,
) -> Result<Option<SocialAuth>, StorageError> {
    dispatch!(tx, social_auths::insert(user_id, new, now))
}

/// Replaces `extra_data`, which the caller has merged. A missing `client_id` or `email` keeps the stored one; `email_verified`
/// belongs to `email` and is stored only with it.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn update_extra_data(
    tx: &mut Tx<'_>,
    id: SocialAuthId,
    extra_data: &Value,
    client_id: Option<&str>,
    email: Option<&str>,
    email_verified: bool,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(
        tx,
        social_auths::update_extra_data(id, extra_data, client_id, email, email_verified, now)
    )
}

/// Removes the user's social accounts whose provider did not vouch for `email`, and returns them.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn delete_unverified_of_user(
    tx: &mut Tx<'_>,
    user_id: UserId,
    email: &str,
) -> Result<Vec<SocialAuth>, StorageError> {
    dispatch!(tx, social_auths::delete_unverified_of_user(user_id, email))
}
