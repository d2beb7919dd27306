//! The original that the server is compared with: Django, DRF and social-auth-app-django behind gunicorn (benches/original).
//!
//! It gets the same provider, users and load, and a database of the same settings. Rounds of the two alternate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Options;
use crate::database::Backend;
use crate::generator::Scenario;
use crate::http::Connection;
use crate::measure::{Side, Stage, bearers, median};
use crate::process::{Process, free_port};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/original");
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(5);

/// gunicorn with its workers.
struct Original {
    process: Process,
}

impl Drop for Original {
    fn drop(&mut self) {
        // Workers outlive a gunicorn that is killed: it is asked to end them first.
        let pid = self.process.id().to_string();
        let asked = Command::new("kill").args(["-INT", &pid]).status();
        let until = Instant::now() + STOP;
        while asked.is_ok() && !self.process.has_ended() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Original {
    /// Migrates and fills its database, and returns when gunicorn answers.
    async fn start(stage: &Stage, users: u32) -> Self {
        let python = python();
        let run = |arguments: &[&str]| {
            let mut command = django(&python, stage);
            must_succeed(command.args(arguments));
        };
        run(&["-m", "django", "migrate", "--verbosity", "0"]);
        run(&["preload.py", &users.to_string()]);
        let port = free_port();
        let log = |name: &str| stage.folder.path().join(name);
        let errors = log("original.log");
        let child = django(&python, stage)
            .args(["-m", "gunicorn", "--config", "gunicorn_conf.py"])
            .args(["--bind", &format!("127.0.0.1:{port}")])
            .arg("--access-logfile")
            .arg(log("original-access.log"))
            .arg("original.wsgi")
            .stdout(Stdio::null())
            .stderr(fs::File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let original = Self {
            process: Process::new(child, port),
        };
        let started = Instant::now();
        while started.elapsed() < START {
            if let Ok(mut connection) = Connection::open(port).await
                && let Ok(405) = connection
                    .call(b"GET /social_sign_up/ HTTP/1.1\r\nhost: bench\r\n\r\n")
                    .await
            {
                return original;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "the original does not start: {}",
            fs::read_to_string(errors).unwrap_or_default()
        );
    }
}

/// Measures one database, and shows it.
pub(crate) async fn measure(backend: Backend, options: &Options) {
    let stage = Stage::build(backend, options).await;
    let original = Original::start(&stage, options.users).await;
    println!(
        "\n## {backend:?} against the original, {} users, {} clients, {} rounds of {} s each; medians\n",
        options.users,
        options.clients,
        options.rounds,
        options.time.as_secs()
    );
    println!(
        "| scenario | original/s | server/s | ratio | original p50 / p99 ms | server p50 / p99 ms | original CPU ms | server CPU ms | CPU ratio | failed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for name in ["sign-in", "sign-up", "associate"] {
        if options
            .only
            .as_ref()
            .is_none_or(|only| only.iter().any(|one| one == name))
        {
            compare(&stage, &original.process, name, options).await;
        }
    }
    println!(
        "\nMemory after these, shared pages once: original {:.1} MiB, server {:.1} MiB",
        original.process.family_mib(),
        stage.server.family_mib()
    );
}

/// One row of the table.
async fn compare(stage: &Stage, original: &Process, name: &str, options: &Options) {
    let mut rounds: Vec<[Side; 2]> = Vec::new();
    for round in 0..=options.rounds {
        // The first round warms up.
        let time = if round == 0 {
            Duration::from_secs(1)
        } else {
            options.time
        };
        let mut sides = Vec::new();
        for process in [original, &stage.server] {
            let scenario = scenario(process.port, name, round, options).await;
            sides.push(stage.side(process, &scenario, options.clients, time).await);
        }
        if round > 0
            && let Ok(sides) = sides.try_into()
        {
            rounds.push(sides);
        }
    }
    show(name, &rounds);
}

fn show(name: &str, rounds: &[[Side; 2]]) {
    let original = |of: fn(&Side) -> f64| median(rounds.iter().map(|[side, _]| of(side)));
    let server = |of: fn(&Side) -> f64| median(rounds.iter().map(|[_, side]| of(side)));
    let ratio = median(
        rounds
            .iter()
            .map(|[original, server]| server.load.per_second() / original.load.per_second()),
    );
    let cpu_ratio = median(
        rounds
            .iter()
            .map(|[original, server]| original.cpu_ms / server.cpu_ms),
    );
    println!(
        "| {name} | {:.0} | {:.0} | {ratio:.1} x | {:.0} / {:.0} | {:.1} / {:.1} | {:.2} | {:.3} | {cpu_ratio:.1} x | {} |",
        original(|side| side.load.per_second()),
        server(|side| side.load.per_second()),
        original(|side| side.load.percentile(50)),
        original(|side| side.load.percentile(99)),
        server(|side| side.load.percentile(50)),
        server(|side| side.load.percentile(99)),
        original(|side| side.cpu_ms),
        server(|side| side.cpu_ms),
        rounds
            .iter()
            .flatten()
            .map(|side| side.load.failed)
            .sum::<u64>(),
    );
}

async fn scenario(port: u16, name: &str, round: usize, options: &Options) -> Scenario {
    match name {
        "sign-in" => Scenario::SignIn {
            users: u64::from(options.users),
        },
        "sign-up" => Scenario::SignUp {
            run: format!("r{round}"),
        },
        _ => Scenario::Associate {
            run: format!("a{round}"),
            bearers: Arc::new(bearers(port, options.clients).await),
        },
    }
}

/// The environment's Python, without the caller's settings.
fn django(python: &Path, stage: &Stage) -> Command {
    let mut command = Command::new(python);
    for name in ["PYTHONPATH", "PYTHONHOME", "GUNICORN_CMD_ARGS"] {
        command.env_remove(name);
    }
    command
        .current_dir(PROJECT)
        .env("PYTHONPATH", PROJECT)
        .env("DJANGO_SETTINGS_MODULE", "original.settings")
        .env("ORIGINAL_DATABASE", &stage.databases.original_url)
        .env(
            "ORIGINAL_PROVIDER",
            format!("http://127.0.0.1:{}", stage.provider.port),
        );
    command
}

/// The Python of a virtual environment below the target folder, with what requirements.txt names; made the first time.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("original-venv");
    let python = folder.join("bin/python");
    let installed = folder.join("installed.txt");
    let wanted = fs::read_to_string(Path::new(PROJECT).join("requirements.txt")).unwrap();
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    must_succeed(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    );
    must_succeed(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "-r", "requirements.txt"])
            .current_dir(PROJECT),
    );
    fs::write(installed, wanted).unwrap();
    python
}

/// The comparison has no figures to show for an original that could not be set up.
#[track_caller]
fn must_succeed(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("the original cannot be set up: {command:?}: {error}"));
    assert!(
        output.status.success(),
        "the original cannot be set up: {command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
