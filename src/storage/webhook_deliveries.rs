//! What webhooks are told. The audit log is the queue: what happens writes its entry in its own transaction, and from there the
//! deliveries follow in the background, so that a sign-up costs nothing more for being told.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::connection::dispatch;
use super::upkeep::{Done, Round};
use super::{Reader, StorageError, Tx};
use crate::domain::webhook::Event;

/// The mark of how far the audit log was gone through.
pub const MARK: &str = "webhooks";
/// How long a claimed delivery is ours: longer than its try may take. Whoever crashes leaves it to the others after that.
pub const CLAIM: Duration = Duration::from_mins(1);
/// How long delivered ones are kept.
pub const DELIVERED_KEPT: TimeDelta = TimeDelta::days(3);
/// How long all others are kept.
pub const UNDELIVERED_KEPT: TimeDelta = TimeDelta::days(30);

/// A webhook, as far as it matters to what it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its name.
    pub webhook: String,
    /// The actions of the audit log that it wants to know of.
    pub actions: Vec<&'static str>,
    /// The action whose entries are for the webhook that their `reason` names.
    pub by_name: &'static str,
}

impl Subscription {
    pub(super) fn wants(&self, action: &str, reason: Option<&str>) -> bool {
        if action == self.by_name {
            return reason == Some(&self.webhook);
        }
        self.actions.contains(&action)
    }
}

/// A delivery to be tried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Its row.
    pub id: i64,
    /// How many tries there are with this one.
    pub attempts: i32,
    /// What to tell; `None` if the audit entry is there no more.
    pub event: Option<Event>,
}

/// What came of tries that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ended {
    /// They arrived.
    Delivered,
    /// They failed.
    Failed {
        /// Why, as a code.
        problem: String,
        /// When to try again; `None` to give up.
        next_attempt_at: Option<DateTime<Utc>>,
    },
}

/// A delivery, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its row.
    pub id: i64,
    /// To which webhook.
    pub webhook: String,
    /// The audit entry.
    pub event_id: i64,
    /// What the event is called.
    pub event: String,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// How many tries there were.
    pub attempts: i32,
    /// When the last try was.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When the next one comes.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// Why the last try failed, as a code.
    pub problem: Option<String>,
}

/// Begins where the audit log ends, unless it was begun before: whoever sets up a webhook is not told of the past.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn begin(tx: &mut Tx<'_>) -> Result<(), StorageError> {
    dispatch!(tx, webhook_deliveries::begin())
}

/// Forgets how far the audit log was gone through, for there is nobody to tell.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn forget(tx: &mut Tx<'_>) -> Result<(), StorageError> {
    dispatch!(tx, webhook_deliveries::forget())
}

/// Whether the next audit entries are to be gone through.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn is_due(
    reader: &mut Reader<'_>,
    round: &Round,
    subscriptions: &[Subscription],
) -> Result<bool, StorageError> {
    let unsettled = round.unsettled(reader);
    dispatch!(
        reader,
        webhook_deliveries::is_due(round, unsettled, subscriptions)
    )
}

/// Queues deliveries for the next audit entries. Entries that may still get others before them are told of at once, and gone through
/// again.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn queue(
    tx: &mut Tx<'_>,
    round: &Round,
    subscriptions: &[Subscription],
) -> Result<Done, StorageError> {
    let unsettled = round.unsettled(tx);
    dispatch!(
        tx,
        webhook_deliveries::queue(round, unsettled, subscriptions)
    )
}

/// Whether a delivery to this webhook is to be tried now.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn any_due(
    reader: &mut Reader<'_>,
    webhook: &str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    dispatch!(reader, webhook_deliveries::any_due(webhook, now))
}

/// Takes deliveries to this webhook that are to be tried now, the longest waiting first. For the time of [`CLAIM`] no other instance
/// gets them.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn claim(
    tx: &mut Tx<'_>,
    webhook: &str,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, StorageError> {
    dispatch!(tx, webhook_deliveries::claim(webhook, limit, now))
}

/// Writes down what came of tries.
///
/// # Errors
/// [`StorageError`] when the database fails; the claims run out, and the deliveries are tried again.
pub fn end(
    tx: &mut Tx<'_>,
    ids: &[i64],
    ended: &Ended,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    dispatch!(tx, webhook_deliveries::end(ids, ended, now))
}

/// Begins the tries of a delivery anew that was given up. The delivery if that was so.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn resend(
    tx: &mut Tx<'_>,
    id: i64,
    now: DateTime<Utc>,
) -> Result<Option<Delivery>, StorageError> {
    dispatch!(tx, webhook_deliveries::resend(id, now))
}

/// The newest deliveries, or the newest of those that have not arrived.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn list(
    reader: &mut Reader<'_>,
    undelivered_only: bool,
    limit: i64,
) -> Result<Vec<Delivery>, StorageError> {
    dispatch!(reader, webhook_deliveries::list(undelivered_only, limit))
}

/// Whether there is anything for [`delete_old`]. Cheap.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn any_old(reader: &mut Reader<'_>, now: DateTime<Utc>) -> Result<bool, StorageError> {
    dispatch!(reader, webhook_deliveries::any_old(now))
}

/// Removes deliveries that had their time, at most `limit` of each kind, and says how many that were.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn delete_old(tx: &mut Tx<'_>, now: DateTime<Utc>, limit: i64) -> Result<usize, StorageError> {
    dispatch!(tx, webhook_deliveries::delete_old(now, limit))
}
