//! Processes of the bench: started here, ended here, and what they cost as /proc tells it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::Connection;

/// The kernel's clock ticks per second, on every Linux there is.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process that ends with this.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// This binary in another role; it prints its port first.
    pub(crate) fn role(arguments: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--role")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let port = line.trim().parse();
        Self {
            child,
            port: port.expect("a role starts and prints its port"),
        }
    }

    /// The real server with the configuration `file`; its log goes to `log`. Returns at the first 200, and says how long that took.
    pub(crate) async fn latchkey(file: &Path, log: &Path) -> (Self, Duration) {
        let port = free_port();
        let started = Instant::now();
        let child = latchkey_command(file)
            .args(["serve", "--bind", &format!("127.0.0.1:{port}")])
            .stderr(fs::File::create(log).unwrap())
            .spawn()
            .unwrap();
        let process = Self { child, port };
        while started.elapsed() < Duration::from_secs(20) {
            if let Ok(mut connection) = Connection::open(port).await
                && let Ok(200) = connection
                    .call(b"GET /readyz HTTP/1.1\r\nhost: bench\r\n\r\n")
                    .await
            {
                return (process, started.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!(
            "the server does not start: {}",
            fs::read_to_string(log).unwrap_or_default()
        );
    }

    /// A child that was started, and answers on `port` already or soon.
    pub(crate) fn new(child: Child, port: u16) -> Self {
        Self { child, port }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Processor time used so far by it and its workers, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        family_cpu_seconds(self.child.id())
    }

    /// Memory of it and its workers, in MiB; what several share counts once.
    pub(crate) fn family_mib(&self) -> f64 {
        let pids = children_of(self.child.id()).chain([self.child.id()]);
        pids.map(|pid| mib(&format!("/proc/{pid}/smaps_rollup"), "Pss:"))
            .sum()
    }

    /// Resident memory, in MiB.
    pub(crate) fn rss_mib(&self) -> f64 {
        mib(&format!("/proc/{}/status", self.child.id()), "VmRSS:")
    }
}

/// A figure of a file that /proc gives in kB.
fn mib(file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib: f64 = line
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0.0);
    kib / 1024.0
}

/// A port that nobody listens on at the moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// The `latchkey` that was built with this bench, without the environment's settings.
pub(crate) fn latchkey_command(file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command
        .env_clear()
        .arg("--config")
        .arg(file)
        .stdout(Stdio::null());
    command
}

/// The fields of /proc/PID/stat behind the name: state is the first.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn field(fields: &[String], number: usize) -> Option<u64> {
    fields.get(number)?.parse().ok()
}

fn cpu_seconds_of(pid: u32) -> f64 {
    let ticks = stat(pid)
        .and_then(|fields| Some(field(&fields, 11)? + field(&fields, 12)?))
        .unwrap_or(0);
    f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / TICKS_PER_SECOND
}

/// The parent of a process.
pub(crate) fn parent_of(pid: u32) -> Option<u32> {
    u32::try_from(field(&stat(pid)?, 1)?).ok()
}

/// Processor time of a process and its living children, in seconds.
pub(crate) fn family_cpu_seconds(parent: u32) -> f64 {
    children_of(parent).map(cpu_seconds_of).sum::<f64>() + cpu_seconds_of(parent)
}

fn children_of(parent: u32) -> impl Iterator<Item = u32> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(move |pid| parent_of(*pid) == Some(parent))
}
