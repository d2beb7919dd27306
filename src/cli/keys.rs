//! `latchkey keys`

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use crate::config::Config;
use crate::config::keys::generate;
use crate::domain::webhook::WebhookSecret;

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Write a new key file; an existing one is never overwritten
    Generate {
        /// Where [default: keys.file of the configuration]
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print a new secret for a webhook
    WebhookSecret,
}

pub(super) fn run(command: &KeysCommand, config: &Config) -> Result<(), Failure> {
    match command {
        KeysCommand::Generate { file } => {
            let path = file.clone().unwrap_or_else(|| config.key_file());
            generate(&path)?;
            println!(
                "Wrote {}. Keep a copy apart from the database's backups: without it stored tokens cannot be opened.",
                path.display()
            );
        }
        KeysCommand::WebhookSecret => {
            println!("{}", WebhookSecret::generate(&rand::random()).expose());
        }
    }
    Ok(())
}
