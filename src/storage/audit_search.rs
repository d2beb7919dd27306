//! Finding entries of the audit log, however rare they are among millions.
//!
//! The log itself has one index beside its key: by user. What else entries are looked for by, the roll-up notes by blocks of
//! [`super::roll_up::BLOCK`] ids, so that a search reads the blocks that hold what it looks for and no others. What is not rolled up
//! yet is read as it is.

use chrono::{DateTime, Utc};

use super::audit::AuditRecord;
use super::connection::dispatch;
use super::{Reader, StorageError};
use crate::domain::UserId;

/// Which entries are looked for; all of these must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// What kind of actor, see [`crate::domain::Actor::kind`].
    pub actor_kind: Option<String>,
    /// Which of them.
    pub actor_id: Option<i64>,
    /// What was done.
    pub action: Option<String>,
    /// To whom.
    pub user_id: Option<UserId>,
    /// With which provider.
    pub provider: Option<String>,
    /// From this instant on.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub before: Option<DateTime<Utc>>,
}

/// Where in the log a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditPosition {
    /// At the newest entry.
    #[default]
    Newest,
    /// Behind this entry: what is older.
    OlderThan(i64),
    /// Before this entry: what is newer.
    NewerThan(i64),
}

/// A page of entries, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditRecord>,
    /// Whether there are newer ones.
    pub has_newer: bool,
    /// Whether there are older ones.
    pub has_older: bool,
}

/// At most `limit` entries that `filter` admits.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn search(
    reader: &mut Reader<'_>,
    filter: &AuditFilter,
    position: AuditPosition,
    limit: usize,
) -> Result<AuditPage, StorageError> {
    let newest_first = !matches!(position, AuditPosition::NewerThan(_));
    let mut entries: Vec<AuditRecord> =
        dispatch!(reader, audit_search::search(filter, position, limit + 1))?;
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    if !newest_first {
        entries.reverse();
    }
    Ok(AuditPage {
        entries,
        has_newer: match position {
            AuditPosition::Newest => false,
            AuditPosition::OlderThan(_) => true,
            AuditPosition::NewerThan(_) => has_more,
        },
        has_older: match position {
            AuditPosition::NewerThan(_) => true,
            AuditPosition::Newest | AuditPosition::OlderThan(_) => has_more,
        },
    })
}

/// The entry with this id.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find(reader: &mut Reader<'_>, id: i64) -> Result<Option<AuditRecord>, StorageError> {
    dispatch!(reader, audit_search::find(id))
}
