//! Headless Chromium, driven by the scripts of `tests/browser`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::{StaffClient, TestApp, node_script, skip};

/// Browsers that wait for their next job. They end when this process does, and with it their input.
static IDLE: Mutex<Vec<Driver>> = Mutex::new(Vec::new());

/// A browser, by the program that drives it.
struct Driver {
    _program: Child,
    jobs: ChildStdin,
    reports: BufReader<ChildStdout>,
}

impl Driver {
    /// One that is idle, or a new one. `None` when there can be none here.
    fn take() -> Option<Self> {
        if let Some(idle) = IDLE.lock().unwrap().pop() {
            return Some(idle);
        }
        let mut command = node_script("browser", "playwright-core", "run.mjs")?;
        let mut child = command
            .arg(chromium()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let jobs = child.stdin.take().unwrap();
        let reports = BufReader::new(child.stdout.take().unwrap());
        Some(Self {
            _program: child,
            jobs,
            reports,
        })
    }

    /// Does a job; gives the report. Whoever failed at one is given no other.
    fn run(mut self, script: &str, job: &Value) -> Value {
        writeln!(
            self.jobs,
            "{}",
            json!({ "script": format!("./{script}"), "job": job })
        )
        .unwrap();
        let mut report = String::new();
        self.reports.read_line(&mut report).unwrap();
        assert!(!report.is_empty(), "tests/browser/{script} failed");
        IDLE.lock().unwrap().push(self);
        serde_json::from_str(&report).unwrap()
    }
}

/// The browser, if there is one.
fn chromium() -> Option<PathBuf> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .map(|name| Path::new("/usr/bin").join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        skip("Chromium is not installed in /usr/bin: tests/run does that on Debian and Ubuntu");
    }
    found
}

/// Runs `script` with `job`, completed by where `app` answers and what the browsers of `visitors` hold. Gives its report; `None`
/// when it cannot run here.
pub(crate) async fn chromium_script(
    app: &TestApp,
    script: &str,
    visitors: &[(&str, &StaffClient)],
    mut job: Value,
) -> Option<Value> {
    let driver = Driver::take()?;
    job["origin"] = app.base.as_str().into();
    for (visitor, browser) in visitors {
        let cookies = browser.cookies();
        let cookies = cookies.map(|(name, value)| json!({"name": name, "value": value}));
        job["visitors"][visitor] = cookies.collect();
    }
    let name = script.to_owned();
    let run = move || driver.run(&name, &job);
    let report = tokio::task::spawn_blocking(run).await.unwrap();
    show_times(script, &report);
    Some(report)
}

/// Prints what took longest: shown when a test fails, and with `--nocapture`.
fn show_times(script: &str, report: &Value) {
    let mut times: Vec<(u64, &str)> = report["times"]
        .as_array()
        .unwrap()
        .iter()
        .map(|time| (time["ms"].as_u64().unwrap(), time["what"].as_str().unwrap()))
        .collect();
    let sum: u64 = times.iter().map(|(ms, _)| ms).sum();
    times.sort_unstable_by(|a, b| b.cmp(a));
    println!("{script}: {} looks, {sum} ms in all", times.len());
    for (ms, what) in times.iter().take(12) {
        println!("{ms:6} ms {what}");
    }
}

/// Checks that a report has no problem.
#[track_caller]
pub(crate) fn assert_nothing_wrong(report: &Value) {
    let problems: Vec<String> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
            format!("{} [{}] {}", text("path"), text("look"), text("what"))
        })
        .collect();
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}
