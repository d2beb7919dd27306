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
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
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

    /// Processor time used so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        cpu_seconds_of(self.child.id())
    }

    /// Resident memory, in MiB.
    pub(crate) fn rss_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line
            .and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or(0.0);
        kib / 1024.0
    }
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
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = pids
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| parent_of(*pid) == Some(parent));
    children.map(cpu_seconds_of).sum::<f64>() + cpu_seconds_of(parent)
}
