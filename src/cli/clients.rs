//! `latchkey clients`

use clap::{Args, Subcommand};

use super::{DatabaseArgs, Failure, command_context};
use crate::app::{App, Clock};
use crate::config::Config;
use crate::domain::Actor;
use crate::domain::api_client::{ClientTitle, Scope, Scopes};
use crate::flows::clients::{DeactivatedClient, create_client, deactivate_client, list_clients};
use crate::start::{StartError, build_app};
use crate::storage::StorageError;

#[derive(Subcommand)]
pub(super) enum ClientsCommand {
    /// Register an API client and print its secret, once
    Create(CreateArgs),
    /// Every API client, and what it may do
    List(DatabaseArgs),
    /// Refuse an API client and its access tokens from now on
    Deactivate {
        /// As `clients list` shows it
        client_id: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// What people call it
    #[arg(long, value_name = "TITLE")]
    title: String,
    /// What it may do: admin:read or admin:write; give it twice for both
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,
    #[command(flatten)]
    database: DatabaseArgs,
}

impl ClientsCommand {
    pub(super) const fn database(&self) -> &DatabaseArgs {
        match self {
            Self::Create(args) => &args.database,
            Self::List(database) | Self::Deactivate { database, .. } => database,
        }
    }
}

/// Does it. The service may run meanwhile.
pub(super) fn run(command: &ClientsCommand, config: &Config) -> Result<(), Failure> {
    actix_web::rt::System::new().block_on(async {
        let app = build_app(config, config.server.bind, Clock::system())?;
        let done = match command {
            ClientsCommand::Create(args) => create(&app, args).await,
            ClientsCommand::List(_) => list(&app).await,
            ClientsCommand::Deactivate { client_id, .. } => deactivate(&app, client_id).await,
        };
        app.db.close().await;
        done
    })
}

async fn create(app: &App, args: &CreateArgs) -> Result<(), Failure> {
    let title = ClientTitle::parse(&args.title).ok_or_else(|| {
        Failure::new(
            "the title is empty or longer than 80 characters\n    write --title \"Support desk\"",
        )
    })?;
    let scopes = args.scopes.iter().map(|name| scope(name));
    let scopes = scopes.collect::<Result<Scopes, Failure>>()?;
    let created = create_client(app, Actor::System, title, scopes.clone(), command_context())
        .await
        .map_err(failed)?;
    println!(
        "client_id      {}\nclient_secret  {}\nscope          {scopes}\n\nThe secret is shown this once. It gets access tokens from {}/oauth/token",
        created.client_id,
        created.secret.expose(),
        app.access_tokens.issuer().trim_end_matches('/'),
    );
    Ok(())
}

fn scope(name: &str) -> Result<Scope, Failure> {
    Scope::parse(name).ok_or_else(|| {
        let known = Scope::ALL.map(Scope::as_str).join(" or ");
        Failure::new(format!(
            "there is no scope `{name}`\n    write --scope {known}"
        ))
    })
}

async fn list(app: &App) -> Result<(), Failure> {
    let clients = list_clients(app).await.map_err(failed)?;
    println!("{:<24} {:<9} {:<24} TITLE", "CLIENT ID", "STATE", "SCOPE");
    for client in clients {
        let state = if client.is_active {
            "active"
        } else {
            "inactive"
        };
        println!(
            "{:<24} {state:<9} {:<24} {}",
            client.client_id,
            client.scopes.to_string(),
            client.title
        );
    }
    Ok(())
}

async fn deactivate(app: &App, client_id: &str) -> Result<(), Failure> {
    let done = deactivate_client(app, Actor::System, client_id.to_owned(), command_context());
    match done.await.map_err(failed)? {
        DeactivatedClient::Now => {
            println!("{client_id} is inactive. Its access tokens are refused from now on.");
            Ok(())
        }
        DeactivatedClient::Before => {
            println!("{client_id} was inactive already.");
            Ok(())
        }
        DeactivatedClient::Unknown => Err(Failure::new(format!(
            "there is no API client `{client_id}`\n    `latchkey clients list` names all"
        ))),
    }
}

fn failed(error: StorageError) -> Failure {
    StartError::from(error).into()
}
