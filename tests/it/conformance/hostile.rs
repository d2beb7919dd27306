//! Providers that are down, slow, or answer nonsense, at every endpoint of every kind of proof.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::fixtures::{Fixture, Kind};
use super::scene::{Failures, HASTY, MAX_ANSWER_BYTES, Scene, code, for_every_entry, outcome};
use crate::support::mock_provider::Misbehaviour;

/// Where a stray request would be seen.
const ELSEWHERE: &str = "GET elsewhere.example/";

/// The endpoints that a hand-in of this kind cannot do without.
async fn endpoints(scene: &mut Scene, kind: Kind) -> BTreeSet<String> {
    scene.reset();
    let before = scene.mock.requests().len();
    let result = scene.hand_in(kind).await;
    assert!(
        result.is_ok(),
        "{} {kind:?}: {}",
        scene.fixture.id,
        outcome(&result)
    );
    let optional: Vec<&str> = scene
        .fixture
        .entry
        .requests
        .iter()
        .filter(|request| request.optional)
        .map(|request| scene.fixture.endpoint_of(&request.name))
        .collect();
    scene.mock.requests()[before..]
        .iter()
        .map(|request| request.endpoint.clone())
        .filter(|endpoint| !optional.contains(&endpoint.as_str()))
        .collect()
}

/// Runs `misbehaviours` at every endpoint of every kind; `fits` judges the code of the refusal.
async fn at_every_endpoint(
    mut scene: Scene,
    total_timeout: Option<Duration>,
    misbehaviours: Vec<Misbehaviour>,
    fits: impl Fn(&Fixture, &str, &Misbehaviour, &str) -> bool,
) -> Failures {
    let mut failures = Failures::default();
    for kind in scene.fixture.kinds() {
        for endpoint in endpoints(&mut scene, kind).await {
            for misbehaviour in &misbehaviours {
                scene.reset();
                scene.total_timeout = total_timeout.unwrap_or(scene.total_timeout);
                scene.mock.misbehave_at(&endpoint, misbehaviour.clone());
                let result = scene.hand_in(kind).await;
                let refused = match result.as_ref().map_err(code) {
                    Ok(_) => false,
                    Err(code) => fits(scene.fixture, &endpoint, misbehaviour, code),
                };
                failures.check(refused, || {
                    let mut what = format!("{misbehaviour:?}");
                    what.truncate(60);
                    format!(
                        "{} {kind:?} {endpoint} {what}: {}",
                        scene.fixture.id,
                        outcome(&result)
                    )
                });
            }
        }
    }
    failures
}

/// Whether the endpoint holds keys or a discovery document: what it refuses says nothing about a proof.
fn is_infrastructure(fixture: &Fixture, endpoint: &str) -> bool {
    endpoint.contains("/.well-known/")
        || fixture
            .id_token
            .as_ref()
            .is_some_and(|recorded| recorded.endpoint == endpoint)
}

/// Whether a 401 at the endpoint says that our own credentials are wrong, which is nothing the caller could mend.
fn shows_our_secret(fixture: &Fixture, endpoint: &str) -> bool {
    fixture.entry.requests.iter().any(|request| {
        fixture.endpoint_of(&request.name) == endpoint
            && (request.basic_auth || request.form.contains_key("client_secret"))
    })
}

#[tokio::test]
async fn a_refusal_is_the_proofs_fault_and_never_an_outage() {
    for_every_entry(|scene| {
        at_every_endpoint(
            scene,
            None,
            [400, 401, 403, 404, 418].map(Misbehaviour::Status).into(),
            |fixture, endpoint, misbehaviour, code| {
                let ours = is_infrastructure(fixture, endpoint)
                    || (*misbehaviour == Misbehaviour::Status(401)
                        && shows_our_secret(fixture, endpoint));
                (code == "provider_unavailable") == ours
            },
        )
    })
    .await;
}

#[tokio::test]
async fn an_outage_is_told_from_a_refusal() {
    for_every_entry(|scene| {
        at_every_endpoint(
            scene,
            None,
            vec![
                Misbehaviour::Status(500),
                Misbehaviour::Status(502),
                Misbehaviour::Status(503),
                Misbehaviour::RateLimited {
                    retry_after_seconds: 7,
                },
                Misbehaviour::HangUp,
                Misbehaviour::CutOff,
            ],
            |_, _, _, code| code == "provider_unavailable",
        )
    })
    .await;
}

#[tokio::test]
async fn a_rate_limit_is_passed_on_with_its_time() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        for kind in scene.fixture.kinds() {
            scene.reset();
            scene.mock.misbehave(Misbehaviour::RateLimited {
                retry_after_seconds: 7,
            });
            let result = scene.hand_in(kind).await;
            let seconds = match &result {
                Err(latchkey::providers::ProviderError::Unavailable {
                    retry_after_seconds,
                    ..
                }) => *retry_after_seconds,
                _ => None,
            };
            failures.check(seconds == Some(7), || {
                format!("{} {kind:?}: {}", scene.fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}

#[tokio::test]
async fn a_slow_answer_ends_at_the_deadline() {
    for_every_entry(|scene| async move {
        let started = Instant::now();
        let id = scene.fixture.id.clone();
        let failures = at_every_endpoint(
            scene,
            Some(HASTY),
            vec![
                Misbehaviour::Silence(Duration::from_secs(5)),
                Misbehaviour::Drip(Duration::from_millis(50)),
            ],
            |_, _, _, code| code == "provider_unavailable",
        )
        .await;
        assert!(started.elapsed() < Duration::from_mins(1), "{id}");
        failures
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_outage() {
    for_every_entry(|scene| {
        at_every_endpoint(
            scene,
            None,
            vec![
                Misbehaviour::Html,
                Misbehaviour::Oversize(MAX_ANSWER_BYTES + 1),
                Misbehaviour::Truncated,
                Misbehaviour::InvalidUtf8,
                Misbehaviour::DuplicateKeys,
                Misbehaviour::Nested(33),
                Misbehaviour::Nested(10_000),
                Misbehaviour::Body(Vec::new()),
                Misbehaviour::Body(b"{".to_vec()),
                Misbehaviour::Body(b"{}{}".to_vec()),
                Misbehaviour::Body(b"\xEF\xBB\xBF{".to_vec()),
                Misbehaviour::Body(b"NaN".to_vec()),
            ],
            |_, _, _, code| code == "provider_unavailable",
        )
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_content_is_never_an_identity() {
    for_every_entry(|scene| {
        at_every_endpoint(
            scene,
            None,
            [
                "{}",
                "[]",
                "null",
                "true",
                "0",
                "\"text\"",
                "[{}]",
                "{\"data\":null}",
            ]
            .map(|body| Misbehaviour::Body(body.into()))
            .into(),
            |_, _, _, _| true,
        )
    })
    .await;
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    for_every_entry(|scene| async move {
        let origin = scene.mock.origin();
        at_every_endpoint(
            scene,
            None,
            vec![
                Misbehaviour::Redirect(format!("{origin}elsewhere.example/")),
                Misbehaviour::Redirect("/elsewhere.example/".to_owned()),
            ],
            |_, _, _, code| code == "provider_unavailable",
        )
        .await
    })
    .await;
}

#[tokio::test]
async fn a_redirect_leads_no_token_elsewhere() {
    for_every_entry(|scene| async move {
        let mut failures = Failures::default();
        let location = format!("{}elsewhere.example/", scene.mock.origin());
        scene.mock.misbehave(Misbehaviour::Redirect(location));
        for kind in scene.fixture.kinds() {
            let result = scene.hand_in(kind).await;
            let stayed = result.is_err() && scene.mock.count(ELSEWHERE) == 0;
            failures.check(stayed, || {
                format!("{} {kind:?}: {}", scene.fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}
