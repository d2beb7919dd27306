//! `latchkey providers`

use std::net::{Ipv4Addr, SocketAddr};

use clap::Subcommand;

use super::Failure;
use crate::config::Config;
use crate::providers::{Lookup, Provider, catalog};
use crate::start::build_providers;

#[derive(Subcommand)]
pub(super) enum ProvidersCommand {
    /// The catalogue, and what of it is on
    List,
    /// What a provider takes and how its tokens are proven to be ours
    Show {
        /// The provider's id or alias
        id: String,
    },
    /// Check the settings of every provider, or of one
    Check {
        /// The provider's id or alias
        id: Option<String>,
    },
}

pub(super) fn run(command: &ProvidersCommand, config: &Config) -> Result<(), Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, config.server.bind.port()));
    match command {
        ProvidersCommand::List => {
            let providers = build_providers(config, address)?;
            list(&providers);
            Ok(())
        }
        ProvidersCommand::Show { id } => show(config, address, id),
        ProvidersCommand::Check { id } => {
            let providers = build_providers(config, address)?;
            check(&providers, id.as_deref())
        }
    }
}

fn list(providers: &crate::providers::Providers) {
    println!("{:<14} {:<22} {:<8} TAKES", "ID", "NAME", "STATE");
    for provider in providers.iter() {
        println!(
            "{:<14} {:<22} {:<8} {}",
            provider.id().as_str(),
            provider.title(),
            "on",
            takes(provider)
        );
    }
    for line in catalog::lines() {
        let is_on = providers
            .iter()
            .any(|provider| provider.id().as_str() == line.id);
        if let (false, Ok(entry)) = (is_on, line.entry()) {
            println!("{:<14} {:<22} {:<8}", line.id, entry.title, "off");
        }
    }
    println!(
        "\nSwitch one on with a table [providers.ID] in latchkey.toml; `latchkey providers show ID` tells more."
    );
}

fn takes(provider: &Provider) -> String {
    provider
        .proofs()
        .into_iter()
        .map(super::super::domain::hand_in::ProofKind::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn show(config: &Config, address: SocketAddr, id: &str) -> Result<(), Failure> {
    let providers = build_providers(config, address)?;
    if let Lookup::Enabled(provider) = providers.find(id) {
        describe(&provider);
        return Ok(());
    }
    let Some(line) = catalog::find_by_name(id) else {
        return Err(Failure::new(format!(
            "there is no provider `{id}`\n    `latchkey providers list` names all"
        )));
    };
    let id = line.id;
    println!("{id} is off. Its entry:\n\n{}", line.text());
    println!(
        "Switch it on with:\n\n[providers.{id}]\nclient_id = \"...\"\nclient_secret_file = \"{id}.secret\""
    );
    Ok(())
}

fn describe(provider: &Provider) {
    println!("{} ({})", provider.title(), provider.id());
    if !provider.aliases().is_empty() {
        println!("  also called   {}", provider.aliases().join(", "));
    }
    println!("  status        {}", provider.status().as_str());
    println!("  takes         {}", takes(provider));
    println!(
        "  access tokens are proven to be ours by {}",
        provider.audience().0.as_str()
    );
    if let Some(reason) = provider.audience().1 {
        println!("                {reason}");
    }
    if provider.allows_unbound_tokens() {
        println!(
            "  WARNING       allow_unbound_tokens is on: tokens of any other app are accepted"
        );
    }
    for client in provider.clients() {
        let secret = if client.secret.is_some() {
            "with secret"
        } else {
            "without secret"
        };
        println!(
            "  client        {} {} {secret}",
            client.id,
            client.platform.as_deref().unwrap_or("(any platform)")
        );
    }
    if let Some(docs) = provider.docs() {
        println!("  documentation {docs}");
    }
}

fn check(providers: &crate::providers::Providers, id: Option<&str>) -> Result<(), Failure> {
    if let Some(id) = id {
        return match providers.find(id) {
            Lookup::Enabled(_) => {
                println!("{id}: the settings are complete");
                Ok(())
            }
            Lookup::Disabled => Err(Failure::new(format!(
                "{id} is off\n    add a table [providers.{id}] to latchkey.toml"
            ))),
            Lookup::Unknown => Err(Failure::new(format!(
                "there is no provider `{id}`\n    `latchkey providers list` names all"
            ))),
        };
    }
    for provider in providers.iter() {
        let note = if provider.allows_unbound_tokens() {
            " (accepts unbound tokens)"
        } else {
            ""
        };
        println!("{}: the settings are complete{note}", provider.id());
    }
    Ok(())
}
