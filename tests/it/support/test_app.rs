//! The real server on a free port, with a database and keys of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use latchkey::app::{App, Clock};
use latchkey::config::Config;
use latchkey::flows::upkeep;
use latchkey::start;
use latchkey::storage::audit::{self, AuditRecord};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::database;
use super::postgres::{TestDatabase, test_database};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A running server. Dropping it stops it and removes its database.
pub(crate) struct TestApp {
    /// `http://127.0.0.1:PORT`
    pub(crate) base: String,
    /// The server's insides, to look at what it stored.
    pub(crate) app: Arc<App>,
    backend: Backend,
    database_url: String,
    client: reqwest::Client,
    clock_offset_ms: Arc<AtomicI64>,
    instance: Option<Instance>,
    config: Config,
    clock: Clock,
    _folder: TempDir,
    _database: Option<TestDatabase>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Checks status and `code`, and that the answer has the shape of every refusal.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{:?}",
            self.body
        );
        assert!(
            self.body["errors"]
                .as_str()
                .is_some_and(|sentence| !sentence.is_empty())
        );
        assert!(
            self.body["request_id"]
                .as_str()
                .is_some_and(|id| !id.is_empty())
        );
        assert_eq!(
            status == 503 || status == 429,
            self.headers.contains_key(RETRY_AFTER)
        );
        assert_eq!(status == 401, self.headers.contains_key("www-authenticate"));
    }

    /// Checks for `201` and the outcome; gives the body.
    #[track_caller]
    pub(crate) fn assert_outcome(&self, outcome: &str) -> &Value {
        assert_eq!(
            (self.status, self.body["outcome"].as_str()),
            (201, Some(outcome)),
            "{:?}",
            self.body
        );
        &self.body
    }

    /// The access token of a new session.
    #[track_caller]
    pub(crate) fn bearer(&self) -> String {
        self.body["token"]["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

impl TestApp {
    /// Starts a server with `toml` beside what every test needs. `None` when the database is not to be had; that was said aloud.
    pub(crate) fn spawn(backend: Backend, toml: &str) -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the test clock is the real one, moved"
        )]
        Self::spawn_with(backend, toml, Utc::now)
    }

    /// The same with a clock that stands still until it is moved.
    pub(crate) fn spawn_at(backend: Backend, toml: &str, now: DateTime<Utc>) -> Option<Self> {
        Self::spawn_with(backend, toml, move || now)
    }

    fn spawn_with(
        backend: Backend,
        toml: &str,
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> Option<Self> {
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(test_database()?),
        };
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::from_toml(toml).unwrap();
        config.server.bind = ([127, 0, 0, 1], 0).into();
        config.server.workers = Some(2);
        config.database.url = match &database {
            Some(database) => database.url().to_owned(),
            None => format!("sqlite://{}", folder.path().join("latchkey.db").display()),
        };
        config.keys.file = Some(folder.path().join("keys.toml"));

        let clock_offset_ms = Arc::new(AtomicI64::new(0));
        let offset = Arc::clone(&clock_offset_ms);
        let clock =
            Clock::from_fn(move || now() + TimeDelta::milliseconds(offset.load(Ordering::Relaxed)));
        let instance = Instance::start(&config, clock.clone());
        Some(Self {
            base: instance.base.clone(),
            app: Arc::clone(&instance.app),
            backend,
            database_url: config.database.url.clone(),
            client: client(),
            clock_offset_ms,
            instance: Some(instance),
            config,
            clock,
            _folder: folder,
            _database: database,
        })
    }

    /// Another instance of the service on the same database, with the same keys.
    pub(crate) fn second_instance(&self) -> Instance {
        Instance::start(&self.config, self.clock.clone())
    }

    /// Which database it is on.
    pub(crate) fn backend(&self) -> Backend {
        self.backend
    }

    /// How a truth value is written in SQL.
    pub(crate) fn bool(&self, value: bool) -> String {
        match self.backend {
            Backend::Sqlite => i64::from(value).to_string(),
            Backend::Postgres => value.to_string(),
        }
    }

    /// Moves the server's clock.
    pub(crate) fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).unwrap();
        self.clock_offset_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Moves the server's clock back.
    pub(crate) fn turn_back(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).unwrap();
        self.clock_offset_ms.fetch_sub(ms, Ordering::Relaxed);
    }

    /// A request to be completed by the test.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        receive(request).await.unwrap()
    }

    /// `GET path`
    pub(crate) async fn get(&self, path: &str, bearer: Option<&str>) -> Answer {
        let request = self.request("GET", path);
        self.send(match bearer {
            Some(bearer) => request.bearer_auth(bearer),
            None => request,
        })
        .await
    }

    /// `POST path` with JSON
    pub(crate) async fn post(&self, path: &str, body: &Value, bearer: Option<&str>) -> Answer {
        let request = self
            .request("POST", path)
            .header("content-type", "application/json")
            .body(body.to_string());
        self.send(match bearer {
            Some(bearer) => request.bearer_auth(bearer),
            None => request,
        })
        .await
    }

    /// Hands in `body` anonymously.
    pub(crate) async fn hand_in(&self, body: &Value) -> Answer {
        self.post("/social_sign_up/", body, None).await
    }

    /// Hands in `body` with a bearer.
    pub(crate) async fn hand_in_as(&self, bearer: &str, body: &Value) -> Answer {
        self.post("/social_sign_up/", body, Some(bearer)).await
    }

    /// Lets the fake provider mint a proof; gives the body to hand in.
    pub(crate) async fn mint(&self, what: Value) -> Value {
        let answer = self.post("/fake/mint", &what, None).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body
    }

    /// An access token of the fake provider for `sub`, as a body to hand in.
    pub(crate) async fn access_token_of(&self, sub: &str) -> Value {
        self.mint(json!({ "kind": "access_token", "sub": sub }))
            .await
    }

    /// Signs `sub` up; gives the bearer.
    pub(crate) async fn sign_up(&self, sub: &str) -> String {
        let body = self.access_token_of(sub).await;
        let answer = self.hand_in(&body).await;
        answer.assert_outcome("signed_up");
        answer.bearer()
    }

    /// Lets the background finish with all that is in the audit log, as if it were an hour old.
    pub(crate) async fn roll_up(&self) {
        let clock = self.clock.clone();
        let later = Clock::from_fn(move || clock.now() + TimeDelta::hours(1));
        // The server's own upkeep may have a step in its hands just now.
        while self.number(
            "SELECT coalesce(max(id), 0) - coalesce((SELECT position FROM upkeep_marks WHERE name = 'roll_up'), 0) AS number \
             FROM audit_log",
        ) > 0
        {
            upkeep::settle(&self.app.db, &later, |_| {}).await.unwrap();
        }
    }

    /// The newest audit entries, newest first.
    pub(crate) async fn audit(&self) -> Vec<AuditRecord> {
        self.app.db.read(|r| audit::list(r, 100)).await.unwrap()
    }

    /// Who acted, what was done and why, as the newest entry says.
    pub(crate) async fn last_audit(&self) -> (String, String, Option<String>) {
        let newest = self.audit().await.remove(0);
        (newest.actor_kind, newest.action, newest.reason)
    }

    /// Rows in `users` and `social_auth`.
    pub(crate) fn counts(&self) -> (i64, i64) {
        (
            self.number("SELECT count(*) AS number FROM users"),
            self.number("SELECT count(*) AS number FROM social_auth"),
        )
    }

    /// Switches a user on or off, as an admin would.
    pub(crate) fn set_active(&self, user_id: i64, is_active: bool) {
        let value = self.bool(is_active);
        self.execute(&format!(
            "UPDATE users SET is_active = {value} WHERE id = {user_id}"
        ));
    }

    /// The database's URL.
    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Runs a statement behind the server's back.
    #[track_caller]
    pub(crate) fn execute(&self, sql: &str) {
        database::execute(&self.database_url, sql);
    }

    /// The one value `number` of a query.
    #[track_caller]
    pub(crate) fn number(&self, sql: &str) -> i64 {
        database::number(&self.database_url, sql)
    }

    /// The one value `text` of a query.
    #[track_caller]
    pub(crate) fn text(&self, sql: &str) -> String {
        database::texts(&self.database_url, sql).remove(0)
    }
}

/// A client that neither uses a proxy nor follows a redirect.
pub(crate) fn client() -> reqwest::Client {
    // Whoever is first installs it for the process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Sends a request and reads the answer.
pub(crate) async fn receive(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?;
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Answer {
        status,
        headers,
        body,
    })
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // Before its database goes.
        drop(self.instance.take());
    }
}

/// One process's worth of service. Dropping it stops it.
pub(crate) struct Instance {
    base: String,
    app: Arc<App>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl Instance {
    fn start(config: &Config, clock: Clock) -> Self {
        let service = start::build(config, clock).unwrap();
        let app = Arc::clone(&service.app);
        let base = format!("http://{}", service.address);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = std::thread::spawn(move || {
            let stop = async {
                let _ = stopped.await;
            };
            actix_web::rt::System::new()
                .block_on(service.run(stop))
                .unwrap();
        });
        Self {
            base,
            app,
            stop: Some(stop),
            server: Some(server),
        }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn base(&self) -> &str {
        &self.base
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            // A panic in the server has been printed already.
            let _ = server.join();
        }
    }
}
