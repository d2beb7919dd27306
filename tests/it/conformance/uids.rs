//! The uid in every form in which it may come, and in none.

use serde_json::{Value, json};

use super::fixtures::{Kind, replace};
use super::scene::{Failures, HUGE_NUMBER, code, for_every_entry, outcome};

/// What is no uid.
fn wrong_uids() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(false),
        json!({}),
        json!({"id": "1"}),
        json!([]),
        json!(["1"]),
        json!(1.5),
        json!(1e30),
        json!(""),
        json!(" "),
        json!(" 1"),
        json!("1\n"),
        json!("1\u{0}"),
        json!("9".repeat(256)),
    ]
}

#[tokio::test]
async fn a_uid_of_the_wrong_type_or_form_is_refused() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        let id = &fixture.id;
        for kind in fixture.kinds() {
            if !matches!(kind, Kind::AccessToken | Kind::TokenPair) {
                continue;
            }
            let uid = &fixture.expected(kind).uid;
            let profile = fixture.profile_endpoint().unwrap();
            for wrong in wrong_uids() {
                scene.reset();
                let replaced = replace(scene.body(profile), uid, &wrong);
                failures.check(replaced > 0, || format!("{id}: no uid in {profile}"));
                let result = scene.hand_in(kind).await;
                failures.check(result.is_err(), || {
                    format!("{id} {kind:?}: {wrong} was {}", outcome(&result))
                });
            }
        }
        failures
    })
    .await;
}

#[tokio::test]
async fn a_uid_of_the_wrong_type_or_form_in_the_claims_is_refused() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        if fixture.id_token.is_none() {
            return failures;
        }
        for claim in fixture.uid_claims() {
            for wrong in wrong_uids() {
                scene.reset();
                scene.claims[&claim] = wrong.clone();
                let result = scene.hand_in(Kind::IdToken).await;
                failures.check(result.is_err(), || {
                    format!("{} {claim}: {wrong} was {}", fixture.id, outcome(&result))
                });
            }
            scene.reset();
            scene.claims.as_object_mut().unwrap().remove(&claim);
            let result = scene.hand_in(Kind::IdToken).await;
            failures.check(result.is_err(), || {
                format!("{}: no {claim} was {}", fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}

#[tokio::test]
async fn a_number_keeps_all_its_digits_and_zero_is_a_uid() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        let (placeholder, huge) = HUGE_NUMBER;
        for kind in fixture.kinds() {
            if !matches!(kind, Kind::AccessToken | Kind::TokenPair) {
                continue;
            }
            let uid = &fixture.expected(kind).uid;
            for (number, wanted) in [
                (json!(9_007_199_254_740_993_u64), "9007199254740993"),
                (json!(u64::MAX), "18446744073709551615"),
                (json!(placeholder), huge),
                (json!(0), "0"),
                (json!("0"), "0"),
                (json!("0042"), "0042"),
            ] {
                scene.reset();
                let endpoints: Vec<String> = scene.answers.keys().cloned().collect();
                for endpoint in endpoints {
                    replace(scene.body(&endpoint), uid, &number);
                }
                let result = scene.hand_in(kind).await;
                let kept = result
                    .as_ref()
                    .is_ok_and(|v| v.identity.uid.as_str() == wanted);
                failures.check(kept, || {
                    format!("{} {kind:?}: {wanted} was {}", fixture.id, outcome(&result))
                });
            }
        }
        failures
    })
    .await;
}

/// Otherwise a stranger's check could cover another person's profile.
#[tokio::test]
async fn a_check_about_another_person_than_the_profile_is_refused() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        let check = fixture.check_endpoint();
        if fixture.entry.audience.uid.is_none() || check == fixture.profile_endpoint() {
            return failures;
        }
        let uid = &fixture.expected(Kind::AccessToken).uid;
        let mut others = wrong_uids();
        others.extend([
            json!("987654321"),
            json!(987_654_321),
            json!(format!("{uid}0")),
            json!(uid.chars().skip(1).collect::<String>()),
            json!(format!("0{uid}")),
        ]);
        if uid.to_ascii_uppercase() != uid.to_ascii_lowercase() {
            let swapped: String = uid
                .chars()
                .map(|c| {
                    if c.is_ascii_lowercase() {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    }
                })
                .collect();
            others.push(json!(swapped));
        }
        for other in others {
            scene.reset();
            let replaced = replace(scene.body(check.unwrap()), uid, &other);
            failures.check(replaced > 0, || {
                format!("{}: no uid in the check", fixture.id)
            });
            let result = scene.hand_in(Kind::AccessToken).await;
            let refused = matches!(
                result.as_ref().map_err(code),
                Err("invalid_token"
                    | "wrong_audience"
                    | "social_auth_failed"
                    | "provider_unavailable")
            );
            failures.check(refused, || {
                format!("{}: {other} was {}", fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}
