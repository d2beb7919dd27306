//! The real binary in a process of its own.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::postgres::{TestDatabase, test_database};
use super::test_app::{Answer, Backend, client, receive};

/// How long a server may take to listen, and to end: generous, since tests share a machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder and a database that outlive the processes that use them.
pub(crate) struct Place {
    folder: TempDir,
    url: String,
    _database: Option<TestDatabase>,
}

impl Place {
    /// A new one. On SQLite there is no file yet, on PostgreSQL the database is migrated. `None` when the database is not to be
    /// had; that was said aloud.
    pub(crate) fn new(backend: Backend) -> Option<Self> {
        match backend {
            Backend::Sqlite => Some(Self::with(None)),
            Backend::Postgres => Some(Self::with(Some(test_database()?))),
        }
    }

    /// One with this database; with SQLite if there is none.
    pub(crate) fn with(database: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database.as_ref().map_or_else(
            || format!("sqlite://{}", folder.path().join("latchkey.db").display()),
            |database| database.url().to_owned(),
        );
        Self {
            folder,
            url,
            _database: database,
        }
    }

    /// For `database.url`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The folder that processes run in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// `latchkey` with these arguments, in the folder, with nothing of this process's environment but `PATH`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.wrapped(&[], arguments)
    }

    /// The same, run by the program `wrapper`, such as `["unshare", "-Urm"]`.
    pub(crate) fn wrapped(&self, wrapper: &[&str], arguments: &[&str]) -> Command {
        let words: Vec<&str> = wrapper
            .iter()
            .copied()
            .chain([env!("CARGO_BIN_EXE_latchkey")])
            .chain(arguments.iter().copied())
            .collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(self.folder())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .stdin(Stdio::null());
        command
    }

    /// Runs `latchkey` with these arguments to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// `latchkey serve` with the configuration `toml`, on a free port and this database.
    pub(crate) fn serve(&self, toml: &str) -> Process {
        self.serve_at(&self.url, toml)
    }

    /// The same on the database at `url`.
    pub(crate) fn serve_at(&self, url: &str, toml: &str) -> Process {
        Process::spawn(self.serve_command(&[], "127.0.0.1:0", url, toml)).listening()
    }

    /// The command of [`Place::serve`].
    pub(crate) fn serve_command(
        &self,
        wrapper: &[&str],
        bind: &str,
        url: &str,
        toml: &str,
    ) -> Command {
        let config = self.write("latchkey.toml", toml);
        self.wrapped(
            wrapper,
            &[
                "serve",
                "--config",
                config.to_str().unwrap(),
                "--bind",
                bind,
                "--database-url",
                url,
            ],
        )
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Checks that it did what it should; gives what it printed.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Checks that it failed and said all of `words`; gives what it said.
    #[track_caller]
    pub(crate) fn failed_with(self, words: &[&str]) -> String {
        assert!(
            self.code.is_some_and(|code| code != 0),
            "{:?}: {}",
            self.code,
            self.stdout
        );
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{word:?} is missing in: {}",
                self.stderr
            );
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self.stderr
    }
}

/// A running `latchkey`. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    /// `http://127.0.0.1:PORT`, once it listens.
    pub(crate) base: String,
    output: Arc<Mutex<Vec<u8>>>,
    readers: Vec<std::thread::JoinHandle<()>>,
    client: reqwest::Client,
}

impl Process {
    /// Starts a command and gathers what it prints.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Arc::new(Mutex::new(Vec::new()));
        let stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        let readers = vec![gather(stdout, &output), gather(stderr, &output)];
        Self {
            child,
            base: String::new(),
            output,
            readers,
            client: client(),
        }
    }

    /// Starts a command whose standard error goes elsewhere, and that will listen on `port`.
    pub(crate) fn silent(mut command: Command, stderr: Stdio, port: u16) -> Self {
        let child = command
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        Self {
            child,
            base: format!("http://127.0.0.1:{port}"),
            output: Arc::default(),
            readers: Vec::new(),
            client: client(),
        }
    }

    /// Waits until it listens.
    #[track_caller]
    pub(crate) fn listening(mut self) -> Self {
        const SAYS: &str = "Listening on http://";
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = self.output();
            if let Some((_, rest)) = output.split_once(SAYS)
                && let Some((address, _)) = rest.split_once(' ')
            {
                self.base = format!("http://{address}");
                return self;
            }
            assert!(
                self.child.try_wait().unwrap().is_none() && Instant::now() < deadline,
                "it does not listen: {output}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far, both streams.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    /// What it has printed so far, once `text` is among it.
    #[track_caller]
    pub(crate) fn output_with(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = self.output();
            if output.contains(text) {
                return output;
            }
            assert!(Instant::now() < deadline, "no {text:?} in {output}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal, such as `TERM`.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; gives the status and all that it printed.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                for reader in self.readers.drain(..) {
                    reader.join().unwrap();
                }
                return (status, self.output());
            }
            assert!(
                Instant::now() < deadline,
                "it does not end: {}",
                self.output()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A request to be completed by the test.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
    }

    /// Sends a request; `None` if the connection broke.
    pub(crate) async fn try_send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        receive(request).await.ok()
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        match receive(request).await {
            Ok(answer) => answer,
            Err(error) => panic!("{error:?}: {}", self.output()),
        }
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

    /// `POST path` with JSON, to be sent.
    pub(crate) fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.request("POST", path)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Hands in `body` anonymously.
    pub(crate) async fn hand_in(&self, body: &Value) -> Answer {
        self.send(self.post("/social_sign_up/", body)).await
    }

    /// Lets the fake provider mint a proof; gives the body to hand in.
    pub(crate) async fn mint(&self, what: &Value) -> Value {
        let answer = self.send(self.post("/fake/mint", what)).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body
    }

    /// Hands in a fresh access token of the fake provider for `sub`.
    pub(crate) async fn hand_in_of(&self, sub: &str) -> Answer {
        let body = self.mint(&json!({ "sub": sub })).await;
        self.hand_in(&body).await
    }

    /// Waits until `GET /readyz` answers 200.
    pub(crate) async fn ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.try_send(self.request("GET", "/readyz")).await;
            if answer.is_some_and(|answer| answer.status == 200) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "it is not ready: {}",
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn gather(
    mut from: impl Read + Send + 'static,
    into: &Arc<Mutex<Vec<u8>>>,
) -> std::thread::JoinHandle<()> {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(size) = from.read(&mut buffer) {
            if size == 0 {
                return;
            }
            into.lock().unwrap().extend_from_slice(&buffer[..size]);
        }
    })
}
