//! Against a real OpenID provider that this project did not write: the npm package oidc-provider, on loopback.

mod server;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Backend, StaffClient, TestApp};
use server::OidcProvider;

/// The provider and an application that is configured for it as an operator would: issuer and client ids.
fn start() -> Option<(OidcProvider, TestApp)> {
    let provider = OidcProvider::start()?;
    let toml = format!(
        r#"
        [providers.acme]
        issuer = "{}"
        clients = [
            {{ id = "acme-rs256", secret = "acme-rs256-secret" }},
            {{ id = "acme-ps256", secret = "acme-ps256-secret" }},
            {{ id = "acme-es256", secret = "acme-es256-secret" }},
            {{ id = "acme-eddsa", secret = "acme-eddsa-secret" }},
            {{ id = "acme-ios", platform = "ios" }},
        ]
        "#,
        provider.origin()
    );
    let app = TestApp::spawn(Backend::Sqlite, &toml)?;
    Some((provider, app))
}

fn id_token(tokens: &Value) -> Value {
    json!({ "provider": "acme", "id_token": tokens["id_token"] })
}

fn access_token(tokens: &Value, client_id: &str) -> Value {
    json!({ "provider": "acme", "access_token": tokens["access_token"], "client_id": client_id })
}

/// `body` with further members.
fn with(mut body: Value, members: &Value) -> Value {
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn id_tokens_of_every_algorithm_sign_up_and_sign_in() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    for (client_id, sub, algorithm) in [
        ("acme-rs256", "ada", "RS256"),
        ("acme-ps256", "ben", "PS256"),
        ("acme-es256", "cem", "ES256"),
        ("acme-eddsa", "dora", "EdDSA"),
        ("acme-ios", "eva", "ES256"),
    ] {
        let tokens = provider.issue(client_id, sub, Some("n-0S6_WzA2Mj"));
        assert_eq!(header(&tokens["id_token"])["alg"], algorithm);
        let body = with(id_token(&tokens), &json!({ "nonce": "n-0S6_WzA2Mj" }));

        let first = app.hand_in(&body).await;
        let second = app.hand_in(&body).await;

        let user = first.assert_outcome("signed_up");
        assert_eq!(user["social_auth"]["provider"], "acme");
        assert_eq!(user["social_auth"]["uid"], sub);
        assert_eq!(user["username"], sub);
        assert_eq!(user["email"], format!("{sub}@example.org"));
        assert_eq!(user["email_verified"], true);
        assert_eq!(
            (&user["first_name"], &user["last_name"]),
            (&json!("Ada"), &json!("Okafor"))
        );
        assert_eq!(second.assert_outcome("signed_in")["id"], user["id"]);
    }
    assert_eq!(app.counts(), (5, 5));
}

#[tokio::test]
async fn an_id_token_of_another_client_is_refused() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    let foreign = id_token(&provider.issue("other-app", "ada", None));
    let ours = id_token(&provider.issue("acme-rs256", "ada", None));
    let named_otherwise = with(ours, &json!({ "client_id": "acme-es256" }));

    app.hand_in(&foreign)
        .await
        .assert_refused(400, "wrong_audience");
    app.hand_in(&named_otherwise)
        .await
        .assert_refused(400, "wrong_audience");
    assert_eq!(app.counts(), (0, 0));
}

#[tokio::test]
async fn a_nonce_is_compared_raw_or_hashed() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    let raw = "kYJ3sT0mQ9";
    let digest = Sha256::digest(raw);
    let (hex, base64url) = (hex::encode(digest), URL_SAFE_NO_PAD.encode(digest));
    let of_raw = id_token(&provider.issue("acme-rs256", "ada", Some(raw)));
    let of_hex = id_token(&provider.issue("acme-rs256", "ada", Some(&hex)));
    let without = id_token(&provider.issue("acme-rs256", "ada", None));

    for (body, nonce) in [
        (&of_raw, raw),
        (&of_raw, &hex),
        (&of_raw, &base64url),
        (&of_hex, raw),
    ] {
        let answer = app
            .hand_in(&with(body.clone(), &json!({ "nonce": nonce })))
            .await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
    }
    for body in [
        with(of_raw.clone(), &json!({ "nonce": "another" })),
        with(of_raw.clone(), &json!({ "nonce": "" })),
        of_raw,
        with(without, &json!({ "nonce": raw })),
    ] {
        let answer = app.hand_in(&body).await;
        assert_eq!(answer.status, 400, "{:?}", answer.body);
        let code = answer.body["code"].as_str().unwrap();
        assert!(
            ["nonce_mismatch", "invalid_request"].contains(&code),
            "{code}"
        );
    }
    assert_eq!(app.counts(), (1, 1));
}

#[tokio::test]
async fn a_token_of_another_time_is_refused() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    let fresh = id_token(&provider.issue("acme-es256", "ada", None));
    provider.set_clock(-7_200);
    let expired = id_token(&provider.issue("acme-es256", "ada", None));
    provider.set_clock(7_200);
    let of_the_future = id_token(&provider.issue("acme-es256", "ada", None));

    app.hand_in(&expired)
        .await
        .assert_refused(400, "expired_token");
    app.hand_in(&of_the_future)
        .await
        .assert_refused(400, "invalid_token");
    app.hand_in(&fresh).await.assert_outcome("signed_up");
    app.advance(Duration::from_secs(3_600 + 61));
    app.hand_in(&fresh)
        .await
        .assert_refused(400, "expired_token");
}

#[tokio::test]
async fn a_tampered_token_is_refused() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    for client_id in ["acme-rs256", "acme-ps256", "acme-es256", "acme-eddsa"] {
        let tokens = provider.issue(client_id, "ada", None);
        let mallory = provider.issue(client_id, "mallory", None);
        let [header, claims, signature] = parts(&tokens["id_token"]);
        let [_, other_claims, other_signature] = parts(&mallory["id_token"]);
        let no_algorithm = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);

        for forged in [
            format!("{header}.{other_claims}.{signature}"),
            format!("{header}.{claims}.{other_signature}"),
            format!("{header}.{claims}.{}", flip_first_bit(&signature)),
            format!("{header}.{claims}."),
            format!("{no_algorithm}.{claims}."),
            format!("{no_algorithm}.{claims}.{signature}"),
        ] {
            let answer = app
                .hand_in(&json!({ "provider": "acme", "id_token": forged }))
                .await;
            answer.assert_refused(400, "invalid_token");
        }
    }
    assert_eq!(app.counts(), (0, 0));
}

#[tokio::test]
async fn rotated_keys_are_learnt_while_the_old_ones_are_still_published() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    let before = provider.issue("acme-rs256", "ada", None);
    app.hand_in(&id_token(&before))
        .await
        .assert_outcome("signed_up");

    provider.rotate_keys(false);
    let after = provider.issue("acme-rs256", "ada", None);

    assert_ne!(
        header(&before["id_token"])["kid"],
        header(&after["id_token"])["kid"]
    );
    app.hand_in(&id_token(&after))
        .await
        .assert_outcome("signed_in");
    app.hand_in(&id_token(&before))
        .await
        .assert_outcome("signed_in");
}

#[tokio::test]
async fn a_key_that_is_no_longer_published_loses_its_tokens() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    let before = provider.issue("acme-es256", "ada", None);
    app.hand_in(&id_token(&before))
        .await
        .assert_outcome("signed_up");

    provider.rotate_keys(true);
    let after = provider.issue("acme-es256", "ada", None);

    app.hand_in(&id_token(&after))
        .await
        .assert_outcome("signed_in");
    app.hand_in(&id_token(&before))
        .await
        .assert_refused(400, "invalid_token");
}

#[tokio::test]
async fn a_code_is_redeemed_with_its_verifier_and_only_once() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    for (client_id, sub) in [("acme-rs256", "ada"), ("acme-ios", "eva")] {
        let code = provider.authorize(client_id, sub, Some("n-1"));
        let body = with(
            code,
            &json!({ "provider": "acme", "client_id": client_id, "nonce": "n-1" }),
        );

        let first = app.hand_in(&body).await;
        let again = app.hand_in(&body).await;

        let user = first.assert_outcome("signed_up");
        assert_eq!(user["social_auth"]["uid"], sub);
        assert_eq!(user["email"], format!("{sub}@example.org"));
        again.assert_refused(400, "invalid_token");
    }
    assert_eq!(app.counts(), (2, 2));
}

#[tokio::test]
async fn a_code_that_is_not_ours_in_every_part_is_refused() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    let ours = json!({ "provider": "acme", "client_id": "acme-rs256" });
    let other_verifier = "a".repeat(43);
    for (client_id, wrong) in [
        ("other-app", json!({})),
        ("acme-es256", json!({})),
        ("acme-rs256", json!({ "code_verifier": other_verifier })),
        (
            "acme-rs256",
            json!({ "redirect_uri": "https://elsewhere.example/" }),
        ),
    ] {
        let code = provider.authorize(client_id, "ada", None);

        let answer = app.hand_in(&with(with(code, &ours), &wrong)).await;

        answer.assert_refused(400, "invalid_token");
    }
    assert_eq!(app.counts(), (0, 0));
}

#[tokio::test]
async fn an_access_token_is_introspected_and_another_clients_is_refused() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    let ours = provider.issue("acme-rs256", "ada", None);
    let foreign = provider.issue("other-app", "ada", None);

    app.hand_in(&access_token(&foreign, "acme-rs256"))
        .await
        .assert_refused(400, "wrong_audience");
    app.hand_in(&access_token(&ours, "acme-es256"))
        .await
        .assert_refused(400, "wrong_audience");
    assert_eq!(app.counts(), (0, 0));
    let answer = app.hand_in(&access_token(&ours, "acme-rs256")).await;
    let user = answer.assert_outcome("signed_up");
    assert_eq!(user["social_auth"]["uid"], "ada");
    assert_eq!(user["email"], "ada@example.org");
}

#[tokio::test]
async fn an_access_token_that_was_revoked_or_made_up_is_refused() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    let revoked = provider.issue("acme-rs256", "ada", None);
    provider.revoke("acme-rs256", &revoked);
    let made_up = json!({ "access_token": "Zm9yZ2VkIHRva2VuIG9mIG5vYm9keSBhdCBhbGw" });

    for tokens in [revoked, made_up] {
        app.hand_in(&access_token(&tokens, "acme-rs256"))
            .await
            .assert_refused(400, "invalid_token");
    }
    assert_eq!(app.counts(), (0, 0));
}

#[tokio::test]
async fn an_access_token_beside_an_id_token_must_be_of_the_same_person() {
    let Some((mut provider, app)) = start() else {
        return;
    };
    let ada = provider.issue("acme-rs256", "ada", None);
    let mallory = provider.issue("acme-rs256", "mallory", None);
    let beside = |tokens: &Value| with(id_token(&ada), &access_token(tokens, "acme-rs256"));

    app.hand_in(&beside(&mallory))
        .await
        .assert_refused(400, "invalid_token");
    app.hand_in(&beside(&ada)).await.assert_outcome("signed_up");
}

#[tokio::test]
async fn staff_sign_in_there_and_confirm_there_who_they_are() {
    let Some(mut provider) = OidcProvider::start() else {
        return;
    };
    let toml = format!(
        r#"
        [providers.acme]
        issuer = "{}"
        client_id = "acme-rs256"
        client_secret = "acme-rs256-secret"
        [admin.sign_in.acme]
        allowed_domains = ["example.org"]
        new_account_role = "staff"
        "#,
        provider.origin()
    );
    let Some(app) = TestApp::spawn(Backend::Sqlite, &toml) else {
        return;
    };
    let mut ada = StaffClient::new(&app);
    let redirect_uri = format!("{}/admin/sign-in/complete/acme", app.base);
    let step_up = "/admin/step-up?next=/admin/settings/second-factor";

    for (page, start, end) in [
        ("/admin/sign-in", "/admin/sign-in/providers/acme", "/admin"),
        (step_up, "/admin/step-up/providers/acme", "/admin/settings"),
    ] {
        ada.get(page).await;
        let sent = ada.post(start, &[("next", end)]).await;
        let out = sent.headers["refresh"].to_str().unwrap();
        let out = out.strip_prefix("0; url=").unwrap();
        let back = provider.visit(out, "ada", "acme-rs256", &redirect_uri);
        // RFC 9207: it says who answers.
        assert!(back.contains("&iss="), "{back}");

        let came = ada.get(back.strip_prefix(&app.base).unwrap()).await;

        assert_eq!(came.status, 200, "{}", came.html);
        assert_eq!(came.headers["refresh"], format!("0; url={end}"));
        let settings = ada.get("/admin/settings").await;
        settings.assert_says(200, "You sign in with");
    }
    assert_eq!(app.last_audit().await.1, "staff_stepped_up");
}

fn parts(token: &Value) -> [String; 3] {
    let parts: Vec<String> = token.as_str().unwrap().split('.').map(Into::into).collect();
    parts.try_into().unwrap()
}

fn header(token: &Value) -> Value {
    let [header, _, _] = parts(token);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

fn flip_first_bit(signature: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[0] ^= 0x80;
    URL_SAFE_NO_PAD.encode(bytes)
}
