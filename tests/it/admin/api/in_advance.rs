//! Associating a social account with a user before they ever signed in with it.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{BOTH, FAKE};
use crate::support::{Answer, TestApp, database, on_both};

/// How often each race is run, and how many callers of each kind there are.
const ROUNDS: usize = 8;
const WIDE: usize = 8;

async fn associate(app: &TestApp, token: &str, user_id: &Value, uid: &str) -> Answer {
    let body = json!({ "provider": "fake", "uid": uid, "reason": "Moved from the old shop" });
    let path = format!("/admin/api/users/{user_id}/accounts");
    app.post(&path, &body, Some(token)).await
}

/// A user's id.
async fn user(app: &TestApp, sub: &str) -> Value {
    let answer = app.hand_in(&app.access_token_of(sub).await).await;
    answer.assert_outcome("signed_up")["id"].clone()
}

on_both!(
    the_first_sign_in_with_the_account_is_that_users,
    FAKE,
    |app| {
        let ada = user(app, "ada").await;
        let token = app.api_token(BOTH).await;

        let done = associate(app, &token, &ada, "ada-2").await;
        let repeated = associate(app, &token, &ada, "ada-2").await;
        let signed_in = app.hand_in(&app.access_token_of("ada-2").await).await;

        assert_eq!(done.status, 201, "{:?}", done.body);
        assert_eq!(
            (
                &done.body["user_id"],
                &done.body["provider"],
                &done.body["uid"],
                &done.body["was_repeated"]
            ),
            (&ada, &json!("fake"), &json!("ada-2"), &json!(false))
        );
        assert_eq!(
            (
                repeated.status,
                &repeated.body["was_repeated"],
                &repeated.body["id"]
            ),
            (200, &json!(true), &done.body["id"])
        );
        assert_eq!(signed_in.assert_outcome("signed_in")["id"], ada);
        assert_eq!(signed_in.body["social_auth"]["id"], done.body["id"]);
        let stored = app.text(&format!(
            "SELECT CAST(extra_data AS TEXT) AS text FROM social_auth WHERE id = {}",
            done.body["id"]
        ));
        assert!(stored.contains("access_token"), "{stored}");
        let audit = app.audit().await;
        let entries: Vec<_> = audit
            .iter()
            .filter(|entry| entry.action == "associated_in_advance")
            .collect();
        assert_eq!(entries.len(), 1);
        assert_eq!(
            (
                entries[0].actor_kind.as_str(),
                entries[0].reason.as_deref(),
                entries[0].uid.as_deref()
            ),
            ("api_client", Some("Moved from the old shop"), Some("ada-2"))
        );
        assert_eq!(
            entries[0].social_auth_id.map(|id| id.0),
            done.body["id"].as_i64()
        );
        database::assert_sound(app.database_url());
    }
);

on_both!(
    what_is_taken_unknown_or_off_is_refused_and_nothing_is_done,
    "[providers.fake]\n[providers.github]\nenabled = false\n",
    |app| {
        let (ada, bob) = (user(app, "ada").await, user(app, "bob").await);
        let token = app.api_token(BOTH).await;
        let before = app.audit().await.len();
        let with = |provider: &str| {
            let path = format!("/admin/api/users/{ada}/accounts");
            let body = json!({ "provider": provider, "uid": "1", "reason": "Moved" });
            let token = token.clone();
            async move { app.post(&path, &body, Some(&token)).await }
        };

        associate(app, &token, &ada, "bob")
            .await
            .assert_refused(409, "already_in_use");
        associate(app, &token, &json!(4711), "new")
            .await
            .assert_refused(404, "user_not_found");
        with("github")
            .await
            .assert_refused(400, "provider_disabled");
        with("nosuch").await.assert_refused(400, "unknown_provider");
        app.set_active(bob.as_i64().unwrap(), false);
        associate(app, &token, &bob, "new")
            .await
            .assert_refused(409, "inactive_user");

        assert_eq!((app.counts(), app.audit().await.len()), ((2, 2), before));
        database::assert_sound(app.database_url());
    }
);

on_both!(whatever_was_ordered_about_the_account_ends, FAKE, |app| {
    let (ada, bob) = (user(app, "ada").await, user(app, "bob").await);
    let token = app.api_token(BOTH).await;
    let order = json!({ "provider": "fake", "uid": "wanted", "reason": "Ticket 5190" });
    let ticket = app
        .post(
            &format!("/admin/api/users/{bob}/ticket"),
            &order,
            Some(&token),
        )
        .await;
    assert_eq!(ticket.status, 201, "{:?}", ticket.body);

    associate(app, &token, &ada, "wanted").await;

    assert_eq!(
        app.number("SELECT count(*) AS number FROM standing_orders"),
        0
    );
    let entry = app.audit().await.remove(0);
    assert_eq!(entry.detail, Some(json!({ "order_ended": true })));
    let signed_in = app.hand_in(&app.access_token_of("wanted").await).await;
    assert_eq!(signed_in.assert_outcome("signed_in")["id"], ada);
});

on_both!(
    against_a_sign_up_of_the_same_account_one_wins_and_nothing_is_half_done,
    FAKE,
    |app| {
        let ada = user(app, "ada").await;
        let token = app.api_token(BOTH).await;
        for round in 0..ROUNDS {
            let uid = format!("wanted-{round}");
            let body = app.access_token_of(&uid).await;
            let (users, accounts) = app.counts();

            let hand_ins = join_all((0..WIDE).map(|_| app.hand_in(&body)));
            let associations = join_all((0..WIDE).map(|_| associate(app, &token, &ada, &uid)));
            // Whoever is named first is sent first.
            let (hand_ins, associations) = if round % 2 == 0 {
                join(hand_ins, associations).await
            } else {
                let (associations, hand_ins) = join(associations, hand_ins).await;
                (hand_ins, associations)
            };

            let owner = app.number(&format!(
                "SELECT user_id AS number FROM social_auth WHERE uid = '{uid}'"
            ));
            let is_adas = json!(owner) == ada;
            for answer in &hand_ins {
                assert_eq!(
                    (answer.status, &answer.body["id"]),
                    (201, &json!(owner)),
                    "{:?}",
                    answer.body
                );
            }
            let signed_up = hand_ins
                .iter()
                .filter(|answer| answer.body["outcome"] == "signed_up");
            assert_eq!(signed_up.count(), usize::from(!is_adas));
            let mut statuses: Vec<u16> = associations.iter().map(|answer| answer.status).collect();
            statuses.sort_unstable();
            if is_adas {
                assert_eq!(statuses, [vec![200; WIDE - 1], vec![201]].concat());
            } else {
                assert_eq!(statuses, vec![409; WIDE]);
            }
            assert_eq!(app.counts(), (users + i64::from(!is_adas), accounts + 1));
        }
        database::assert_sound(app.database_url());
    }
);

on_both!(
    against_the_user_who_associates_it_themselves_nobody_is_refused,
    FAKE,
    |app| {
        let signed_up = app.hand_in(&app.access_token_of("ada").await).await;
        let (ada, bearer) = (&signed_up.body["id"], signed_up.bearer());
        let token = app.api_token(BOTH).await;
        for round in 0..ROUNDS {
            let uid = format!("wanted-{round}");
            let body = app.access_token_of(&uid).await;

            let (theirs, ours) = join(
                join_all((0..WIDE).map(|_| app.hand_in_as(&bearer, &body))),
                join_all((0..WIDE).map(|_| associate(app, &token, ada, &uid))),
            )
            .await;

            for answer in &theirs {
                answer.assert_outcome("associated");
            }
            assert!(
                ours.iter()
                    .all(|answer| answer.status == 200 || answer.status == 201),
                "{ours:?}"
            );
        }
        database::assert_sound(app.database_url());
    }
);
