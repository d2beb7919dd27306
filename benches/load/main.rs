//! The whole call under load, against the floor or the original measured in the same run: `cargo bench --bench load -- --help`.
//!
//! The provider, the floor, the real server and the load generator are processes of their own on this machine, and share its
//! cores. Rounds of server and floor alternate, so that whatever else the machine does meets both.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench that meets a surprise has nothing better to do than to end"
)]

mod database;
mod floor;
mod generator;
mod http;
mod measure;
mod original;
mod process;
mod provider;
mod server;

use std::time::Duration;

use database::Backend;

const HELP: &str = "cargo bench --bench load -- [OPTIONS]
    --database sqlite|postgres|both   default: both
    --seconds N                       per scenario, round and side; default 3
    --rounds N                        default 3
    --clients N                       connections that are always busy; default 64
    --users N                         people who are there before; default 10000
    --only A,B                        some of sign-in, sign-up, associate, id-token, me
    --original                        against Django, DRF and social-auth-app-django instead of the floor: sign-in, sign-up,
                                      associate; needs python3 with venv, and PyPI the first time
    --no-extras                       without open loop, memory, cold start and the hanging provider
PostgreSQL is the one of LATCHKEY_BENCH_POSTGRES, an address at which databases may be created; benches/run brings its own.";

/// What was asked for.
pub(crate) struct Options {
    backends: Vec<Backend>,
    time: Duration,
    rounds: usize,
    clients: usize,
    users: u32,
    only: Option<Vec<String>>,
    extras: bool,
    original: bool,
    postgres: Option<String>,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options {
        backends: vec![Backend::Sqlite, Backend::Postgres],
        time: Duration::from_secs(3),
        rounds: 3,
        clients: 64,
        users: 10_000,
        only: None,
        extras: true,
        original: false,
        postgres: std::env::var_os("LATCHKEY_BENCH_POSTGRES")
            .and_then(|url| url.into_string().ok()),
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect(HELP);
        match argument.as_str() {
            "--role" => return play(&value(), arguments),
            "--database" => {
                options.backends = match value().as_str() {
                    "sqlite" => vec![Backend::Sqlite],
                    "postgres" => vec![Backend::Postgres],
                    _ => options.backends,
                }
            }
            "--seconds" => options.time = Duration::from_secs(value().parse().expect(HELP)),
            "--rounds" => options.rounds = value().parse().expect(HELP),
            "--clients" => options.clients = value().parse().expect(HELP),
            "--users" => options.users = value().parse().expect(HELP),
            "--only" => options.only = Some(value().split(',').map(str::to_owned).collect()),
            "--original" => options.original = true,
            "--no-extras" => options.extras = false,
            // What `cargo bench` adds.
            "--bench" => {}
            _ => return println!("{HELP}"),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for backend in options.backends.clone() {
        if backend == Backend::Postgres && options.postgres.is_none() {
            println!(
                "SKIPPED: PostgreSQL, since LATCHKEY_BENCH_POSTGRES is not set (benches/run brings a server)"
            );
            continue;
        }
        if options.original {
            runtime.block_on(original::measure(backend, &options));
        } else {
            runtime.block_on(measure::measure(backend, &options));
        }
    }
}

/// A process of the bench other than the load generator.
fn play(role: &str, mut arguments: impl Iterator<Item = String>) {
    let mut next = || arguments.next().unwrap();
    if role == "provider" {
        let jwks = next();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        return runtime.block_on(provider::run(jwks));
    }
    let (url, port, users) = (next(), next(), next());
    actix_web::rt::System::new().block_on(floor::run(
        &url,
        port.parse().unwrap(),
        users.parse().unwrap(),
    ));
}
