//! Giving our access back: each entry with `[revoke]` sends what its provider documents, and the others send nothing.

use latchkey::domain::{Secret, Uid};
use latchkey::providers::{Revocation, StoredGrant};
use serde_json::json;

use super::fixtures::{all, now};
use super::scene::{HASTY, Scene};
use crate::support::mock_provider::{Answer, Misbehaviour, RecordedRequest};

const ACCESS: &str = "stored-access-token";
const PAIR_SECRET: &str = "stored-access-token-secret";
const REFRESH: &str = "stored-refresh-token";

/// How we say who we are.
#[derive(Clone, Copy, PartialEq)]
enum Auth {
    /// HTTP Basic.
    Basic,
    /// `client_id` and `client_secret` in the form.
    Form,
    /// `client_id` in the form.
    Id,
    /// The token is all it takes.
    Token,
    /// Facebook's app access token.
    AppToken,
    /// The request is signed.
    Signed,
}

/// The request and which token it is about, by the documentation of each provider.
const EXPECTED: [(&str, &str, &str, Auth); 14] = [
    (
        "apple",
        "POST appleid.apple.com/auth/revoke",
        REFRESH,
        Auth::Form,
    ),
    (
        "discord",
        "POST discord.com/api/oauth2/token/revoke",
        REFRESH,
        Auth::Basic,
    ),
    (
        "facebook",
        "DELETE graph.facebook.com/v24.0/4711/permissions",
        "",
        Auth::AppToken,
    ),
    (
        "fake",
        "POST fake.latchkey.example/revoke",
        REFRESH,
        Auth::Id,
    ),
    (
        "github",
        "DELETE api.github.com/applications/{client_id}/token",
        ACCESS,
        Auth::Basic,
    ),
    (
        "gitlab",
        "POST gitlab.com/oauth/revoke",
        REFRESH,
        Auth::Form,
    ),
    (
        "google",
        "POST oauth2.googleapis.com/revoke",
        REFRESH,
        Auth::Token,
    ),
    (
        "kakao",
        "POST kapi.kakao.com/v1/user/unlink",
        ACCESS,
        Auth::Token,
    ),
    (
        "line",
        "POST api.line.me/oauth2/v2.1/revoke",
        ACCESS,
        Auth::Form,
    ),
    (
        "oidc",
        "POST login.acme.example/oauth2/revoke",
        REFRESH,
        Auth::Basic,
    ),
    (
        "slack",
        "POST slack.com/api/auth.revoke",
        ACCESS,
        Auth::Token,
    ),
    (
        "twitch",
        "POST id.twitch.tv/oauth2/revoke",
        ACCESS,
        Auth::Id,
    ),
    (
        "twitter",
        "POST api.twitter.com/1.1/oauth/invalidate_token.json",
        ACCESS,
        Auth::Signed,
    ),
    ("x", "POST api.x.com/2/oauth2/revoke", REFRESH, Auth::Basic),
];

fn grant(scene: &Scene) -> StoredGrant {
    StoredGrant {
        uid: Uid::parse("4711").unwrap(),
        client_id: Some(scene.fixture.client_id().to_owned()),
        access_token: Some(Secret::new(ACCESS)),
        access_token_secret: Some(Secret::new(PAIR_SECRET)),
        refresh_token: Some(Secret::new(REFRESH)),
    }
}

/// The entry's scene, with an OpenID Connect provider that has the endpoint.
async fn scene_of(id: &str) -> Option<Scene> {
    let fixture = all().iter().find(|fixture| fixture.id == id)?;
    let scene = Scene::new(fixture).await;
    if id == "oidc" {
        let document = json!({
            "issuer": "https://login.acme.example",
            "jwks_uri": "https://login.acme.example/jwks",
            "revocation_endpoint": "https://login.acme.example/oauth2/revoke",
        });
        let discovery = "GET login.acme.example/.well-known/openid-configuration";
        scene.mock.answer(discovery, &document);
    }
    Some(scene)
}

fn assert_authenticated(id: &str, auth: Auth, request: &RecordedRequest, client_id: &str) {
    let params = request.params();
    let authorization = request.header("authorization").unwrap_or_default();
    let has_secret = params.contains_key("client_secret");
    match auth {
        Auth::Basic => assert!(authorization.starts_with("Basic "), "{id}"),
        Auth::Signed => assert!(authorization.starts_with("OAuth "), "{id}"),
        Auth::AppToken => {
            let expected = format!("{client_id}|");
            assert!(params["access_token"].starts_with(&expected), "{id}");
            assert!(!request.carries(ACCESS), "{id}");
        }
        Auth::Form | Auth::Id => {
            assert_eq!(params["client_id"], client_id, "{id}");
            assert_eq!(has_secret, auth == Auth::Form, "{id}");
        }
        Auth::Token => assert!(!has_secret && !params.contains_key("client_id"), "{id}"),
    }
}

#[tokio::test]
async fn each_provider_gets_the_request_that_it_documents() {
    for (id, endpoint, token, auth) in EXPECTED {
        let Some(scene) = scene_of(id).await else {
            // The fake one has no fixtures; what it does is tested where it stands.
            assert_eq!(id, "fake");
            continue;
        };
        let endpoint = endpoint.replace("{client_id}", scene.fixture.client_id());
        let body = json!({ "ok": true });
        scene.mock.answer_with(&endpoint, Answer::json(200, &body));
        let provider = scene.provider();

        let revocation = provider.revoke_stored(&grant(&scene), now()).await;

        assert_eq!(
            revocation,
            Revocation::Revoked,
            "{id}: {:?}",
            scene.mock.requests()
        );
        let requests = scene.mock.requests();
        let sent: Vec<&RecordedRequest> = requests
            .iter()
            .filter(|request| request.endpoint == endpoint)
            .collect();
        assert_eq!(sent.len(), 1, "{id}");
        assert!(token.is_empty() || sent[0].carries(token), "{id}");
        assert_authenticated(id, auth, sent[0], scene.fixture.client_id());
    }
}

#[tokio::test]
async fn the_others_are_asked_nothing() {
    for fixture in all() {
        let offers = EXPECTED.iter().any(|(id, ..)| *id == fixture.id);
        let scene = Scene::new(fixture).await;
        let provider = scene.provider();

        assert_eq!(provider.can_revoke(), offers, "{}", fixture.id);
        if !offers {
            let revocation = provider.revoke_stored(&grant(&scene), now()).await;
            assert_eq!(revocation, Revocation::NotOffered, "{}", fixture.id);
            assert_eq!(scene.mock.requests().len(), 0, "{}", fixture.id);
        }
    }
}

#[tokio::test]
async fn a_refusal_an_outage_and_a_silence_are_told_apart() {
    let endpoint = "POST oauth2.googleapis.com/revoke";
    let mut scene = scene_of("google").await.unwrap();
    scene.total_timeout = HASTY;
    let refused = json!({ "error": "invalid_token" });
    scene
        .mock
        .answer_with(endpoint, Answer::json(400, &refused));
    let cases = [
        (None, Revocation::Refused),
        (Some(Misbehaviour::Status(503)), Revocation::NotReached),
        (
            Some(Misbehaviour::Silence(HASTY * 4)),
            Revocation::NotReached,
        ),
        (Some(Misbehaviour::HangUp), Revocation::NotReached),
    ];
    for (misbehaviour, expected) in cases {
        scene.mock.behave();
        if let Some(misbehaviour) = &misbehaviour {
            scene.mock.misbehave(misbehaviour.clone());
        }

        let revocation = scene.provider().revoke_stored(&grant(&scene), now()).await;

        assert_eq!(revocation, expected, "{misbehaviour:?}");
    }
}

#[tokio::test]
async fn a_failure_with_status_200_is_one() {
    let scene = scene_of("slack").await.unwrap();
    let body = json!({ "ok": false, "error": "invalid_auth" });
    let endpoint = "POST slack.com/api/auth.revoke";
    scene.mock.answer_with(endpoint, Answer::json(200, &body));

    let revocation = scene.provider().revoke_stored(&grant(&scene), now()).await;

    assert_eq!(revocation, Revocation::Refused);
}

#[tokio::test]
async fn only_the_client_that_a_token_was_issued_to_asks_to_revoke_it() {
    let fixture = all().iter().find(|fixture| fixture.id == "gitlab").unwrap();
    let mut scene = Scene::new(fixture).await;
    let second = latchkey::providers::ClientSettings {
        id: "ios-without-a-secret".to_owned(),
        ..latchkey::providers::ClientSettings::default()
    };
    scene.settings.clients.push(second);
    let grant = StoredGrant {
        client_id: Some("ios-without-a-secret".to_owned()),
        ..grant(&scene)
    };

    let revocation = scene.provider().revoke_stored(&grant, now()).await;

    assert_eq!(revocation, Revocation::NotOffered);
    assert_eq!(scene.mock.requests().len(), 0);
}

#[tokio::test]
async fn an_issuer_without_the_endpoint_is_not_asked() {
    let fixture = all().iter().find(|fixture| fixture.id == "oidc").unwrap();
    let scene = Scene::new(fixture).await;
    let document = json!({
        "issuer": "https://login.acme.example",
        "jwks_uri": "https://login.acme.example/jwks",
    });
    let discovery = "GET login.acme.example/.well-known/openid-configuration";
    scene.mock.answer(discovery, &document);

    let revocation = scene.provider().revoke_stored(&grant(&scene), now()).await;

    assert_eq!(revocation, Revocation::NotOffered);
}
