//! Providers that misbehave.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::mock_provider::{Misbehaviour, MockProvider};
use crate::support::{Answer, Backend, TestApp, database};

const CHECK: &str = "POST api.github.com/applications/Iv1.faults/token";
const USER: &str = "GET api.github.com/user";

/// GitHub behind `origin`, and the fake provider.
fn config(origin: &str, more: &str) -> String {
    format!(
        "[development]\nprovider_origin = \"{origin}\"\n[providers.fake]\n\
         [providers.github]\nclient_id = \"Iv1.faults\"\nclient_secret = \"faults-secret\"\n{more}"
    )
}

/// Lets GitHub say that every token is ours and Ada's.
fn script(provider: &MockProvider) {
    provider.answer(
        CHECK,
        &json!({ "app": { "client_id": "Iv1.faults" }, "user": { "id": 583_231 }, "scopes": [] }),
    );
    provider.answer(
        USER,
        &json!({ "login": "ada", "id": 583_231, "name": "Ada Okafor" }),
    );
    provider.answer("GET api.github.com/user/emails", &json!([]));
}

fn hand_in() -> Value {
    json!({ "provider": "github", "access_token": "gho_faults" })
}

/// A server and its provider.
async fn scene(backend: Backend, more: &str) -> Option<(TestApp, MockProvider)> {
    let provider = MockProvider::start().await;
    script(&provider);
    let origin = provider.origin();
    let app = TestApp::spawn(
        backend,
        &config(origin.as_str().trim_end_matches('/'), more),
    )?;
    Some((app, provider))
}

fn retry_after(answer: &Answer) -> &str {
    answer.headers["retry-after"].to_str().unwrap()
}

/// The service as such is well: readiness does not depend on providers.
async fn assert_ready(app: &TestApp) {
    assert_eq!(app.get("/readyz", None).await.status, 200);
}

/// The resident memory of this process, server and test alike, in bytes; `None` where the system does not tell.
fn resident_bytes() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(statm.split(' ').nth(1)?.parse::<usize>().unwrap() * 4096)
}

async fn every_misbehaviour(backend: Backend) {
    let Some((app, provider)) = scene(backend, "[outbound]\ntotal_timeout_ms = 700\n").await else {
        return;
    };
    let faults = [
        Misbehaviour::HangUp,
        Misbehaviour::CutOff,
        Misbehaviour::Silence(Duration::from_secs(2)),
        Misbehaviour::Drip(Duration::from_millis(30)),
        Misbehaviour::Status(500),
        Misbehaviour::Status(502),
        Misbehaviour::Status(503),
        Misbehaviour::RateLimited {
            retry_after_seconds: 7,
        },
        Misbehaviour::Html,
        Misbehaviour::Body(b"\x00\xff garbage".to_vec()),
        Misbehaviour::Body(Vec::new()),
        Misbehaviour::Truncated,
        Misbehaviour::InvalidUtf8,
        Misbehaviour::DuplicateKeys,
        Misbehaviour::Nested(10_000),
        Misbehaviour::Oversize(20 << 20),
        Misbehaviour::Redirect("https://api.github.com/elsewhere".to_owned()),
    ];
    let mut users = 0;
    for fault in faults {
        for endpoint in [CHECK, USER] {
            provider.misbehave_at(endpoint, fault.clone());
            let (started, before) = (Instant::now(), resident_bytes());

            let answer = app.hand_in(&hand_in()).await;

            let took = started.elapsed();
            assert_eq!(
                (answer.status, &answer.body["code"]),
                (503, &json!("provider_unavailable")),
                "{fault:?} at {endpoint}"
            );
            answer.assert_refused(503, "provider_unavailable");
            assert_eq!(answer.body["errors"], "Error with social authentication");
            assert!(took < Duration::from_secs(3), "{fault:?} took {took:?}");
            if let Misbehaviour::RateLimited { .. } = fault {
                assert_eq!(retry_after(&answer), "7");
            }
            if let (Misbehaviour::Oversize(_), Some(before), Some(after)) =
                (&fault, before, resident_bytes())
            {
                // The provider in this process holds the answer, too: 20 MiB, copied twice.
                assert!(after.saturating_sub(before) < 128 << 20);
            }
            assert_eq!(app.counts(), (users, users), "{fault:?}");
            assert_ready(&app).await;

            provider.behave();
            let answer = app.hand_in(&hand_in()).await;
            assert_eq!(answer.status, 201, "after {fault:?}: {:?}", answer.body);
            users = 1;
        }
    }
    database::assert_sound(app.database_url());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_misbehaviour_is_an_outage_and_over_when_it_is_over_on_sqlite() {
    every_misbehaviour(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_misbehaviour_is_an_outage_and_over_when_it_is_over_on_postgres() {
    every_misbehaviour(Backend::Postgres).await;
}

#[tokio::test]
async fn a_provider_that_refuses_connections_is_an_outage_until_it_listens() {
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let toml = config(&format!("http://127.0.0.1:{port}"), "");
    let app = TestApp::spawn(Backend::Sqlite, &toml).unwrap();

    let refused = app.hand_in(&hand_in()).await;
    let provider = MockProvider::start_at(port).await;
    script(&provider);
    let accepted = app.hand_in(&hand_in()).await;

    refused.assert_refused(503, "provider_unavailable");
    accepted.assert_outcome("signed_up");
}

#[tokio::test]
async fn a_provider_that_never_answers_costs_six_seconds_at_most() {
    let (app, provider) = scene(Backend::Sqlite, "").await.unwrap();
    provider.misbehave(Misbehaviour::Silence(Duration::from_secs(20)));
    let started = Instant::now();

    let answer = app.hand_in(&hand_in()).await;

    answer.assert_refused(503, "provider_unavailable");
    let took = started.elapsed();
    assert!(
        took > Duration::from_secs(4) && took < Duration::from_secs(6),
        "{took:?}"
    );
    assert_eq!(app.counts(), (0, 0));
}

#[tokio::test]
async fn the_circuit_opens_after_repeated_outages_and_closes_after_the_recovery() {
    let (app, provider) = scene(Backend::Sqlite, "").await.unwrap();
    provider.misbehave(Misbehaviour::Status(503));
    for _ in 0..10 {
        let answer = app.hand_in(&hand_in()).await;
        answer.assert_refused(503, "provider_unavailable");
    }
    let asked = provider.requests().len();
    provider.behave();

    let answer = app.hand_in(&hand_in()).await;

    answer.assert_refused(503, "provider_unavailable");
    assert_eq!(retry_after(&answer), "1");
    assert_eq!(
        provider.requests().len(),
        asked,
        "it was asked all the same"
    );
    let metrics = app.get("/metrics", None).await.body;
    assert!(
        metrics
            .as_str()
            .unwrap()
            .contains("latchkey_provider_circuit_open{provider=\"github\"} 1")
    );
    assert_ready(&app).await;

    let deadline = Instant::now() + Duration::from_secs(10);
    while app.hand_in(&hand_in()).await.status != 201 {
        assert!(Instant::now() < deadline, "it does not close");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let metrics = app.get("/metrics", None).await.body;
    assert!(
        metrics
            .as_str()
            .unwrap()
            .contains("latchkey_provider_circuit_open{provider=\"github\"} 0")
    );
}

/// The slowest but one of a hundred sign-ins through the fake provider, four at a time.
async fn p99(app: &TestApp, body: &Value) -> Duration {
    let mut times = Vec::new();
    for _ in 0..25 {
        times.extend(
            join_all((0..4).map(|_| async {
                let started = Instant::now();
                app.hand_in(body).await.assert_outcome("signed_in");
                started.elapsed()
            }))
            .await,
        );
    }
    times.sort();
    times[98]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_hangs_does_not_slow_another() {
    let (app, provider) = scene(Backend::Sqlite, "").await.unwrap();
    let body = app.access_token_of("ada").await;
    app.hand_in(&body).await.assert_outcome("signed_up");
    let quiet = p99(&app, &body).await;
    provider.misbehave(Misbehaviour::Silence(Duration::from_secs(20)));

    let hanging = async {
        let github = hand_in();
        join_all((0..80).map(|_| app.hand_in(&github))).await
    };
    let measured = async {
        while provider.requests().len() < 64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        p99(&app, &body).await
    };
    let (refused, busy) = tokio::join!(hanging, measured);

    for answer in refused {
        answer.assert_refused(503, "provider_unavailable");
    }
    // Loose: other tests run on the same cores. A shared queue would cost seconds.
    assert!(
        busy < quiet * 5 + Duration::from_millis(200),
        "{quiet:?} became {busy:?}"
    );
}
