//! The whole server as a stranger meets it who has only read what it promises, and wants in.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::issuer_keys::issuer_keys;
use crate::support::mock_provider::{Answer as Scripted, Misbehaviour, MockProvider};
use crate::support::{Backend, TestApp, on_both};

const FAKE: &str = "[providers.fake]\n";
const OURS: &str = "web.apps.example";
const TOKENINFO: &str = "GET oauth2.googleapis.com/tokeninfo";
const USERINFO: &str = "GET openidconnect.googleapis.com/v1/userinfo";
const DISCOVERY: &str = "GET login.acme.example/.well-known/openid-configuration";
const KEYS: &str = "GET login.acme.example/keys";

const PROVIDERS: &str = r#"
[providers.google]
clients = [ { id = "ios.apps.example" }, { id = "web.apps.example", secret = "google-canary-secret" } ]
[providers.acme-oidc]
issuer = "https://login.acme.example"
client_id = "acme-client"
"#;

/// The same test against a server on each database, with a mock for all providers.
async fn on_both_with_mock<F>(toml: &str, behaviour: F)
where
    F: AsyncFn(&TestApp, &MockProvider),
{
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let mock = MockProvider::start().await;
        let origin = mock.origin();
        let toml = format!("{toml}\n[development]\nprovider_origin = \"{origin}\"\n{PROVIDERS}");
        if let Some(app) = TestApp::spawn(backend, &toml) {
            behaviour(&app, &mock).await;
        }
    }
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the server's clock is real")]
    chrono::Utc::now().timestamp()
}

/// What Google says about a good token, with `changes` on top; null removes.
fn tokeninfo(changes: &Value) -> Value {
    let mut body = json!({
        "azp": OURS, "aud": OURS, "sub": "110169484474386276334", "scope": "openid email",
        "exp": (now() + 3000).to_string(), "expires_in": "3000",
    });
    let members = body.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    body
}

fn google() -> Value {
    json!({ "provider": "google", "access_token": "handed-in" })
}

#[tokio::test]
async fn a_google_token_of_another_authorized_party_or_without_time_left_makes_no_user() {
    on_both_with_mock("", async |app, mock| {
        mock.answer(USERINFO, &json!({ "sub": "110169484474386276334" }));
        for (changes, code) in [
            (json!({ "azp": "other.apps.example" }), "wrong_audience"),
            (
                json!({ "aud": [OURS, "other"], "azp": "other" }),
                "wrong_audience",
            ),
            (json!({ "aud": "other.apps.example" }), "wrong_audience"),
            (json!({ "azp": { "id": OURS } }), "wrong_audience"),
            (json!({ "exp": "0" }), "expired_token"),
            (json!({ "exp": (now() - 1).to_string() }), "expired_token"),
            (json!({ "exp": null, "expires_in": "0" }), "expired_token"),
            (json!({ "expires_in": -5 }), "expired_token"),
            (json!({ "sub": "110169484474386276335" }), "invalid_token"),
        ] {
            mock.answer(TOKENINFO, &tokeninfo(&changes));

            let answer = app.hand_in(&google()).await;

            assert_eq!(
                (answer.status, answer.body["code"].as_str()),
                (400, Some(code)),
                "{changes}: {:?}",
                answer.body
            );
            assert_eq!(answer.body["errors"], "Error with social authentication");
        }
        assert_eq!(app.counts(), (0, 0));

        for changes in [
            json!({}),
            json!({ "azp": null }),
            json!({ "azp": "ios.apps.example" }),
        ] {
            mock.answer(TOKENINFO, &tokeninfo(&changes));
            let answer = app.hand_in(&google()).await;
            assert_eq!(answer.status, 201, "{changes}: {:?}", answer.body);
        }
        assert_eq!(app.counts(), (1, 1));
    })
    .await;
}

fn acme_token() -> Value {
    let claims = json!({
        "iss": "https://login.acme.example", "aud": "acme-client", "sub": "ada",
        "iat": now(), "exp": now() + 600,
    });
    let id_token = issuer_keys().sign("RS256", &claims);
    json!({ "provider": "acme-oidc", "id_token": id_token })
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_neither_used_nor_kept() {
    on_both_with_mock("", async |app, mock| {
        mock.publish_keys(KEYS);
        let document = |issuer: &str| {
            json!({ "issuer": issuer, "jwks_uri": "https://login.acme.example/keys" })
        };
        for issuer in [
            "https://evil.example",
            "https://login.acme.example/",
            "https://login.acme.example.evil.example",
            "https://LOGIN.acme.example",
        ] {
            mock.answer(DISCOVERY, &document(issuer));
            let answer = app.hand_in(&acme_token()).await;
            answer.assert_refused(503, "provider_unavailable");
        }
        assert_eq!(mock.count(KEYS), 0);
        assert_eq!(app.counts(), (0, 0));

        mock.answer(DISCOVERY, &document("https://login.acme.example"));
        let answer = app.hand_in(&acme_token()).await;

        answer.assert_outcome("signed_up");
    })
    .await;
}

/// OpenID Connect Core §5.4: with an access token beside it, an id token may say no more than who it is.
#[tokio::test]
async fn a_bare_id_token_is_completed_by_userinfo_of_the_same_person_alone() {
    on_both_with_mock("", async |app, mock| {
        const ENDPOINT: &str = "GET login.acme.example/userinfo";
        mock.publish_keys(KEYS);
        mock.answer(
            DISCOVERY,
            &json!({
                "issuer": "https://login.acme.example",
                "jwks_uri": "https://login.acme.example/keys",
                "token_endpoint": "https://login.acme.example/token",
                "userinfo_endpoint": "https://login.acme.example/userinfo",
            }),
        );
        let code = json!({ "provider": "acme-oidc", "code": "c", "redirect_uri": "https://app.example/cb" });
        let redeemed = |sub: &str| {
            let claims = json!({
                "iss": "https://login.acme.example", "aud": "acme-client", "sub": sub,
                "iat": now(), "exp": now() + 600,
            });
            json!({
                "access_token": "at", "token_type": "Bearer",
                "id_token": issuer_keys().sign("RS256", &claims),
            })
        };
        let userinfo = json!({
            "sub": "ada", "email": "ada@example.org", "email_verified": true,
            "given_name": "Ada", "family_name": "Okafor",
        });

        mock.answer("POST login.acme.example/token", &redeemed("eve"));
        mock.answer(ENDPOINT, &userinfo);
        let other = app.hand_in(&code).await;
        mock.answer("POST login.acme.example/token", &redeemed("ada"));
        mock.answer_with(ENDPOINT, Scripted::json(403, &json!({})));
        let bare = app.hand_in(&code).await;
        mock.answer(ENDPOINT, &userinfo);
        let named = app.hand_in(&code).await;
        mock.answer("POST login.acme.example/token", &redeemed("bob"));
        mock.answer(ENDPOINT, &json!({ "sub": "bob", "email": "bob@example.org", "email_verified": true }));
        let whole = app.hand_in(&code).await;

        other.assert_refused(400, "invalid_token");
        assert_eq!(bare.assert_outcome("signed_up")["email"], Value::Null);
        assert_eq!(named.assert_outcome("signed_in")["first_name"], "Ada");
        let whole = whole.assert_outcome("signed_up");
        assert_eq!(whole["email"], "bob@example.org");
        assert_eq!(whole["email_verified"], true);
    })
    .await;
}

#[tokio::test]
async fn key_sets_are_fetched_behind_the_circuit_breaker() {
    on_both_with_mock("", async |app, mock| {
        let document =
            json!({ "issuer": "https://login.acme.example", "jwks_uri": "https://login.acme.example/keys" });
        mock.answer(DISCOVERY, &document);
        mock.publish_keys(KEYS);
        mock.misbehave_at(KEYS, Misbehaviour::Status(500));

        for _ in 0..40 {
            let answer = app.hand_in(&acme_token()).await;
            answer.assert_refused(503, "provider_unavailable");
        }

        let asked = mock.count(KEYS);
        assert!((1..30).contains(&asked), "asked {asked} times");
        mock.answer(TOKENINFO, &tokeninfo(&json!({})));
        mock.answer(USERINFO, &json!({ "sub": "110169484474386276334" }));
        app.hand_in(&google()).await.assert_outcome("signed_up");
    })
    .await;
}

#[tokio::test]
async fn no_answer_of_a_provider_reaches_the_caller_or_makes_a_user() {
    on_both_with_mock("", async |app, mock| {
        const CANARY: &str = "canary-of-the-provider";
        mock.answer(TOKENINFO, &tokeninfo(&json!({})));
        for (status, body) in [
            (400, json!({ "error": CANARY, "error_description": CANARY })),
            (401, json!({ "error": { "message": CANARY } })),
            (403, json!([CANARY])),
            (404, json!(CANARY)),
            (418, json!({ "sub": "110169484474386276334", "x": CANARY })),
            (500, json!({ "stack": CANARY })),
            (200, json!({ "sub": CANARY })),
            (200, json!({ "sub": [CANARY] })),
            (200, json!({ "sub": null, "x": CANARY })),
            (204, json!({ "sub": "110169484474386276334" })),
        ] {
            mock.answer_with(USERINFO, Scripted::json(status, &body));

            let answer = app.hand_in(&google()).await;

            assert!(
                matches!(answer.status, 400 | 503),
                "{status} {body}: {answer:?}"
            );
            let shown = format!("{} {:?}", answer.body, answer.headers);
            assert!(!shown.contains(CANARY), "{shown}");
            assert!(!shown.contains("google-canary-secret"), "{shown}");
        }
        assert_eq!(app.counts(), (0, 0));
    })
    .await;
}

const LIMITED: &str = "[server]\nhand_ins_per_minute = 2\ntrusted_proxies = ";

/// How many of five hand-ins are let in that differ in `X-Forwarded-For` as `header` writes it.
async fn let_in(app: &TestApp, header: impl Fn(u8) -> String) -> usize {
    let mut admitted = 0;
    for i in 1..=5 {
        let request = app
            .request("POST", "/social_sign_up/")
            .header("content-type", "application/json")
            .header("x-forwarded-for", header(i))
            .body(json!({ "provider": "fake", "access_token": "x" }).to_string());
        let answer = app.send(request).await;
        match answer.status {
            400 => admitted += 1,
            429 => answer.assert_refused(429, "rate_limited"),
            other => panic!("{other}: {:?}", answer.body),
        }
    }
    admitted
}

#[tokio::test]
async fn a_forged_forwarding_header_buys_no_hand_in() {
    for (trusted_proxies, forged, honest) in [
        (0, &["10.0.0.@", "10.0.0.@, 7.7.7.7"][..], None),
        (
            1,
            &["10.0.0.@, 7.7.7.7", "10.0.0.@, 10.1.0.@, 7.7.7.8"],
            Some("7.7.8.@"),
        ),
        (2, &["10.0.0.@, 7.7.7.7, 8.8.8.8"], Some("7.7.8.@, 8.8.8.8")),
        (
            1,
            &["2001:db8::@", "10.0.0.@, ::ffff:7.7.7.9"],
            Some("2001:db8:0:@::1"),
        ),
    ] {
        for header in forged {
            let toml = format!("{LIMITED}{trusted_proxies}\n[providers.fake]\n");
            let Some(app) = TestApp::spawn(Backend::Sqlite, &toml) else {
                return;
            };
            let admitted = let_in(&app, |i| header.replace('@', &i.to_string())).await;
            assert_eq!(admitted, 2, "{trusted_proxies} proxies: {header}");
            if let Some(honest) = honest {
                let admitted = let_in(&app, |i| honest.replace('@', &i.to_string())).await;
                assert_eq!(admitted, 5, "{trusted_proxies} proxies: {honest}");
            }
        }
    }
}

on_both!(
    the_token_endpoint_refuses_in_the_words_of_oauth,
    FAKE,
    |app| {
        for (content_type, body) in [
            ("application/json", "{"),
            ("application/json", "[]"),
            ("application/json", r#"{"grant_type":1}"#),
            ("text/plain", "grant_type=refresh_token"),
            ("application/x-www-form-urlencoded", ""),
            (
                "application/x-www-form-urlencoded",
                "grant_type=a&grant_type=b",
            ),
            ("application/x-www-form-urlencoded", "grant_type=%ff"),
        ] {
            let request = app
                .request("POST", "/oauth/token")
                .header("content-type", content_type)
                .body(body);
            let answer = app.send(request).await;
            assert_eq!(
                (answer.status, answer.body["error"].as_str()),
                (400, Some("invalid_request")),
                "{body}: {:?}",
                answer.body
            );
        }
    }
);

on_both!(a_problem_is_asked_for_in_any_case_of_letters, FAKE, |app| {
    for accept in [
        "application/problem+json",
        "text/html, Application/Problem+JSON;q=0.9",
    ] {
        let request = app
            .request("POST", "/social_sign_up/")
            .header("accept", accept)
            .header("content-type", "application/json")
            .body("{}");
        let answer = app.send(request).await;
        answer.assert_refused(400, "invalid_request");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.body["status"], 400);
        assert_eq!(answer.body["detail"], answer.body["errors"]);
    }
});

on_both!(no_other_spelling_of_the_address_is_the_call, FAKE, |app| {
    let body = app.access_token_of("spelt").await;
    for path in [
        "//social_sign_up/",
        "/social_sign_up//",
        "/social_sign_up/%2f",
        "/social_sign_up%2f",
        "/SOCIAL_SIGN_UP/",
        "/social_sign_up/;x",
    ] {
        let answer = app.post(path, &body, None).await;
        answer.assert_refused(404, "not_found");
    }
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let request = app
            .request(method, "/social_sign_up/")
            .header("x-http-method-override", "POST")
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = app.send(request).await;
        answer.assert_refused(405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], "POST");
    }
    assert_eq!(app.counts(), (0, 0));
});

/// A generator that is the same in every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.roll(choices.len())]
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.roll(if depth < 4 { 12 } else { 10 }) {
            0 => Value::Null,
            1 => json!(self.roll(2) == 0),
            2 => json!(self.of(&[&0.5, &-1.0, &1e300, &9_007_199_254_740_993.0])),
            3 => json!(u64::MAX),
            4..=9 => json!(self.of(TEXTS)),
            10 => (0..self.roll(4)).map(|_| self.value(depth + 1)).collect(),
            _ => (0..self.roll(4))
                .map(|_| (self.of(MEMBERS).to_owned(), self.value(depth + 1)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

const MEMBERS: &[&str] = &[
    "provider",
    "access_token",
    "access_token_secret",
    "id_token",
    "nonce",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "expires_in",
    "scope",
    "client_id",
    "intent",
    "profile",
    "link_ticket",
    "token",
    "user",
    "__proto__",
    "is_staff",
];
const TEXTS: &[&str] = &[
    "",
    " ",
    "x",
    "fake",
    "google",
    "acme-oidc",
    "Google",
    "g\u{43e}ogle",
    "a.b.c",
    "a\0b",
    "\u{202e}",
    "\r\nX: y",
    "' OR 1=1--",
    "<script>",
    "../../etc/passwd",
    "{client_id}",
    "sign_in",
    "sign_up",
    "associate",
    "auto",
    "eyJhbGciOiJub25lIn0.e30.",
    "http://127.0.0.1:22/",
    "handed-in",
    "web.apps.example",
];
const PATHS: &[&str] = &[
    "/social_sign_up/",
    "/social_sign_up/",
    "/social_sign_up",
    "/nonce",
    "/me",
    "/providers",
    "/oauth/token",
    "/.well-known/jwks.json",
    "/healthz",
    "/readyz",
    "/",
    "/me/%00",
    "/nowhere",
    "/%2e%2e/me",
    "/static/latchkey.css",
];

#[tokio::test]
async fn random_requests_get_a_documented_refusal_and_make_no_second_user() {
    on_both_with_mock("", async |app, mock| {
        mock.answer(TOKENINFO, &tokeninfo(&json!({})));
        mock.answer(USERINFO, &json!({ "sub": "110169484474386276334", "email": "ada@example.org" }));
        mock.answer(DISCOVERY, &json!({ "issuer": "https://login.acme.example", "jwks_uri": "https://login.acme.example/keys" }));
        mock.publish_keys(KEYS);
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let mut succeeded = 0;
        for _ in 0..1500 {
            let method = dice.of(&["POST", "POST", "POST", "POST", "GET", "PUT", "DELETE", "BREW"]);
            let path = dice.of(PATHS);
            let mut body = match dice.roll(8) {
                0 => dice.value(0),
                1 => google(),
                _ => (0..dice.roll(6))
                    .map(|_| (dice.of(MEMBERS).to_owned(), dice.value(1)))
                    .collect::<serde_json::Map<_, _>>()
                    .into(),
            };
            if let (Value::Object(members), true) = (&mut body, dice.roll(3) > 0) {
                let provider = dice.of(&["fake", "google", "acme-oidc", "nobody"]);
                members.insert("provider".to_owned(), json!(provider));
            }
            let mut bytes = body.to_string().into_bytes();
            if dice.roll(4) == 0 && !bytes.is_empty() {
                let at = dice.roll(bytes.len());
                bytes[at] = u8::try_from(dice.roll(256)).unwrap();
            }
            let content_type = dice.of(&["application/json", "application/json", "application/x-www-form-urlencoded", "text/plain"]);
            let mut request = app
                .request(method, path)
                .timeout(Duration::from_secs(15))
                .header("content-type", content_type)
                .body(bytes.clone());
            if dice.roll(8) == 0 {
                request = request.header("authorization", dice.of(&["Bearer x", "Bearer", "Basic eDp5", "Bearer a.b.c"]));
            }

            let answer = app.send(request).await;

            let what = || format!("{method} {path} {}: {answer:?}", String::from_utf8_lossy(&bytes));
            match answer.status {
                200 | 201 => succeeded += usize::from(answer.status == 201),
                400..=499 => {
                    let named = answer.body["code"].is_string() && answer.body["errors"].is_string();
                    let in_oauth = path.starts_with("/oauth/") && answer.body["error"].is_string();
                    assert!(named || in_oauth, "{}", what());
                    assert!(answer.body["request_id"].is_string(), "{}", what());
                }
                _ => panic!("{}", what()),
            }
        }
        assert!(succeeded > 10, "only {succeeded} hand-ins succeeded");
        assert_eq!(app.counts(), (1, 1));
    })
    .await;
}
