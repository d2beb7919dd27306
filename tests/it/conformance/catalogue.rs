//! What holds for the text of every entry.

use std::collections::BTreeSet;

use latchkey::providers::entry::{AudienceProof, Request};

use super::fixtures::{self, Kind};
use super::scene::Failures;

#[test]
fn every_entry_has_its_fixtures() {
    let mut failures = Failures::default();
    for fixture in fixtures::all() {
        let id = &fixture.id;
        for kind in fixture.kinds() {
            fixture.expected(kind);
            let recorded = match kind {
                Kind::AccessToken | Kind::TokenPair => {
                    fixture.foreign.is_some()
                        && fixture.expired.is_some()
                        && fixture.revoked.is_some()
                }
                Kind::IdToken => fixture.id_token.is_some(),
                Kind::Code => fixture.token_answer.is_some(),
            };
            failures.check(recorded, || format!("{id}: {kind:?} lacks recorded cases"));
        }
        for Request { name, .. } in &fixture.entry.requests {
            fixture.endpoint_of(name);
        }
    }
    failures.finish();
}

#[test]
fn no_folder_of_fixtures_is_without_an_entry() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/providers");
    let ids: BTreeSet<String> = fixtures::catalogue_ids().into_iter().collect();

    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            let id = path.file_name().unwrap().to_str().unwrap();
            assert!(ids.contains(id), "no entry is called {id}");
        }
    }
}

#[test]
fn every_entry_cites_its_source_and_when_it_was_checked() {
    let mut failures = Failures::default();
    for fixture in fixtures::all() {
        let entry = &fixture.entry;
        let cited = entry
            .docs
            .as_deref()
            .is_some_and(|docs| docs.starts_with("https://"));
        let checked = entry
            .checked
            .as_deref()
            .is_some_and(|day| day.len() == 10 && day.starts_with("20"));
        failures.check(cited && checked, || fixture.id.clone());
    }
    failures.finish();
}

/// A check that names no application would accept any application's token.
#[test]
fn every_check_names_the_application() {
    let mut failures = Failures::default();
    for fixture in fixtures::all() {
        let audience = &fixture.entry.audience;
        let names = !audience.client_id.as_slice().is_empty()
            || audience.equals.values().any(|value| value.contains('{'));
        let holds = match audience.proof {
            AudienceProof::DebugToken | AudienceProof::Tokeninfo | AudienceProof::Introspection => {
                audience.request.is_some() && names
            }
            AudienceProof::AppCheck
            | AudienceProof::Oauth1Signature
            | AudienceProof::SecretProof => audience.request.is_some(),
            AudienceProof::IdToken | AudienceProof::None => audience.reason.is_some(),
        };
        failures.check(holds, || format!("{}: {audience:?}", fixture.id));
    }
    failures.finish();
}

/// A check that names the person is compared with the profile; otherwise two answers could be about two people.
#[test]
fn every_check_that_names_the_person_is_compared_with_the_profile() {
    let mut failures = Failures::default();
    for fixture in fixtures::all() {
        let (Some(check), Some(expected)) =
            (fixture.check_endpoint(), &fixture.expected.access_token)
        else {
            continue;
        };
        let mut body = fixture.answers[check].body.clone();
        let names_person = fixtures::replace(&mut body, &expected.uid, &"".into()) > 0;
        failures.check(
            !names_person || fixture.entry.audience.uid.is_some(),
            || format!("{}: [audience] lacks uid", fixture.id),
        );
    }
    failures.finish();
}
