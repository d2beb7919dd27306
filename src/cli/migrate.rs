//! `latchkey migrate`

use super::Failure;
use crate::config::Config;
use crate::start::{StartError, storage_settings};
use crate::storage::Db;

/// Brings the database up to date. `serve` does the same at every start.
pub(super) fn run(config: &Config) -> Result<(), Failure> {
    let db = Db::open(&storage_settings(config)).map_err(StartError::from)?;
    let applied = db.migrate().map_err(StartError::from)?;
    for name in &applied {
        println!("applied {name}");
    }
    match applied.len() {
        0 => println!("The database is up to date."),
        count => println!("The database is up to date: {count} migrations applied."),
    }
    Ok(())
}
