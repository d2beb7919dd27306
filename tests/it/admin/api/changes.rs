//! Unlinking, undoing, deactivating, ending sessions, by programs: the flows are those of the pages, and tested there.

use serde_json::{Value, json};
use std::time::Duration;

use super::{BOTH, FAKE};
use crate::support::{Answer, TestApp, on_both, token_of};

/// A client and a person with one account.
struct Scene<'a> {
    app: &'a TestApp,
    token: String,
    client_row: i64,
    user: String,
    account: String,
    bearer: String,
}

impl<'a> Scene<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let signed_up = app.hand_in(&app.access_token_of("ada").await).await;
        let client = app.api_client(BOTH).await;
        let user = format!("/admin/api/users/{}", signed_up.body["id"]);
        Self {
            app,
            token: token_of(&app.client_token(&client, &[]).await),
            client_row: app.number("SELECT id AS number FROM api_clients"),
            account: format!("{user}/accounts/{}", signed_up.body["social_auth"]["id"]),
            user,
            bearer: signed_up.bearer(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.get(path, Some(&self.token)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.app.post(path, &body, Some(&self.token)).await
    }

    /// The body that unlinks the account as it is now.
    async fn unlinking(&self) -> Value {
        let plan = self.get(&format!("{}/unlink", self.account)).await;
        json!({ "version": plan.body["version"], "reason": "Ticket 5190", "last_way_in": plan.body["last_way_in"] })
    }

    async fn unlink(&self, body: Value) -> Answer {
        self.post(&format!("{}/unlink", self.account), body).await
    }

    /// Checks that the newest entry with this action tells of the client and the reason.
    async fn assert_audited(&self, action: &str, reason: Option<&str>) {
        let audit = self.app.audit().await;
        let entry = audit.iter().find(|entry| entry.action == action).unwrap();
        assert_eq!(
            (
                entry.actor_kind.as_str(),
                entry.actor_id,
                entry.reason.as_deref()
            ),
            ("api_client", Some(self.client_row), reason),
            "{action}"
        );
        assert!(entry.address.is_some() && entry.request_id.len() == 24);
    }

    async fn entries(&self, action: &str) -> usize {
        let audit = self.app.audit().await;
        audit.iter().filter(|entry| entry.action == action).count()
    }
}

on_both!(an_account_is_unlinked_and_given_back, FAKE, |app| {
    let scene = Scene::new(app).await;

    let plan = scene.get(&format!("{}/unlink", scene.account)).await;
    let request = scene.unlinking().await;
    let unlinked = scene.unlink(request.clone()).await;
    let repeated = scene.unlink(request).await;
    let shown = scene.get(&scene.user).await;

    assert_eq!(
        (
            &plan.body["last_way_in"],
            &plan.body["sessions"],
            &plan.body["can_revoke"]
        ),
        (&json!(true), &json!(1), &json!(true))
    );
    assert!(plan.body["undo_until"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        (
            unlinked.status,
            &unlinked.body["sessions_ended"],
            &unlinked.body["revocation"],
            &unlinked.body["was_repeated"]
        ),
        (200, &json!(1), &json!("revoked"), &json!(false))
    );
    assert_eq!(
        (
            repeated.status,
            &repeated.body["was_repeated"],
            &repeated.body["unlinked_id"]
        ),
        (200, &json!(true), &unlinked.body["unlinked_id"])
    );
    scene.assert_audited("unlinked", Some("Ticket 5190")).await;
    assert_eq!(scene.entries("unlinked").await, 1);
    assert_eq!(app.get("/me", Some(&scene.bearer)).await.status, 401);
    assert_eq!(
        (
            &shown.body["unlinked"][0]["by"]["kind"],
            &shown.body["unlinked"][0]["by"]["name"],
            &shown.body["unlinked"][0]["reason"]
        ),
        (
            &json!("api_client"),
            &json!("Support desk"),
            &json!("Ticket 5190")
        )
    );

    let undo = format!(
        "{}/unlinked/{}/undo",
        scene.user, unlinked.body["unlinked_id"]
    );
    let restored = scene
        .post(&undo, json!({ "reason": "It was a mistake" }))
        .await;
    let without_body = app
        .send(app.request("POST", &undo).bearer_auth(&scene.token))
        .await;

    assert_eq!(
        (restored.status, &restored.body["was_repeated"]),
        (200, &json!(false))
    );
    assert_eq!(
        (without_body.status, &without_body.body["was_repeated"]),
        (200, &json!(true))
    );
    scene
        .assert_audited("unlink_undone", Some("It was a mistake"))
        .await;
    assert_eq!(app.counts(), (1, 1));
});

on_both!(
    what_became_stale_or_is_the_last_way_in_is_left_alone,
    FAKE,
    |app| {
        let scene = Scene::new(app).await;
        let mut unconfirmed = scene.unlinking().await;
        unconfirmed["last_way_in"] = json!(false);
        let stale = scene.unlinking().await;

        let last = scene.unlink(unconfirmed).await;
        app.advance(Duration::from_secs(1));
        app.hand_in(&app.access_token_of("ada").await)
            .await
            .assert_outcome("signed_in");
        let old = scene.unlink(stale).await;

        last.assert_refused(409, "last_way_in");
        old.assert_refused(409, "stale");
        assert_eq!((app.counts(), scene.entries("unlinked").await), ((1, 1), 0));
    }
);

on_both!(
    a_body_that_does_not_fit_is_refused_with_the_members_name,
    FAKE,
    |app| {
        let scene = Scene::new(app).await;
        let unlink = format!("{}/unlink", scene.account);
        let deactivate = format!("{}/deactivate", scene.user);
        let associate = format!("{}/accounts", scene.user);
        let ticket = format!("{}/ticket", scene.user);
        let sessions = format!("{}/sessions/revoke", scene.user);
        let uid = |uid: &str| json!({ "provider": "fake", "uid": uid, "reason": "Ticket 5190" });

        for (path, body, name) in [
            (&unlink, json!({ "reason": "Ticket 5190" }), "version"),
            (
                &unlink,
                json!({ "version": "x", "reason": "Ticket 5190" }),
                "version",
            ),
            (&unlink, json!({ "version": "1" }), "reason"),
            (
                &unlink,
                json!({ "version": "1", "reason": "Ticket 5190", "last_way_in": 1 }),
                "last_way_in",
            ),
            (
                &unlink,
                json!({ "version": "1", "reason": "Ticket 5190", "lastWayIn": true }),
                "lastWayIn",
            ),
            (&deactivate, json!({}), "reason"),
            (&deactivate, json!({ "reason": "no" }), "reason"),
            (&deactivate, json!({ "reason": "x".repeat(201) }), "reason"),
            (&sessions, json!({ "reason": "no" }), "reason"),
            (&associate, uid(" ada"), "uid"),
            (
                &associate,
                json!({ "provider": "fake", "reason": "Ticket 5190" }),
                "uid",
            ),
            (&ticket, uid("ada "), "uid"),
        ] {
            let refused = scene.post(path, body.clone()).await;
            refused.assert_refused(400, "invalid_request");
            let sentence = refused.body["errors"].as_str().unwrap();
            assert!(
                sentence.starts_with(&format!("{name}: ")),
                "{body}: {sentence}"
            );
        }
        assert_eq!(
            (
                app.counts(),
                app.get("/me", Some(&scene.bearer)).await.status
            ),
            ((1, 1), 200)
        );
    }
);

on_both!(a_user_is_switched_off_and_on, FAKE, |app| {
    let scene = Scene::new(app).await;
    let reason = json!({ "reason": "Asked by phone" });

    let off = scene
        .post(&format!("{}/deactivate", scene.user), reason.clone())
        .await;
    let off_again = scene
        .post(&format!("{}/deactivate", scene.user), reason.clone())
        .await;
    let shown = scene.get(&scene.user).await;
    let refused = app.hand_in(&app.access_token_of("ada").await).await;
    let on = scene
        .post(&format!("{}/reactivate", scene.user), reason.clone())
        .await;
    let on_again = scene
        .post(&format!("{}/reactivate", scene.user), reason)
        .await;

    assert_eq!(
        (&off.body["sessions_ended"], &off.body["was_repeated"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(
        (
            &off_again.body["sessions_ended"],
            &off_again.body["was_repeated"]
        ),
        (&json!(0), &json!(true))
    );
    let why = &shown.body["deactivation"];
    assert_eq!(
        (
            &shown.body["is_active"],
            &why["by"]["kind"],
            &why["by"]["id"],
            &why["reason"]
        ),
        (
            &json!(false),
            &json!("api_client"),
            &json!(scene.client_row),
            &json!("Asked by phone")
        )
    );
    refused.assert_refused(400, "social_auth_failed");
    assert_eq!(
        (&on.body["was_repeated"], &on_again.body["was_repeated"]),
        (&json!(false), &json!(true))
    );
    scene
        .assert_audited("deactivated", Some("Asked by phone"))
        .await;
    scene
        .assert_audited("reactivated", Some("Asked by phone"))
        .await;
    app.hand_in(&app.access_token_of("ada").await)
        .await
        .assert_outcome("signed_in");
});

on_both!(sessions_are_ended_one_or_all, FAKE, |app| {
    let scene = Scene::new(app).await;
    let second = app
        .hand_in(&app.access_token_of("ada").await)
        .await
        .bearer();
    let shown = scene.get(&scene.user).await;
    let oldest = shown.body["sessions"].as_array().unwrap().last().unwrap()["id"].clone();
    let reason = json!({ "reason": "Lost phone" });

    let one = scene
        .post(
            &format!("{}/sessions/{oldest}/revoke", scene.user),
            reason.clone(),
        )
        .await;
    let again = scene
        .post(
            &format!("{}/sessions/{oldest}/revoke", scene.user),
            reason.clone(),
        )
        .await;
    let left = app.get("/me", Some(&second)).await.status;
    let all = scene
        .post(&format!("{}/sessions/revoke", scene.user), json!({}))
        .await;

    assert_eq!(
        (&one.body["sessions_ended"], &again.body["sessions_ended"]),
        (&json!(1), &json!(0))
    );
    assert_eq!((left, &all.body["sessions_ended"]), (200, &json!(1)));
    for bearer in [&scene.bearer, &second] {
        assert_eq!(app.get("/me", Some(bearer)).await.status, 401);
    }
    scene
        .assert_audited("session_revoked", Some("Lost phone"))
        .await;
    scene.assert_audited("sessions_revoked", None).await;
});

on_both!(
    a_ticket_and_a_check_are_there_for_programs_too,
    FAKE,
    |app| {
        let scene = Scene::new(app).await;
        let wanted = json!({ "provider": "fake", "uid": "ada-2", "reason": "Ticket 5190" });

        let ticket = scene
            .post(&format!("{}/ticket", scene.user), wanted.clone())
            .await;
        let shown = scene.get(&scene.user).await;
        let signed_in = app.hand_in(&app.access_token_of("ada-2").await).await;
        let taken = scene.post(&format!("{}/ticket", scene.user), wanted).await;
        let checked = scene
            .post(&format!("{}/check", scene.account), json!({}))
            .await;
        let too_soon = scene
            .post(&format!("{}/check", scene.account), json!({}))
            .await;

        assert_eq!(ticket.status, 201, "{:?}", ticket.body);
        let order = &shown.body["orders"][0];
        assert_eq!(
            (&order["order"], &order["uid"], &order["expires_at"]),
            (
                &json!("associate"),
                &json!("ada-2"),
                &ticket.body["expires_at"]
            )
        );
        signed_in.assert_outcome("signed_in");
        taken.assert_refused(409, "already_in_use");
        assert_eq!(
            (checked.status, &checked.body["state"]),
            (200, &json!("works"))
        );
        too_soon.assert_refused(429, "rate_limited");
        scene
            .assert_audited("association_ticket_issued", Some("Ticket 5190"))
            .await;
        scene.assert_audited("token_checked", Some("works")).await;
    }
);
