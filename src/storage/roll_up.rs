//! The roll-up: from entries of the audit log to the counts by day and hour and to the log's index by blocks.
//!
//! Each batch moves the mark and adds what it read in one transaction, so that an entry is counted once however often the work
//! is interrupted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::connection::dispatch;
use super::counts::{CountKey, hour_of};
use super::upkeep::{Done, Round};
use super::{Reader, StorageError, Tx};

/// Ids that share a block of the audit log's index.
pub const BLOCK: i64 = 1024;
/// How long hours are kept: two days, so that the last one can be compared with the one before.
pub const HOURS_KEPT: TimeDelta = TimeDelta::hours(50);

/// What entries have in common in the audit log's index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditKind {
    /// What kind of actor.
    pub actor_kind: String,
    /// Which staff account or API client; 0 for others, who are not told apart here.
    pub actor_id: i64,
    /// What was done.
    pub action: String,
    /// The provider; empty where there is none.
    pub provider: String,
}

/// What some entries add up to.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    /// The last entry that was read, if any was.
    pub last_id: Option<i64>,
    /// When the first one that was read was written.
    pub first_at: Option<DateTime<Utc>>,
    /// How many were read.
    pub entries: usize,
    /// Counts by the beginning of the hour.
    pub counts: BTreeMap<(DateTime<Utc>, CountKey), u64>,
    /// Which kinds are in which block.
    pub(super) blocks: BTreeSet<(AuditKind, i64)>,
    /// The first and the last id of each hour.
    pub(super) hours: BTreeMap<DateTime<Utc>, (i64, i64)>,
}

/// What the entries behind `after` add up to, at most `limit` of them.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn digest(reader: &mut Reader<'_>, after: i64, limit: u32) -> Result<Digest, StorageError> {
    dispatch!(reader, roll_up::digest(after, None, i64::from(limit)))
}

/// Rolls up the next entries. Entries that are too young to be the last of their neighbourhood wait for a later round.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn advance(tx: &mut Tx<'_>, round: &Round) -> Result<Done, StorageError> {
    let unsettled = round.unsettled(tx);
    dispatch!(tx, roll_up::advance(round, unsettled))
}

/// What the roll-up reads of an entry.
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) at: DateTime<Utc>,
    pub(super) actor_kind: String,
    pub(super) actor_id: Option<i64>,
    pub(super) action: String,
    pub(super) reason: Option<String>,
    pub(super) provider: Option<String>,
}

impl Digest {
    pub(super) fn add(&mut self, row: Entry) {
        let hour = hour_of(row.at);
        self.last_id = Some(row.id);
        self.first_at = self.first_at.or(Some(row.at));
        self.entries += 1;
        let ids = self.hours.entry(hour).or_insert((row.id, row.id));
        *ids = (ids.0.min(row.id), ids.1.max(row.id));
        let is_refusal = row.action == "refused";
        let provider = row.provider.unwrap_or_default();
        let key = CountKey {
            provider: provider.clone(),
            action: row.action.clone(),
            // Elsewhere a reason may be a sentence.
            reason: row.reason.filter(|_| is_refusal).unwrap_or_default(),
        };
        *self.counts.entry((hour, key)).or_default() += 1;
        let told_apart = matches!(row.actor_kind.as_str(), "staff" | "api_client");
        let kind = AuditKind {
            actor_id: row.actor_id.filter(|_| told_apart).unwrap_or(0),
            actor_kind: row.actor_kind,
            action: row.action,
            provider,
        };
        self.blocks.insert((kind, row.id / BLOCK));
    }
}
