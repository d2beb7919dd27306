//! The fake provider behind a loopback server, asked by the provider engine through `host_routes`.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::domain::{Proof, ProofKind, Secret, TokenFacts};
use crate::providers::outbound::OutboundSettings;
use crate::providers::provider::Provider;
use crate::providers::registry::{BuildEnv, Limits, Lookup, Providers};
use crate::providers::settings::ProviderSettings;
use crate::providers::{Outage, ProviderError};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Answers requests below `/fake`, one connection after another at the same time.
async fn serve(fake: Arc<Fake>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}/fake", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_one(stream, Arc::clone(&fake)));
        }
    });
    origin
}

async fn serve_one(mut stream: TcpStream, fake: Arc<Fake>) {
    while let Some((head, body)) = read(&mut stream).await {
        let mut words = head.split([' ', '\r']);
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let target = target.strip_prefix("/fake").unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let authorization = head
            .lines()
            .find_map(|line| line.strip_prefix("authorization: "));
        let request = FakeRequest {
            method,
            path,
            query,
            authorization,
            body: body.as_bytes(),
        };
        let answer = fake.handle(&request, now());
        tokio::time::sleep(answer.delay.unwrap_or_default()).await;
        let location = answer
            .location
            .map(|location| format!("Location: {location}\r\n"));
        let retry_after = answer
            .retry_after_seconds
            .map(|seconds| format!("Retry-After: {seconds}\r\n"));
        let head = format!(
            "HTTP/1.1 {} X\r\n{}{}Content-Length: {}\r\n\r\n",
            answer.status,
            location.unwrap_or_default(),
            retry_after.unwrap_or_default(),
            answer.body.len()
        );
        let bytes = [head.into_bytes(), answer.body].concat();
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => text += std::str::from_utf8(&buffer[..count]).unwrap(),
            _ => return None,
        }
    }
}

struct Scene {
    fake: Arc<Fake>,
    provider: Arc<Provider>,
}

impl Scene {
    async fn new() -> Self {
        let fake = Arc::new(Fake::new(&[7; 32]).unwrap());
        let base = serve(Arc::clone(&fake)).await;
        let env = BuildEnv {
            outbound: OutboundSettings {
                host_routes: vec![(HOST.to_owned(), base.parse().unwrap())],
                ..OutboundSettings::default()
            },
            limits: Limits {
                total_timeout: Duration::from_millis(300),
                ..Limits::default()
            },
            development: true,
        };
        let settings = ProviderSettings {
            client_id: Some(CLIENT_ID.to_owned()),
            client_secret: Some(Secret::new(CLIENT_SECRET)),
            ..ProviderSettings::default()
        };
        let settings = BTreeMap::from([("fake".to_owned(), settings)]);
        let Lookup::Enabled(provider) = Providers::build(&settings, &env).unwrap().find("fake")
        else {
            panic!("the fake provider is not enabled");
        };
        Self { fake, provider }
    }

    /// Mints a proof of this kind and hands it in; the uid and the address that come of it.
    async fn hand_in(
        &self,
        kind: &str,
        behaviour: &str,
    ) -> Result<(String, Option<String>, bool), ProviderError> {
        let wanted = json!({
            "kind": kind, "behaviour": behaviour, "sub": "1001", "email": "ada@example.org", "nonce": "n-1",
            "code_verifier": "v".repeat(43), "redirect_uri": "https://app.example/back",
        })
        .to_string();
        let request = FakeRequest {
            method: "POST",
            path: "/mint",
            query: "",
            authorization: None,
            body: wanted.as_bytes(),
        };
        let minted = self.fake.handle(&request, now());
        let minted: Value = serde_json::from_slice(&minted.body).unwrap();
        let proof = proof(&minted);
        let verified = self.provider.verify(&proof, None, now()).await?;
        let identity = verified.identity;
        Ok((
            identity.uid.as_str().to_owned(),
            identity.email,
            identity.email_verified,
        ))
    }
}

fn proof(minted: &Value) -> Proof {
    let text = |name: &str| minted.get(name).map(|value| value.as_str().unwrap());
    let secret = |name| text(name).map(Secret::new);
    let nonce = text("nonce").map(str::to_owned);
    if let Some(id_token) = secret("id_token") {
        Proof::IdToken {
            id_token,
            nonce,
            access_token: None,
            facts: TokenFacts::default(),
        }
    } else if let Some(code) = secret("code") {
        Proof::Code {
            code,
            code_verifier: secret("code_verifier"),
            redirect_uri: text("redirect_uri").map(str::to_owned),
            nonce,
        }
    } else if let Some(access_token_secret) = secret("access_token_secret") {
        Proof::TokenPair {
            access_token: secret("access_token").unwrap(),
            access_token_secret,
        }
    } else {
        Proof::AccessToken {
            access_token: secret("access_token").unwrap(),
            facts: TokenFacts::default(),
        }
    }
}

const KINDS: [&str; 4] = ["access_token", "access_token_secret", "id_token", "code"];

#[tokio::test]
async fn all_four_kinds_of_proof_lead_to_the_person() {
    let scene = Scene::new().await;
    let kinds: Vec<_> = scene
        .provider
        .proofs()
        .into_iter()
        .map(ProofKind::as_str)
        .collect();
    assert_eq!(kinds, KINDS);
    for kind in KINDS {
        let person = scene.hand_in(kind, "good").await;

        let ada = ("1001".to_owned(), Some("ada@example.org".to_owned()), true);
        assert_eq!(person.unwrap(), ada, "{kind}");
    }
}

#[tokio::test]
async fn misbehaviour_ends_as_it_should() {
    let scene = Scene::new().await;
    for kind in KINDS {
        let changed = scene.hand_in(kind, "changed_email").await.unwrap();
        assert_eq!(changed.1.as_deref(), Some("changed-ada@example.org"));
        let unverified = scene.hand_in(kind, "unverified_email").await.unwrap();
        assert!(!unverified.2, "{kind}");

        let audience = scene.hand_in(kind, "wrong_audience").await.unwrap_err();
        assert!(matches!(audience, ProviderError::WrongAudience), "{kind}");
        let revoked = scene.hand_in(kind, "revoked").await.unwrap_err();
        let is_refused = matches!(
            revoked,
            ProviderError::InvalidToken(_) | ProviderError::Rejected(_)
        );
        assert!(is_refused, "{kind}: {revoked}");
    }
    for kind in ["access_token", "access_token_secret", "id_token"] {
        let expired = scene.hand_in(kind, "expired").await.unwrap_err();
        assert!(matches!(expired, ProviderError::ExpiredToken), "{kind}");
    }
}

#[tokio::test]
async fn an_ailing_provider_is_unavailable() {
    for kind in ["access_token", "access_token_secret", "code"] {
        let scene = Scene::new().await;
        for (behaviour, expected, retry_after) in [
            ("outage", "status", None),
            ("rate_limited", "status", Some(7)),
            ("slow", "timeout", None),
            ("garbage", "malformed", None),
            ("duplicate_keys", "malformed", None),
            ("huge", "too_large", None),
            ("redirect", "redirect", None),
        ] {
            let error = scene.hand_in(kind, behaviour).await.unwrap_err();

            let ProviderError::Unavailable {
                outage,
                retry_after_seconds,
            } = error
            else {
                panic!("{kind} {behaviour}: {error}");
            };
            assert_eq!(outage.label(), expected, "{kind} {behaviour}");
            assert_eq!(retry_after_seconds, retry_after, "{kind} {behaviour}");
            assert_ne!(outage, Outage::Connect);
        }
    }
}
