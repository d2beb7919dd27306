//! What happens in the background: keeping up what lists, search and charts read beside the tables, and clearing away what has
//! expired.
//!
//! Nothing of this may slow a sign-in down. A step looks first whether there is anything to do, does it in one short transaction
//! over a bounded batch, and leaves the database alone while others wait for it.

use std::time::Duration;

use super::people::{purge, purge_is_due};
use crate::app::{App, Clock};
use crate::storage::upkeep::{self, Done, Round, marks};
use crate::storage::{Backend, Db, Reader, StorageError, Tx, roll_up};

/// How often the steps look for work.
const EVERY: Duration = Duration::from_secs(1);
/// The pause between two batches while there is more.
const PAUSE: Duration = Duration::from_millis(40);
/// Rows of one transaction while others use the database: a few milliseconds of the writer's time.
const BATCH: u32 = 500;
/// The same where a row costs little.
const EASY_BATCH: u32 = 2_000;
/// Rows of one transaction where nobody else waits. PostgreSQL has three seconds for each.
const fn large_batch(backend: Backend) -> u32 {
    match backend {
        Backend::Sqlite => 10_000,
        Backend::Postgres => 2_000,
    }
}
/// Jobs in the writer's queue from which on the database counts as busy.
const BUSY_QUEUE: usize = 16;
/// How many rounds a busy database is left alone before a step is done all the same.
const MOST_ROUNDS_LEFT_OUT: u32 = 10;
/// The comparison of a block is done in every so many rounds.
const COMPARE_EVERY: u64 = 10;

/// One kind of background work.
pub struct Step {
    /// The name of its mark, and its name in logs.
    pub name: &'static str,
    /// Rows of one transaction while others use the database.
    pub batch: u32,
    /// Whether it leaves a busy database alone.
    pub waits: bool,
    /// Whether there is anything to do. Cheap: it is asked about once a second.
    pub is_due: fn(&mut Reader<'_>, &Round) -> Result<bool, StorageError>,
    /// Does a batch of it.
    pub run: fn(&mut Tx<'_>, &Round) -> Result<Done, StorageError>,
}

/// Every step, in the order in which they are done.
pub const STEPS: &[Step] = &[
    // Does not wait: what it leaves undone the overview has to add up at each look.
    Step {
        name: marks::ROLL_UP,
        batch: EASY_BATCH,
        waits: false,
        is_due: upkeep::changes_are_due,
        run: roll_up::advance,
    },
    // Before the changes, which note who lacks a last sign-in.
    Step {
        name: marks::SIGN_INS,
        batch: BATCH,
        waits: true,
        is_due: upkeep::changes_are_due,
        run: upkeep::follow_sign_ins,
    },
    Step {
        name: marks::CHANGES,
        batch: BATCH,
        waits: true,
        is_due: upkeep::changes_are_due,
        run: upkeep::follow_changes,
    },
    Step {
        name: marks::USERS,
        batch: BATCH,
        waits: true,
        is_due: upkeep::users_are_due,
        run: upkeep::index_users,
    },
    Step {
        name: marks::SOCIAL_AUTHS,
        batch: BATCH,
        waits: true,
        is_due: upkeep::social_auths_are_due,
        run: upkeep::index_social_auths,
    },
    Step {
        name: "expiries",
        batch: BATCH,
        waits: true,
        is_due: upkeep::expiries_are_due,
        run: upkeep::note_expiries,
    },
    Step {
        name: "comparison",
        batch: BATCH,
        waits: true,
        is_due: comparison_is_due,
        run: |tx, round| upkeep::mend_block(tx, &compared(round)),
    },
    Step {
        name: "purge",
        batch: BATCH,
        waits: true,
        is_due: |reader, round| purge_is_due(reader, round.now),
        run: purge_batch,
    },
];

fn purge_batch(tx: &mut Tx<'_>, round: &Round) -> Result<Done, StorageError> {
    let rows = purge(tx, round.now, round.batch.into())?;
    Ok(Done {
        position: round.position,
        rows: u32::try_from(rows).unwrap_or(round.batch),
    })
}

fn comparison_is_due(reader: &mut Reader<'_>, round: &Round) -> Result<bool, StorageError> {
    if round.number.is_multiple_of(COMPARE_EVERY) {
        let round = compared(round);
        return upkeep::block_differs(reader, &round);
    }
    Ok(false)
}

/// One block after the other.
const fn compared(round: &Round) -> Round {
    Round {
        number: round.number / COMPARE_EVERY,
        ..*round
    }
}

/// Does the steps until the service stops. Failures are logged once until they pass.
pub async fn run(app: &App) {
    let mut failing = false;
    let mut left_out = 0;
    for number in 0_u64.. {
        tokio::time::sleep(EVERY).await;
        if app.readiness.is_draining() {
            return;
        }
        let is_left_alone = is_busy(&app.db) && left_out < MOST_ROUNDS_LEFT_OUT;
        left_out = if is_left_alone { left_out + 1 } else { 0 };
        match round(app, number, is_left_alone).await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(error = %error, "The upkeep of lists, search and charts has to wait: {error}");
            }
            Err(_) => {}
        }
    }
}

/// Does every step that is due, batch after batch while the database is not busy, or only those that do not wait for that.
async fn round(app: &App, number: u64, is_left_alone: bool) -> Result<(), StorageError> {
    for step in STEPS.iter().filter(|step| !(step.waits && is_left_alone)) {
        while let Some(done) = run_step(&app.db, step, &app.clock, number, step.batch).await?
            && done.rows >= step.batch
            && !app.readiness.is_draining()
            && !(step.waits && is_busy(&app.db))
        {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

fn is_busy(db: &Db) -> bool {
    let stats = db.stats();
    stats.writer_queue_depth > BUSY_QUEUE
}

/// Does all that is due, in large batches, for a command that has the database to itself. `progress` is told of the rows.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn settle(
    db: &Db,
    clock: &Clock,
    mut progress: impl FnMut(usize),
) -> Result<(), StorageError> {
    let batch = large_batch(db.backend());
    for step in STEPS {
        while let Some(done) = run_step(db, step, clock, 0, batch).await? {
            progress(usize::try_from(done.rows).unwrap_or_default());
            if done.rows < batch {
                break;
            }
        }
    }
    Ok(())
}

/// Does one batch of a step. `None` if there was nothing to do, or another instance is at it.
async fn run_step(
    db: &Db,
    step: &'static Step,
    clock: &Clock,
    number: u64,
    batch: u32,
) -> Result<Option<Done>, StorageError> {
    let now = clock.now();
    let at = move |position| Round {
        now,
        position,
        batch,
        number,
    };
    let is_due = db
        .read(move |reader| {
            let position = upkeep::position(reader, step.name)?;
            (step.is_due)(reader, &at(position))
        })
        .await?;
    if !is_due {
        return Ok(None);
    }
    db.write(move |tx| {
        let Some(position) = upkeep::lock(tx, step.name)? else {
            return Ok(None);
        };
        let done = (step.run)(tx, &at(position))?;
        if done.position != position {
            upkeep::set_position(tx, step.name, done.position)?;
        }
        Ok(Some(done))
    })
    .await
}
