//! What lists, filters and search read beside the tables, and how it is kept up: short pieces of work, each with a mark of how far
//! it has come. [`crate::flows::upkeep`] does them in the background.
//!
//! Reads are exact all the same: what the marks have not reached is read from the tables (see [`super::user_lists`]). Only the last
//! sign-in of somebody who signs in again comes later to the lists; a user's own page reads it from their sessions.

use chrono::{DateTime, TimeDelta, Utc};

use super::connection::dispatch;
use super::{Reader, StorageError, Tx};

/// On PostgreSQL transactions commit in another order than they draw their ids. No transaction of ours lives for as long as this, so
/// that behind a row of this age no gap will be filled.
const SETTLED_AFTER: TimeDelta = TimeDelta::seconds(10);
/// A clock that was set back leaves rows of the future. Those are as old as any.
const FUTURE: TimeDelta = TimeDelta::minutes(1);

/// Names of the marks.
pub mod marks {
    /// Up to which user names and addresses are searchable, and users counted.
    pub const USERS: &str = "users";
    /// Up to which social account the index goes.
    pub const SOCIAL_AUTHS: &str = "social_auths";
    /// Up to which audit entry changes were followed.
    pub const CHANGES: &str = "changes";
    /// Up to which audit entry sign-ins were followed.
    pub const SIGN_INS: &str = "sign_ins";
    /// Up to which audit entry things are counted.
    pub const ROLL_UP: &str = "roll_up";
}

/// What a piece of work goes by.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// The time.
    pub now: DateTime<Utc>,
    /// How far the work has come: the position of its mark.
    pub position: i64,
    /// How many rows to see to at most.
    pub batch: u32,
    /// Counts rounds since the start.
    pub number: u64,
}

/// What came of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// How far it has come now.
    pub position: i64,
    /// How many rows were seen to. As many as the batch means that more may wait.
    pub rows: u32,
}

impl Round {
    /// Nothing was there to do.
    pub(super) const fn nothing(&self) -> Done {
        Done {
            position: self.position,
            rows: 0,
        }
    }

    pub(super) fn done(&self, position: i64, rows: usize) -> Done {
        Done {
            position,
            rows: u32::try_from(rows).unwrap_or(self.batch),
        }
    }

    /// Which rows may still get others before them; `None` where none may.
    pub(super) fn unsettled(&self, reader: &mut Reader<'_>) -> Option<Unsettled> {
        reader.commits_out_of_order().then(|| Unsettled {
            from: self.now - SETTLED_AFTER,
            to: self.now + FUTURE,
        })
    }
}

/// Rows that were written from one instant to another, which may still get others with lower ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsettled {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Unsettled {
    /// Whether a row that was written at this instant is one of them.
    pub(super) fn has(self, at: DateTime<Utc>) -> bool {
        (self.from..=self.to).contains(&at)
    }
}

/// The position of a mark, if there is one.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find_position(reader: &mut Reader<'_>, name: &str) -> Result<Option<i64>, StorageError> {
    dispatch!(reader, upkeep::find_position(name))
}

/// The position of a mark, 0 if there is none yet.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn position(reader: &mut Reader<'_>, name: &str) -> Result<i64, StorageError> {
    Ok(find_position(reader, name)?.unwrap_or_default())
}

/// As [`lock`] for a mark that must be there: `None` as well where there is none.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn lock_existing(tx: &mut Tx<'_>, name: &str) -> Result<Option<i64>, StorageError> {
    dispatch!(tx, upkeep::lock_existing(name))
}

/// The position of a mark, which nobody else moves until the transaction ends; a new mark is at 0. `None` if another instance is at it
/// just now.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn lock(tx: &mut Tx<'_>, name: &str) -> Result<Option<i64>, StorageError> {
    dispatch!(tx, upkeep::lock(name))
}

/// Moves a mark that is locked.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn set_position(tx: &mut Tx<'_>, name: &str, position: i64) -> Result<(), StorageError> {
    dispatch!(tx, upkeep::set_position(name, position))
}

/// Whether there are users behind the mark.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn users_are_due(reader: &mut Reader<'_>, round: &Round) -> Result<bool, StorageError> {
    let unsettled = round.unsettled(reader);
    dispatch!(reader, upkeep::users_are_due(round, unsettled))
}

/// Makes the next users searchable and counts them.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn index_users(tx: &mut Tx<'_>, round: &Round) -> Result<Done, StorageError> {
    let unsettled = round.unsettled(tx);
    dispatch!(tx, upkeep::index_users(round, unsettled))
}

/// Whether there are social accounts behind the mark.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn social_auths_are_due(reader: &mut Reader<'_>, round: &Round) -> Result<bool, StorageError> {
    let unsettled = round.unsettled(reader);
    dispatch!(reader, upkeep::social_auths_are_due(round, unsettled))
}

/// Puts the next social accounts into the index.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn index_social_auths(tx: &mut Tx<'_>, round: &Round) -> Result<Done, StorageError> {
    let unsettled = round.unsettled(tx);
    dispatch!(tx, upkeep::index_social_auths(round, unsettled))
}

/// Whether there are audit entries behind the mark.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn changes_are_due(reader: &mut Reader<'_>, round: &Round) -> Result<bool, StorageError> {
    let unsettled = round.unsettled(reader);
    dispatch!(reader, upkeep::changes_are_due(round, unsettled))
}

/// Looks again at whom the next audit entries name. Every change of a user or a social account leaves one.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn follow_changes(tx: &mut Tx<'_>, round: &Round) -> Result<Done, StorageError> {
    let unsettled = round.unsettled(tx);
    dispatch!(tx, upkeep_changes::follow_changes(round, unsettled))
}

/// Notes when those whom the next audit entries name signed in last. A sign-in leaves this to us: it would have to change three pages
/// for it, as many as for all the rest.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn follow_sign_ins(tx: &mut Tx<'_>, round: &Round) -> Result<Done, StorageError> {
    let unsettled = round.unsettled(tx);
    dispatch!(tx, upkeep_sign_ins::follow_sign_ins(round, unsettled))
}

/// Whether access tokens have expired since.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn expiries_are_due(reader: &mut Reader<'_>, round: &Round) -> Result<bool, StorageError> {
    dispatch!(reader, upkeep::expiries_are_due(round))
}

/// Notes which access tokens have expired.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn note_expiries(tx: &mut Tx<'_>, round: &Round) -> Result<Done, StorageError> {
    dispatch!(tx, upkeep::note_expiries(round))
}

/// Whether what is kept about the block of this round differs from the tables: rows removed or added past the audit log.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn block_differs(reader: &mut Reader<'_>, round: &Round) -> Result<bool, StorageError> {
    dispatch!(reader, upkeep_sweep::block_differs(round))
}

/// Makes what is kept about the block of this round what the tables say.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn mend_block(tx: &mut Tx<'_>, round: &Round) -> Result<Done, StorageError> {
    dispatch!(tx, upkeep_sweep::mend_block(round))
}
