//! Link tickets: whoever holds one and signs in as the user it names may associate the social account in it, once.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::connection::dispatch;
use super::{StorageError, Tx};
use crate::domain::{ProviderId, Uid, UserId};

/// A ticket about to be issued.
#[derive(Debug, Clone, Copy)]
pub struct NewLinkTicket<'a> {
    /// SHA-256 of the ticket that the caller gets.
    pub hash: &'a [u8; 32],
    /// The user who may redeem it.
    pub user_id: UserId,
    /// At which provider the social account is.
    pub provider: &'a ProviderId,
    /// The provider's id of the person.
    pub uid: &'a Uid,
    /// A JSON object with what will be needed to associate, secrets sealed.
    pub payload: &'a Value,
    /// Until when it can be redeemed.
    pub expires_at: DateTime<Utc>,
}

/// What a redeemed ticket allows to associate.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkTicket {
    /// At which provider the social account is.
    pub provider: ProviderId,
    /// The provider's id of the person.
    pub uid: Uid,
    /// As it was issued.
    pub payload: Value,
}

/// Stores a ticket.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewLinkTicket<'_>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, link_tickets::insert(new, now))
}

/// Redeems a ticket: `None` unless it exists, names this user, has not expired and was never redeemed.
///
/// # Errors
/// [`StorageError`] when the database fails or the row does not parse.
pub fn redeem(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<Option<LinkTicket>, StorageError> {
    dispatch!(tx, link_tickets::redeem(hash, user_id, now))
}

/// Removes expired tickets, redeemed or not, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_expired(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<usize, StorageError> {
    dispatch!(tx, link_tickets::delete_expired(now))
}
