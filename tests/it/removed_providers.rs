//! A provider that is taken out of the configuration while users depend on it.

use std::collections::BTreeSet;

use crate::support::{Place, Process, Ran, database, in_place};

const DEVELOPMENT: &str = "[providers.fake]\n";

/// `sub` and others sign up with the fake provider, and the service stops. Its keys are there from then on.
async fn sign_up(place: &Place, subs: &[&str]) {
    let server = place.serve(DEVELOPMENT);
    server.ready().await;
    for sub in subs {
        server.hand_in_of(sub).await.assert_outcome("signed_up");
    }
    server.signal("TERM");
    assert!(server.ended().0.success());
}

/// Gives the user with this account of the fake provider another one, at `provider`.
fn associate(place: &Place, sub: &str, provider: &str) {
    database::execute(
        place.url(),
        &format!(
            "INSERT INTO social_auth (user_id, provider, uid, email_verified, extra_data, created_at, modified_at) \
             SELECT user_id, '{provider}', uid, email_verified, extra_data, created_at, modified_at FROM social_auth \
             WHERE provider = 'fake' AND uid = '{sub}'"
        ),
    );
}

/// A configuration for production with GitHub on, and `first` above all tables.
fn production(place: &Place, first: &str, more: &str) -> String {
    format!(
        "environment = \"production\"\n{first}\n[server]\npublic_url = \"https://id.example.org\"\n[database]\nurl = \"{}\"\n\
         [providers.github]\nclient_id = \"x\"\nclient_secret = \"y\"\n{more}",
        place.url()
    )
}

/// What the start and the check of a configuration say that they refuse.
#[track_caller]
fn refused(place: &Place, toml: &str, words: &[&str]) {
    let mut serve = place.serve_command(&[], "127.0.0.1:0", place.url(), toml);
    let said = Ran::from(serve.output().unwrap()).failed_with(words);
    assert!(!said.contains("Listening"), "{said}");
    let before = files(place);
    place.run(&["config", "check"]).failed_with(words);
    assert_eq!(files(place), before, "the check left something behind");
}

/// Starts the service, which the check has nothing against.
#[track_caller]
fn accepted(place: &Place, toml: &str) -> Process {
    let server = place.serve(toml);
    let checked = place.run(&["config", "check"]).succeeded();
    assert_eq!(checked.lines().count(), 1, "{checked}");
    server
}

fn files(place: &Place) -> BTreeSet<String> {
    let entries = std::fs::read_dir(place.folder()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

in_place!(
    production_does_not_start_without_a_provider_that_users_depend_on,
    |place| {
        sign_up(&place, &["ada", "bea"]).await;

        refused(
            &place,
            &production(&place, "", ""),
            &[
                "providers.fake is gone from the configuration, and 2 users have no other way in",
                "`enabled = false`",
                "removed_providers = [\"fake\"]",
            ],
        );
        associate(&place, "ada", "github");
        refused(
            &place,
            &production(&place, "", ""),
            &["and 1 user has no other way in"],
        );
        associate(&place, "bea", "github");
        accepted(&place, &production(&place, "", ""));
        let accounts = "SELECT count(*) AS number FROM social_auth";
        assert_eq!(database::number(place.url(), accounts), 4);
    }
);

in_place!(
    a_removal_is_accepted_by_name_and_switching_off_is_no_removal,
    |place| {
        sign_up(&place, &["ada"]).await;

        let off = production(&place, "", "[providers.fake]\nenabled = false\n");
        accepted(&place, &off);
        let accepts = production(&place, "removed_providers = [\"fake\"]", "");
        accepted(&place, &accepts);
        let other = production(&place, "removed_providers = [\"google\"]", "");
        refused(
            &place,
            &other,
            &["removed_providers = [\"google\", \"fake\"]"],
        );
        // Back again, and still on the list.
        let both = off.replace("\n[server]", "\nremoved_providers = [\"fake\"]\n[server]");
        refused(
            &place,
            &both,
            &["removed_providers names `fake`, which is configured"],
        );
    }
);

in_place!(
    two_providers_that_are_gone_are_no_way_in_for_each_other,
    |place| {
        sign_up(&place, &["ada"]).await;
        associate(&place, "ada", "gitlab-work");

        refused(
            &place,
            &production(&place, "", ""),
            &[
                "providers.fake is gone from the configuration, and 1 user has",
                "providers.gitlab-work is gone from the configuration, and 1 user has",
            ],
        );
        // Accepting one of them does not make it a way in.
        refused(
            &place,
            &production(&place, "removed_providers = [\"fake\"]", ""),
            &["providers.gitlab-work is gone from the configuration, and 1 user has"],
        );
    }
);

in_place!(development_starts_and_tells, |place| {
    sign_up(&place, &["ada"]).await;
    let toml = format!("[database]\nurl = \"{}\"\n", place.url());

    let server = place.serve(&toml);

    let said = server.output_with("production would not start");
    assert!(
        said.contains("providers.fake is gone from the configuration, and 1 user has"),
        "{said}"
    );
    // The log stands beside the database while the service runs, and the check reads it as well.
    let checked = place.run(&["config", "check"]).succeeded();
    for words in [
        "The configuration is valid: 0 providers are on.",
        "In production it would not be:",
        "providers.fake is gone from the configuration, and 1 user has",
    ] {
        assert!(checked.contains(words), "{words}: {checked}");
    }
});

#[test]
fn a_check_that_cannot_look_says_so_and_makes_no_database() {
    let place = Place::with(None);
    let not_told = "it cannot be told whether users depend on providers that are gone";

    place.write("latchkey.toml", "");
    let absent = place.run(&["config", "check"]).succeeded();
    assert!(
        absent.contains("There is no database yet") && absent.contains(not_told),
        "{absent}"
    );
    assert_eq!(files(&place), ["latchkey.toml".to_owned()].into());

    place.write("latchkey.db", "");
    let empty = place.run(&["config", "check"]).succeeded();
    assert!(
        empty.contains("is not migrated yet") && empty.contains(not_told),
        "{empty}"
    );
    let nobody = "[database]\nurl = \"postgres://nobody@127.0.0.1:1/nothing\"\n";
    place.write("latchkey.toml", nobody);
    let silent = place.run(&["config", "check"]).succeeded();
    assert!(
        silent.contains("cannot be looked at") && silent.contains(not_told),
        "{silent}"
    );
}
