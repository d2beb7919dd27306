//! What only some entries do, and only a look at the requests or at a changed answer shows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use latchkey::domain::{Proof, Secret};
use latchkey::providers::provider::Verified;
use serde_json::{Value, json};
use sha2::Sha256;

use super::fixtures::{self, ACCESS_TOKEN, Fixture, Kind, now};
use super::scene::{Failures, Scene, code, for_every_entry, outcome};
use crate::support::mock_provider::RecordedRequest;

fn fixture(id: &str) -> &'static Fixture {
    let found = fixtures::all().iter().find(|fixture| fixture.id == id);
    found.unwrap_or_else(|| panic!("no fixtures for {id}"))
}

/// The one request to `endpoint` of a good hand-in.
async fn request_to(scene: &Scene, endpoint: &str) -> RecordedRequest {
    let kind = scene.fixture.kinds()[0];
    let result = scene.hand_in(kind).await;
    assert!(result.is_ok(), "{}", outcome(&result));
    let requests = scene.mock.requests();
    let found = requests.into_iter().find(|r| r.endpoint == endpoint);
    found.unwrap_or_else(|| panic!("{endpoint} was not asked"))
}

#[tokio::test]
async fn facebook_is_asked_with_the_app_token_and_a_proof_of_our_secret() {
    let scene = Scene::new(fixture("facebook")).await;
    let secret = scene.settings.client_secret.clone().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).unwrap();
    mac.update(ACCESS_TOKEN.as_bytes());
    let proof = hex::encode(mac.finalize().into_bytes());

    let debug = request_to(&scene, "GET graph.facebook.com/v24.0/debug_token").await;
    let me = request_to(&scene, "GET graph.facebook.com/v24.0/me").await;

    let app_token = format!("{}|{}", scene.fixture.client_id(), secret.expose());
    assert_eq!(debug.params()["access_token"], app_token);
    assert_eq!(debug.params()["input_token"], ACCESS_TOKEN);
    assert_eq!(debug.header("authorization"), None);
    assert_eq!(me.params()["access_token"], ACCESS_TOKEN);
    assert_eq!(me.params()["appsecret_proof"], proof);
    assert!(me.params()["fields"].contains("email"));
}

#[tokio::test]
async fn github_is_asked_with_our_credentials_and_the_token_in_json() {
    let scene = Scene::new(fixture("github")).await;
    let client_id = scene.fixture.client_id();
    let secret = scene.settings.client_secret.clone().unwrap();

    let endpoint = format!("POST api.github.com/applications/{client_id}/token");
    let check = request_to(&scene, &endpoint).await;

    let credentials = STANDARD.encode(format!("{client_id}:{}", secret.expose()));
    let basic = format!("Basic {credentials}");
    assert_eq!(check.header("authorization"), Some(basic.as_str()));
    let body: Value = serde_json::from_slice(&check.body).unwrap();
    assert_eq!(body, json!({"access_token": ACCESS_TOKEN}));
}

#[tokio::test]
async fn twitch_and_yandex_get_the_token_in_their_own_scheme() {
    let twitch = Scene::new(fixture("twitch")).await;
    let yandex = Scene::new(fixture("yandex")).await;
    let scheme = format!("OAuth {ACCESS_TOKEN}");

    let validate = request_to(&twitch, "GET id.twitch.tv/oauth2/validate").await;
    let users = request_to(&twitch, "GET api.twitch.tv/helix/users").await;
    let info = request_to(&yandex, "GET login.yandex.ru/info").await;

    assert_eq!(validate.header("authorization"), Some(scheme.as_str()));
    assert_eq!(users.header("client-id"), Some(twitch.fixture.client_id()));
    assert_eq!(info.header("authorization"), Some(scheme.as_str()));
}

/// RFC 5849 §3.1: the token pair and our key, signed, and never a secret.
#[tokio::test]
async fn twitter_gets_a_signed_request_without_any_secret_in_it() {
    let scene = Scene::new(fixture("twitter")).await;
    let endpoint = "GET api.twitter.com/1.1/account/verify_credentials.json";

    let first = request_to(&scene, endpoint).await;
    let second = scene.hand_in(Kind::TokenPair).await.map(|_| ());

    assert!(second.is_ok());
    let header = first.header("authorization").unwrap();
    for part in [
        "OAuth ",
        &format!("oauth_consumer_key=\"{}\"", scene.fixture.client_id()),
        &format!("oauth_token=\"{ACCESS_TOKEN}\""),
        "oauth_signature_method=\"HMAC-SHA1\"",
        "oauth_signature=\"",
    ] {
        assert!(header.contains(part), "{part}");
    }
    let secret = scene.settings.client_secret.clone().unwrap();
    assert!(!first.carries(secret.expose()));
    assert!(!first.carries("handed-in-access-token-secret"));
    let nonces: Vec<String> = scene
        .mock
        .requests()
        .iter()
        .filter_map(|r| r.header("authorization"))
        .filter_map(|header| {
            Some(
                header
                    .split("oauth_nonce=\"")
                    .nth(1)?
                    .split('"')
                    .next()?
                    .to_owned(),
            )
        })
        .collect();
    assert_eq!(nonces.len(), 2);
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn x_is_not_asked_about_a_code_without_a_verifier() {
    let scene = Scene::new(fixture("x")).await;
    let proof = Proof::Code {
        code: Secret::new("handed-in-code"),
        code_verifier: None,
        redirect_uri: None,
        nonce: None,
    };

    let result = scene.provider().verify(&proof, None, now()).await;

    assert_eq!(outcome(&result), "invalid_request");
    assert!(scene.mock.requests().is_empty());
}

#[tokio::test]
async fn kakao_needs_the_number_of_the_app() {
    let mut scene = Scene::new(fixture("kakao")).await;
    scene.settings.params.clear();

    let built = scene.try_provider();

    assert!(built.is_err());
}

#[tokio::test]
async fn every_client_id_is_ours_and_told_apart() {
    let mut scene = Scene::new(fixture("google")).await;
    let ios = "407408718192-ios.apps.googleusercontent.com";
    let tokeninfo = "GET oauth2.googleapis.com/tokeninfo";
    let ours = scene.fixture.client_id();
    fixtures::replace(scene.body(tokeninfo), ours, &ios.into());
    scene.claims["aud"] = json!(ios);
    scene.claims["azp"] = json!(ios);

    let by_access_token = scene.hand_in(Kind::AccessToken).await.unwrap();
    let by_id_token = scene.hand_in(Kind::IdToken).await.unwrap();

    assert_eq!(by_access_token.client_id.as_deref(), Some(ios));
    assert_eq!(by_id_token.client_id.as_deref(), Some(ios));
}

/// Google's tokeninfo names the application that asked (`azp`) as well; that it was ours is not enough.
#[tokio::test]
async fn a_google_token_for_another_audience_is_refused_though_our_app_asked_for_it() {
    let mut scene = Scene::new(fixture("google")).await;
    scene.body("GET oauth2.googleapis.com/tokeninfo")["aud"] = json!("someone-else");

    let result = scene.hand_in(Kind::AccessToken).await;

    assert_eq!(outcome(&result), "wrong_audience");
}

#[tokio::test]
async fn an_issuer_without_introspection_proves_no_access_token() {
    let mut scene = Scene::new(fixture("oidc")).await;
    let discovery = "GET login.acme.example/.well-known/openid-configuration";
    let document = scene.body(discovery).as_object_mut().unwrap();
    document.remove("introspection_endpoint");

    let access_token = scene.hand_in(Kind::AccessToken).await;
    let id_token = scene.hand_in(Kind::IdToken).await;

    assert_eq!(outcome(&access_token), "unbound_token");
    assert!(id_token.is_ok());
}

/// OpenID Connect Discovery §4.3.
#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_not_used() {
    for issuer in [
        json!("https://evil.example"),
        json!("https://login.acme.example/"),
        Value::Null,
    ] {
        let mut scene = Scene::new(fixture("oidc")).await;
        let discovery = "GET login.acme.example/.well-known/openid-configuration";
        scene.body(discovery)["issuer"] = issuer.clone();

        for kind in scene.fixture.kinds() {
            let result = scene.hand_in(kind).await;

            assert_eq!(
                outcome(&result),
                "provider_unavailable",
                "{kind:?} {issuer}"
            );
        }
    }
}

fn is_verified(result: &Result<Verified, latchkey::providers::ProviderError>) -> Option<bool> {
    result.as_ref().ok().map(|v| v.identity.email_verified)
}

/// Only the provider's own `true` counts.
#[tokio::test]
async fn an_address_is_verified_only_by_a_true_of_the_provider() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        let Some(rules) = &fixture.entry.id_token else {
            return failures;
        };
        let claim = match &rules.identity {
            None => Some("email_verified".to_owned()),
            Some(identity) => identity
                .email
                .last()
                .and_then(|email| email.verified.clone()),
        };
        let Some(claim) = claim else {
            return failures;
        };
        for (value, verified) in [
            (json!(true), true),
            (json!("true"), true),
            (json!(false), false),
            (json!("false"), false),
            (json!("TRUE"), false),
            (json!(1), false),
            (json!("1"), false),
            (json!(0), false),
            (json!("0"), false),
            (json!(""), false),
            (json!([true]), false),
            (json!({}), false),
            (Value::Null, false),
        ] {
            scene.claims[&claim] = value.clone();
            let result = scene.hand_in(Kind::IdToken).await;
            failures.check(is_verified(&result) == Some(verified), || {
                format!("{} {claim} {value}: {}", fixture.id, outcome(&result))
            });
        }
        scene.claims.as_object_mut().unwrap().remove(&claim);
        let result = scene.hand_in(Kind::IdToken).await;
        failures.check(is_verified(&result) == Some(false), || {
            format!("{} without {claim}: {}", fixture.id, outcome(&result))
        });
        failures
    })
    .await;
}

/// "nOAuth": the address of a Microsoft account is anyone's to set.
#[tokio::test]
async fn a_microsoft_address_counts_only_with_one_of_two_optional_claims() {
    let mut scene = Scene::new(fixture("microsoft")).await;
    scene.claims.as_object_mut().unwrap().remove("xms_edov");

    let without = scene.hand_in(Kind::IdToken).await.unwrap();
    scene.claims["verified_primary_email"] = json!(["ada@primary.example"]);
    let with_primary = scene.hand_in(Kind::IdToken).await.unwrap();

    assert_eq!(
        without.identity.email.as_deref(),
        Some("ada@contoso.example")
    );
    assert!(!without.identity.email_verified);
    assert_eq!(
        with_primary.identity.email.as_deref(),
        Some("ada@primary.example")
    );
    assert!(with_primary.identity.email_verified);
}

/// Two tenants may each have an object of one id, and a tenant's admin decides what is in `email`.
#[tokio::test]
async fn a_microsoft_uid_is_of_its_tenant() {
    let mut scene = Scene::new(fixture("microsoft")).await;
    let other = "9188040d-6c67-4c5b-b112-36a304b66dad";
    scene.claims["tid"] = json!(other);

    let foreign_issuer = scene.hand_in(Kind::IdToken).await;
    scene.claims["iss"] = json!(format!("https://login.microsoftonline.com/{other}/v2.0"));
    let own_issuer = scene.hand_in(Kind::IdToken).await.unwrap();

    assert_eq!(outcome(&foreign_issuer), "invalid_token");
    let good = &scene.fixture.expected(Kind::IdToken).uid;
    assert_ne!(own_issuer.identity.uid.as_str(), good);
    assert!(own_issuer.identity.uid.as_str().starts_with(other));
}

#[tokio::test]
async fn an_address_that_a_provider_has_not_confirmed_is_unverified() {
    for (id, request, pointer, value) in [
        (
            "kakao",
            "user",
            "/kakao_account/is_email_valid",
            json!(false),
        ),
        (
            "kakao",
            "user",
            "/kakao_account/is_email_verified",
            json!(false),
        ),
        ("gitlab", "user", "/confirmed_at", Value::Null),
        ("discord", "user", "/verified", json!(false)),
        ("google", "userinfo", "/email_verified", json!("false")),
        ("github", "emails", "/1/verified", json!(false)),
    ] {
        let mut scene = Scene::new(fixture(id)).await;
        let endpoint = scene.fixture.endpoint_of(request).to_owned();
        *scene.body(&endpoint).pointer_mut(pointer).unwrap() = value;

        let result = scene.hand_in(Kind::AccessToken).await;

        assert_eq!(is_verified(&result), Some(false), "{id} {pointer}");
    }
}

/// Facebook has tokens of pages, of systems and of apps as well.
#[tokio::test]
async fn only_a_persons_token_is_taken() {
    for (id, request, pointer, value) in [
        ("facebook", "debug", "/data/type", json!("PAGE")),
        ("facebook", "debug", "/data/type", json!("APP")),
        ("facebook", "debug", "/data/is_valid", json!("true")),
        ("facebook", "debug", "/data/is_valid", json!(1)),
        (
            "facebook",
            "debug",
            "/data/expires_at",
            json!(super::fixtures::NOW - 1),
        ),
        ("linkedin", "introspection", "/auth_type", json!("2L")),
        ("linkedin", "introspection", "/active", json!("true")),
        ("oidc", "introspection", "/active", json!(1)),
        ("twitch", "validate", "/user_id", Value::Null),
    ] {
        let mut scene = Scene::new(fixture(id)).await;
        let endpoint = scene.fixture.endpoint_of(request).to_owned();
        *scene.body(&endpoint).pointer_mut(pointer).unwrap() = value.clone();

        let result = scene.hand_in(Kind::AccessToken).await;

        assert!(result.is_err(), "{id} {pointer} {value}");
    }
}

#[tokio::test]
async fn a_facebook_token_that_never_expires_is_taken() {
    let mut scene = Scene::new(fixture("facebook")).await;
    scene.body("GET graph.facebook.com/v24.0/debug_token")["data"]["expires_at"] = json!(0);

    let result = scene.hand_in(Kind::AccessToken).await;

    assert!(result.is_ok(), "{:?}", result.map_err(|error| code(&error)));
}

/// What the provider's own documentation does not always show is not demanded: LinkedIn's `auth_type`, Microsoft's `ver`, whose
/// issuer says the same.
#[tokio::test]
async fn a_member_that_says_nothing_more_may_be_missing() {
    let mut linkedin = Scene::new(fixture("linkedin")).await;
    let endpoint = linkedin.fixture.endpoint_of("introspection").to_owned();
    let body = linkedin.body(&endpoint).as_object_mut().unwrap();
    body.remove("auth_type").unwrap();
    let mut microsoft = Scene::new(fixture("microsoft")).await;
    let claims = microsoft.claims.as_object_mut().unwrap();
    claims.remove("ver").unwrap();

    let results = [
        linkedin.hand_in(Kind::AccessToken).await,
        microsoft.hand_in(Kind::IdToken).await,
    ];

    for result in results {
        assert!(result.is_ok(), "{}", outcome(&result));
    }
}

/// Slack refuses with status 200 and `ok: false`.
#[tokio::test]
async fn slack_refuses_an_access_token_with_status_200() {
    let mut scene = Scene::new(fixture("slack")).await;
    for refusal in [&scene.fixture.expired, &scene.fixture.revoked] {
        let refusal = refusal.as_ref().unwrap();
        scene.reset();
        // Without it, only Slack's answer can bind the access token.
        scene.claims.as_object_mut().unwrap().remove("at_hash");
        scene.override_answers(&refusal.answers);

        let result = scene.hand_in_both().await;

        assert_eq!(outcome(&result), refusal.expect);
    }
}
