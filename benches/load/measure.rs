//! What is measured on one database, and how it is shown.

use std::sync::Arc;
use std::time::Duration;

use latchkey::app::Clock;

use crate::Options;
use crate::database::{Backend, Databases};
use crate::generator::{Load, Scenario, Until, closed_loop, open_loop};
use crate::http::Connection;
use crate::process::Process;
use crate::provider::Issuer;
use crate::server::{self, Files};

/// Id tokens that are handed in over and over.
const ID_TOKENS: u32 = 2000;
/// Sign-ups after which memory is looked at.
const MANY: u64 = 100_000;
/// Requests per second of the open loop.
const RATE: u32 = 1000;
/// Providers of which one hangs.
const PROVIDERS: usize = 20;
/// Clients of those.
const PROVIDER_CLIENTS: usize = 80;

/// One run's processes.
pub(crate) struct Stage {
    pub(crate) databases: Databases,
    pub(crate) provider: Process,
    floor: Process,
    pub(crate) server: Process,
    files: Files,
    pub(crate) folder: tempfile::TempDir,
    issuer: Issuer,
    signed_up: u64,
}

/// One side of one round.
pub(crate) struct Side {
    pub(crate) load: Load,
    pub(crate) cpu_ms: f64,
}

pub(crate) async fn measure(backend: Backend, options: &Options) {
    let mut stage = Stage::build(backend, options).await;
    println!(
        "\n## {backend:?}, {} users, {} clients, {} rounds of {} s each; medians\n",
        options.users,
        options.clients,
        options.rounds,
        options.time.as_secs()
    );
    println!(
        "| scenario | floor/s | server/s | of the floor | floor p50 / p99 ms | server p50 / p99 ms | floor CPU ms | server CPU ms | failed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for name in ["sign-in", "sign-up", "associate", "id-token", "me"] {
        if options
            .only
            .as_ref()
            .is_none_or(|only| only.iter().any(|one| one == name))
        {
            stage.compare(name, options).await;
        }
    }
    println!(
        "\nResident memory of the server after these: {:.1} MiB",
        stage.server.rss_mib()
    );
    if options.extras {
        stage.extras(options).await;
    }
}

impl Stage {
    pub(crate) async fn build(backend: Backend, options: &Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let issuer = Issuer::new();
        let provider = Process::role(&["provider", &issuer.jwks().to_string()]);
        let databases = Databases::create(backend, folder.path(), options.postgres.as_deref());
        let more: Vec<_> = (0..PROVIDERS).map(|number| format!("p{number}")).collect();
        let url = &databases.server_url;
        let files = server::configure(folder.path(), url, provider.port, &more);
        databases.preload(i64::from(options.users));
        let floor = Process::role(&[
            "floor",
            &databases.floor_url,
            &provider.port.to_string(),
            &options.users.to_string(),
        ]);
        let (server, _) = Process::latchkey(&files.config, &files.log).await;
        Self {
            databases,
            provider,
            floor,
            server,
            files,
            folder,
            issuer,
            signed_up: 0,
        }
    }

    async fn scenario(&self, name: &str, round: usize, clients: usize, users: u32) -> Scenario {
        match name {
            "sign-in" => Scenario::SignIn {
                users: u64::from(users),
            },
            "sign-up" => Scenario::SignUp {
                run: format!("r{round}"),
            },
            "associate" => Scenario::Associate {
                run: format!("a{round}"),
                bearers: Arc::new(bearers(self.server.port, clients).await),
            },
            "id-token" => Scenario::IdToken {
                tokens: Arc::new(self.id_tokens(users)),
            },
            _ => Scenario::Me {
                bearers: Arc::new(bearers(self.server.port, clients).await),
            },
        }
    }

    fn id_tokens(&self, users: u32) -> Vec<String> {
        let now = Clock::system().now().timestamp();
        (1..=ID_TOKENS.min(users))
            .map(|user| self.issuer.id_token(&format!("u{user}"), now))
            .collect()
    }

    /// One row of the table.
    async fn compare(&mut self, name: &str, options: &Options) {
        let (mut floors, mut servers) = (Vec::new(), Vec::new());
        let signs_in_by_id_token = name == "id-token";
        for round in 0..=options.rounds {
            let ours = self
                .scenario(name, round, options.clients, options.users)
                .await;
            // Without an upstream request there is no floor of the same kind: the bar is the floor's sign-in.
            let theirs = if signs_in_by_id_token {
                Scenario::SignIn {
                    users: u64::from(options.users),
                }
            } else {
                ours.clone()
            };
            // The first round warms up.
            let time = if round == 0 {
                Duration::from_millis(700)
            } else {
                options.time
            };
            let floor = self.side(&self.floor, &theirs, options.clients, time).await;
            let server = self.side(&self.server, &ours, options.clients, time).await;
            if name == "sign-up" {
                self.signed_up += server.load.latencies_us.len() as u64;
            }
            if round > 0 {
                floors.push(floor);
                servers.push(server);
            }
        }
        let median_of = |sides: &[Side], of: fn(&Side) -> f64| median(sides.iter().map(of));
        let ratio = median(
            floors
                .iter()
                .zip(&servers)
                .map(|(floor, server)| server.load.per_second() / floor.load.per_second()),
        );
        println!(
            "| {name} | {:.0} | {:.0} | {:.0} % | {:.2} / {:.2} | {:.2} / {:.2} | {:.3} | {:.3} | {} |",
            median_of(&floors, |side| side.load.per_second()),
            median_of(&servers, |side| side.load.per_second()),
            ratio * 100.0,
            median_of(&floors, |side| side.load.percentile(50)),
            median_of(&floors, |side| side.load.percentile(99)),
            median_of(&servers, |side| side.load.percentile(50)),
            median_of(&servers, |side| side.load.percentile(99)),
            median_of(&floors, |side| side.cpu_ms),
            median_of(&servers, |side| side.cpu_ms),
            floors
                .iter()
                .chain(&servers)
                .map(|side| side.load.failed)
                .sum::<u64>(),
        );
    }

    pub(crate) async fn side(
        &self,
        process: &Process,
        scenario: &Scenario,
        clients: usize,
        time: Duration,
    ) -> Side {
        let cpu = || process.cpu_seconds() + self.databases.cpu_seconds();
        let before = cpu();
        let load = closed_loop(
            process.port,
            scenario,
            clients,
            Until::Elapsed(time),
            Duration::ZERO,
        )
        .await;
        let cpu_ms = (cpu() - before) * 1000.0 / load.count().max(1.0);
        Side { load, cpu_ms }
    }

    async fn extras(&mut self, options: &Options) {
        self.open_loop(options).await;
        self.hanging_provider().await;
        self.many_sign_ups(options).await;
        self.cold_start().await;
    }

    async fn open_loop(&self, options: &Options) {
        let scenario = Scenario::SignIn {
            users: u64::from(options.users),
        };
        let mut rounds = Vec::new();
        for _ in 0..options.rounds {
            let direct = open_loop(
                self.provider.port,
                &Scenario::Direct,
                64,
                RATE,
                options.time,
            )
            .await;
            let floor = open_loop(self.floor.port, &scenario, 64, RATE, options.time).await;
            let server = open_loop(self.server.port, &scenario, 64, RATE, options.time).await;
            assert_eq!((direct.failed, floor.failed, server.failed), (0, 0, 0));
            rounds.push([direct, floor, server]);
        }
        let figure = |of: usize, percent: usize| {
            median(
                rounds
                    .iter()
                    .map(|round| round.get(of).map_or(0.0, |load| load.percentile(percent))),
            )
        };
        println!(
            "Open loop, {RATE} sign-ins/s: p50 / p99 of the provider alone {:.2} / {:.2} ms, floor {:.2} / {:.2} ms, server {:.2} / {:.2} ms; the server adds {:.2} ms at p99 to the provider's median",
            figure(0, 50),
            figure(0, 99),
            figure(1, 50),
            figure(1, 99),
            figure(2, 50),
            figure(2, 99),
            figure(2, 99) - figure(0, 50),
        );
    }

    async fn hanging_provider(&self) {
        let names = Arc::new(
            (0..PROVIDERS)
                .map(|number| format!("p{number}"))
                .collect::<Vec<_>>(),
        );
        let think = Duration::from_millis(40);
        let until = Until::Elapsed(Duration::from_secs(8));
        let mut p99 = Vec::new();
        for hanging in [None, Some(PROVIDERS - 1)] {
            let scenario = Scenario::Provider {
                names: Arc::clone(&names),
                hanging,
            };
            let load =
                closed_loop(self.server.port, &scenario, PROVIDER_CLIENTS, until, think).await;
            assert_eq!(load.failed, 0);
            p99.push((load.percentile(50), load.percentile(99)));
        }
        println!(
            "One of {PROVIDERS} providers hanging under {PROVIDER_CLIENTS} clients: p50 / p99 of the others quiet, then hanging, ms: {p99:.2?}"
        );
    }

    async fn many_sign_ups(&mut self, options: &Options) {
        let left = MANY.saturating_sub(self.signed_up);
        let scenario = Scenario::SignUp {
            run: "many".to_owned(),
        };
        let load = closed_loop(
            self.server.port,
            &scenario,
            options.clients,
            Until::Sent(left),
            Duration::ZERO,
        )
        .await;
        assert_eq!(load.failed, 0);
        self.signed_up += left;
        println!(
            "Resident memory after {} sign-ups: {:.1} MiB",
            self.signed_up,
            self.server.rss_mib()
        );
    }

    async fn cold_start(&mut self) {
        let url = &self.databases.server_url;
        let files = server::configure_catalogue(self.folder.path(), url, self.provider.port);
        let mut times = Vec::new();
        for _ in 0..5 {
            let (_process, took) = Process::latchkey(&files.config, &files.log).await;
            times.push(took.as_secs_f64() * 1000.0);
        }
        println!(
            "Cold start to the first 200, existing database, whole catalogue: {:.0} ms (median of {times:.0?})",
            median(times.iter().copied())
        );
        let log = std::fs::metadata(&self.files.log).map_or(0, |file| file.len());
        println!("The access log of this run: {} MB", log / 1_000_000);
    }
}

/// Access tokens of as many users, of what answers on `port`.
pub(crate) async fn bearers(port: u16, count: usize) -> Vec<String> {
    let mut connection = Connection::open(port).await.unwrap();
    let mut bearers = Vec::new();
    for number in 0..count {
        let body = format!(r#"{{"provider":"bench","access_token":"t-bearer{number}"}}"#);
        let request = format!(
            "POST /social_sign_up/ HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(connection.call(request.as_bytes()).await.unwrap(), 201);
        let answer: serde_json::Value = serde_json::from_slice(connection.body()).unwrap();
        let bearer = answer
            .pointer("/token/access_token")
            .and_then(|token| token.as_str());
        bearers.push(bearer.expect("a session").to_owned());
    }
    bearers
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
