//! Fifty callers at once want the same thing: one gets it, nobody gets a 5xx, and the database stays sound.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, database, on_both};

const FAKE: &str = "[providers.fake]\n";
const ASK: &str = "[providers.fake]\n[policy]\nemail_match = \"ask\"\n";
/// How many callers there are.
const WIDE: usize = 50;

/// How often each race is run.
fn rounds() -> usize {
    std::env::var_os("LATCHKEY_TEST_ROUNDS")
        .map_or(20, |rounds| rounds.to_str().unwrap().parse().unwrap())
}

/// Hands in every body at the same time.
async fn all_at_once(app: &TestApp, bodies: impl IntoIterator<Item = &Value>) -> Vec<Answer> {
    join_all(bodies.into_iter().map(|body| app.hand_in(body))).await
}

/// How many answers have this status and this member of the body.
fn count(answers: &[Answer], status: u16, member: &str, value: &str) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status && answer.body[member] == value)
        .count()
}

/// What the answers were, for whoever has to find out why a race was lost.
fn summary(answers: &[Answer]) -> Vec<(u16, String)> {
    let mut summary: Vec<_> = answers
        .iter()
        .map(|answer| {
            let body = &answer.body;
            (
                answer.status,
                format!("{}{}{}", body["outcome"], body["code"], body["errors"]),
            )
        })
        .collect();
    summary.sort();
    summary
}

on_both!(one_new_account_makes_one_user, FAKE, |app| {
    for round in 1..=rounds() {
        let body = app.access_token_of(&format!("round-{round}")).await;

        let answers = all_at_once(app, std::iter::repeat_n(&body, WIDE)).await;

        assert_eq!(
            (
                count(&answers, 201, "outcome", "signed_up"),
                count(&answers, 201, "outcome", "signed_in")
            ),
            (1, WIDE - 1),
            "round {round}: {:?}",
            summary(&answers)
        );
        let users: BTreeSet<_> = answers
            .iter()
            .map(|answer| answer.body["id"].as_i64())
            .collect();
        let bearers: BTreeSet<_> = answers.iter().map(Answer::bearer).collect();
        assert_eq!((users.len(), bearers.len()), (1, WIDE));
        let total = i64::try_from(round).unwrap();
        assert_eq!(app.counts(), (total, total));
    }
    database::assert_sound(app.database_url());
});

on_both!(
    of_two_users_who_associate_one_account_one_wins,
    FAKE,
    |app| {
        let bearers = [app.sign_up("ada").await, app.sign_up("bob").await];
        for round in 0..rounds() {
            let body = app.access_token_of(&format!("wanted-{round}")).await;

            let answers = join_all(
                (0..WIDE).map(|caller| app.hand_in_as(&bearers[(caller + round) % 2], &body)),
            )
            .await;

            assert_eq!(
                (
                    count(&answers, 201, "outcome", "associated"),
                    count(&answers, 400, "code", "already_in_use")
                ),
                (WIDE / 2, WIDE / 2),
                "round {round}: {:?}",
                summary(&answers)
            );
            let winners: BTreeSet<_> = answers
                .iter()
                .filter(|answer| answer.status == 201)
                .map(|answer| answer.body["id"].as_i64())
                .collect();
            assert_eq!(winners.len(), 1);
        }
        let total = i64::try_from(rounds()).unwrap();
        assert_eq!(app.counts(), (2, total + 2));
        database::assert_sound(app.database_url());
    }
);

on_both!(a_sign_up_and_an_association_leave_one_owner, FAKE, |app| {
    let ada = app.sign_up("ada").await;
    for round in 0..rounds() {
        let body = app.access_token_of(&format!("wanted-{round}")).await;

        let body = &body;
        let ada = &ada;
        let answers = join_all((0..WIDE).map(|caller| async move {
            if caller % 2 == round % 2 {
                app.hand_in(body).await
            } else {
                app.hand_in_as(ada, body).await
            }
        }))
        .await;

        let signed_up = count(&answers, 201, "outcome", "signed_up");
        let signed_in = count(&answers, 201, "outcome", "signed_in");
        let associated = count(&answers, 201, "outcome", "associated");
        let refused = count(&answers, 400, "code", "already_in_use");
        let half = WIDE / 2;
        assert!(
            // Either somebody signed up first, and Ada is refused for good; or Ada was first, and all others sign in as Ada.
            [(1, half - 1, 0, half), (0, half, half, 0)]
                .contains(&(signed_up, signed_in, associated, refused)),
            "round {round}: {:?}",
            summary(&answers)
        );
    }
    database::assert_sound(app.database_url());
});

on_both!(
    fifty_people_who_want_one_user_name_all_get_one,
    FAKE,
    |app| {
        for round in 0..rounds() {
            let bodies = join_all((0..WIDE).map(|person| {
            app.mint(json!({ "sub": format!("{round}-{person}"), "username": format!("Ada{round}x") }))
        }))
        .await;

            let answers = all_at_once(app, &bodies).await;

            assert_eq!(
                count(&answers, 201, "outcome", "signed_up"),
                WIDE,
                "round {round}: {:?}",
                summary(&answers)
            );
            let names: BTreeSet<_> = answers
                .iter()
                .map(|answer| answer.body["username"].as_str().unwrap().to_lowercase())
                .collect();
            assert_eq!(names.len(), WIDE);
            assert!(
                names
                    .iter()
                    .all(|name| name.starts_with(&format!("ada{round}x")))
            );
            assert!(names.contains(&format!("ada{round}x")));
        }
        database::assert_sound(app.database_url());
    }
);

on_both!(no_session_survives_a_deactivation, FAKE, |app| {
    for round in 0..rounds() {
        let body = app.access_token_of(&format!("round-{round}")).await;
        let user_id = app.hand_in(&body).await.body["id"].as_i64().unwrap();
        let value = if app.database_url().starts_with("sqlite") {
            "0"
        } else {
            "false"
        };
        let url = app.database_url().to_owned();
        let sql = format!("UPDATE users SET is_active = {value} WHERE id = {user_id}");

        let deactivation = tokio::task::spawn_blocking(move || database::execute(&url, &sql));
        let answers = all_at_once(app, std::iter::repeat_n(&body, WIDE)).await;
        deactivation.await.unwrap();

        assert_eq!(
            count(&answers, 201, "outcome", "signed_in")
                + count(&answers, 400, "code", "social_auth_failed"),
            WIDE,
            "round {round}: {:?}",
            summary(&answers)
        );
        for answer in answers.iter().filter(|answer| answer.status == 201) {
            let me = app.get("/me", Some(&answer.bearer())).await;
            me.assert_refused(401, "invalid_bearer");
        }
        if let Some(answer) = answers.iter().find(|answer| answer.status == 201) {
            let grant = json!({
                "grant_type": "refresh_token", "refresh_token": answer.body["token"]["refresh_token"],
            });
            assert_eq!(app.post("/oauth/token", &grant, None).await.status, 400);
        }
        app.hand_in(&body)
            .await
            .assert_refused(400, "social_auth_failed");
    }
    database::assert_sound(app.database_url());
});

on_both!(a_nonce_is_good_for_one_of_fifty, FAKE, |app| {
    for round in 0..rounds() {
        let issued = app.post("/nonce", &json!({}), None).await;
        let nonce = issued.body["nonce"].as_str().unwrap();
        let body = app
            .mint(json!({ "kind": "id_token", "sub": format!("round-{round}"), "nonce": nonce }))
            .await;

        let answers = all_at_once(app, std::iter::repeat_n(&body, WIDE)).await;

        assert_eq!(
            (
                count(&answers, 201, "outcome", "signed_up"),
                count(&answers, 400, "code", "nonce_mismatch")
            ),
            (1, WIDE - 1),
            "round {round}: {:?}",
            summary(&answers)
        );
    }
    database::assert_sound(app.database_url());
});

on_both!(a_link_ticket_is_good_for_one_of_fifty, ASK, |app| {
    let ada = app
        .mint(json!({ "sub": "ada", "email": "ada@example.org" }))
        .await;
    let bearer = app.hand_in(&ada).await.bearer();
    for round in 0..rounds() {
        let other = app
            .mint(json!({ "sub": format!("ada-{round}"), "email": "ada@example.org" }))
            .await;
        let asked = app.hand_in(&other).await;
        asked.assert_refused(409, "email_in_use");
        let ticket = json!({ "provider": "fake", "link_ticket": asked.body["link_ticket"] });

        let answers = join_all((0..WIDE).map(|_| app.hand_in_as(&bearer, &ticket))).await;

        assert_eq!(
            (
                count(&answers, 201, "outcome", "associated"),
                count(&answers, 400, "code", "invalid_token")
            ),
            (1, WIDE - 1),
            "round {round}: {:?}",
            summary(&answers)
        );
    }
    let total = i64::try_from(rounds()).unwrap();
    assert_eq!(app.counts(), (1, total + 1));
    database::assert_sound(app.database_url());
});

on_both!(what_sign_ins_at_once_bring_is_all_kept, FAKE, |app| {
    for round in 0..rounds() {
        let sub = format!("round-{round}");
        let plain = app.access_token_of(&sub).await;
        app.hand_in(&plain).await.assert_outcome("signed_up");
        let mut with_refresh_token = plain.clone();
        with_refresh_token["refresh_token"] = json!("fake-refresh-token");
        let pair = app
            .mint(json!({ "kind": "access_token_secret", "sub": sub }))
            .await;
        // The two that bring something stand anywhere among those that bring nothing new.
        let mut bodies = vec![&plain; WIDE];
        bodies[(7 * round) % WIDE] = &with_refresh_token;
        bodies[(7 * round + 11) % WIDE] = &pair;

        let answers = all_at_once(app, bodies).await;

        assert_eq!(
            count(&answers, 201, "outcome", "signed_in"),
            WIDE,
            "round {round}: {:?}",
            summary(&answers)
        );
        let stored = app.text(&format!(
            "SELECT CAST(extra_data AS TEXT) AS text FROM social_auth WHERE uid = '{sub}'"
        ));
        let stored: Value = serde_json::from_str(&stored).unwrap();
        for member in ["access_token", "access_token_secret", "refresh_token"] {
            assert!(!stored[member].is_null(), "round {round}: {member}");
        }
    }
    database::assert_sound(app.database_url());
});
