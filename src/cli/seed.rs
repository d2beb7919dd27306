//! `latchkey seed`: made-up people in any number, for development.

mod history;
mod names;
mod person;
mod random;

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Args;

use super::Failure;
use crate::app::Clock;
use crate::config::Config;
use crate::config::keys::Keys;
use crate::flows::upkeep;
use crate::start::{StartError, storage_settings};
use crate::storage::Db;
use crate::storage::seeding::Seeder;
use history::History;

/// How often progress is shown to a terminal, and to anything else.
const PROGRESS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Batches that may wait for the database.
const WAITING_BATCHES: usize = 2;

#[derive(Args)]
pub(super) struct SeedArgs {
    /// How many users to add
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    users: u32,
    /// The same number makes the same people
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    pub(super) database: super::DatabaseArgs,
}

/// Adds users with their social accounts, sessions and audit entries, and brings what lists and search read up to date.
pub(super) fn run(args: &SeedArgs, config: &Config) -> Result<(), Failure> {
    if config.is_production() {
        return Err(Failure::new(
            "seed makes people up, which production refuses\n    use a configuration with environment = \"development\"",
        ));
    }
    let keys = Keys::load(&config.key_file(), true)?;
    let db = Db::open(&storage_settings(config)).map_err(StartError::from)?;
    db.migrate().map_err(StartError::from)?;
    let now = Clock::system().now();
    let started = Instant::now();
    let mut seeder = db.seeder().map_err(StartError::from)?;
    let first = seeder.free_ids().map_err(StartError::from)?;
    let history = History::draw(args.seed, args.users, first, now);
    let accounts = history.account_count();
    write(seeder, history, keys)?;
    settle(&db)?;
    println!(
        "Added {} users with {accounts} social accounts in {:.1} s.",
        args.users,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Makes batches on one thread and stores them on another.
fn write(mut seeder: Seeder, history: History, keys: Keys) -> Result<(), Failure> {
    let events = history.event_count();
    let (made, batches) = mpsc::sync_channel(WAITING_BATCHES);
    let maker = std::thread::spawn(move || {
        for batch in history.batches(&keys.sealer) {
            let is_last = batch.is_err();
            // Whoever stores them has given up, and says why.
            if made.send(batch).is_err() || is_last {
                return;
            }
        }
    });
    let mut progress = Progress::new("storing", events);
    for made in batches {
        let (batch, count) =
            made.map_err(|error| Failure::new(format!("cannot seal a made-up token: {error}")))?;
        seeder.insert(&batch).map_err(StartError::from)?;
        progress.add(count);
    }
    progress.end();
    if maker.join().is_err() {
        return Err(Failure::new("the made-up people were not finished"));
    }
    eprintln!("storing: statistics for the query planner");
    seeder.finish().map_err(StartError::from)?;
    Ok(())
}

/// Brings the read models up to date, as `serve` would in the background.
fn settle(db: &Db) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let clock = Clock::system();
        let mut progress = Progress::new("indexing", 0);
        let settled = upkeep::settle(db, &clock, |done| progress.add(done)).await;
        progress.end();
        db.close().await;
        settled.map_err(|error| StartError::from(error).into())
    })
}

/// Says on standard error how far something is.
struct Progress {
    what: &'static str,
    done: usize,
    /// 0 where it is not known.
    all: usize,
    started: Instant,
    shown: Instant,
    is_terminal: bool,
}

impl Progress {
    fn new(what: &'static str, all: usize) -> Self {
        let now = Instant::now();
        Self {
            what,
            done: 0,
            all,
            started: now,
            shown: now,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    fn add(&mut self, count: usize) {
        self.done += count;
        let every = if self.is_terminal {
            PROGRESS.0
        } else {
            PROGRESS.1
        };
        if self.shown.elapsed() >= every {
            self.shown = Instant::now();
            self.show();
        }
    }

    fn end(&mut self) {
        self.show();
        if self.is_terminal {
            eprintln!();
        }
    }

    fn show(&self) {
        let of = if self.all == 0 {
            String::new()
        } else {
            format!(" of {} ({} %)", self.all, self.done * 100 / self.all)
        };
        let seconds = self.started.elapsed().as_secs_f64();
        let text = format!("{}: {}{of} rows, {seconds:.0} s", self.what, self.done);
        if self.is_terminal {
            eprint!("\r{text}\x1b[K");
            // A terminal that does not show it in time shows the next one.
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{text}");
        }
    }
}
