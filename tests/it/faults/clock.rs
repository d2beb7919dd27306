//! Clocks that jump.

use std::time::Duration;

use serde_json::json;

use crate::support::{database, on_both};

const FAKE: &str = "[providers.fake]\n";
const DAY: Duration = Duration::from_hours(24);

on_both!(
    a_clock_that_jumps_by_a_day_expires_what_it_must_and_nothing_else,
    FAKE,
    |app| {
        let proof = app.access_token_of("ada").await;
        let before = app.hand_in(&proof).await;
        let refresh = |answer: &crate::support::Answer| json!({ "grant_type": "refresh_token", "refresh_token": answer.body["token"]["refresh_token"] });

        app.advance(DAY);
        let bearer = app.get("/me", Some(&before.bearer())).await;
        bearer.assert_refused(401, "invalid_bearer");
        app.hand_in_as(&before.bearer(), &proof)
            .await
            .assert_refused(401, "invalid_bearer");
        // The proof was good for an hour.
        let stale = app.hand_in(&proof).await;
        assert_eq!(stale.status, 400, "{:?}", stale.body);
        let refreshed = app.post("/oauth/token", &refresh(&before), None).await;
        assert_eq!(refreshed.status, 200, "{:?}", refreshed.body);
        let tomorrow = app.hand_in(&app.access_token_of("ada").await).await;
        tomorrow.assert_outcome("signed_in");

        app.turn_back(DAY);
        // Good again, as it was not rotated away: an access token stands for its session.
        assert_eq!(app.get("/me", Some(&before.bearer())).await.status, 200);
        let early = app.get("/me", Some(&tomorrow.bearer())).await;
        assert!([200, 401].contains(&early.status), "{:?}", early.body);
        app.hand_in(&proof).await.assert_outcome("signed_in");
        let rotated = app.post("/oauth/token", &refresh(&tomorrow), None).await;
        assert_eq!(rotated.status, 200, "{:?}", rotated.body);
        app.sign_up("bob").await;

        app.turn_back(DAY);
        app.sign_up("cleo").await;
        app.advance(DAY);
        app.sign_up("dan").await;
        assert_eq!(app.counts(), (4, 4));
        database::assert_sound(app.database_url());
    }
);

on_both!(
    a_nonce_expires_by_the_clock_and_is_not_spent_by_a_jump,
    FAKE,
    |app| {
        let issued = app.post("/nonce", &json!({}), None).await;
        let mint = json!({ "kind": "id_token", "sub": "ada", "nonce": issued.body["nonce"] });
        app.advance(DAY);
        let late = app.mint(mint.clone()).await;
        app.hand_in(&late)
            .await
            .assert_refused(400, "nonce_mismatch");
        app.turn_back(DAY);
        let body = app.mint(mint).await;

        let in_time = app.hand_in(&body).await;
        let again = app.hand_in(&body).await;

        in_time.assert_outcome("signed_up");
        again.assert_refused(400, "nonce_mismatch");
    }
);
