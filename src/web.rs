//! HTTP: the only actix. `routes` lists every address, `extract` reads requests, `error` writes refusals.

pub mod admin;
pub mod api;
pub mod error;
pub mod extract;
pub mod fake;
pub mod index;
pub mod observe;
pub mod rate_limit;
pub mod routes;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpServer};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use crate::app::App;
use admin::AdminContext;
use rate_limit::HandInLimiter;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a closing connection is waited for.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How we listen.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port.
    pub bind: SocketAddr,
    /// The address that clients use: issuer of our tokens. `http://` and `bind` unless set.
    pub public_url: Option<url::Url>,
    /// How many proxies in front of us write `X-Forwarded-For`.
    pub trusted_proxies: usize,
    /// Worker threads; one for each core unless set.
    pub workers: Option<usize>,
    /// A separate address for `/metrics`; then it is not served at `bind`.
    pub metrics_bind: Option<SocketAddr>,
    /// How long `/readyz` answers 503 before connections are closed, in seconds, so that load balancers notice.
    pub drain_seconds: u64,
    /// How long requests under way may take when the service stops, in seconds.
    pub shutdown_timeout_seconds: u64,
    /// Hand-ins admitted per minute and address (an IPv6 /64 counts as one); 0 admits all. 60 in production, 0 in development
    /// unless set.
    pub hand_ins_per_minute: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8000)),
            public_url: None,
            trusted_proxies: 0,
            workers: None,
            metrics_bind: None,
            drain_seconds: 0,
            shutdown_timeout_seconds: 10,
            hand_ins_per_minute: None,
        }
    }
}

/// What handlers and extractors need to know of the server itself.
pub struct ServerContext {
    /// See [`Settings::trusted_proxies`].
    pub trusted_proxies: usize,
    /// Limits hand-ins by address.
    pub hand_in_limiter: Option<HandInLimiter>,
    /// Whether `/metrics` is served beside everything else.
    pub metrics_here: bool,
    /// How many exports may run at once.
    pub exports: Arc<tokio::sync::Semaphore>,
    /// What the staff pages need to know.
    pub admin: AdminContext,
    /// The built-in fake provider, in development.
    pub fake: Option<Arc<crate::providers::fake::Fake>>,
}

/// Starts serving on `listener`; the server runs until its handle stops it.
///
/// # Errors
/// When the listeners cannot be used.
pub fn serve(
    app: Arc<App>,
    context: Data<ServerContext>,
    settings: &Settings,
    listener: TcpListener,
) -> io::Result<Server> {
    let data: Data<App> = Data::from(app);
    let make_app = move || {
        let context = context.clone();
        ActixApp::new()
            .app_data(data.clone())
            .app_data(context.clone())
            .configure(|routes| routes::public(routes, &context))
            // Before the pages, whose addresses begin like its own.
            .service(admin::api::routes::admin_api())
            .service(admin::routes::admin(&data, &context))
            .default_service(actix_web::web::to(routes::not_found))
            .wrap(from_fn(observe::observe))
    };
    let mut server = HttpServer::new(make_app)
        .client_request_timeout(HEAD_TIMEOUT)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(settings.shutdown_timeout_seconds)
        .disable_signals()
        .listen(listener)?;
    if let Some(workers) = settings.workers {
        server = server.workers(workers.max(1));
    }
    Ok(server.run())
}

/// Serves `/metrics`, and nothing else, on an address of its own.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve_metrics(app: Arc<App>, listener: TcpListener) -> io::Result<Server> {
    let data: Data<App> = Data::from(app);
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(data.clone())
            .configure(routes::metrics)
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

/// A time as answers write it: UTC with `Z`, in whole seconds where it is one.
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
