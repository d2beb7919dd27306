//! `latchkey config`

use std::net::{Ipv4Addr, SocketAddr};

use clap::Subcommand;

use super::Failure;
use crate::config::{Config, Overrides};
use crate::start::{build_providers, find_removed};
use crate::storage::{Db, StorageError};

/// What `config example` prints; a test checks that it is accepted.
const EXAMPLE: &str = include_str!("example.toml");

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Read the configuration and say what is wrong with it
    Check,
    /// Print a configuration to start from
    Example,
}

pub(super) fn run(
    command: &ConfigCommand,
    load: impl FnOnce(Overrides) -> Result<Config, Failure>,
) -> Result<(), Failure> {
    match command {
        ConfigCommand::Example => {
            print!("{EXAMPLE}");
            Ok(())
        }
        ConfigCommand::Check => {
            let config = load(Overrides::default())?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, config.server.bind.port()));
            let providers = build_providers(&config, address)?;
            config.staff_sign_in(&providers)?;
            config.webhooks()?;
            if config.is_production() && !config.key_file().is_file() {
                let missing = crate::config::keys::KeyError::Missing(config.key_file());
                return Err(missing.into());
            }
            let note = check_removed(&config)?;
            println!(
                "The configuration is valid: {} providers are on.",
                providers.iter().count()
            );
            if let Some(note) = note {
                println!("{note}");
            }
            Ok(())
        }
    }
}

/// Whether users depend on providers that are gone, as far as the database tells without being changed; what else there is to say.
fn check_removed(config: &Config) -> Result<Option<String>, Failure> {
    let not_told = "so that it cannot be told whether users depend on providers that are gone";
    let looked = Db::look(&config.database.url, |reader| find_removed(config, reader));
    Ok(match looked {
        Ok(Some(removed)) if removed.is_empty() => None,
        Ok(Some(removed)) => {
            let refusal = config.refuse_removed(&removed);
            if config.is_production() {
                return Err(refusal.into());
            }
            Some(format!("In production it would not be:\n{refusal}"))
        }
        Ok(None) => Some(format!("There is no database yet, {not_told}.")),
        Err(StorageError::Query(_)) => {
            Some(format!("The database is not migrated yet, {not_told}."))
        }
        Err(error) => Some(format!(
            "The database cannot be looked at, {not_told}: {error}"
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_accepted_as_it_stands() {
        let config = Config::from_toml(EXAMPLE).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let providers = build_providers(&config, address).unwrap();
        config.staff_sign_in(&providers).unwrap();
        config.webhooks().unwrap();
    }

    #[test]
    fn the_example_without_its_comment_signs_is_accepted_too() {
        let uncommented: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let config = Config::from_toml(&uncommented).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let providers = build_providers(&config, address).unwrap();
        config.staff_sign_in(&providers).unwrap();
        config.webhooks().unwrap();
    }
}
