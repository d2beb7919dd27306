//! The commands. Each prints for the person who typed it and ends with status 0 only if it did what it says.

mod clients;
mod config;
mod createsuperuser;
mod demo;
mod keys;
mod migrate;
mod providers;
mod seed;
mod serve;

use std::fmt;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::keys::KeyError;
use crate::config::{Config, ConfigError, LogFormat, LogSettings, Overrides};
use crate::domain::RequestContext;
use crate::start::StartError;

/// Self-hosted social sign-up: hand in a provider's token, get a user and a session.
#[derive(Parser)]
#[command(name = "latchkey", version)]
pub struct Cli {
    /// The configuration file [default: latchkey.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the whole pattern in one minute: a fresh database, the fake provider, real requests
    Demo(demo::DemoArgs),
    /// Answer requests
    Serve(ServeArgs),
    /// Bring the database up to date and end
    Migrate(DatabaseArgs),
    /// Make a staff account that may do everything, and print a link for setting its password
    Createsuperuser(createsuperuser::CreatesuperuserArgs),
    /// Check the configuration or print an example
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Look at providers
    #[command(subcommand)]
    Providers(providers::ProvidersCommand),
    /// Make secret keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Register API clients, for the admin API
    #[command(subcommand)]
    Clients(clients::ClientsCommand),
    /// Add made-up people, for development
    Seed(seed::SeedArgs),
}

#[derive(Args)]
struct ServeArgs {
    /// Address and port, such as 0.0.0.0:8000
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<SocketAddr>,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Args)]
struct DatabaseArgs {
    /// <sqlite://PATH> or postgres://...
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

/// Why a command ends with a status other than 0. The text is what the person reads.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Failure {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self(error.to_string())
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Runs one command.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let file = cli.config.as_deref();
    let load = |overrides: Overrides| Config::load(file, &overrides).map_err(Failure::from);
    let result = match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => load(serve_overrides(&args)).and_then(|config| serve::run(&config)),
        Command::Migrate(args) => {
            load(database_overrides(&args)).and_then(|config| migrate::run(&config))
        }
        Command::Createsuperuser(args) => load(database_overrides(args.database()))
            .and_then(|config| createsuperuser::run(&args, &config)),
        Command::Config(command) => config::run(&command, load),
        Command::Providers(command) => {
            load(Overrides::default()).and_then(|config| providers::run(&command, &config))
        }
        Command::Keys(command) => {
            load(Overrides::default()).and_then(|config| keys::run(&command, &config))
        }
        Command::Clients(command) => load(database_overrides(command.database()))
            .and_then(|config| clients::run(&command, &config)),
        Command::Seed(args) => {
            load(database_overrides(&args.database)).and_then(|config| seed::run(&args, &config))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("latchkey: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn serve_overrides(args: &ServeArgs) -> Overrides {
    let mut overrides = database_overrides(&args.database);
    overrides
        .values
        .extend(args.bind.map(|bind| ("server.bind", bind.to_string())));
    overrides
}

fn database_overrides(args: &DatabaseArgs) -> Overrides {
    let values = args
        .database_url
        .iter()
        .map(|url| ("database.url", url.clone()))
        .collect();
    Overrides { values }
}

/// A command has neither request nor address.
fn command_context() -> RequestContext {
    RequestContext {
        request_id: "command".to_owned(),
        address: None,
        user_agent: None,
    }
}

/// Starts logging to standard error.
fn start_logging(settings: &LogSettings) -> Result<(), Failure> {
    // The HTTP server's own lines about its threads, and those about cookies that nobody knows, tell an operator nothing, unless
    // asked for by name.
    let filter = format!("actix_server=warn,actix_session=error,{}", settings.level);
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::new(format!(
            "log.level is not valid: {error}\n    write a level such as \"info\""
        ))
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        // It would tell standard error that standard error cannot be written, and panic: a full disk must not stop the service.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .try_init(),
    };
    // A second start in one process keeps the first.
    drop(started);
    Ok(())
}
