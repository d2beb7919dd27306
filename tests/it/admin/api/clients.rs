//! API clients at the token endpoint (RFC 6749 §4.4).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{BOTH, FAKE};
use crate::support::staff::with_form;
use crate::support::{Answer, ApiClient, TestApp, on_both};

/// What an access token says.
fn claims(answer: &Answer) -> Value {
    let token = answer.body["access_token"].as_str().unwrap();
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Sends a grant with this header and these fields.
async fn grant(app: &TestApp, basic: Option<&str>, fields: &[(&str, &str)]) -> Answer {
    let mut request = app.request("POST", "/oauth/token");
    if let Some(basic) = basic {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(basic)));
    }
    let fields = [&[("grant_type", "client_credentials")], fields].concat();
    app.send(with_form(request, &fields)).await
}

/// Checks that an answer has OAuth's shape of errors.
#[track_caller]
fn assert_oauth_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(
        (answer.status, &answer.body["error"]),
        (status, &json!(error)),
        "{:?}",
        answer.body
    );
    assert!(answer.body["error_description"].is_string() && answer.body["request_id"].is_string());
    let challenge = answer.headers.get("www-authenticate");
    assert_eq!(
        challenge.map(|value| value.to_str().unwrap()),
        (status == 401).then_some("Basic realm=\"latchkey\"")
    );
}

on_both!(
    a_client_gets_a_token_of_its_own_by_header_or_by_body,
    FAKE,
    |app| {
        let client = app.api_client(BOTH).await;
        let ApiClient { client_id, secret } = &client;

        let by_body = app.client_token(&client, &[]).await;
        let by_header = grant(app, Some(&format!("{client_id}:{secret}")), &[]).await;
        let named_twice = [("client_id", client_id.as_str())];
        let by_both = grant(app, Some(&format!("{client_id}:{secret}")), &named_twice).await;

        for answer in [&by_body, &by_header, &by_both] {
            assert_eq!(answer.status, 200, "{:?}", answer.body);
            assert_eq!(
                (
                    &answer.body["token_type"],
                    &answer.body["expires_in"],
                    &answer.body["scope"]
                ),
                (&json!("Bearer"), &json!(900), &json!(BOTH))
            );
            assert_eq!(answer.body["refresh_token"], Value::Null);
            assert_eq!(answer.headers["cache-control"], "no-store");
            let claims = claims(answer);
            assert_eq!(
                (&claims["sub"], &claims["client_id"], &claims["scope"]),
                (&json!(client_id), &json!(client_id), &json!(BOTH))
            );
            assert_eq!(
                claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
                900
            );
            assert_eq!(
                claims["aud"],
                json!(format!("{}/admin/api", claims["iss"].as_str().unwrap()))
            );
            assert_eq!(
                (&claims["sid"], &claims["auth_time"]),
                (&Value::Null, &Value::Null)
            );
        }
        let entry = app.audit().await.remove(0);
        assert_eq!(
            (
                entry.actor_kind.as_str(),
                entry.action.as_str(),
                entry.detail
            ),
            (
                "api_client",
                "client_token_issued",
                Some(json!({ "scopes": ["admin:read", "admin:write"] }))
            )
        );
    }
);

on_both!(a_scope_narrows_and_never_widens, FAKE, |app| {
    let reader = app.api_client("admin:read").await;
    let both = app.api_client(BOTH).await;
    let nothing = app.api_client("").await;
    let asking = |scope: &'static str| [("scope", scope)];

    let narrowed = app.client_token(&both, &asking("admin:read")).await;
    let wider = app.client_token(&reader, &asking(BOTH)).await;
    let unknown = app
        .client_token(&both, &asking("admin:read admin:all"))
        .await;
    let empty = app.client_token(&both, &asking("")).await;
    let none = app.client_token(&nothing, &[]).await;

    assert_eq!(narrowed.body["scope"], json!("admin:read"));
    for refused in [&wider, &unknown, &empty] {
        assert_oauth_error(refused, 400, "invalid_scope");
    }
    assert_oauth_error(&none, 400, "unauthorized_client");
});

on_both!(
    whoever_is_not_known_by_a_secret_is_told_nothing_else,
    FAKE,
    |app| {
        let client = app.api_client(BOTH).await;
        let gone = app.api_client(BOTH).await;
        app.execute(&format!(
            "UPDATE api_clients SET is_active = {} WHERE client_id = '{}'",
            app.bool(false),
            gone.client_id
        ));
        let public = app.api_client(BOTH).await;
        app.execute(&format!(
            "UPDATE api_clients SET secret_hash = NULL WHERE client_id = '{}'",
            public.client_id
        ));
        let with = |client_id: &str, secret: &str| ApiClient {
            client_id: client_id.to_owned(),
            secret: secret.to_owned(),
        };

        let mut answers = Vec::new();
        for wrong in [
            &with(&client.client_id, &gone.secret),
            &with("client-none", &client.secret),
            &with(&client.client_id, ""),
            &gone,
            &public,
        ] {
            answers.push(app.client_token(wrong, &[]).await);
            let pair = format!("{}:{}", wrong.client_id, wrong.secret);
            answers.push(grant(app, Some(&pair), &[]).await);
        }
        answers.push(grant(app, None, &[]).await);
        answers.push(grant(app, None, &[("client_id", &client.client_id)]).await);
        let bearer = app.api_token(BOTH).await;
        let request = app.request("POST", "/oauth/token").bearer_auth(bearer);
        let fields = [("grant_type", "client_credentials")];
        answers.push(app.send(with_form(request, &fields)).await);

        let sentence = answers[0].body["error_description"].clone();
        for answer in &answers {
            assert_oauth_error(answer, 401, "invalid_client");
            assert_eq!(answer.body["error_description"], sentence);
        }
        let audit = app.audit().await;
        let refused = audit
            .iter()
            .filter(|entry| entry.action == "client_token_refused");
        let mut reasons: Vec<_> = refused
            .map(|entry| entry.reason.as_deref().unwrap())
            .collect();
        reasons.sort_unstable();
        reasons.dedup();
        assert_eq!(reasons, ["inactive_client", "wrong_secret"]);
        assert!(
            audit
                .iter()
                .all(|entry| entry.action != "client_token_refused"
                    || entry.actor_kind == "anonymous")
        );
    }
);

on_both!(credentials_in_header_and_body_are_refused, FAKE, |app| {
    let client = app.api_client(BOTH).await;
    let pair = format!("{}:{}", client.client_id, client.secret);

    let twice = grant(app, Some(&pair), &[("client_secret", &client.secret)]).await;
    let another = grant(app, Some(&pair), &[("client_id", "client-other")]).await;

    assert_oauth_error(&twice, 400, "invalid_request");
    assert_oauth_error(&another, 400, "invalid_request");
});

on_both!(
    a_clients_token_is_nobodys_session_and_a_users_is_no_clients,
    FAKE,
    |app| {
        let of_user = app.sign_up("ada").await;
        let of_client = app.api_token(BOTH).await;

        let me = app.get("/me", Some(&of_client)).await;
        let body = app.access_token_of("bob").await;
        let hand_in = app.hand_in_as(&of_client, &body).await;
        let users = app.get("/admin/api/users", Some(&of_user)).await;

        for answer in [me, hand_in, users] {
            answer.assert_refused(401, "invalid_bearer");
        }
        assert_eq!(app.counts(), (1, 1));
    }
);

on_both!(
    a_token_is_good_for_15_minutes_and_until_its_client_is_deactivated,
    FAKE,
    |app| {
        let client = app.api_client(BOTH).await;
        let token = crate::support::token_of(&app.client_token(&client, &[]).await);
        let users = || app.get("/admin/api/users", Some(&token));
        let execute = |set: &str| {
            app.execute(&format!(
                "UPDATE api_clients SET {set} WHERE client_id = '{}'",
                client.client_id
            ));
        };

        assert_eq!(users().await.status, 200);
        execute("scopes = '[\"admin:write\"]'");
        assert_eq!(users().await.status, 403);
        execute("scopes = '[\"admin:read\"]'");
        assert_eq!(users().await.status, 200);
        let other = app.second_instance();
        execute(&format!("is_active = {}", app.bool(false)));
        users().await.assert_refused(401, "invalid_bearer");
        let request = crate::support::client()
            .get(format!("{}/admin/api/users", other.base()))
            .bearer_auth(&token);
        assert_eq!(app.send(request).await.status, 401);
        execute(&format!("is_active = {}", app.bool(true)));
        app.advance(Duration::from_secs(899));
        assert_eq!(users().await.status, 200);
        app.advance(Duration::from_secs(1));
        let expired = users().await;
        expired.assert_refused(401, "invalid_bearer");
        assert!(
            expired.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .contains("The access token expired")
        );
    }
);

on_both!(
    clients_share_the_allowance_of_their_address,
    "[providers.fake]\n[server]\nhand_ins_per_minute = 2\n",
    |app| {
        let client = app.api_client(BOTH).await;
        let wrong = ApiClient {
            client_id: client.client_id.clone(),
            secret: "guessed".to_owned(),
        };

        for _ in 0..2 {
            assert_eq!(app.client_token(&wrong, &[]).await.status, 401);
        }
        let throttled = app.client_token(&client, &[]).await;

        throttled.assert_refused(429, "rate_limited");
    }
);
