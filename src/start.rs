//! Puts the parts together: from a configuration to a running service. `serve`, `demo` and every test start here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use url::Url;

use crate::app::metrics::Metrics;
use crate::app::passwords::Passwords;
use crate::app::provider_ledger::ProviderLedger;
use crate::app::webhooks::Webhooks;
use crate::app::{App, Clock, Readiness};
use crate::config::keys::{KeyError, Keys};
use crate::config::{Config, ConfigError};
use crate::domain::tokens::AccessTokens;
use crate::flows::{provider_health, upkeep, webhooks};
use crate::providers::fake::{self, Fake};
use crate::providers::outbound::OutboundSettings;
use crate::providers::{BuildEnv, Limits, Providers, SetupProblem};
use crate::storage::{self, Db, StorageError};
use crate::web::admin::AdminContext;
use crate::web::rate_limit::HandInLimiter;
use crate::web::{self, ServerContext};
pub use removed_providers::find_removed;

mod removed_providers;

/// Hand-ins per minute and address in production, unless set.
const HAND_INS_PER_MINUTE: u32 = 60;
/// How long a request waits for a database connection.
const DATABASE_WAIT: Duration = Duration::from_secs(2);
/// Exports at once: each takes a connection for as long as its client likes.
const EXPORTS: usize = 2;
/// How often idle addresses are forgotten by the rate limit.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// Why the service does not start; every text names the remedy.
#[derive(Debug, Error)]
pub enum StartError {
    /// The key file.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The database.
    #[error(
        "the database cannot be used: {0}\n    check database.url and that the database is running"
    )]
    Storage(#[from] StorageError),
    /// Through which providers staff sign in, which providers are gone, and the webhooks.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The client that tells webhooks.
    #[error("webhooks cannot be told: {0}")]
    Webhooks(String),
    /// The providers' settings.
    #[error("{}", list_problems(.0))]
    Providers(Vec<SetupProblem>),
    /// The address.
    #[error("cannot listen on {address}: {source}\n    choose another with --bind or server.bind")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The server.
    #[error("the server cannot start: {0}")]
    Server(#[from] io::Error),
}

fn list_problems(problems: &[SetupProblem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A service that listens but does not answer yet.
pub struct Service {
    /// Everything a request needs.
    pub app: Arc<App>,
    /// What is only the server's.
    pub context: ServerContext,
    /// How we listen.
    pub settings: web::Settings,
    /// Where we listen.
    pub listener: TcpListener,
    /// The address that was bound, with the real port.
    pub address: SocketAddr,
}

/// Opens the port, the keys and the database (migrated), and builds the providers.
///
/// # Errors
/// The first part that cannot be had.
pub fn build(config: &Config, clock: Clock) -> Result<Service, StartError> {
    let bind = config.server.bind;
    let listener = TcpListener::bind(bind)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|source| StartError::Bind {
            address: bind,
            source,
        })?;
    let address = listener.local_addr()?;

    let app = build_app(config, address, clock)?;
    removed_providers::check(config, &app.db)?;

    let mut settings = config.server.clone();
    settings.bind = address;
    let fake = config
        .has_fake_provider()
        .then(|| Fake::new(&rand::random()))
        .transpose();
    let fake = fake.map_err(|error| io::Error::other(format!("the fake provider: {error}")))?;
    let default_limit = if config.is_production() {
        HAND_INS_PER_MINUTE
    } else {
        0
    };
    let per_minute = NonZeroU32::new(settings.hand_ins_per_minute.unwrap_or(default_limit));
    let context = ServerContext {
        exports: Arc::new(tokio::sync::Semaphore::new(EXPORTS)),
        trusted_proxies: settings.trusted_proxies,
        hand_in_limiter: per_minute.map(HandInLimiter::new),
        metrics_here: settings.metrics_bind.is_none(),
        admin: admin_context(config, app.access_tokens.issuer()),
        fake: fake.map(Arc::new),
    };
    Ok(Service {
        app: Arc::new(app),
        context,
        settings,
        listener,
        address,
    })
}

/// The service without its port, as it would be at `address`: for commands that do what the service does.
///
/// # Errors
/// The first part that cannot be had.
pub fn build_app(config: &Config, address: SocketAddr, clock: Clock) -> Result<App, StartError> {
    let providers = build_providers(config, address)?;
    let staff_sign_in = config.staff_sign_in(&providers)?;
    let connect_timeout = Duration::from_millis(config.outbound.connect_timeout_ms);
    let webhooks =
        Webhooks::new(config.webhooks()?, connect_timeout).map_err(StartError::Webhooks)?;
    let keys = Keys::load(&config.key_file(), !config.is_production())?;
    let db = Db::open(&storage_settings(config))?;
    db.migrate()?;
    let public_url = match &config.server.public_url {
        Some(_) => config.public_url(),
        None => format!("http://{address}"),
    };
    Ok(App {
        db,
        providers,
        policy: config.policy.to_policy(),
        retention: config.admin.retention(),
        started_at: clock.now(),
        keys_changed_at: changed_at(&config.key_file()),
        clock,
        access_tokens: AccessTokens::new(public_url, keys.signing),
        refresh_chain: keys.refresh_chain,
        sealer: Arc::new(keys.sealer),
        staff_policy: config.admin.to_policy(config.is_production()),
        staff_sign_in,
        staff_keys: keys.staff,
        passwords: Passwords::default(),
        metrics: Metrics::default(),
        webhooks,
        provider_ledger: ProviderLedger::new(hex::encode(rand::random::<[u8; 8]>())),
        readiness: Readiness::default(),
    })
}

/// In production cookies are for `https` alone, whatever the public URL says.
fn admin_context(config: &Config, public_url: &str) -> AdminContext {
    let origin = Url::parse(public_url).map(|url| url.origin().ascii_serialization());
    AdminContext {
        secure_cookies: config.is_production() || public_url.starts_with("https://"),
        origin: origin.unwrap_or_default(),
    }
}

/// When a file was last changed, if the system tells.
fn changed_at(path: &std::path::Path) -> Option<chrono::DateTime<chrono::Utc>> {
    let file = std::fs::metadata(path).ok()?;
    Some(file.modified().ok()?.into())
}

/// The database's settings.
#[must_use]
pub fn storage_settings(config: &Config) -> storage::Settings {
    storage::Settings {
        url: config.database.url.clone(),
        max_connections: config.database.max_connections,
        wait_timeout: DATABASE_WAIT,
    }
}

/// The providers as configured, for a server at `address`.
///
/// # Errors
/// Every problem of their settings.
pub fn build_providers(config: &Config, address: SocketAddr) -> Result<Providers, StartError> {
    let limits = config.outbound;
    let env = BuildEnv {
        outbound: OutboundSettings {
            connect_timeout: Duration::from_millis(limits.connect_timeout_ms),
            max_answer_bytes: limits.max_answer_bytes,
            provider_origin: config.development.provider_origin.clone(),
            // In production there is none, and a route that leads elsewhere is refused.
            host_routes: config
                .has_fake_provider()
                .then(|| fake_route(address))
                .flatten()
                .into_iter()
                .collect(),
        },
        limits: Limits {
            total_timeout: Duration::from_millis(limits.total_timeout_ms),
            max_in_flight: limits.max_in_flight.get(),
        },
        development: !config.is_production(),
    };
    Providers::build(&config.providers, &env).map_err(StartError::Providers)
}

/// The built-in fake provider answers below our own address.
fn fake_route(address: SocketAddr) -> Option<(String, Url)> {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let base = Url::parse(&format!(
        "http://{}/fake",
        SocketAddr::new(ip, address.port())
    ))
    .ok()?;
    Some((fake::HOST.to_owned(), base))
}

impl Service {
    /// Answers requests until `stop` completes, then drains: readiness turns red, requests under way finish, the database closes.
    ///
    /// # Errors
    /// When the listeners cannot be used.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let Self {
            app,
            context,
            settings,
            listener,
            ..
        } = self;
        let metrics = settings.metrics_bind.map(|address| {
            let bound = TcpListener::bind(address)
                .map_err(|source| StartError::Bind { address, source })?;
            bound.set_nonblocking(true)?;
            Ok::<_, StartError>(web::serve_metrics(Arc::clone(&app), bound)?)
        });
        let metrics = metrics.transpose()?;
        let metrics_handle = metrics.as_ref().map(actix_web::dev::Server::handle);
        let metrics = metrics.map(tokio::spawn);

        let context = actix_web::web::Data::new(context);
        let forgetting = tokio::spawn(forget_idle(context.clone()));
        let reporting = tokio::spawn({
            let app = Arc::clone(&app);
            async move { provider_health::run(&app).await }
        });
        let keeping_up = tokio::spawn({
            let app = Arc::clone(&app);
            async move { upkeep::run(&app).await }
        });
        let telling = tokio::spawn({
            let app = Arc::clone(&app);
            async move { webhooks::run(&app).await }
        });
        let server = web::serve(Arc::clone(&app), context, &settings, listener)?;
        let handle = server.handle();
        let running = tokio::spawn(server);

        stop.await;
        app.readiness.drain();
        tracing::info!("Stopping: no new requests are welcome");
        tokio::time::sleep(Duration::from_secs(settings.drain_seconds)).await;
        handle.stop(true).await;
        let ended = running.await;
        if let Some(handle) = metrics_handle {
            handle.stop(true).await;
        }
        if let Some(metrics) = metrics {
            // Its end is of no interest any more.
            let _ = metrics.await;
        }
        forgetting.abort();
        reporting.abort();
        if let Err(error) = provider_health::report_provider_health(&app).await {
            tracing::warn!(error = %error, "The last checks of providers are not counted: {error}");
        }
        keeping_up.abort();
        telling.abort();
        app.db.close().await;
        tracing::info!("Stopped");
        match ended {
            Ok(result) => Ok(result?),
            Err(panicked) => Err(io::Error::other(panicked).into()),
        }
    }
}

async fn forget_idle(context: actix_web::web::Data<ServerContext>) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        if let Some(limiter) = &context.hand_in_limiter {
            limiter.forget_idle();
        }
    }
}
