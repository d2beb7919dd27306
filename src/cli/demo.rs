//! `latchkey demo`: the whole pattern in one minute, over HTTP, printed as curl that one can repeat.

mod walk;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use clap::Args;

use super::createsuperuser::make_superuser;
use super::{Failure, serve, start_logging};
use crate::app::{App, Clock};
use crate::config::{Config, LogSettings};
use crate::domain::Secret;
use crate::start::{self, Service};

/// The port that is tried first.
const PORT: u16 = 8000;

#[derive(Args)]
pub(super) struct DemoArgs {
    /// End after the walk; the status is 0 only if every step held
    #[arg(long)]
    once: bool,
    /// The port to listen on [default: 8000, or a free one if that is taken]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The folder for the database and the keys [default: a new temporary one]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &DemoArgs) -> Result<(), Failure> {
    start_logging(&LogSettings {
        level: "warn".to_owned(),
        ..LogSettings::default()
    })?;
    let (folder, is_temporary) = demo_folder(args.dir.as_deref())?;
    let result = run_in(args, &folder);
    if args.once && is_temporary {
        // The operating system clears its temporary folder anyway.
        let _ = fs::remove_dir_all(&folder);
    }
    result
}

fn run_in(args: &DemoArgs, folder: &Path) -> Result<(), Failure> {
    let config = demo_config(folder, demo_port(args.port))?;
    actix_web::rt::System::new().block_on(async {
        let service = start::build(&config, Clock::system())?;
        println!(
            "Latchkey demo: a fresh SQLite database in {}, the built-in fake provider,",
            folder.display()
        );
        println!("and this service on http://{}.", service.address);
        run_service(service, args.once).await
    })
}

/// Walks while the service answers; keeps serving unless `once`.
async fn run_service(service: Service, once: bool) -> Result<(), Failure> {
    let base = format!("http://{}", service.address);
    let credentials = Credentials::make(&service.app).await?;
    let (walked, walk_done) = tokio::sync::oneshot::channel();
    let stop = async move {
        let walk = walk::walk(&base).await;
        let stays = walk.is_ok() && !once;
        if stays {
            walk::print_farewell(&base, &credentials);
        }
        // The other end waits below for as long as the service runs.
        let _ = walked.send(walk);
        if stays {
            serve::stop_signal().await;
        }
    };
    service.run(stop).await?;
    walk_done
        .await
        .unwrap_or_else(|_closed| Err(Failure::new("the walk did not end")))
}

/// Where the staff pages of a demo are, and how to get in.
struct Credentials {
    password: Secret,
}

impl Credentials {
    const EMAIL: &str = "admin@example.org";

    /// Makes the account; the password is another one each time.
    async fn make(app: &App) -> Result<Self, Failure> {
        let password = Secret::new(format!("demo-{}", hex::encode(app.random::<8>())));
        make_superuser(app, Self::EMAIL, "Demo Admin", password.clone()).await?;
        Ok(Self { password })
    }
}

/// The folder, and whether it is ours to remove.
fn demo_folder(given: Option<&Path>) -> Result<(PathBuf, bool), Failure> {
    let (folder, is_temporary) = if let Some(folder) = given {
        (folder.to_owned(), false)
    } else {
        let name = format!("latchkey-demo-{}", hex::encode(rand::random::<[u8; 6]>()));
        (std::env::temp_dir().join(name), true)
    };
    fs::create_dir_all(&folder).map_err(|error| {
        Failure::new(format!(
            "cannot make {}: {error}\n    choose another --dir",
            folder.display()
        ))
    })?;
    let database = folder.join("latchkey.db");
    if database.exists() {
        return Err(Failure::new(format!(
            "{} exists already: the demo wants a fresh database\n    choose another --dir, or remove that file",
            database.display()
        )));
    }
    Ok((folder, is_temporary))
}

/// The port asked for; else the usual one, or 0 (any) where that is taken.
fn demo_port(asked: Option<u16>) -> u16 {
    asked.unwrap_or_else(|| {
        let is_free = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))).is_ok();
        if is_free { PORT } else { 0 }
    })
}

fn demo_config(folder: &Path, port: u16) -> Result<Config, Failure> {
    let mut config = Config::from_toml("[providers.fake]\n")?;
    config.server.bind = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    config.database.url = format!("sqlite://{}", folder.join("latchkey.db").display());
    Ok(config)
}
