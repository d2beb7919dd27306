//! Id tokens that are forged, stale or meant for another moment.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fixtures::{ACCESS_TOKEN, Kind, NONCE, NOW, now};
use super::scene::{Failures, Scene, code, for_every_entry, outcome};
use crate::support::issuer_keys::{foreign_keys, issuer_keys, unsigned};
use latchkey::domain::{Proof, Secret, TokenFacts};

#[tokio::test]
async fn every_listed_issuer_is_accepted_and_no_other() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        let Some(rules) = &fixture.entry.id_token else {
            return failures;
        };
        let good = scene.claims["iss"].as_str().unwrap().to_owned();
        for issuer in rules.issuers.iter().filter(|issuer| !issuer.contains('{')) {
            scene.reset();
            scene.claims["iss"] = json!(issuer);
            let result = scene.hand_in(Kind::IdToken).await;
            failures.check(result.is_ok(), || {
                format!("{} {issuer}: {}", fixture.id, outcome(&result))
            });
        }
        let host = good.trim_start_matches("https://");
        for other in [
            json!(format!("{good}.evil.example")),
            json!(format!("{good}@evil.example/")),
            json!(format!("{good}/")),
            json!(format!(" {good}")),
            json!(good.to_ascii_uppercase()),
            json!(format!("http://{host}")),
            json!(format!("https://evil.example/{host}")),
            json!([good.as_str()]),
            json!(""),
            Value::Null,
        ] {
            scene.reset();
            scene.claims["iss"] = other.clone();
            let result = scene.hand_in(Kind::IdToken).await;
            failures.check(
                matches!(result.as_ref().map_err(code), Err("invalid_token")),
                || format!("{} iss {other}: {}", fixture.id, outcome(&result)),
            );
            let stray = scene
                .mock
                .requests()
                .iter()
                .any(|r| r.endpoint.contains("evil"));
            failures.check(!stray, || {
                format!("{}: asked a stranger for keys", fixture.id)
            });
        }
        failures
    })
    .await;
}

#[tokio::test]
async fn a_token_outside_its_time_is_refused() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        let Some(rules) = &fixture.entry.id_token else {
            return failures;
        };
        let too_old = NOW - rules.max_age_seconds - 61;
        for (claim, value, wanted) in [
            ("exp", json!(NOW - 61), "expired_token"),
            ("exp", json!(0), "expired_token"),
            ("exp", Value::Null, "invalid_token"),
            ("exp", json!("soon"), "invalid_token"),
            ("exp", json!((NOW + 3600).to_string()), "invalid_token"),
            ("nbf", json!(NOW + 61), "invalid_token"),
            ("iat", json!(NOW + 61), "invalid_token"),
            ("iat", json!(too_old), "expired_token"),
            ("iat", Value::Null, "invalid_token"),
        ] {
            scene.reset();
            scene.claims[claim] = value.clone();
            let result = scene.hand_in(Kind::IdToken).await;
            let refused = match result.as_ref().map_err(code) {
                Err("invalid_token" | "expired_token") if claim != "exp" => true,
                Err(code) => code == wanted,
                Ok(_) => false,
            };
            failures.check(refused, || {
                format!("{} {claim} {value}: {}", fixture.id, outcome(&result))
            });
        }
        // Within the leeway of 60 s.
        for (claim, value) in [("exp", NOW - 30), ("nbf", NOW + 30), ("iat", NOW + 30)] {
            scene.reset();
            scene.claims[claim] = json!(value);
            let result = scene.hand_in(Kind::IdToken).await;
            failures.check(result.is_ok(), || {
                format!("{} {claim} {value}: {}", fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}

/// RFC 8725 §2 and §3.
#[tokio::test]
async fn a_forged_token_is_refused() {
    for_every_entry(|scene| async move {
        let mut failures = Failures::default();
        let Some(recorded) = &scene.fixture.id_token else {
            return failures;
        };
        let algorithm = recorded.algorithm.as_str();
        for (what, forged) in forgeries(&scene, algorithm) {
            let result = scene.hand_in_id_token(forged).await;
            let refused = matches!(result.as_ref().map_err(code), Err("invalid_token"));
            failures.check(refused, || {
                format!("{} {what}: {}", scene.fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}

type Forgeries = Vec<(&'static str, String)>;

fn forgeries(scene: &Scene, algorithm: &str) -> Forgeries {
    let claims = scene.filled_claims(ACCESS_TOKEN);
    let secret = scene.settings.client_secret.as_ref();
    let mut found = torn(algorithm, &claims);
    found.extend(without_signature(algorithm, &claims));
    found.extend(symmetric(algorithm, &claims, secret));
    found.extend(odd_headers(algorithm, &claims));
    found
}

fn kid(algorithm: &str) -> Value {
    let key = usize::from(algorithm != "RS256");
    issuer_keys().jwks()["keys"][key]["kid"].clone()
}

/// A good header with other members.
fn header(algorithm: &str, members: &Value) -> Value {
    let mut header = json!({"alg": algorithm, "kid": kid(algorithm), "typ": "JWT"});
    for (name, value) in members.as_object().unwrap() {
        header[name] = value.clone();
    }
    header
}

/// A good token, cut and pasted.
fn torn(algorithm: &str, claims: &Value) -> Forgeries {
    let good = issuer_keys().sign(algorithm, claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let mut others = claims.clone();
    others["sub"] = json!("someone-else");
    let others = URL_SAFE_NO_PAD.encode(others.to_string());
    vec![
        ("other keys", foreign_keys().sign(algorithm, claims)),
        ("changed claims", format!("{head}.{others}.{signature}")),
        ("no signature", format!("{signed}.")),
        ("two parts", signed.to_owned()),
        ("four parts", format!("{good}.{signature}")),
        (
            "short signature",
            good.chars().take(good.len() - 8).collect(),
        ),
        ("blank around", format!(" {good}")),
        ("padding", format!("{good}==")),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
    ]
}

fn without_signature(algorithm: &str, claims: &Value) -> Forgeries {
    let good = issuer_keys().sign(algorithm, claims);
    let (_, signature) = good.rsplit_once('.').unwrap();
    let none = unsigned(&header(algorithm, &json!({"alg": "none"})), claims);
    let capital = unsigned(&header(algorithm, &json!({"alg": "None"})), claims);
    vec![
        ("alg none", format!("{none}.")),
        ("alg None", format!("{capital}.")),
        ("alg none, signed", format!("{none}.{signature}")),
    ]
}

/// RFC 8725 §2.1: what is public, or known to others, as a key for HS256.
fn symmetric(algorithm: &str, claims: &Value, secret: Option<&Secret>) -> Forgeries {
    let hmac = |key: &[u8]| {
        let signed = unsigned(&header(algorithm, &json!({"alg": "HS256"})), claims);
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    };
    let jwks = issuer_keys().jwks();
    let modulus = jwks["keys"][0]["n"].as_str().unwrap();
    vec![
        (
            "HS256 with the public key",
            hmac(&URL_SAFE_NO_PAD.decode(modulus).unwrap()),
        ),
        ("HS256 with the key set", hmac(jwks.to_string().as_bytes())),
        (
            "HS256 with our secret",
            hmac(secret.map_or("", Secret::expose).as_bytes()),
        ),
        ("HS256 with nothing", hmac(b"")),
    ]
}

/// RFC 8725 §3.1, §3.9, §3.10 and RFC 7515 §4.1.11.
fn odd_headers(algorithm: &str, claims: &Value) -> Forgeries {
    let signed = |members: Value| {
        let header = header(algorithm, &members);
        issuer_keys().sign_as(algorithm, &header, claims)
    };
    let by_a_stranger = |members: Value| {
        let header = header(algorithm, &members);
        foreign_keys().sign_as(algorithm, &header, claims)
    };
    let other_kid = kid(if algorithm == "RS256" {
        "ES256"
    } else {
        "RS256"
    });
    let foreign_jwk = foreign_keys().jwks()["keys"][usize::from(algorithm != "RS256")].clone();
    let without_alg = json!({"kid": kid(algorithm)});
    let no_claims = json!(["sub"]);
    vec![
        (
            "alg missing",
            issuer_keys().sign_as(algorithm, &without_alg, claims),
        ),
        ("alg that is not listed", signed(json!({"alg": "RS512"}))),
        ("unknown kid", signed(json!({"kid": "stranger"}))),
        ("kid of another type", signed(json!({"kid": 7}))),
        ("kid of the other key", signed(json!({"kid": other_kid}))),
        (
            "a key in the header",
            by_a_stranger(json!({"jwk": foreign_jwk})),
        ),
        (
            "a key address in the header",
            by_a_stranger(json!({"jku": "https://evil.example/jwks"})),
        ),
        (
            "an unknown critical header",
            signed(json!({"crit": ["exp"], "exp": 1})),
        ),
        (
            "claims that are no object",
            issuer_keys().sign_as(algorithm, &header(algorithm, &json!({})), &no_claims),
        ),
    ]
}

#[tokio::test]
async fn the_nonce_fits_raw_or_hashed_and_nothing_else_does() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        if scene.claims.get("nonce").is_none() {
            return failures;
        }
        let digest = Sha256::digest(NONCE.as_bytes());
        let hashed = [hex::encode(digest), URL_SAFE_NO_PAD.encode(digest)];
        for claim in [NONCE, &hashed[0], &hashed[1]] {
            scene.reset();
            scene.claims["nonce"] = json!(claim);
            let result = scene.hand_in(Kind::IdToken).await;
            failures.check(result.is_ok(), || {
                format!("{} {claim}: {}", fixture.id, outcome(&result))
            });
        }
        for claim in [
            json!("another"),
            json!(""),
            Value::Null,
            json!(true),
            json!(format!("{NONCE} ")),
            json!(NONCE.to_ascii_uppercase()),
        ] {
            scene.reset();
            scene.claims["nonce"] = claim.clone();
            let result = scene.hand_in(Kind::IdToken).await;
            let refused = matches!(
                result.as_ref().map_err(code),
                Err("nonce_mismatch" | "invalid_token")
            );
            failures.check(refused, || {
                format!("{} {claim}: {}", fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}

/// OpenID Connect Core §3.1.3.6.
#[tokio::test]
async fn a_hash_of_another_access_token_is_refused() {
    for_every_entry(|mut scene| async move {
        let mut failures = Failures::default();
        let fixture = scene.fixture;
        if fixture.id_token.is_none() {
            return failures;
        }
        scene.claims["at_hash"] = json!("{at_hash}");
        // Scripts the good answers.
        let _ = scene.hand_in(Kind::IdToken).await;
        for (hashed, accepted) in [(ACCESS_TOKEN, true), ("another-access-token", false)] {
            let proof = Proof::IdToken {
                id_token: Secret::new(scene.sign(hashed)),
                nonce: scene.claims.get("nonce").map(|_| NONCE.to_owned()),
                access_token: Some(Secret::new(ACCESS_TOKEN)),
                facts: TokenFacts::default(),
            };
            let result = scene.provider().verify(&proof, None, now()).await;
            failures.check(result.is_ok() == accepted, || {
                format!("{} hash of {hashed}: {}", fixture.id, outcome(&result))
            });
        }
        failures
    })
    .await;
}
