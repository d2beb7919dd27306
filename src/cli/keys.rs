//! `latchkey keys`

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use crate::config::Config;
use crate::config::keys::generate;

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Write a new key file; an existing one is never overwritten
    Generate {
        /// Where [default: keys.file of the configuration]
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

pub(super) fn run(command: &KeysCommand, config: &Config) -> Result<(), Failure> {
    let KeysCommand::Generate { file } = command;
    let path = file.clone().unwrap_or_else(|| config.key_file());
    generate(&path)?;
    println!(
        "Wrote {}. Keep a copy apart from the database's backups: without it stored tokens cannot be opened.",
        path.display()
    );
    Ok(())
}
