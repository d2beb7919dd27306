//! Audiences that are not ours, however near they come.

use serde_json::{Value, json};

use super::fixtures::{Kind, replace};
use super::scene::{Failures, for_every_entry, outcome};

/// What is not `ours` but looks like it.
fn look_alikes(ours: &str) -> Vec<Value> {
    let (first, last) = (&ours.chars().next().unwrap(), &ours.chars().last().unwrap());
    let without_first: String = ours.chars().skip(1).collect();
    let without_last = ours.strip_suffix(*last).unwrap();
    let mut found = vec![
        Value::Null,
        json!(""),
        json!(" "),
        json!(true),
        json!({}),
        json!([]),
        json!([""]),
        json!({ ours: true }),
        json!("someone-else"),
        json!(without_last),
        json!(without_first),
        json!(format!("{ours}{last}")),
        json!(format!("{first}{ours}")),
        json!(format!(" {ours}")),
        json!(format!("{ours} ")),
        json!(format!("{ours}\n")),
        json!(format!("{ours}\u{0}")),
        json!(format!("{ours},someone-else")),
        json!(format!("someone-else {ours}")),
        json!("*"),
    ];
    for folded in [ours.to_ascii_uppercase(), ours.to_ascii_lowercase()] {
        if folded != ours {
            found.push(json!(folded));
        }
    }
    if ours.bytes().all(|byte| byte.is_ascii_digit()) {
        found.push(json!(format!("0{ours}")));
        found.push(json!(format!("{ours}.0")));
    }
    found
}

#[tokio::test]
async fn a_check_that_does_not_name_our_application_is_refused() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        let id = &fixture.id;
        let names = !fixture.entry.audience.client_id.as_slice().is_empty()
            || fixture.expected.audience.is_some();
        if !names {
            return failures;
        }
        let check = fixture.check_endpoint().unwrap();
        for other in look_alikes(fixture.audience()) {
            scene.reset();
            let replaced = replace(scene.body(check), fixture.audience(), &other);
            failures.check(replaced > 0, || format!("{id}: no audience in {check}"));
            let result = scene.hand_in(Kind::AccessToken).await;
            failures.check(result.is_err(), || {
                format!("{id}: {other} was {}", outcome(&result))
            });
        }
        // The check answers, but says nothing.
        for nothing in [json!({}), json!([]), Value::Null, json!({"error": null})] {
            scene.reset();
            *scene.body(check) = nothing.clone();
            let result = scene.hand_in(Kind::AccessToken).await;
            failures.check(result.is_err(), || {
                format!("{id}: the check {nothing} was {}", outcome(&result))
            });
        }
        failures
    })
    .await;
}

/// OpenID Connect Core §3.1.3.7, numbers 3 to 5.
#[tokio::test]
async fn an_id_token_for_another_audience_is_refused() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        if fixture.id_token.is_none() {
            return failures;
        }
        let ours = fixture.client_id();
        let mut audiences = look_alikes(ours);
        audiences.push(json!(["someone-else"]));
        audiences.push(json!([format!("{ours}x"), "someone-else"]));
        for other in audiences {
            scene.reset();
            scene.claims["aud"] = other.clone();
            scene.claims.as_object_mut().unwrap().remove("azp");
            let result = scene.hand_in(Kind::IdToken).await;
            failures.check(result.is_err(), || {
                format!("{} aud {other}: {}", fixture.id, outcome(&result))
            });
        }
        for (azp, aud) in [
            (json!("someone-else"), json!([ours, "someone-else"])),
            (json!("someone-else"), json!(ours)),
            (json!(""), json!(ours)),
            (json!(ours), json!("someone-else")),
        ] {
            scene.reset();
            scene.claims["aud"] = aud.clone();
            scene.claims["azp"] = azp.clone();
            let result = scene.hand_in(Kind::IdToken).await;
            failures.check(result.is_err(), || {
                format!("{} aud {aud} azp {azp}: {}", fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}
