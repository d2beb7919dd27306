//! Good proofs, and the refusals that the providers themselves express.

use latchkey::domain::Member;
use latchkey::providers::provider::Verified;
use serde_json::Value;

use super::fixtures::{ACCESS_TOKEN, ExpectedIdentity, Kind, Refusal, fill};
use super::scene::{Failures, code, for_every_entry, outcome};
use crate::support::mock_provider::Misbehaviour;

/// Members of `extra_data` that do not come from the entry's lists.
const OF_THE_ENGINE: &[&str] = &[
    "access_token",
    "access_token_secret",
    "refresh_token",
    "id_token",
    "token_type",
    "auth_time",
    "expires_at",
    "scope",
    "client_id",
];

#[tokio::test]
async fn a_good_proof_yields_the_expected_identity() {
    for_every_entry(|scene| async move {
        let mut failures = Failures::default();
        for kind in scene.fixture.kinds() {
            let label = format!("{} {kind:?}", scene.fixture.id);
            match scene.hand_in(kind).await {
                Ok(verified) => {
                    compare(
                        &mut failures,
                        &label,
                        kind,
                        &verified,
                        scene.fixture.expected(kind),
                    );
                }
                Err(error) => failures.check(false, || format!("{label}: {error}")),
            }
            for request in scene.mock.requests() {
                failures.check(request.expected, || {
                    format!("{label}: asked {}, which is not recorded", request.endpoint)
                });
            }
        }
        failures
    })
    .await;
}

fn compare(
    failures: &mut Failures,
    label: &str,
    kind: Kind,
    verified: &Verified,
    expected: &ExpectedIdentity,
) {
    let identity = &verified.identity;
    let mut check = |what: &str, got: &str, wanted: &str| {
        failures.check(got == wanted, || {
            format!("{label}: {what} is {got:?}, not {wanted:?}")
        });
    };
    check("uid", identity.uid.as_str(), &expected.uid);
    check(
        "username",
        &format!("{:?}", identity.username),
        &format!("{:?}", expected.username),
    );
    check(
        "email",
        &format!("{:?}", identity.email),
        &format!("{:?}", expected.email),
    );
    check(
        "email_verified",
        &identity.email_verified.to_string(),
        &expected.email_verified.to_string(),
    );
    check("first_name", &identity.first_name, &expected.first_name);
    check("last_name", &identity.last_name, &expected.last_name);
    compare_extra_data(failures, label, kind, verified, expected);
}

fn compare_extra_data(
    failures: &mut Failures,
    label: &str,
    kind: Kind,
    verified: &Verified,
    expected: &ExpectedIdentity,
) {
    for (name, wanted) in &expected.extra_data {
        // What the token endpoint says about a token comes in its own words.
        if kind == Kind::Code && OF_THE_ENGINE.contains(&name.as_str()) {
            continue;
        }
        let mut wanted = wanted.clone();
        fill(&mut wanted, ACCESS_TOKEN, "");
        let got = match verified.extra_data.get(name) {
            Some(Member::Plain(value)) => value.clone(),
            Some(Member::Secret(_)) => Value::String("[secret]".to_owned()),
            None => Value::Null,
        };
        failures.check(got == wanted, || {
            format!("{label}: extra_data.{name} is {got}, not {wanted}")
        });
    }
    for (name, member) in verified.extra_data.iter() {
        let known = expected.extra_data.contains_key(name) || OF_THE_ENGINE.contains(&name);
        failures.check(known || kind == Kind::Code, || {
            format!("{label}: extra_data.{name} was not asked for")
        });
        let sealed = matches!(member, Member::Secret(_));
        failures.check(
            sealed == (name.ends_with("_token") || name == "access_token_secret"),
            || format!("{label}: extra_data.{name} is sealed: {sealed}"),
        );
    }
}

#[tokio::test]
async fn the_handed_in_access_token_is_kept_though_no_provider_echoes_it() {
    for_every_entry(|scene| async move {
        let mut failures = Failures::default();
        for kind in scene.fixture.kinds() {
            if !matches!(kind, Kind::AccessToken | Kind::TokenPair) {
                continue;
            }
            let verified = scene.hand_in(kind).await;
            let kept = verified
                .as_ref()
                .ok()
                .and_then(|v| v.extra_data.get("access_token"));
            failures.check(
                matches!(kept, Some(Member::Secret(token)) if token.expose() == ACCESS_TOKEN),
                || format!("{} {kind:?}: {}", scene.fixture.id, outcome(&verified)),
            );
        }
        failures
    })
    .await;
}

#[tokio::test]
async fn every_request_carries_the_access_token_and_no_query_our_secret() {
    for_every_entry(|scene| async move {
        let mut failures = Failures::default();
        let secret = scene.settings.client_secret.clone();
        for kind in scene.fixture.kinds() {
            if !matches!(kind, Kind::AccessToken | Kind::TokenPair) {
                continue;
            }
            let _ = scene.hand_in(kind).await;
            for request in scene.mock.requests() {
                let discovery = request.endpoint.contains("/.well-known/");
                failures.check(discovery || request.carries(ACCESS_TOKEN), || {
                    format!("{}: {} lacks the token", scene.fixture.id, request.endpoint)
                });
                // Facebook documents its app token (our id and secret) as a parameter and in no other place.
                let documented = request.endpoint.ends_with("/debug_token");
                let shown = secret
                    .as_ref()
                    .is_some_and(|secret| request.query.contains(secret.expose()) && !documented);
                failures.check(!shown, || {
                    format!(
                        "{}: {} shows our secret",
                        scene.fixture.id, request.endpoint
                    )
                });
            }
        }
        failures
    })
    .await;
}

#[tokio::test]
async fn a_foreign_an_expired_and_a_revoked_token_are_refused_as_the_provider_says_it() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        let cases = [
            ("foreign", &fixture.foreign),
            ("expired", &fixture.expired),
            ("revoked", &fixture.revoked),
        ];
        for kind in fixture.kinds() {
            if !matches!(kind, Kind::AccessToken | Kind::TokenPair) {
                continue;
            }
            for (name, refusal) in &cases {
                let Some(Refusal { expect, answers }) = refusal else {
                    continue;
                };
                scene.reset();
                scene.override_answers(answers);
                scene.settings.allow_unbound_tokens =
                    expect != "unbound_token" && fixture.settings_allow_unbound();
                let result = scene.hand_in(kind).await;
                failures.check(outcome(&result) == *expect, || {
                    format!("{} {name}: {}, not {expect}", fixture.id, outcome(&result))
                });
            }
        }
        failures
    })
    .await;
}

#[tokio::test]
async fn an_access_token_that_proves_nothing_is_refused_before_the_provider_is_asked() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        scene.settings.allow_unbound_tokens = false;
        if scene.fixture.settings_allow_unbound() {
            let result = scene.hand_in(Kind::AccessToken).await;
            failures.check(outcome(&result) == "unbound_token", || {
                format!("{}: {}", scene.fixture.id, outcome(&result))
            });
            failures.check(scene.mock.requests().is_empty(), || {
                format!("{}: asked", scene.fixture.id)
            });
        }
        if !scene.fixture.kinds().contains(&Kind::TokenPair)
            && !scene.fixture.kinds().contains(&Kind::AccessToken)
        {
            let result = scene.hand_in(Kind::AccessToken).await;
            let refused = matches!(
                result.as_ref().map_err(code),
                Err("unbound_token" | "proof_not_taken")
            );
            failures.check(refused, || {
                format!("{}: {}", scene.fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}

#[tokio::test]
async fn a_code_that_the_provider_refuses_is_refused() {
    for_every_entry(|scene| async move {
        let mut failures = Failures::default();
        if scene.fixture.kinds().contains(&Kind::Code) {
            let result = scene.hand_in_bad_code().await;
            let refused = matches!(
                result.as_ref().map_err(code),
                Err("invalid_token" | "expired_token" | "social_auth_failed")
            );
            failures.check(refused, || {
                format!("{}: {}", scene.fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}

/// The list of addresses must not stand in the way of a sign-in.
#[tokio::test]
async fn a_sign_in_goes_on_without_an_optional_answer() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        for request in &scene.fixture.entry.requests {
            if !request.optional {
                continue;
            }
            let endpoint = scene.fixture.endpoint_of(&request.name).to_owned();
            for misbehaviour in [
                Misbehaviour::Status(403),
                Misbehaviour::Status(404),
                Misbehaviour::Status(500),
                Misbehaviour::Html,
                Misbehaviour::HangUp,
            ] {
                scene.reset();
                scene.mock.misbehave_at(&endpoint, misbehaviour.clone());
                let result = scene.hand_in(Kind::AccessToken).await;
                let goes_on = result.as_ref().is_ok_and(|v| !v.identity.email_verified);
                failures.check(goes_on, || {
                    format!("{endpoint} {misbehaviour:?}: {}", outcome(&result))
                });
            }
        }
        failures
    })
    .await;
}

/// An id token of one person and an access token of another.
#[tokio::test]
async fn an_access_token_beside_an_id_token_is_the_same_persons_or_refused() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        if !fixture.kinds().contains(&Kind::IdToken) || fixture.entry.requests.is_empty() {
            return failures;
        }
        if let Some(claims) = scene.claims.as_object_mut() {
            claims.remove("at_hash");
        }
        let uid = fixture.expected(Kind::IdToken).uid.clone();
        let same = scene.hand_in_both().await;
        failures.check(
            same.as_ref().is_ok_and(|v| v.identity.uid.as_str() == uid),
            || format!("{} same person: {}", fixture.id, outcome(&same)),
        );

        let profile = fixture.profile_endpoint().unwrap().to_owned();
        super::fixtures::replace(scene.body(&profile), &uid, &"987654321".into());
        let other = scene.hand_in_both().await;
        failures.check(
            matches!(
                other.as_ref().map_err(code),
                Err("invalid_token" | "wrong_audience" | "unbound_token")
            ),
            || format!("{} other person: {}", fixture.id, outcome(&other)),
        );
        failures
    })
    .await;
}
