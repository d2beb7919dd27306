//! The engine against a small server on loopback, through `provider_origin`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use figment::Figment;
use figment::providers::{Format, Toml};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::jwks::test_keys::keys;
use super::super::outbound::OutboundSettings;
use super::super::registry::{BuildEnv, Limits, Lookup, Providers};
use super::super::settings::ProviderSettings;
use super::super::{Authorization, Outage, Provider, ProviderError, Verified};
use crate::domain::{Member, Proof, Secret, TokenFacts};

const OURS: &str = r#"
[p]
client_id = "ours"
client_secret = "s3cret"
extra_data = ["me:locale", "me:page_token", { from = "me:scope_of_theirs", to = "scope" }, "me:nothing"]
[p.oauth2]
token_url = "https://id.example/token"
[[p.requests]]
name = "check"
url = "https://id.example/check"
token = { query = "t" }
statuses = { "404" = "wrong_audience" }
errors = [{ when = "error", is = ["expired"], verdict = "expired_token" }, { when = "error", verdict = "invalid_token" }]
[[p.requests]]
name = "me"
url = "https://id.example/me"
errors = [{ when = "error", verdict = "rejected" }]
[[p.requests]]
name = "mail"
url = "https://id.example/mail/{me:id}"
optional = true
[p.audience]
proof = "tokeninfo"
request = "check"
client_id = ["aud", "azp"]
uid = "user"
valid = "valid"
expires_at = "exp|unless_zero"
scope = "scopes"
[p.identity]
uid = "me:id"
username = "me:login"
email = [{ address = "mail:address", verified = "mail:verified" }, { address = "me:email" }]
full_name = "me:name"
"#;

const CHECK: &str =
    r#"{"aud": "ours", "user": 7, "valid": true, "exp": 1800000000, "scopes": ["a", "b"]}"#;
const ME: &str = r#"{"id": "7", "login": "ada", "name": "Ada Okafor", "locale": "en", "page_token": "hush", "scope_of_theirs": "x", "nothing": null}"#;
const MAIL: &str = r#"{"address": "ada@example.org", "verified": true}"#;

/// Path to status and body; what is not listed is a 404. Remembers what was asked.
struct Mock {
    origin: url::Url,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mock {
    async fn answering(routes: &[(&str, u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let routes: Arc<Vec<(String, u16, String)>> = Arc::new(
            routes
                .iter()
                .map(|(path, status, body)| ((*path).to_owned(), *status, (*body).to_owned()))
                .collect(),
        );
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&routes), Arc::clone(&log)));
            }
        });
        Self {
            origin: origin.parse().unwrap(),
            asked,
        }
    }

    fn provider(&self, toml: &str) -> Arc<Provider> {
        let settings: BTreeMap<String, ProviderSettings> =
            Figment::from(Toml::string(toml)).extract().unwrap();
        let env = BuildEnv {
            outbound: OutboundSettings {
                connect_timeout: Duration::from_secs(1),
                max_answer_bytes: 1 << 16,
                provider_origin: Some(self.origin.clone()),
                host_routes: Vec::new(),
            },
            limits: Limits::default(),
            development: true,
        };
        match Providers::build(&settings, &env).unwrap().find("p") {
            Lookup::Enabled(provider) => provider,
            other => panic!("{other:?}"),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    routes: Arc<Vec<(String, u16, String)>>,
    log: Arc<Mutex<Vec<String>>>,
) {
    let mut buffer = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let Ok(read @ 1..) = stream.read(&mut chunk).await else {
            return;
        };
        buffer.extend_from_slice(&chunk[..read]);
        let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        let length = head
            .lines()
            .find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().unwrap())
            })
            .unwrap_or(0);
        if buffer.len() < end + 4 + length {
            continue;
        }
        let body = String::from_utf8_lossy(&buffer[end + 4..end + 4 + length]).into_owned();
        buffer.drain(..end + 4 + length);
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let path = target
            .split('?')
            .next()
            .unwrap()
            .replacen("/id.example", "", 1);
        log.lock().unwrap().push(format!("{head}\n\n{body}"));
        let (status, answer) = routes
            .iter()
            .find(|(route, _, _)| *route == path)
            .map_or((404, "{}"), |(_, status, body)| (*status, body));
        let text = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn token() -> Proof {
    Proof::AccessToken {
        access_token: Secret::new("their-token"),
        facts: TokenFacts {
            refresh_token: Some(Secret::new("their-refresh")),
            expires_in_seconds: Some(60),
            scope: Some("claimed".to_owned()),
        },
    }
}

async fn verify(toml: &str, routes: &[(&str, u16, &str)]) -> Result<Verified, ProviderError> {
    let mock = Mock::answering(routes).await;
    mock.provider(toml).verify(&token(), None, now()).await
}

/// The good answers with one of them replaced.
async fn with(path: &str, status: u16, body: &str) -> Result<Verified, ProviderError> {
    let mut routes = vec![
        ("/check", 200, CHECK),
        ("/me", 200, ME),
        ("/mail/7", 200, MAIL),
    ];
    for route in &mut routes {
        if route.0 == path {
            *route = (path, status, body);
        }
    }
    verify(OURS, &routes).await
}

#[track_caller]
fn plain<'v>(verified: &'v Verified, name: &str) -> Option<&'v str> {
    match verified.extra_data.get(name) {
        Some(Member::Plain(value)) => value.as_str(),
        _ => None,
    }
}

#[track_caller]
fn secret<'v>(verified: &'v Verified, name: &str) -> Option<&'v str> {
    match verified.extra_data.get(name) {
        Some(Member::Secret(secret)) => Some(secret.expose()),
        _ => None,
    }
}

#[tokio::test]
async fn a_token_of_ours_becomes_an_identity_and_extra_data() {
    let verified = with("", 0, "").await.unwrap();

    let identity = &verified.identity;
    assert_eq!(identity.uid.as_str(), "7");
    assert_eq!(identity.username.as_deref(), Some("ada"));
    assert_eq!(identity.email.as_deref(), Some("ada@example.org"));
    assert!(identity.email_verified);
    assert_eq!(identity.last_name, "Okafor");
    assert_eq!(verified.client_id.as_deref(), Some("ours"));
    assert_eq!(secret(&verified, "access_token"), Some("their-token"));
    assert_eq!(secret(&verified, "refresh_token"), Some("their-refresh"));
    assert_eq!(secret(&verified, "page_token"), Some("hush"));
    for (name, value) in [
        ("token_type", "Bearer"),
        ("auth_time", "2026-11-23T10:00:00Z"),
        ("expires_at", "2027-01-15T08:00:00Z"),
        ("scope", "a b"),
        ("client_id", "ours"),
        ("locale", "en"),
    ] {
        assert_eq!(plain(&verified, name), Some(value), "{name}");
    }
    assert!(verified.extra_data.get("nothing").is_none());
}

#[tokio::test]
async fn whatever_is_wrong_with_the_proof_of_the_audience_refuses() {
    use ProviderError::{ExpiredToken, InvalidToken, Unavailable, WrongAudience};
    let check = |change: (&str, &str)| CHECK.replacen(change.0, change.1, 1);
    for (body, expected) in [
        (check(("\"ours\"", "\"theirs\"")), "wrong"),
        (check(("\"ours\"", "\"OURS\"")), "wrong"),
        (check(("\"ours\"", "\"ours \"")), "wrong"),
        (check(("\"ours\"", "[\"theirs\"]")), "wrong"),
        (check(("\"ours\"", "{\"ours\": 1}")), "wrong"),
        (check(("\"ours\"", "null")), "unavailable"),
        (check(("\"aud\": \"ours\", ", "")), "unavailable"),
        (check(("\"valid\": true", "\"valid\": false")), "invalid"),
        (check(("\"valid\": true", "\"valid\": \"true\"")), "invalid"),
        (check(("\"valid\": true", "\"valid\": 1")), "invalid"),
        (check(("\"valid\": true, ", "")), "invalid"),
        (check(("1800000000", "1700000000")), "expired"),
        (check(("1800000000", "-1")), "expired"),
        (check(("1800000000", "1.5")), "unavailable"),
        (check(("1800000000", "true")), "unavailable"),
        (check(("\"user\": 7", "\"user\": 8")), "invalid"),
        (check(("\"user\": 7", "\"user\": 7.0")), "unavailable"),
        (check(("\"user\": 7, ", "")), "unavailable"),
        ("{\"error\": \"expired\"}".to_owned(), "expired"),
        ("{\"error\": \"other\"}".to_owned(), "invalid"),
        ("<html>".to_owned(), "unavailable"),
        ("\"ours\"".to_owned(), "unavailable"),
        (check(("{", "{\"aud\": \"ours\", ")), "unavailable"),
        (String::new(), "unavailable"),
    ] {
        let error = with("/check", 200, &body).await.unwrap_err();
        let matches = match expected {
            "wrong" => matches!(error, WrongAudience),
            "invalid" => matches!(error, InvalidToken(_)),
            "expired" => matches!(error, ExpiredToken),
            _ => matches!(error, Unavailable { .. }),
        };
        assert!(matches, "{body}: {error:?}, expected {expected}");
    }
}

#[tokio::test]
async fn an_application_named_in_a_list_or_by_a_fallback_is_ours_too() {
    for aud in ["[\"x\", \"ours\"]", "\"x\", \"azp\": \"ours\""] {
        let body = CHECK.replacen("\"ours\"", aud, 1);

        let verified = with("/check", 200, &body).await.unwrap();

        assert_eq!(verified.client_id.as_deref(), Some("ours"), "{aud}");
    }
    let forever = CHECK.replacen("1800000000", "0", 1);
    let verified = with("/check", 200, &forever).await.unwrap();
    assert_eq!(plain(&verified, "expires_at"), Some("2026-11-23T10:01:00Z"));
}

/// Only where the entry says that 0 means never.
#[tokio::test]
async fn a_zero_is_an_expiry_like_any_other() {
    let entry = OURS.replace("exp|unless_zero", "exp");
    assert_ne!(entry, OURS);
    let zero = CHECK.replacen("1800000000", "0", 1);
    let routes = [
        ("/check", 200, zero.as_str()),
        ("/me", 200, ME),
        ("/mail/7", 200, MAIL),
    ];

    let result = verify(&entry, &routes).await;

    assert!(
        matches!(result, Err(ProviderError::ExpiredToken)),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_profile_without_a_usable_uid_identifies_nobody() {
    for id in [
        "null",
        "true",
        "1.5",
        "7e3",
        "{}",
        "[]",
        "\"\"",
        "\" 7\"",
        "\"7\\u0000\"",
    ] {
        let body = ME.replacen("\"7\"", id, 1);

        let error = with("/me", 200, &body).await.unwrap_err();

        assert!(
            matches!(
                error,
                ProviderError::Unavailable {
                    outage: Outage::Malformed(_),
                    ..
                }
            ),
            "{id}: {error:?}"
        );
    }
}

#[tokio::test]
async fn statuses_and_errors_inside_a_good_status_mean_what_the_entry_says() {
    use ProviderError::{InvalidToken, Rejected, Unavailable, WrongAudience};
    for (path, status, body) in [
        ("/me", 400, "{}"),
        ("/me", 401, "<html>"),
        ("/check", 401, ""),
    ] {
        let error = with(path, status, body).await.unwrap_err();
        assert!(
            matches!(error, InvalidToken(_)),
            "{path} {status}: {error:?}"
        );
    }
    for (path, status, body) in [
        ("/me", 403, "{}"),
        ("/me", 404, "{}"),
        ("/me", 418, "x"),
        ("/me", 200, "{\"id\": \"7\", \"error\": {\"code\": 3}}"),
        ("/me", 401, "{\"error\": \"x\"}"),
    ] {
        let error = with(path, status, body).await.unwrap_err();
        assert!(matches!(error, Rejected(_)), "{path} {status}: {error:?}");
    }
    for (path, status) in [
        ("/me", 500),
        ("/me", 503),
        ("/me", 429),
        ("/me", 408),
        ("/me", 302),
        ("/me", 204),
        ("/me", 202),
        ("/check", 500),
    ] {
        let error = with(path, status, ME).await.unwrap_err();
        assert!(
            matches!(error, Unavailable { .. }),
            "{path} {status}: {error:?}"
        );
    }
    let foreign = with("/check", 404, "{}").await.unwrap_err();
    assert!(matches!(foreign, WrongAudience));
}

#[tokio::test]
async fn the_audience_tells_before_the_profile_does() {
    let foreign = CHECK.replacen("ours", "theirs", 1);
    let both = [("/check", 200, foreign.as_str()), ("/me", 401, "{}")];
    let refused_and_down = [("/check", 503, "{}"), ("/me", 401, "{}")];

    let first = verify(OURS, &both).await.unwrap_err();
    let second = verify(OURS, &refused_and_down).await.unwrap_err();

    assert!(matches!(first, ProviderError::WrongAudience));
    assert!(matches!(second, ProviderError::InvalidToken(_)));
}

#[tokio::test]
async fn an_optional_answer_may_fail_and_is_asked_for_by_the_uid() {
    let verified = with("/mail/7", 500, "").await.unwrap();
    assert_eq!(verified.identity.email, None);
    assert!(!verified.identity.email_verified);

    let body = ME.replacen("\"7\"", "\"../8?x\"", 1);
    let mock = Mock::answering(&[("/me", 200, &body)]).await;
    let _ = mock.provider(OURS).verify(&token(), None, now()).await;
    let chained = CHECK.replacen('7', "\"../8?x\"", 1);
    let mock = Mock::answering(&[("/me", 200, &body), ("/check", 200, &chained)]).await;
    let verified = mock.provider(OURS).verify(&token(), None, now()).await;

    assert_eq!(verified.unwrap().identity.uid.as_str(), "../8?x");
    let mail = mock
        .asked()
        .into_iter()
        .find(|asked| asked.contains("/mail/"));
    assert!(
        mail.unwrap()
            .starts_with("GET /id.example/mail/..%2F8%3Fx HTTP/1.1")
    );
}

#[tokio::test]
async fn an_unbound_token_is_refused_before_any_request_unless_the_operator_accepts_it() {
    let unbound = OURS.replace(
        "proof = \"tokeninfo\"",
        "proof = \"none\"\nreason = \"there is none\"",
    );
    let accepted = unbound.replace("[p]\n", "[p]\nallow_unbound_tokens = true\n");
    let routes = [("/check", 200, CHECK), ("/me", 200, ME)];

    let mock = Mock::answering(&routes).await;
    let refused = mock.provider(&unbound).verify(&token(), None, now()).await;
    assert!(matches!(refused, Err(ProviderError::UnboundToken)));
    assert!(mock.asked().is_empty());

    let verified = mock
        .provider(&accepted)
        .verify(&token(), None, now())
        .await
        .unwrap();
    assert_eq!(verified.identity.uid.as_str(), "7");
    assert_eq!(verified.client_id, None);
}

#[tokio::test]
async fn odd_tokens_and_foreign_client_ids_never_reach_the_provider() {
    let mock = Mock::answering(&[("/check", 200, CHECK), ("/me", 200, ME)]).await;
    let provider = mock.provider(OURS);
    for odd in ["", "a\r\nX-Evil: 1", "a\0", "tök", "a\u{7f}"] {
        let proof = Proof::AccessToken {
            access_token: Secret::new(odd),
            facts: TokenFacts::default(),
        };
        let error = provider.verify(&proof, None, now()).await.unwrap_err();
        assert!(matches!(error, ProviderError::InvalidToken(_)), "{odd:?}");
    }

    let error = provider
        .verify(&token(), Some("theirs"), now())
        .await
        .unwrap_err();

    assert!(matches!(
        error,
        ProviderError::BadMember {
            member: "client_id",
            ..
        }
    ));
    assert!(mock.asked().is_empty());
}

#[tokio::test]
async fn a_named_client_must_be_the_one_the_token_is_for() {
    let two = OURS.replace(
        "client_id = \"ours\"\n",
        "client_id = \"ours\"\nclients = [{ id = \"ios\" }]\n",
    );
    let mock = Mock::answering(&[("/check", 200, CHECK), ("/me", 200, ME)]).await;
    let provider = mock.provider(&two);

    assert!(provider.verify(&token(), Some("ours"), now()).await.is_ok());
    let error = provider
        .verify(&token(), Some("ios"), now())
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::WrongAudience));
}

#[tokio::test]
async fn a_token_pair_is_signed_with_a_fresh_nonce_each_time() {
    let toml = r#"
[p]
client_id = "key"
client_secret = "s3cret"
[[p.requests]]
name = "me"
url = "https://id.example/me"
token = "oauth1"
query = { include_email = "true" }
[p.audience]
proof = "oauth1_signature"
[p.identity]
uid = "id"
"#;
    let mock = Mock::answering(&[("/me", 200, ME)]).await;
    let provider = mock.provider(toml);
    let pair = Proof::TokenPair {
        access_token: Secret::new("t"),
        access_token_secret: Secret::new("ts"),
    };

    let verified = provider.verify(&pair, None, now()).await.unwrap();
    provider.verify(&pair, None, now()).await.unwrap();

    assert_eq!(verified.client_id.as_deref(), Some("key"));
    assert_eq!(secret(&verified, "access_token_secret"), Some("ts"));
    let nonces: Vec<String> = mock
        .asked()
        .iter()
        .map(|asked| {
            let (_, tail) = asked.split_once("oauth_nonce=\"").unwrap();
            tail.split('"').next().unwrap().to_owned()
        })
        .collect();
    assert_ne!(nonces[0], nonces[1]);
    assert!(nonces.iter().all(|nonce| nonce.len() >= 32));
    let bearer = provider.verify(&token(), None, now()).await;
    assert!(matches!(bearer, Err(ProviderError::ProofNotTaken(_))));
}

fn code() -> Proof {
    Proof::Code {
        code: Secret::new("their-code"),
        code_verifier: Some(Secret::new("their-verifier-their-verifier-their-verifier")),
        redirect_uri: Some("https://app.example/cb".to_owned()),
        nonce: None,
    }
}

#[tokio::test]
async fn a_code_is_redeemed_and_its_token_asked_for_the_profile_alone() {
    let answer =
        r#"{"access_token": "new", "expires_in": "3600", "refresh_token": "again", "scope": "a"}"#;
    let mock = Mock::answering(&[
        ("/token", 200, answer),
        ("/me", 200, ME),
        ("/mail/7", 200, MAIL),
    ])
    .await;

    let verified = mock
        .provider(OURS)
        .verify(&code(), None, now())
        .await
        .unwrap();

    assert_eq!(verified.identity.uid.as_str(), "7");
    assert_eq!(secret(&verified, "access_token"), Some("new"));
    assert_eq!(secret(&verified, "refresh_token"), Some("again"));
    assert_eq!(plain(&verified, "expires_at"), Some("2026-11-23T11:00:00Z"));
    assert_eq!(plain(&verified, "token_type"), Some("Bearer"));
    let asked = mock.asked();
    assert!(!asked.iter().any(|asked| asked.contains("/check")));
    let (_, form) = asked[0].split_once("\n\n").unwrap();
    for member in [
        "grant_type=authorization_code",
        "code=their-code",
        "code_verifier=their-verifier-their-verifier-their-verifier",
        "redirect_uri=https%3A%2F%2Fapp.example%2Fcb",
        "client_id=ours",
        "client_secret=s3cret",
    ] {
        assert!(
            form.split('&').any(|pair| pair == member),
            "{member} in {form}"
        );
    }
}

#[tokio::test]
async fn a_token_answer_may_be_a_form_and_identify_by_itself() {
    let own = OURS
        .replace("uid = \"me:id\"", "uid = \"token:user_id\"")
        .replace("uid = \"user\"\n", "")
        .replace("username = \"me:login\"", "username = \"token:login\"")
        .replace("mail:address", "token:mail")
        .replace("mail:verified", "token:verified")
        .replace("{ address = \"me:email\" }", "")
        .replace("full_name = \"me:name\"", "");
    let mock = Mock::answering(&[("/token", 200, "access_token=new&user_id=9&login=grace")]).await;

    let verified = mock
        .provider(&own)
        .verify(&code(), None, now())
        .await
        .unwrap();

    assert_eq!(verified.identity.uid.as_str(), "9");
    assert_eq!(mock.asked().len(), 1);
    let bare = mock.provider(&own).verify(&token(), None, now()).await;
    assert!(matches!(bare, Err(ProviderError::ProofNotTaken(_))));
}

#[tokio::test]
async fn a_refused_code_is_told_from_refused_credentials_and_from_nonsense() {
    for (status, body, expected) in [
        (400, r#"{"error": "invalid_grant"}"#, "invalid"),
        (401, "", "invalid"),
        (200, r#"{"error": "bad_verification_code"}"#, "invalid"),
        (401, r#"{"error": "invalid_client"}"#, "unavailable"),
        (400, r#"{"error": "unauthorized_client"}"#, "unavailable"),
        (
            200,
            r#"{"error": "incorrect_client_credentials"}"#,
            "unavailable",
        ),
        (200, r#"{"access_token": ""}"#, "unavailable"),
        (200, r#"{"access_token": 5}"#, "unavailable"),
        (200, "{}", "unavailable"),
        (200, "<html>", "unavailable"),
        (
            200,
            r#"{"access_token": "a", "access_token": "b"}"#,
            "unavailable",
        ),
        (500, "{}", "unavailable"),
        (302, "{}", "unavailable"),
    ] {
        let mock = Mock::answering(&[("/token", status, body), ("/me", 200, ME)]).await;
        let error = mock
            .provider(OURS)
            .verify(&code(), None, now())
            .await
            .unwrap_err();
        let matches = match expected {
            "invalid" => matches!(error, ProviderError::InvalidToken(_)),
            _ => matches!(error, ProviderError::Unavailable { .. }),
        };
        assert!(matches, "{status} {body}: {error:?}");
    }
}

const ISSUER: &str = "[p]\nissuer = \"https://id.example/realm/\"\nclient_id = \"ours\"\nclients = [{ id = \"ios\" }]\nallowed_claims = {}\n";

fn discovery(issuer: &str) -> String {
    serde_json::json!({
        "issuer": issuer, "jwks_uri": "https://id.example/jwks", "token_endpoint": "https://id.example/token",
        "userinfo_endpoint": "https://id.example/me", "authorization_endpoint": "https://id.example/authorize",
    })
    .to_string()
}

fn id_token(claims: &serde_json::Value) -> String {
    let mut all = serde_json::json!({
        "iss": "https://id.example/realm/", "aud": "ours", "sub": "s-1", "iat": 1_795_428_000 - 10, "exp": 1_795_428_000 + 600,
        "email": "ada@example.org", "email_verified": true, "given_name": "Ada", "tid": "t1",
    });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    keys()
        .rsa
        .token(r#"{"alg":"RS256","kid":"rsa"}"#, &all.to_string())
}

async fn issuer_mock(extra: &[(&str, u16, &str)]) -> Mock {
    let jwks = serde_json::json!({ "keys": [keys().rsa.jwk(&serde_json::json!({"kid": "rsa"}))] })
        .to_string();
    let document = discovery("https://id.example/realm/");
    let mut routes = vec![
        (
            "/realm/.well-known/openid-configuration",
            200,
            document.as_str(),
        ),
        ("/jwks", 200, jwks.as_str()),
    ];
    routes.splice(0..0, extra.iter().copied());
    Mock::answering(&routes).await
}

fn id_proof(claims: &serde_json::Value, access_token: Option<&str>) -> Proof {
    Proof::IdToken {
        id_token: Secret::new(id_token(claims)),
        nonce: None,
        access_token: access_token.map(Secret::new),
        facts: TokenFacts::default(),
    }
}

#[tokio::test]
async fn an_id_token_of_a_discovered_issuer_becomes_an_identity() {
    let mock = issuer_mock(&[]).await;
    let provider = mock.provider(ISSUER);
    let none = serde_json::json!({});

    let verified = provider
        .verify(&id_proof(&none, None), None, now())
        .await
        .unwrap();
    let foreign = id_proof(&serde_json::json!({"aud": "theirs"}), None);
    let foreign = provider.verify(&foreign, None, now()).await.unwrap_err();
    let of_another = provider
        .verify(&id_proof(&none, None), Some("ios"), now())
        .await
        .unwrap_err();

    assert_eq!(verified.identity.uid.as_str(), "s-1");
    assert!(verified.identity.email_verified);
    assert_eq!(verified.client_id.as_deref(), Some("ours"));
    assert!(secret(&verified, "id_token").is_some());
    assert!(verified.extra_data.get("token_type").is_none());
    assert!(
        matches!(foreign, ProviderError::WrongAudience),
        "{foreign:?}"
    );
    assert!(
        matches!(of_another, ProviderError::WrongAudience),
        "{of_another:?}"
    );
}

#[tokio::test]
async fn an_access_token_beside_an_id_token_is_of_the_same_person_or_refused() {
    let none = serde_json::json!({});
    for (sub, good) in [("s-1", true), ("s-2", false)] {
        let me = format!("{{\"sub\": \"{sub}\"}}");
        let mock = issuer_mock(&[("/me", 200, &me)]).await;
        let provider = mock.provider(ISSUER);

        let result = provider
            .verify(&id_proof(&none, Some("beside")), None, now())
            .await;

        match result {
            Ok(verified) => {
                assert!(good, "{sub}");
                assert_eq!(secret(&verified, "access_token"), Some("beside"));
            }
            Err(error) => assert!(
                !good && matches!(error, ProviderError::InvalidToken(_)),
                "{error:?}"
            ),
        }
    }
    let mock = issuer_mock(&[("/me", 200, "{\"sub\": \"s-1\"}")]).await;
    let bare = mock.provider(ISSUER).verify(&token(), None, now()).await;
    assert!(matches!(bare, Err(ProviderError::UnboundToken)));
}

#[tokio::test]
async fn claims_that_the_operator_does_not_allow_are_refused() {
    let toml = ISSUER.replace(
        "allowed_claims = {}",
        "allowed_claims = { tid = [\"t1\", \"t2\"] }",
    );
    let mock = issuer_mock(&[("/me", 200, "{\"sub\": \"s-1\"}")]).await;
    let provider = mock.provider(&toml);

    for (tid, good) in [("t1", true), ("t3", false), ("", false)] {
        let claims = serde_json::json!({ "tid": tid });
        let result = provider.verify(&id_proof(&claims, None), None, now()).await;
        assert_eq!(result.is_ok(), good, "{tid}: {result:?}");
    }
    let bare = provider.verify(&token(), None, now()).await;
    assert!(matches!(bare, Err(ProviderError::ProofNotTaken(_))));
}

#[tokio::test]
async fn a_code_that_yields_an_id_token_is_identified_by_it() {
    let jwt = id_token(&serde_json::json!({"nonce": "n-1"}));
    let answer =
        serde_json::json!({"access_token": "new", "token_type": "bearer", "id_token": jwt})
            .to_string();
    let mock = issuer_mock(&[("/token", 200, &answer)]).await;
    let provider = mock.provider(ISSUER);
    let with_nonce = |nonce: &str| Proof::Code {
        code: Secret::new("c"),
        code_verifier: None,
        redirect_uri: None,
        nonce: Some(nonce.to_owned()),
    };

    let verified = provider
        .verify(&with_nonce("n-1"), Some("ours"), now())
        .await
        .unwrap();
    let replayed = provider
        .verify(&with_nonce("n-2"), Some("ours"), now())
        .await
        .unwrap_err();

    assert_eq!(verified.identity.uid.as_str(), "s-1");
    assert_eq!(secret(&verified, "access_token"), Some("new"));
    assert!(
        matches!(replayed, ProviderError::NonceMismatch(_)),
        "{replayed:?}"
    );
    let without = issuer_mock(&[
        ("/token", 200, "{\"access_token\": \"new\"}"),
        ("/me", 200, "{\"sub\": \"s-1\"}"),
    ])
    .await;
    let provider = without.provider(ISSUER);
    let missing = provider
        .verify(&with_nonce("n-1"), Some("ours"), now())
        .await;
    assert!(
        matches!(missing, Err(ProviderError::NonceMismatch(_))),
        "{missing:?}"
    );
}

#[tokio::test]
async fn a_discovery_document_speaks_only_for_the_issuer_that_was_asked() {
    let other = discovery("https://evil.example");
    let mock = issuer_mock(&[
        ("/realm/.well-known/openid-configuration", 200, &other),
        ("/token", 200, "{\"access_token\": \"new\"}"),
    ])
    .await;

    let result = mock
        .provider(ISSUER)
        .verify(&code(), Some("ours"), now())
        .await;

    assert!(
        matches!(result, Err(ProviderError::Unavailable { .. })),
        "{result:?}"
    );
    assert!(!mock.asked().iter().any(|asked| asked.contains("/token")));
}

#[tokio::test]
async fn parameters_are_signed_in_the_order_of_their_names() {
    let toml = r#"
[p]
client_id = "key"
client_secret = "s3cret"
[[p.requests]]
name = "me"
url = "https://id.example/me"
token = { query = "access_token" }
query = { method = "users", application_key = "{client_id}" }
signature = { param = "sig", algorithm = "md5", secret = "{md5_hex(access_token, client_secret)}", skip = ["access_token"] }
[p.audience]
proof = "secret_proof"
[p.identity]
uid = "id"
"#;
    let mock = Mock::answering(&[("/me", 200, ME)]).await;

    mock.provider(toml)
        .verify(&token(), None, now())
        .await
        .unwrap();

    let secret = super::md5_hex("their-tokens3cret");
    let signature = super::md5_hex(&format!("application_key=keymethod=users{secret}"));
    let asked = mock.asked();
    assert!(
        asked[0].contains(&format!("&sig={signature} ")),
        "{}",
        asked[0]
    );
}

#[tokio::test]
async fn a_signed_request_that_is_refused_keeps_its_own_reason() {
    let toml = OURS
        .replace("proof = \"tokeninfo\"\nrequest = \"check\"", "proof = \"secret_proof\"")
        .replace("client_id = [\"aud\", \"azp\"]\nuid = \"user\"\nvalid = \"valid\"\nexpires_at = \"exp|unless_zero\"", "client_id = \"me:app\"")
        .replace("https://id.example/me\"", "https://id.example/me\"\nquery = { proof = \"{hmac_sha256_hex(client_secret, access_token)}\" }");
    let refused = verify(&toml, &[("/check", 200, CHECK), ("/me", 401, "{}")]).await;
    let foreign = ME.replacen('{', "{\"app\": \"theirs\", ", 1);
    let foreign = verify(&toml, &[("/check", 200, CHECK), ("/me", 200, &foreign)]).await;

    assert!(
        matches!(refused, Err(ProviderError::InvalidToken(_))),
        "{refused:?}"
    );
    assert!(
        matches!(foreign, Err(ProviderError::WrongAudience)),
        "{foreign:?}"
    );
}

#[tokio::test]
async fn a_browser_is_sent_to_the_discovered_address_with_what_ties_it_to_us() {
    let mock = issuer_mock(&[]).await;
    let provider = mock.provider(ISSUER);
    // The verifier and its S256 of RFC 7636, appendix B.
    let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let mut authorization = Authorization {
        client_id: Some("ours"),
        redirect_uri: "https://app.example/complete?x=1",
        state: "st&ate",
        nonce: Some("n"),
        code_verifier: Some(&verifier),
        reauthenticate: false,
    };

    let (url, client_id) = provider
        .authorization_url(authorization, now())
        .await
        .unwrap();
    authorization.reauthenticate = true;
    let (anew, _) = provider
        .authorization_url(authorization, now())
        .await
        .unwrap();
    authorization.client_id = Some("theirs");
    let foreign = provider.authorization_url(authorization, now()).await;

    assert_eq!(client_id, "ours");
    assert_eq!(
        url.as_str(),
        format!(
            "{}id.example/authorize?response_type=code&client_id=ours&state=st%26ate\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256\
             &redirect_uri=https%3A%2F%2Fapp.example%2Fcomplete%3Fx%3D1&scope=openid+profile+email&nonce=n",
            mock.origin
        )
    );
    assert!(anew.as_str().ends_with("&nonce=n&prompt=login&max_age=60"));
    assert!(matches!(foreign, Err(ProviderError::BadMember { .. })));
    assert!(provider.may_answer_as("https://id.example/realm/"));
    assert!(!provider.may_answer_as("https://other.example/realm/"));
}
