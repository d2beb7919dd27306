//! The load: closed loops over kept connections, or an open loop at a fixed rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::http::Connection;

/// What a client sends.
#[derive(Clone)]
pub(crate) enum Scenario {
    /// People who are there.
    SignIn { users: u64 },
    /// A new uid each time; the texts of all runs differ.
    SignUp { run: String },
    /// As [`Scenario::SignUp`], by the bearer of this client.
    Associate {
        run: String,
        bearers: Arc<Vec<String>>,
    },
    /// One id token after the other.
    IdToken { tokens: Arc<Vec<String>> },
    /// The user behind this client's bearer.
    Me { bearers: Arc<Vec<String>> },
    /// One of several providers, with a token of its choice.
    Provider {
        names: Arc<Vec<String>>,
        hanging: Option<usize>,
    },
    /// The provider itself.
    Direct,
}

impl Scenario {
    fn expected(&self) -> u16 {
        match self {
            Self::Me { .. } | Self::Direct => 200,
            _ => 201,
        }
    }

    /// The request number `sequence` of this run, sent by `client`.
    fn request(&self, client: usize, sequence: u64) -> String {
        match self {
            Self::SignIn { users } => {
                let user = 1 + (sequence * 7919) % users;
                hand_in("bench", "access_token", &format!("t-u{user}"), None)
            }
            Self::SignUp { run } => {
                hand_in("bench", "access_token", &format!("t-{run}n{sequence}"), None)
            }
            Self::Associate { run, bearers } => {
                let token = format!("t-{run}n{sequence}");
                hand_in("bench", "access_token", &token, bearers.get(client % bearers.len()))
            }
            Self::IdToken { tokens } => {
                let which = usize::try_from(sequence).unwrap_or(0) % tokens.len();
                let token = tokens.get(which).map_or("", String::as_str);
                hand_in("bench", "id_token", token, None)
            }
            Self::Me { bearers } => {
                let bearer = bearers.get(client % bearers.len()).map_or("", String::as_str);
                format!("GET /me HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {bearer}\r\n\r\n")
            }
            Self::Provider { names, hanging } => {
                let which = client % names.len();
                let token = if *hanging == Some(which) { "hang".to_owned() } else { format!("t-p{client}") };
                let name = names.get(which).map_or("", String::as_str);
                hand_in(name, "access_token", &token, None)
            }
            Self::Direct => {
                "GET /bench.example/me HTTP/1.1\r\nhost: bench.example\r\nauthorization: Bearer t-u1\r\n\r\n".to_owned()
            }
        }
    }

    /// Whether a refusal of this client is what the scenario is about.
    fn may_fail(&self, client: usize) -> bool {
        matches!(self, Self::Provider { names, hanging: Some(which) } if client % names.len() == *which)
    }
}

fn hand_in(provider: &str, proof: &str, token: &str, bearer: Option<&String>) -> String {
    let body = format!(r#"{{"provider":"{provider}","{proof}":"{token}"}}"#);
    let authorization = bearer.map_or(String::new(), |bearer| {
        format!("authorization: Bearer {bearer}\r\n")
    });
    format!(
        "POST /social_sign_up/ HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// When a run ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Elapsed(Duration),
    Sent(u64),
}

/// What a run brought.
#[derive(Default)]
pub(crate) struct Load {
    /// Sorted, in microseconds; those that may fail are left out.
    pub(crate) latencies_us: Vec<u32>,
    /// Answers with another status than expected.
    pub(crate) failed: u64,
    pub(crate) seconds: f64,
}

impl Load {
    pub(crate) fn count(&self) -> f64 {
        f64::from(u32::try_from(self.latencies_us.len()).unwrap_or(u32::MAX))
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.count() / self.seconds
    }

    /// In milliseconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let last = self.latencies_us.len().saturating_sub(1);
        let at = self.latencies_us.get(last * percent / 100);
        f64::from(at.copied().unwrap_or(0)) / 1000.0
    }

    fn merge(&mut self, other: Self) {
        self.latencies_us.extend(other.latencies_us);
        self.failed += other.failed;
    }
}

/// Runs `clients` closed loops; each thinks for `think` between two requests.
pub(crate) async fn closed_loop(
    port: u16,
    scenario: &Scenario,
    clients: usize,
    until: Until,
    think: Duration,
) -> Load {
    let sequence = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let (scenario, sequence) = (scenario.clone(), Arc::clone(&sequence));
        tasks.spawn(async move {
            let mut connection = Connection::open(port).await.unwrap();
            let mut load = Load::default();
            loop {
                let number = sequence.fetch_add(1, Ordering::Relaxed);
                let ends = match until {
                    Until::Elapsed(time) => started.elapsed() >= time,
                    Until::Sent(count) => number >= count,
                };
                if ends {
                    return load;
                }
                let request = scenario.request(client, number);
                exchange(
                    &mut connection,
                    port,
                    &scenario,
                    client,
                    &request,
                    Instant::now(),
                    &mut load,
                )
                .await;
                if !think.is_zero() {
                    tokio::time::sleep(think).await;
                }
            }
        });
    }
    gather(tasks, started).await
}

/// Sends `rate` requests per second for `time`, whether or not answers come. A request's time counts from when it was due.
pub(crate) async fn open_loop(
    port: u16,
    scenario: &Scenario,
    clients: usize,
    rate: u32,
    time: Duration,
) -> Load {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let scenario = scenario.clone();
        tasks.spawn(async move {
            let mut connection = Connection::open(port).await.unwrap();
            let mut load = Load::default();
            for round in 0_u32.. {
                let number =
                    round * u32::try_from(clients).unwrap() + u32::try_from(client).unwrap();
                let due = started + Duration::from_secs(1) * number / rate;
                if due - started >= time {
                    break;
                }
                let request = scenario.request(client, u64::from(number));
                // A timer that fires late is our own doing; a connection that is still busy is not.
                let from = if Instant::now() < due {
                    tokio::time::sleep_until(due).await;
                    Instant::now()
                } else {
                    due
                };
                exchange(
                    &mut connection,
                    port,
                    &scenario,
                    client,
                    &request,
                    from,
                    &mut load,
                )
                .await;
            }
            load
        });
    }
    gather(tasks, started).await
}

async fn gather(mut tasks: JoinSet<Load>, started: Instant) -> Load {
    let mut load = Load::default();
    while let Some(one) = tasks.join_next().await {
        load.merge(one.unwrap());
    }
    load.seconds = started.elapsed().as_secs_f64();
    load.latencies_us.sort_unstable();
    load
}

async fn exchange(
    connection: &mut Connection,
    port: u16,
    scenario: &Scenario,
    client: usize,
    request: &str,
    from: Instant,
    load: &mut Load,
) {
    match connection.call(request.as_bytes()).await {
        _ if scenario.may_fail(client) => {}
        Ok(status) if status == scenario.expected() => {
            load.latencies_us
                .push(u32::try_from(from.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        Ok(_) => load.failed += 1,
        Err(_) => {
            load.failed += 1;
            *connection = Connection::open(port).await.unwrap();
        }
    }
}
