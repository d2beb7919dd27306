//! Access tokens, refresh tokens, `GET /me`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::on_both;

const FAKE: &str = "[providers.fake]\n";

fn grant(refresh_token: &Value) -> Value {
    json!({ "grant_type": "refresh_token", "refresh_token": refresh_token })
}

on_both!(
    the_bearer_tells_who_i_am_and_a_missing_one_is_401_without_an_error_code,
    FAKE,
    |app| {
        let bearer = app.sign_up("ada").await;

        let me = app.get("/me", Some(&bearer)).await;
        let nobody = app.get("/me", None).await;

        assert_eq!((me.status, &me.body["username"]), (200, &json!("user")));
        assert_eq!(me.headers["cache-control"], "no-store");
        nobody.assert_refused(401, "invalid_bearer");
        assert_eq!(
            nobody.headers["www-authenticate"],
            "Bearer realm=\"latchkey\""
        );
    }
);

on_both!(a_refresh_token_is_rotated_at_each_use, FAKE, |app| {
    let signed_up = app.hand_in(&app.access_token_of("ada").await).await;
    let mut refresh_token = signed_up.body["token"]["refresh_token"].clone();

    for _ in 0..3 {
        let answer = app.post("/oauth/token", &grant(&refresh_token), None).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        assert_ne!(answer.body["refresh_token"], refresh_token);
        let bearer = answer.body["access_token"].as_str().unwrap();
        assert_eq!(app.get("/me", Some(bearer)).await.status, 200);
        refresh_token = answer.body["refresh_token"].clone();
    }
});

on_both!(
    within_the_grace_a_spent_refresh_token_yields_the_same_successor,
    FAKE,
    |app| {
        let first =
            app.hand_in(&app.access_token_of("ada").await).await.body["token"]["refresh_token"]
                .clone();

        let once = app.post("/oauth/token", &grant(&first), None).await;
        app.advance(Duration::from_secs(29));
        let again = app.post("/oauth/token", &grant(&first), None).await;

        assert_eq!((once.status, again.status), (200, 200));
        assert_eq!(once.body["refresh_token"], again.body["refresh_token"]);
    }
);

on_both!(
    a_spent_refresh_token_that_comes_back_late_ends_the_session,
    FAKE,
    |app| {
        let signed_up = app.hand_in(&app.access_token_of("ada").await).await;
        let first = signed_up.body["token"]["refresh_token"].clone();
        let second = app.post("/oauth/token", &grant(&first), None).await;
        app.advance(Duration::from_secs(31));

        let reused = app.post("/oauth/token", &grant(&first), None).await;

        assert_eq!(
            (reused.status, &reused.body["error"]),
            (400, &json!("invalid_grant"))
        );
        assert_eq!(app.last_audit().await.1, "refresh_token_reused");
        let successor = app
            .post("/oauth/token", &grant(&second.body["refresh_token"]), None)
            .await;
        assert_eq!(successor.status, 400);
        let bearer = second.body["access_token"].as_str().unwrap();
        app.get("/me", Some(bearer))
            .await
            .assert_refused(401, "invalid_bearer");
    }
);

on_both!(
    a_token_two_rotations_old_ends_the_session_even_within_the_grace,
    FAKE,
    |app| {
        let first =
            app.hand_in(&app.access_token_of("ada").await).await.body["token"]["refresh_token"]
                .clone();
        let second =
            app.post("/oauth/token", &grant(&first), None).await.body["refresh_token"].clone();
        let third =
            app.post("/oauth/token", &grant(&second), None).await.body["refresh_token"].clone();

        assert_eq!(
            app.post("/oauth/token", &grant(&first), None).await.status,
            400
        );
        assert_eq!(
            app.post("/oauth/token", &grant(&third), None).await.status,
            400
        );
    }
);

on_both!(
    a_refresh_token_that_somebody_made_up_for_a_session_does_not_end_it,
    FAKE,
    |app| {
        let signed_up = app.hand_in(&app.access_token_of("ada").await).await;
        let genuine = signed_up.body["token"]["refresh_token"].clone();
        let bytes = URL_SAFE_NO_PAD.decode(genuine.as_str().unwrap()).unwrap();

        // The id of the session is easily guessed; secret and tag are not.
        for position in 8..bytes.len() {
            let mut forged = bytes.clone();
            forged[position] ^= 1;
            let forged = json!(URL_SAFE_NO_PAD.encode(forged));
            let answer = app.post("/oauth/token", &grant(&forged), None).await;
            assert_eq!(answer.body["error"], "invalid_grant");
        }

        assert_eq!(app.last_audit().await.1, "signed_up");
        let answer = app.post("/oauth/token", &grant(&genuine), None).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    }
);

on_both!(a_session_remembers_where_it_was_opened, FAKE, |app| {
    app.sign_up("ada").await;

    let seen = app.text("SELECT address || ' ' || coalesce(user_agent, '') AS text FROM sessions");

    assert!(seen.starts_with("127.0.0.1 "), "{seen}");
});

on_both!(
    twenty_refreshes_at_once_agree_on_one_successor,
    FAKE,
    |app| {
        let first =
            app.hand_in(&app.access_token_of("ada").await).await.body["token"]["refresh_token"]
                .clone();
        let grant = grant(&first);

        let answers =
            futures_util::future::join_all((0..20).map(|_| app.post("/oauth/token", &grant, None)))
                .await;

        for answer in &answers {
            assert_eq!(answer.status, 200, "{:?}", answer.body);
            assert_eq!(
                answer.body["refresh_token"],
                answers[0].body["refresh_token"]
            );
        }
    }
);

on_both!(
    an_inactive_user_and_an_ended_session_cannot_refresh,
    FAKE,
    |app| {
        let ada = app.hand_in(&app.access_token_of("ada").await).await;
        let bob = app.hand_in(&app.access_token_of("bob").await).await;

        app.set_active(ada.body["id"].as_i64().unwrap(), false);
        assert_eq!(
            app.post(
                "/oauth/token",
                &grant(&ada.body["token"]["refresh_token"]),
                None
            )
            .await
            .status,
            400
        );
        app.advance(Duration::from_hours(2184));
        assert_eq!(
            app.post(
                "/oauth/token",
                &grant(&bob.body["token"]["refresh_token"]),
                None
            )
            .await
            .status,
            400
        );
    }
);

on_both!(oauth_errors_have_oauths_shape, FAKE, |app| {
    for (body, error) in [
        (json!({}), "invalid_request"),
        (
            json!({ "grant_type": "password" }),
            "unsupported_grant_type",
        ),
        (json!({ "grant_type": "refresh_token" }), "invalid_request"),
        (grant(&json!("unknown")), "invalid_grant"),
        (
            grant(&json!(URL_SAFE_NO_PAD.encode([7; 56]))),
            "invalid_grant",
        ),
    ] {
        let answer = app.post("/oauth/token", &body, None).await;
        assert_eq!((answer.status, &answer.body["error"]), (400, &json!(error)));
        assert!(answer.body["error_description"].is_string());
    }
});

on_both!(
    anyone_can_verify_an_access_token_with_the_published_keys,
    FAKE,
    |app| {
        let bearer = app.sign_up("ada").await;
        let jwks = app.get("/.well-known/jwks.json", None).await;

        let header = jsonwebtoken::decode_header(&bearer).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks.body).unwrap();
        let key =
            jsonwebtoken::DecodingKey::from_jwk(set.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
        validation.set_audience(&[&app.base]);
        validation.set_issuer(&[&app.base]);
        let token = jsonwebtoken::decode::<Value>(&bearer, &key, &validation).unwrap();

        assert_eq!(
            token.claims["exp"].as_i64().unwrap() - token.claims["iat"].as_i64().unwrap(),
            900
        );
    }
);
