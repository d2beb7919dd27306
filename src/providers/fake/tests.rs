use tokio::time::Instant;
use url::{Url, form_urlencoded};

use super::*;
use crate::domain::json::Json;
use crate::providers::ProviderError;
use crate::providers::entry::Method;
use crate::providers::id_token::{Binding, IdTokenRules, VerifiedIdToken};
use crate::providers::jwks::KeySource;
use crate::providers::oauth1::{Credentials, authorization_header};

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn fake() -> Fake {
    Fake::new(&[7; 32]).unwrap()
}

fn request<'a>(method: &'a str, path: &'a str) -> FakeRequest<'a> {
    FakeRequest {
        method,
        path,
        query: "",
        authorization: None,
        body: &[],
    }
}

fn body(answer: &FakeAnswer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// What `/mint` answers for Ada with these further members.
#[track_caller]
fn mint(fake: &Fake, changes: Value) -> Value {
    let mut wanted = json!({
        "sub": "1001", "name": "Ada Okafor", "email": "ada@example.org", "username": "ada",
    });
    let members = wanted.as_object_mut().unwrap();
    let Value::Object(changes) = changes else {
        panic!("not an object");
    };
    members.extend(changes);
    let answer = post(fake, "/mint", None, &wanted.to_string());
    assert_eq!(answer.status, 200, "{}", body(&answer));
    body(&answer)
}

fn post(fake: &Fake, path: &str, authorization: Option<&str>, body: &str) -> FakeAnswer {
    let request = FakeRequest {
        authorization,
        body: body.as_bytes(),
        ..request("POST", path)
    };
    fake.handle(&request, at(NOW))
}

fn me(fake: &Fake, access_token: &str, now: i64) -> FakeAnswer {
    let authorization = format!("Bearer {access_token}");
    let request = FakeRequest {
        authorization: Some(&authorization),
        ..request("GET", "/me")
    };
    fake.handle(&request, at(now))
}

/// What `/me` answers to an access token that behaves like this.
#[track_caller]
fn me_when(behaviour: &str) -> FakeAnswer {
    let fake = fake();
    let minted = mint(&fake, json!({"behaviour": behaviour}));
    me(&fake, minted["access_token"].as_str().unwrap(), NOW)
}

#[test]
fn a_minted_access_token_is_exactly_what_is_handed_in() {
    let fake = fake();

    let minted = mint(&fake, json!({}));

    let names: Vec<_> = minted.as_object().unwrap().keys().collect();
    assert_eq!(names, ["access_token", "provider"]);
    assert_eq!(minted["provider"], "fake");
    let answer = me(&fake, minted["access_token"].as_str().unwrap(), NOW);
    assert_eq!(
        (answer.status, answer.content_type),
        (200, "application/json")
    );
    let expected = json!({
        "sub": "1001", "name": "Ada Okafor", "preferred_username": "ada", "email": "ada@example.org",
        "email_verified": true, "client_id": "fake-client", "exp": NOW + 3600, "scope": SCOPE,
    });
    assert_eq!(body(&answer), expected);
}

#[test]
fn what_is_not_minted_is_not_in_the_profile() {
    let fake = fake();

    let minted = body(&post(&fake, "/mint", None, r#"{"sub":"5"}"#));
    let profile = body(&me(&fake, minted["access_token"].as_str().unwrap(), NOW));

    for absent in ["name", "email", "email_verified", "preferred_username"] {
        assert_eq!(profile.get(absent), None);
    }
}

#[test]
fn a_token_of_another_making_is_refused() {
    let (fake, other) = (fake(), Fake::new(&[8; 32]).unwrap());
    let minted = mint(&other, json!({}));
    let foreign = minted["access_token"].as_str().unwrap().to_owned();
    let minted = mint(&fake, json!({}));
    let own = minted["access_token"].as_str().unwrap();
    let (text, code) = own.split_once('.').unwrap();
    let code_of_another = foreign.split_once('.').unwrap().1;
    let pair = mint(&fake, json!({"kind": "access_token_secret"}));
    let code_token = mint(&fake, json!({"kind": "code"}));
    for bad in [
        "",
        ".",
        "x",
        text,
        &foreign,
        &format!("{text}.{code_of_another}"),
        &format!("{text}A.{code}"),
        &format!("{text}."),
        pair["access_token"].as_str().unwrap(),
        code_token["code"].as_str().unwrap(),
    ] {
        let answer = me(&fake, bad, NOW);

        assert_eq!(answer.status, 401, "{bad}");
        assert_eq!(body(&answer), json!({"error": "invalid_token"}));
    }
    assert_eq!(fake.handle(&request("GET", "/me"), at(NOW)).status, 401);
}

#[test]
fn an_access_token_expires_after_an_hour() {
    let fake = fake();
    let minted = mint(&fake, json!({}));
    let token = minted["access_token"].as_str().unwrap();

    assert_eq!(me(&fake, token, NOW + 3599).status, 200);
    let late = me(&fake, token, NOW + 3600);

    assert_eq!(
        (late.status, body(&late)),
        (401, json!({"error": "expired_token"}))
    );
}

#[test]
fn an_access_token_misbehaves_as_it_was_minted() {
    for (behaviour, status, error) in [
        ("expired", 401, "expired_token"),
        ("revoked", 401, "revoked_token"),
        ("rate_limited", 429, "slow_down"),
        ("error_in_ok", 200, "invalid_token"),
    ] {
        let answer = me_when(behaviour);

        assert_eq!(answer.status, status, "{behaviour}");
        assert_eq!(body(&answer), json!({"error": error}), "{behaviour}");
    }
    for (behaviour, member, value) in [
        ("wrong_audience", "client_id", json!("another-client")),
        ("changed_email", "email", json!("changed-ada@example.org")),
        ("unverified_email", "email_verified", json!(false)),
        ("missing_sub", "sub", Value::Null),
    ] {
        let answer = me_when(behaviour);

        let mut expected = body(&me_when("good"));
        if value.is_null() {
            expected.as_object_mut().unwrap().remove(member);
        } else {
            expected[member] = value;
        }
        assert_eq!(body(&answer), expected, "{behaviour}");
    }
}

#[test]
fn the_provider_itself_misbehaves_as_it_was_minted() {
    let outage = me_when("outage");
    assert_eq!((outage.status, outage.content_type), (503, "text/html"));
    assert_eq!(me_when("rate_limited").retry_after_seconds, Some(7));
    let redirect = me_when("redirect");
    assert_eq!(redirect.status, 302);
    assert!(redirect.location.unwrap().starts_with(ISSUER));

    let garbage = me_when("garbage");
    assert_eq!(garbage.status, 200);
    assert!(serde_json::from_slice::<Value>(&garbage.body).is_err());
    let huge = me_when("huge");
    assert!(huge.body.len() > 2 << 20);
    assert!(Json::parse(&huge.body).is_ok(), "only its size is wrong");
    let twice = me_when("duplicate_keys");
    assert!(serde_json::from_slice::<Value>(&twice.body).is_ok());
    assert!(Json::parse(&twice.body).is_err());

    let slow = me_when("slow");
    assert_eq!(slow.delay, Some(Duration::from_secs(30)));
    assert_eq!(body(&slow), body(&me_when("good")));
    assert_eq!(me_when("good").delay, None);
}

#[test]
fn a_request_to_mint_that_makes_no_sense_is_told_so() {
    for wanted in [
        "",
        "{}",
        r#"{"sub":1}"#,
        r#"{"sub":"1","subject":"2"}"#,
        r#"{"sub":"1","kind":"password"}"#,
        r#"{"sub":"1","behaviour":"weird"}"#,
        r#"{"sub":"1","behaviour":"alg_none"}"#,
        r#"{"sub":"1","kind":"access_token_secret","behaviour":"wrong_nonce"}"#,
        r#"{"sub":"1","kind":"id_token","behaviour":"outage"}"#,
    ] {
        let answer = post(&fake(), "/mint", None, wanted);

        assert_eq!(answer.status, 400, "{wanted}");
        assert!(body(&answer)["error"].is_string(), "{wanted}");
    }
}

#[test]
fn what_it_does_not_have_is_not_found() {
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/mint"),
        ("POST", "/me"),
        ("PUT", "/token"),
    ] {
        assert_eq!(fake().handle(&request(method, path), at(NOW)).status, 404);
    }
}

/// A request to `path` signed with the minted pair and these changes to what is signed with.
fn signed(
    path: &str,
    query: &str,
    behaviour: &str,
    change: impl FnOnce(&mut Credentials<'_>, &mut i64),
) -> FakeAnswer {
    let fake = fake();
    let minted = mint(
        &fake,
        json!({"kind": "access_token_secret", "behaviour": behaviour}),
    );
    let mut credentials = Credentials {
        consumer_key: CLIENT_ID,
        consumer_secret: CLIENT_SECRET,
        token: minted["access_token"].as_str().unwrap(),
        token_secret: minted["access_token_secret"].as_str().unwrap(),
    };
    let mut timestamp = NOW;
    change(&mut credentials, &mut timestamp);
    let url = Url::parse(&format!("{ISSUER}{path}?{query}")).unwrap();
    let header = authorization_header(
        Method::Get,
        &url,
        &[],
        credentials,
        "0123456789abcdef0123456789abcdef",
        timestamp,
    );
    let request = FakeRequest {
        query: url.query().unwrap(),
        authorization: Some(&header),
        ..request("GET", path)
    };
    fake.handle(&request, at(NOW))
}

#[test]
fn a_request_signed_with_a_token_pair_is_answered() {
    for path in ["/me", "/oauth1/me"] {
        for query in ["", "a=b&c=%20d+e", "x&x="] {
            let answer = signed(path, query, "good", |_, _| {});

            assert_eq!(answer.status, 200, "{path}?{query}");
            assert_eq!(body(&answer), body(&me_when("good")));
        }
    }
}

#[test]
fn a_request_that_is_signed_wrongly_is_refused() {
    let refused = |answer: FakeAnswer| {
        assert_eq!(answer.status, 401);
        assert_eq!(body(&answer), json!({"error": "invalid_token"}));
    };
    refused(signed("/me", "", "good", |credentials, _| {
        credentials.consumer_secret = "another-secret";
    }));
    refused(signed("/me", "", "good", |credentials, _| {
        credentials.consumer_key = "another-client";
    }));
    refused(signed("/me", "", "good", |credentials, _| {
        credentials.token_secret = "another-secret";
    }));
    refused(signed("/me", "", "good", |credentials, _| {
        credentials.token = "x.y";
    }));
    refused(signed("/me", "", "good", |_, timestamp| *timestamp -= 301));
    refused(signed("/me", "", "good", |_, timestamp| {
        *timestamp = i64::MIN;
    }));
    for header in [
        "OAuth",
        "OAuth ",
        "OAuth x",
        "OAuth oauth_token=\"",
        "OAuth oauth_token",
    ] {
        let request = FakeRequest {
            authorization: Some(header),
            ..request("GET", "/me")
        };
        refused(fake().handle(&request, at(NOW)));
    }
}

#[test]
fn a_signature_covers_the_query_and_names_each_parameter_once() {
    let fake = fake();
    let minted = mint(&fake, json!({"kind": "access_token_secret"}));
    let credentials = Credentials {
        consumer_key: CLIENT_ID,
        consumer_secret: CLIENT_SECRET,
        token: minted["access_token"].as_str().unwrap(),
        token_secret: minted["access_token_secret"].as_str().unwrap(),
    };
    let url = Url::parse(&format!("{ISSUER}/me?a=b")).unwrap();
    let header = authorization_header(Method::Get, &url, &[], credentials, "nonce", NOW);
    let status = |header: &str, query| {
        let request = FakeRequest {
            query,
            authorization: Some(header),
            ..request("GET", "/me")
        };
        fake.handle(&request, at(NOW)).status
    };

    assert_eq!(status(&header, "a=b"), 200);
    assert_eq!(status(&header, "a=c"), 401);
    assert_eq!(status(&header, ""), 401);
    let twice = format!("{header}, oauth_token=\"x\"");
    assert_eq!(status(&twice, "a=b"), 401);
}

#[test]
fn a_bearer_token_is_no_signature() {
    let fake = fake();
    let minted = mint(&fake, json!({}));
    let authorization = format!("Bearer {}", minted["access_token"].as_str().unwrap());
    let request = FakeRequest {
        authorization: Some(&authorization),
        ..request("GET", "/oauth1/me")
    };

    assert_eq!(fake.handle(&request, at(NOW)).status, 401);
}

#[test]
fn a_token_pair_misbehaves_as_it_was_minted() {
    let when = |behaviour| signed("/me", "", behaviour, |_, _| {});

    assert_eq!(when("outage").status, 503);
    assert_eq!(body(&when("expired")), json!({"error": "expired_token"}));
    assert_eq!(body(&when("wrong_audience"))["client_id"], "another-client");
}

async fn verify(
    fake: &Fake,
    id_token: &str,
    nonce: Option<&str>,
) -> Result<VerifiedIdToken, ProviderError> {
    let keys = fake.handle(&request("GET", "/jwks"), at(NOW)).body;
    let rules = IdTokenRules {
        issuers: vec![ISSUER.to_owned()],
        algorithms: vec![jsonwebtoken::Algorithm::EdDSA],
        max_age_seconds: 86_400,
        equals: Vec::new(),
        keys: KeySource::fixed(&keys).unwrap(),
    };
    let binding = Binding {
        client_ids: &[CLIENT_ID],
        nonce,
        access_token: None,
    };
    rules
        .verify(id_token, binding, at(NOW), Instant::now())
        .await
}

#[tokio::test]
async fn a_minted_id_token_is_verified() {
    let fake = fake();

    let minted = mint(&fake, json!({"kind": "id_token", "nonce": "n-1"}));

    assert_eq!(minted["nonce"], "n-1");
    let verified = verify(&fake, minted["id_token"].as_str().unwrap(), Some("n-1"))
        .await
        .unwrap();
    assert_eq!(verified.client_id, CLIENT_ID);
    for (claim, value) in [
        ("sub", "1001"),
        ("name", "Ada Okafor"),
        ("email", "ada@example.org"),
    ] {
        assert_eq!(verified.claims.get(claim).unwrap().as_str(), Some(value));
    }
    assert_eq!(
        verified.claims.get("email_verified"),
        Some(&Json::Bool(true))
    );
}

#[tokio::test]
async fn an_id_token_misbehaves_as_it_was_minted() {
    for (behaviour, expected) in [
        ("expired", "the proof has expired"),
        (
            "wrong_audience",
            "the proof was issued to another application",
        ),
        ("revoked", "the proof is not valid"),
        ("garbage", "the proof is not valid"),
        ("missing_sub", "the proof is not valid"),
        ("bad_signature", "the proof is not valid"),
        ("wrong_issuer", "the proof is not valid"),
        ("alg_none", "the proof is not valid"),
        ("wrong_nonce", "the nonce does not match"),
    ] {
        let fake = fake();
        let wanted = json!({"kind": "id_token", "nonce": "n-1", "behaviour": behaviour});
        let minted = mint(&fake, wanted);

        let result = verify(&fake, minted["id_token"].as_str().unwrap(), Some("n-1")).await;

        let error = result.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{behaviour}: {error}");
    }
}

#[tokio::test]
async fn an_id_token_tells_of_a_changed_or_unverified_address() {
    let fake = fake();
    let changed = mint(
        &fake,
        json!({"kind": "id_token", "behaviour": "changed_email"}),
    );
    let unverified = mint(
        &fake,
        json!({"kind": "id_token", "behaviour": "unverified_email"}),
    );

    let changed = verify(&fake, changed["id_token"].as_str().unwrap(), None).await;
    let unverified = verify(&fake, unverified["id_token"].as_str().unwrap(), None).await;

    let email = changed.unwrap().claims.get("email").cloned();
    assert_eq!(email, Some(Json::String("changed-ada@example.org".into())));
    let verified = unverified.unwrap().claims.get("email_verified").cloned();
    assert_eq!(verified, Some(Json::Bool(false)));
}

/// A redemption with these members instead of the good ones; `null` takes a member away.
fn redemption(minted: &Value, changes: Value) -> String {
    let mut form = json!({
        "grant_type": "authorization_code", "code": minted["code"], "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    });
    let members = form.as_object_mut().unwrap();
    for name in ["code_verifier", "redirect_uri"] {
        if let Some(value) = minted.get(name) {
            members.insert(name.to_owned(), value.clone());
        }
    }
    let Value::Object(changes) = changes else {
        panic!("not an object");
    };
    members.extend(changes);
    let pairs = members
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?)));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn bound_code(fake: &Fake) -> Value {
    let wanted = json!({
        "kind": "code", "code_verifier": "v".repeat(43), "redirect_uri": "app://back", "nonce": "n-1",
    });
    mint(fake, wanted)
}

#[tokio::test]
async fn a_minted_code_is_redeemed_for_tokens_of_the_same_person() {
    let fake = fake();
    let minted = bound_code(&fake);

    let answer = post(&fake, "/token", None, &redemption(&minted, json!({})));

    assert_eq!(answer.status, 200);
    let tokens = body(&answer);
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    let profile = me(&fake, tokens["access_token"].as_str().unwrap(), NOW);
    assert_eq!(body(&profile)["sub"], "1001");
    let id_token = tokens["id_token"].as_str().unwrap();
    assert!(verify(&fake, id_token, Some("n-1")).await.is_ok());
    assert!(verify(&fake, id_token, Some("n-2")).await.is_err());
}

#[test]
fn a_code_is_redeemed_only_with_all_it_is_bound_to() {
    let fake = fake();
    let minted = bound_code(&fake);
    for (changes, error) in [
        (json!({"code_verifier": "w".repeat(43)}), "invalid_grant"),
        (json!({"code_verifier": null}), "invalid_grant"),
        (json!({"redirect_uri": "app://elsewhere"}), "invalid_grant"),
        (json!({"redirect_uri": null}), "invalid_grant"),
        (json!({"client_id": "another-client"}), "invalid_grant"),
        (json!({"code": "x.y"}), "invalid_grant"),
        (json!({"client_secret": "wrong"}), "invalid_client"),
        (json!({"client_id": null}), "invalid_client"),
        (json!({"grant_type": "password"}), "unsupported_grant_type"),
    ] {
        let answer = post(&fake, "/token", None, &redemption(&minted, changes.clone()));

        assert_eq!(body(&answer), json!({"error": error}), "{changes}");
        assert!(matches!(answer.status, 400 | 401), "{changes}");
    }
    let form = redemption(&minted, json!({}));
    let late = FakeRequest {
        body: form.as_bytes(),
        ..request("POST", "/token")
    };
    assert_eq!(fake.handle(&late, at(NOW + 60)).status, 400);
}

#[test]
fn a_public_client_needs_a_verifier_and_a_secret_may_come_by_basic() {
    use base64::Engine as _;
    let fake = fake();
    let public = json!({"client_secret": null});
    let (bound, unbound) = (bound_code(&fake), mint(&fake, json!({"kind": "code"})));
    let basic = base64::engine::general_purpose::STANDARD.encode("fake-client:fake-secret");
    let basic = format!("Basic {basic}");
    let bare = json!({"client_id": null, "client_secret": null});

    let status = |authorization, form: String| post(&fake, "/token", authorization, &form).status;

    assert_eq!(status(None, redemption(&bound, public.clone())), 200);
    assert_eq!(status(None, redemption(&unbound, public)), 400);
    assert_eq!(status(None, redemption(&unbound, json!({}))), 200);
    assert_eq!(
        status(Some(&basic), redemption(&unbound, bare.clone())),
        200
    );
    assert_eq!(status(Some("Basic !"), redemption(&unbound, bare)), 401);
    let unasked = json!({"code_verifier": "v".repeat(43)});
    assert_eq!(status(None, redemption(&unbound, unasked)), 400);
}

#[test]
fn a_code_misbehaves_as_it_was_minted() {
    let fake = fake();
    let redeem = |behaviour: &str| {
        let minted = mint(&fake, json!({"kind": "code", "behaviour": behaviour}));
        post(&fake, "/token", None, &redemption(&minted, json!({})))
    };

    for behaviour in ["expired", "revoked"] {
        let answer = redeem(behaviour);
        assert_eq!(body(&answer), json!({"error": "invalid_grant"}));
    }
    assert_eq!(redeem("outage").status, 503);
    assert!(redeem("slow").delay.is_some());
    let tokens = body(&redeem("wrong_audience"));
    let profile = me(&fake, tokens["access_token"].as_str().unwrap(), NOW);
    assert_eq!(body(&profile)["client_id"], "another-client");
}

#[test]
fn a_refresh_token_yields_new_tokens() {
    let fake = fake();
    let minted = bound_code(&fake);
    let tokens = body(&post(
        &fake,
        "/token",
        None,
        &redemption(&minted, json!({})),
    ));
    let refresh = |token: &Value| {
        let changes = json!({"grant_type": "refresh_token", "refresh_token": token});
        post(&fake, "/token", None, &redemption(&minted, changes))
    };

    let answer = refresh(&tokens["refresh_token"]);

    assert_eq!(answer.status, 200);
    let token = body(&answer)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(me(&fake, &token, NOW).status, 200);
    assert_eq!(refresh(&tokens["access_token"]).status, 400);
}

#[test]
fn introspection_tells_the_application_to_those_who_know_the_secret() {
    let fake = fake();
    let minted = mint(&fake, json!({"client_id": "ours"}));
    assert_eq!(minted["client_id"], "ours");
    let ask = |token: &str, secret: &str| {
        let form = format!("token={token}&client_id=ours&client_secret={secret}");
        post(&fake, "/introspect", None, &form)
    };

    let answer = ask(minted["access_token"].as_str().unwrap(), CLIENT_SECRET);

    let expected = json!({
        "active": true, "client_id": "ours", "sub": "1001", "exp": NOW + 3600, "scope": SCOPE,
    });
    assert_eq!(body(&answer), expected);
    assert_eq!(body(&ask("x.y", CLIENT_SECRET)), json!({"active": false}));
    assert_eq!(ask("x.y", "wrong").status, 401);
    let public = post(&fake, "/introspect", None, "token=x.y&client_id=ours");
    assert_eq!(public.status, 401);
}

fn authorize(fake: &Fake, query: &str) -> FakeAnswer {
    let request = FakeRequest {
        query,
        ..request("GET", "/authorize")
    };
    fake.handle(&request, at(NOW))
}

#[test]
fn a_browser_is_sent_back_with_a_code_and_its_state() {
    let fake = fake();
    let challenge = mint::s256("verifier");
    let query = format!(
        "response_type=code&client_id=fake-client&redirect_uri=https%3A%2F%2Fapp.example%2Fback%3Fa%3Db&state=s%201\
         &code_challenge={challenge}&code_challenge_method=S256&login_hint=7"
    );

    let answer = authorize(&fake, &query);

    assert_eq!(answer.status, 302);
    let location = Url::parse(&answer.location.unwrap()).unwrap();
    let pairs: Vec<(String, String)> = location.query_pairs().into_owned().collect();
    assert!(
        location
            .as_str()
            .starts_with("https://app.example/back?a=b&")
    );
    assert_eq!(pairs[2], ("state".to_owned(), "s 1".to_owned()));
    let form = redemption(
        &json!({"code": pairs[1].1}),
        json!({"code_verifier": "verifier", "redirect_uri": "https://app.example/back?a=b"}),
    );
    let tokens = body(&post(&fake, "/token", None, &form));
    let profile = body(&me(&fake, tokens["access_token"].as_str().unwrap(), NOW));
    assert_eq!(
        (&profile["sub"], &profile["email"]),
        (&json!("7"), &json!("7@example.org"))
    );
}

#[test]
fn a_browser_with_a_bad_request_goes_nowhere_or_back_with_an_error() {
    for query in [
        "",
        "client_id=x",
        "client_id=x&redirect_uri=nonsense",
        "client_id=x&redirect_uri=javascript:alert(1)",
        "client_id=x&redirect_uri=https://a.example/&behaviour=weird",
    ] {
        let answer = authorize(&fake(), query);
        assert_eq!((answer.status, answer.location), (400, None), "{query}");
    }
    for query in [
        "client_id=x&redirect_uri=https://a.example/&response_type=token",
        "client_id=x&redirect_uri=https://a.example/&response_type=code&code_challenge=x",
    ] {
        let location = authorize(&fake(), query).location.unwrap();
        assert_eq!(location, "https://a.example/?error=invalid_request");
    }
}

#[test]
fn discovery_names_endpoints_that_exist() {
    let fake = fake();
    let document = body(&fake.handle(
        &request("GET", "/.well-known/openid-configuration"),
        at(NOW),
    ));

    assert_eq!(document["issuer"], ISSUER);
    for (member, method) in [
        ("authorization_endpoint", "GET"),
        ("token_endpoint", "POST"),
        ("introspection_endpoint", "POST"),
        ("revocation_endpoint", "POST"),
        ("userinfo_endpoint", "GET"),
        ("jwks_uri", "GET"),
    ] {
        let path = document[member].as_str().unwrap().strip_prefix(ISSUER);
        let answer = fake.handle(&request(method, path.unwrap()), at(NOW));
        assert_ne!(answer.status, 404, "{member}");
    }
}

#[test]
fn its_entry_of_the_catalogue_is_in_the_language_of_entries() {
    use figment::providers::{Format as _, Toml};
    let text = include_str!("../catalog/fake.toml");

    let entry: crate::providers::entry::Entry = figment::Figment::from(Toml::string(text))
        .extract()
        .unwrap();

    let oauth2 = entry.oauth2.unwrap();
    let id_token = entry.id_token.unwrap();
    assert_eq!(id_token.issuers, [ISSUER]);
    for url in [
        oauth2.token_url,
        oauth2.authorization_url.unwrap(),
        id_token.jwks_url.unwrap(),
        entry.requests[0].url.clone(),
    ] {
        assert_eq!(Url::parse(&url).unwrap().host_str(), Some(HOST));
    }
}

#[test]
fn a_revoked_token_is_refused_and_a_new_one_of_the_same_person_is_not() {
    let fake = fake();
    let mint = || {
        let minted = fake.handle(
            &FakeRequest {
                body: br#"{"sub": "1001"}"#,
                ..request("POST", "/mint")
            },
            at(NOW),
        );
        body(&minted)["access_token"].as_str().unwrap().to_owned()
    };
    let ask = |token: &str| {
        let authorization = format!("Bearer {token}");
        fake.handle(
            &FakeRequest {
                authorization: Some(&authorization),
                ..request("GET", "/me")
            },
            at(NOW),
        )
        .status
    };
    let revoke = |client_id: &str, token: &str| {
        let form = format!("client_id={client_id}&token={token}");
        fake.handle(
            &FakeRequest {
                body: form.as_bytes(),
                ..request("POST", "/revoke")
            },
            at(NOW),
        )
        .status
    };
    let (first, second) = (mint(), mint());

    assert_eq!(revoke("another-client", &first), 200);
    assert_eq!((ask(&first), ask(&second)), (200, 200));
    assert_eq!(revoke(CLIENT_ID, &first), 200);
    assert_eq!((ask(&first), ask(&second)), (401, 200));
    assert_eq!(revoke(CLIENT_ID, "never-issued"), 200);
}
