//! `latchkey config`

use std::net::{Ipv4Addr, SocketAddr};

use clap::Subcommand;

use super::Failure;
use crate::config::{Config, Overrides};
use crate::start::build_providers;

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
            println!(
                "The configuration is valid: {} providers are on.",
                providers.iter().count()
            );
            Ok(())
        }
    }
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
