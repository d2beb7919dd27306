use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::*;
use crate::providers::jwks::test_keys::{TestKey, base64url, keys};
use crate::providers::outbound::Answer;

const ISSUER: &str = "https://issuer.example";
const OURS: &str = "ours.apps.example";
const OURS_TOO: &str = "ours-android.apps.example";
const NOW: i64 = 1_800_000_000;
const RS256: &str = r#"{"alg":"RS256","kid":"rsa","typ":"JWT"}"#;

/// How a case must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Good,
    Invalid,
    Expired,
    Audience,
    Nonce,
    Unavailable,
}

fn end_of(result: &Result<VerifiedIdToken, ProviderError>) -> End {
    match result {
        Ok(_) => End::Good,
        Err(ProviderError::InvalidToken(_)) => End::Invalid,
        Err(ProviderError::ExpiredToken) => End::Expired,
        Err(ProviderError::WrongAudience) => End::Audience,
        Err(ProviderError::NonceMismatch(_)) => End::Nonce,
        Err(ProviderError::Unavailable { .. }) => End::Unavailable,
        Err(other) => panic!("{other}"),
    }
}

fn key_set() -> Value {
    let keys = keys();
    json!({"keys": [
        keys.rsa.jwk(&json!({"kid": "rsa", "use": "sig"})),
        keys.p256.jwk(&json!({"kid": "p256", "alg": "ES256"})),
        keys.p384.jwk(&json!({"kid": "p384"})),
        keys.ed25519.jwk(&json!({"kid": "ed"})),
        keys.rsa.jwk(&json!({"kid": "only-rs512", "alg": "RS512"})),
        keys.rsa.jwk(&json!({"kid": "for-encryption", "use": "enc"})),
        {"kty": "oct", "kid": "symmetric", "k": base64url("secret secret secret secret secret")},
        keys.rsa.jwk(&json!({"kid": "twice"})),
        keys.forger.jwk(&json!({"kid": "twice"})),
    ]})
}

fn rules_with(key_set: &Value) -> IdTokenRules {
    IdTokenRules {
        issuers: vec![
            ISSUER.to_owned(),
            "https://login.example/{claim.tid}/v2.0".to_owned(),
        ],
        algorithms: ["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
            .iter()
            .map(|name| name.parse().unwrap())
            .collect(),
        max_age_seconds: 86_400,
        equals: Vec::new(),
        keys: KeySource::fixed(key_set.to_string().as_bytes()).unwrap(),
    }
}

fn rules() -> IdTokenRules {
    rules_with(&key_set())
}

/// Good claims, with these changes; `null` takes a claim away.
fn claims(changes: Value) -> String {
    let mut claims = json!({
        "iss": ISSUER, "aud": OURS, "sub": "248289761001", "iat": NOW - 10, "exp": NOW + 600,
    });
    let all = claims.as_object_mut().unwrap();
    let Value::Object(changes) = changes else {
        panic!("changes are an object");
    };
    for (name, value) in changes {
        if value.is_null() {
            all.remove(&name);
        } else {
            all.insert(name, value);
        }
    }
    claims.to_string()
}

fn good() -> String {
    claims(json!({}))
}

fn token(changes: Value) -> String {
    keys().rsa.token(RS256, &claims(changes))
}

/// Signed by the right key, under this header.
fn under(header: &Value) -> String {
    keys().rsa.token(&header.to_string(), &good())
}

/// A good token with its parts changed.
fn resegmented(change: impl Fn(&str, &str, &str) -> String) -> String {
    let token = token(json!({}));
    let parts: Vec<&str> = token.split('.').collect();
    change(parts[0], parts[1], parts[2])
}

fn hs256(header: &Value, secret: &[u8]) -> String {
    let signed = format!("{}.{}", base64url(header.to_string()), base64url(good()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", base64url(mac.finalize().into_bytes()))
}

async fn verify(
    rules: &IdTokenRules,
    token: &str,
    nonce: Option<&str>,
    access_token: Option<&str>,
) -> Result<VerifiedIdToken, ProviderError> {
    let binding = Binding {
        client_ids: &["", " ", OURS, OURS_TOO],
        nonce,
        access_token,
    };
    rules
        .verify(
            token,
            binding,
            DateTime::from_timestamp(NOW, 0).unwrap(),
            Instant::now() + Duration::from_secs(5),
        )
        .await
}

async fn run(cases: Vec<(&str, String, End)>) {
    let rules = rules();
    for (name, token, expected) in cases {
        let result = verify(&rules, &token, None, None).await;
        assert_eq!(end_of(&result), expected, "{name}: {result:?}");
    }
}

#[tokio::test]
async fn good_tokens_of_every_accepted_algorithm_verify() {
    let keys = keys();
    let signed = |key: &TestKey, alg: &str, kid: &str| {
        key.token(&json!({"alg": alg, "kid": kid}).to_string(), &good())
    };

    run(vec![
        ("RS256", token(json!({})), End::Good),
        ("PS256", signed(&keys.rsa, "PS256", "rsa"), End::Good),
        ("RS512", signed(&keys.rsa, "RS512", "only-rs512"), End::Good),
        ("ES256", signed(&keys.p256, "ES256", "p256"), End::Good),
        ("ES384", signed(&keys.p384, "ES384", "p384"), End::Good),
        ("EdDSA", signed(&keys.ed25519, "EdDSA", "ed"), End::Good),
        ("Ed25519", signed(&keys.ed25519, "Ed25519", "ed"), End::Good),
        (
            "no kid, one key for it",
            keys.p256.token(r#"{"alg":"ES256"}"#, &good()),
            End::Good,
        ),
        (
            "typ jwt",
            under(&json!({"alg": "RS256", "kid": "rsa", "typ": "jwt"})),
            End::Good,
        ),
        (
            "thumbprints",
            under(&json!({"alg": "RS256", "kid": "rsa", "x5t": "a", "x5t#S256": "b"})),
            End::Good,
        ),
    ])
    .await;
}

/// Every one of these is refused, and for this reason.
async fn refused(why: &str, cases: Vec<(&str, String)>) {
    let rules = rules();
    for (name, token) in cases {
        match verify(&rules, &token, None, None).await {
            Err(ProviderError::InvalidToken(reason)) => assert_eq!(reason, why, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

const BAD_ALGORITHM: &str = "its algorithm is not accepted";
const BAD_SIGNATURE: &str = "its signature does not verify";
const BAD_FORM: &str = "it is not three segments of base64url";
const BAD_MEMBER: &str = "its header holds what is not accepted";
const NO_TEXT: &str = "its header holds something other than texts";
const UNKNOWN_KEY: &str = "its key is unknown";
const UNFIT_KEY: &str = "its key is not for its algorithm";

/// A good payload under this header and with this signature.
fn signed_with(header: &Value, signature: &str) -> String {
    let header = base64url(header.to_string());
    format!("{header}.{}.{signature}", base64url(good()))
}

fn forged(header: &Value) -> String {
    keys().forger.token(&header.to_string(), &good())
}

#[tokio::test]
async fn signatures_of_other_keys_or_messages_are_refused() {
    let keys = keys();
    let rs256 = json!({"alg": "RS256", "kid": "rsa"});
    let es256 = json!({"alg": "ES256", "kid": "p256"});
    let ps256 = json!({"alg": "PS256", "kid": "rsa"});
    let modulus = URL_SAFE_NO_PAD
        .decode(keys.rsa.jwk(&json!({}))["n"].as_str().unwrap())
        .unwrap();
    let pkcs1 = {
        let unsigned = signed_with(&ps256, "");
        base64url(
            keys.rsa
                .sign("RS256", unsigned.trim_end_matches('.').as_bytes()),
        )
    };
    let of_another = keys
        .p256
        .token(&es256.to_string(), &claims(json!({"sub": "2"})));
    let of_another = of_another.rsplit_once('.').unwrap().1;

    refused(
        BAD_SIGNATURE,
        vec![
            ("another's key", forged(&rs256)),
            ("zeros for RSA", signed_with(&rs256, &base64url([0; 256]))),
            ("a tiny signature", signed_with(&rs256, "AA")),
            (
                "a long signature",
                signed_with(&rs256, &base64url([1; 512])),
            ),
            ("zeros for ECDSA", signed_with(&es256, &base64url([0; 64]))),
            ("ones for ECDSA", signed_with(&es256, &base64url([255; 64]))),
            ("another message's", signed_with(&es256, of_another)),
            ("PKCS1 as PSS", signed_with(&ps256, &pkcs1)),
            ("HMAC named RS256", hs256(&rs256, &modulus)),
            (
                "zeros for EdDSA",
                signed_with(&json!({"alg": "EdDSA", "kid": "ed"}), &base64url([0; 64])),
            ),
            (
                "another payload",
                resegmented(|h, _, s| {
                    format!("{h}.{}.{s}", base64url(claims(json!({"sub": "1"}))))
                }),
            ),
            (
                "another header",
                resegmented(|_, p, s| {
                    format!("{}.{p}.{s}", base64url(r#"{"alg":"RS256","kid":"rsa"}"#))
                }),
            ),
            (
                "a truncated signature",
                resegmented(|h, p, s| {
                    let short: String = s.chars().take(s.len() - 2).collect();
                    format!("{h}.{p}.{short}")
                }),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn other_algorithms_are_refused() {
    let modulus_text = keys().rsa.jwk(&json!({}))["n"].as_str().unwrap().to_owned();
    let modulus = URL_SAFE_NO_PAD.decode(&modulus_text).unwrap();
    let none = |alg: &str| signed_with(&json!({"alg": alg, "kid": "rsa"}), "AA");
    let alg = |alg: &str| under(&json!({"alg": alg, "kid": "rsa"}));
    let hmac = |secret: &[u8]| hs256(&json!({"alg": "HS256", "kid": "rsa"}), secret);
    let symmetric = json!({"alg": "HS256", "kid": "symmetric"});

    refused(
        BAD_ALGORITHM,
        vec![
            ("none", none("none")),
            ("None", none("None")),
            ("nOnE", none("nOnE")),
            ("NONE", none("NONE")),
            ("no alg", keys().rsa.token(r#"{"kid":"rsa"}"#, &good())),
            ("empty", alg("")),
            ("not configured", alg("RS384")),
            ("lower case", alg("rs256")),
            ("a space", alg("RS256 ")),
            ("ES512", alg("ES512")),
            ("ES256K", alg("ES256K")),
            (
                "HS256 by the modulus as text",
                hmac(modulus_text.as_bytes()),
            ),
            ("HS256 by the modulus", hmac(&modulus)),
            ("HS256 by nothing", hmac(b"")),
            (
                "HS256 by the set's symmetric key",
                hs256(&symmetric, b"secret secret secret secret secret"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn keys_for_other_ends_are_refused() {
    let named = |alg: &str, kid: Value| under(&json!({"alg": alg, "kid": kid}));

    refused(
        UNFIT_KEY,
        vec![
            ("of another algorithm", named("RS256", json!("only-rs512"))),
            ("EC under RS256", named("RS256", json!("p256"))),
            ("RSA under ES256", named("ES256", json!("rsa"))),
            ("RSA under EdDSA", named("EdDSA", json!("rsa"))),
            (
                "P-384 under ES256",
                keys()
                    .p384
                    .token(r#"{"alg":"ES256","kid":"p384"}"#, &good()),
            ),
        ],
    )
    .await;
    refused(
        UNKNOWN_KEY,
        vec![
            ("for encryption", named("RS256", json!("for-encryption"))),
            ("one of two of a name", named("RS256", json!("twice"))),
            (
                "the other of them",
                forged(&json!({"alg": "RS256", "kid": "twice"})),
            ),
            ("symmetric", named("RS256", json!("symmetric"))),
            ("another's", forged(&json!({"alg": "RS256", "kid": "mine"}))),
            ("other case", named("RS256", json!("RSA"))),
            ("a path", named("RS256", json!("../rsa"))),
            ("a NUL", named("RS256", json!("rsa\u{0}"))),
            ("SQL", named("RS256", json!("' OR '1'='1"))),
        ],
    )
    .await;
}

#[tokio::test]
async fn odd_headers_are_refused() {
    let signed = |header: &str| keys().rsa.token(header, &good());
    let with = |name: &str, value: Value| {
        let mut header = json!({"alg": "RS256", "kid": "rsa"});
        header[name] = value;
        header
    };
    let good_key = |name: &str, value: Value| under(&with(name, value));
    let own_jwk = keys().forger.jwk(&json!({}));

    refused(
        BAD_MEMBER,
        vec![
            (
                "jku, another's key",
                forged(&with("jku", json!("https://evil.example/jwks"))),
            ),
            (
                "x5u, another's key",
                forged(&with("x5u", json!("https://evil.example/x"))),
            ),
            ("jku", good_key("jku", json!("https://issuer.example/"))),
            ("jwk as text", good_key("jwk", json!("{}"))),
            ("x5u", good_key("x5u", json!("https://issuer.example/"))),
            ("x5c", good_key("x5c", json!("MIIB"))),
            ("crit as text", good_key("crit", json!("exp"))),
            ("zip", good_key("zip", json!("DEF"))),
            ("enc", good_key("enc", json!("A256GCM"))),
            ("cty", good_key("cty", json!("JWT"))),
            ("an unknown member", good_key("nonce", json!("abc"))),
            ("an access token", good_key("typ", json!("at+jwt"))),
            ("a logout token", good_key("typ", json!("logout+jwt"))),
            ("an empty kid", good_key("kid", json!(""))),
        ],
    )
    .await;
    refused(
        NO_TEXT,
        vec![
            ("jwk, another's key", forged(&with("jwk", own_jwk))),
            ("x5c, another's key", forged(&with("x5c", json!(["MIIB"])))),
            ("crit", good_key("crit", json!(["exp"]))),
            ("empty crit", good_key("crit", json!([]))),
            ("b64", good_key("b64", json!(false))),
            ("typ", good_key("typ", json!(1))),
            ("alg null", good_key("alg", json!(null))),
            ("alg a list", good_key("alg", json!(["RS256"]))),
            ("kid a number", good_key("kid", json!(1))),
            ("kid null", good_key("kid", json!(null))),
        ],
    )
    .await;
    refused(
        "its header is not a JSON object",
        vec![
            (
                "alg twice",
                signed(r#"{"alg":"RS256","alg":"RS256","kid":"rsa"}"#),
            ),
            (
                "none, then RS256",
                signed(r#"{"alg":"none","alg":"RS256","kid":"rsa"}"#),
            ),
            (
                "kid twice",
                signed(r#"{"alg":"RS256","kid":"x","kid":"rsa"}"#),
            ),
            ("a list", signed("[]")),
            ("a text", signed("\"RS256\"")),
            ("no JSON", signed("RS256")),
            (
                "something after it",
                signed(r#"{"alg":"RS256","kid":"rsa"}x"#),
            ),
            (
                "a byte order mark",
                signed("\u{feff}{\"alg\":\"RS256\",\"kid\":\"rsa\"}"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn odd_forms_are_refused() {
    refused(
        BAD_FORM,
        vec![
            ("empty", String::new()),
            ("no dots", "abc".to_owned()),
            ("dots only", "..".to_owned()),
            ("two segments", resegmented(|h, p, _| format!("{h}.{p}"))),
            ("no signature", resegmented(|h, p, _| format!("{h}.{p}."))),
            (
                "none without signature",
                signed_with(&json!({"alg": "none"}), ""),
            ),
            (
                "four segments",
                resegmented(|h, p, s| format!("{h}.{p}.{s}.{s}")),
            ),
            (
                "a dot more at the end",
                resegmented(|h, p, s| format!("{h}.{p}.{s}.")),
            ),
            (
                "a dot more at the start",
                resegmented(|h, p, s| format!(".{h}.{p}.{s}")),
            ),
            ("no header", resegmented(|_, p, s| format!(".{p}.{s}"))),
            ("no payload", resegmented(|h, _, s| format!("{h}..{s}"))),
            (
                "the encrypted form",
                resegmented(|h, p, s| format!("{h}.{p}.{s}.{p}.{s}")),
            ),
            ("padding", resegmented(|h, p, s| format!("{h}.{p}.{s}=="))),
            (
                "a second spelling of one signature",
                resegmented(|h, p, s| {
                    // 256 bytes leave four bits over in the last letter, which must be zero.
                    let mut spelling: Vec<u8> = s.bytes().collect();
                    *spelling.last_mut().unwrap() += 1;
                    format!("{h}.{p}.{}", String::from_utf8(spelling).unwrap())
                }),
            ),
            (
                "the other alphabet",
                resegmented(|h, p, _| format!("{h}.{p}.ab+/")),
            ),
            (
                "a space before",
                resegmented(|h, p, s| format!(" {h}.{p}.{s}")),
            ),
            (
                "a line break after",
                resegmented(|h, p, s| format!("{h}.{p}.{s}\n")),
            ),
            (
                "a space within",
                resegmented(|h, p, s| format!("{h}. {p}.{s}")),
            ),
            (
                "a scheme",
                resegmented(|h, p, s| format!("Bearer {h}.{p}.{s}")),
            ),
            (
                "a letter that is no ASCII",
                resegmented(|h, p, s| format!("{h}.{p}.é{s}")),
            ),
        ],
    )
    .await;
    refused(
        "it is too large",
        vec![(
            "a long claim",
            token(json!({"x": "x".repeat(MAX_TOKEN_BYTES)})),
        )],
    )
    .await;
}

#[tokio::test]
async fn odd_payloads_are_refused() {
    let signed = |payload: &str| keys().rsa.token(RS256, payload);
    let before = |member: &str| signed(&good().replacen('{', &format!("{{{member},"), 1));

    refused(
        "its claims are not a JSON object",
        vec![
            ("a list", signed("[]")),
            ("a text", signed("\"a\"")),
            ("no JSON", signed("hello")),
            ("sub twice", before(r#""sub":"1""#)),
            ("aud twice", before(r#""aud":"x""#)),
            ("iss twice, once escaped", before(r#""\u0069ss":"x""#)),
            ("an inner name twice", before(r#""a":{"b":1,"b":2}"#)),
            (
                "too deep",
                before(&format!("\"a\":{}{}", "[".repeat(40), "]".repeat(40))),
            ),
        ],
    )
    .await;
    refused("it is of another issuer", vec![("no claims", signed("{}"))]).await;
    run(vec![
        (
            "one name on two levels",
            token(json!({"a": {"sub": "1"}})),
            End::Good,
        ),
        ("a huge number", before(r#""x":1e999"#), End::Good),
        (
            "a large payload",
            token(json!({"x": "x".repeat(8_000)})),
            End::Good,
        ),
    ])
    .await;
}

#[tokio::test]
async fn only_the_pinned_issuers_are_accepted() {
    let tenant = |iss: &str, tid: Value| token(json!({"iss": iss, "tid": tid}));
    let id = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    run(vec![
        ("missing", token(json!({"iss": null})), End::Invalid),
        (
            "another",
            token(json!({"iss": "https://evil.example"})),
            End::Invalid,
        ),
        (
            "suffix",
            token(json!({"iss": "https://issuer.example.evil"})),
            End::Invalid,
        ),
        (
            "as user name",
            token(json!({"iss": "https://issuer.example@evil/"})),
            End::Invalid,
        ),
        (
            "slash",
            token(json!({"iss": "https://issuer.example/"})),
            End::Invalid,
        ),
        (
            "case",
            token(json!({"iss": "https://ISSUER.example"})),
            End::Invalid,
        ),
        (
            "http",
            token(json!({"iss": "http://issuer.example"})),
            End::Invalid,
        ),
        (
            "without scheme",
            token(json!({"iss": "issuer.example"})),
            End::Invalid,
        ),
        ("list", token(json!({"iss": [ISSUER]})), End::Invalid),
        ("empty", token(json!({"iss": ""})), End::Invalid),
        (
            "tenant",
            tenant(&format!("https://login.example/{id}/v2.0"), json!(id)),
            End::Good,
        ),
        (
            "tenant missing",
            tenant(&format!("https://login.example/{id}/v2.0"), json!(null)),
            End::Invalid,
        ),
        (
            "tenant of another",
            tenant("https://login.example/other/v2.0", json!(id)),
            End::Invalid,
        ),
        (
            "tenant empty",
            tenant("https://login.example//v2.0", json!("")),
            End::Invalid,
        ),
        (
            "tenant with a path",
            tenant("https://login.example/a/b/v2.0", json!("a/b")),
            End::Invalid,
        ),
        (
            "tenant with a user",
            tenant("https://login.example/a@b/v2.0", json!("a@b")),
            End::Invalid,
        ),
        (
            "tenant a number",
            tenant("https://login.example/1/v2.0", json!(1)),
            End::Invalid,
        ),
        (
            "tenant too long",
            tenant(
                &format!("https://login.example/{}/v2.0", "a".repeat(65)),
                json!("a".repeat(65)),
            ),
            End::Invalid,
        ),
        (
            "tenant as a template",
            tenant(
                "https://login.example/{claim.tid}/v2.0",
                json!("{claim.tid}"),
            ),
            End::Invalid,
        ),
        (
            "the template itself",
            tenant("https://login.example/{claim.tid}/v2.0", json!(id)),
            End::Invalid,
        ),
    ])
    .await;
}

#[tokio::test]
async fn only_our_audiences_are_accepted() {
    let aud = |aud: Value| token(json!({ "aud": aud }));
    let azp = |aud: Value, azp: Value| token(json!({"aud": aud, "azp": azp}));

    run(vec![
        ("missing", aud(json!(null)), End::Audience),
        ("another", aud(json!("theirs.apps.example")), End::Audience),
        ("empty", aud(json!("")), End::Audience),
        ("blank", aud(json!(" ")), End::Audience),
        ("case", aud(json!("OURS.apps.example")), End::Audience),
        (
            "space after",
            aud(json!("ours.apps.example ")),
            End::Audience,
        ),
        (
            "suffix",
            aud(json!("ours.apps.example.evil")),
            End::Audience,
        ),
        ("prefix", aud(json!("ours")), End::Audience),
        (
            "object",
            aud(json!({"ours.apps.example": 1})),
            End::Audience,
        ),
        ("number", aud(json!(1)), End::Audience),
        ("empty list", aud(json!([])), End::Audience),
        ("blank in a list", aud(json!([""])), End::Audience),
        ("list without ours", aud(json!(["a", "b"])), End::Audience),
        ("list with a number", aud(json!([OURS, 1])), End::Audience),
        (
            "list with a number, azp",
            azp(json!([OURS, 1]), json!(OURS)),
            End::Audience,
        ),
        ("nested list", aud(json!([[OURS]])), End::Audience),
        (
            "several, no azp",
            aud(json!([OURS, "theirs"])),
            End::Audience,
        ),
        (
            "several, azp theirs",
            azp(json!([OURS, "theirs"]), json!("theirs")),
            End::Audience,
        ),
        (
            "one, azp theirs",
            azp(json!(OURS), json!("theirs")),
            End::Audience,
        ),
        (
            "azp ours, aud theirs",
            azp(json!("theirs"), json!(OURS)),
            End::Audience,
        ),
        ("azp empty", azp(json!(OURS), json!("")), End::Audience),
        ("azp a list", azp(json!(OURS), json!([OURS])), End::Audience),
        ("list of ours", aud(json!([OURS])), End::Good),
        ("azp ours", azp(json!(OURS), json!(OURS)), End::Good),
        (
            "several, azp ours",
            azp(json!(["theirs", OURS]), json!(OURS)),
            End::Good,
        ),
        (
            "azp another of ours",
            azp(json!(OURS), json!(OURS_TOO)),
            End::Good,
        ),
    ])
    .await;
}

#[tokio::test]
async fn times_are_judged_with_a_minute_of_leeway() {
    run(vec![
        ("exp missing", token(json!({"exp": null})), End::Invalid),
        (
            "exp a text",
            token(json!({"exp": "1800000600"})),
            End::Invalid,
        ),
        (
            "exp a float",
            token(json!({"exp": 1_800_000_600.5})),
            End::Invalid,
        ),
        (
            "exp with exponent",
            keys()
                .rsa
                .token(RS256, &good().replace("1800000600", "1.8000006e9")),
            End::Invalid,
        ),
        (
            "exp beyond 64 bit",
            keys()
                .rsa
                .token(RS256, &good().replace("1800000600", "99999999999999999999")),
            End::Invalid,
        ),
        (
            "exp the last of all",
            token(json!({"exp": i64::MAX})),
            End::Good,
        ),
        ("exp true", token(json!({"exp": true})), End::Invalid),
        ("exp negative", token(json!({"exp": -1})), End::Expired),
        (
            "exp a second ago",
            token(json!({"exp": NOW - 1})),
            End::Good,
        ),
        ("exp 59 s ago", token(json!({"exp": NOW - 59})), End::Good),
        (
            "exp 60 s ago",
            token(json!({"exp": NOW - 60})),
            End::Expired,
        ),
        (
            "exp an hour ago",
            token(json!({"exp": NOW - 3600})),
            End::Expired,
        ),
        ("nbf now", token(json!({"nbf": NOW})), End::Good),
        ("nbf in 60 s", token(json!({"nbf": NOW + 60})), End::Good),
        ("nbf in 61 s", token(json!({"nbf": NOW + 61})), End::Invalid),
        ("nbf a text", token(json!({"nbf": "0"})), End::Invalid),
        (
            "nbf at the end of time",
            token(json!({"nbf": i64::MAX})),
            End::Invalid,
        ),
        ("iat missing", token(json!({"iat": null})), End::Invalid),
        (
            "iat a text",
            token(json!({"iat": "1800000000"})),
            End::Invalid,
        ),
        ("iat in 60 s", token(json!({"iat": NOW + 60})), End::Good),
        ("iat in 61 s", token(json!({"iat": NOW + 61})), End::Invalid),
        (
            "iat in ten minutes",
            token(json!({"iat": NOW + 600})),
            End::Invalid,
        ),
        (
            "iat a day ago",
            token(json!({"iat": NOW - 86_400})),
            End::Good,
        ),
        (
            "iat 25 h ago",
            token(json!({"iat": NOW - 90_000})),
            End::Expired,
        ),
        (
            "iat at the beginning of time",
            token(json!({"iat": i64::MIN})),
            End::Expired,
        ),
        ("sub missing", token(json!({"sub": null})), End::Invalid),
        ("sub empty", token(json!({"sub": ""})), End::Invalid),
        ("sub a number", token(json!({"sub": 1})), End::Invalid),
    ])
    .await;
}

#[tokio::test]
async fn a_token_without_kid_needs_the_only_key_that_fits() {
    let keys = keys();
    let rules = rules_with(&json!({"keys": [
        keys.rsa.jwk(&json!({"kid": "a"})),
        keys.forger.jwk(&json!({"kid": "b"})),
        keys.p256.jwk(&json!({"kid": "c"})),
    ]}));

    let ambiguous = verify(
        &rules,
        &keys.rsa.token(r#"{"alg":"RS256"}"#, &good()),
        None,
        None,
    )
    .await;
    let single = verify(
        &rules,
        &keys.p256.token(r#"{"alg":"ES256"}"#, &good()),
        None,
        None,
    )
    .await;

    assert_eq!(end_of(&ambiguous), End::Invalid);
    assert_eq!(end_of(&single), End::Good);
}

#[tokio::test]
async fn symmetric_algorithms_are_refused_even_if_configured() {
    let mut rules = rules();
    rules.algorithms.push(Algorithm::HS256);
    let token = hs256(
        &json!({"alg": "HS256", "kid": "symmetric"}),
        b"secret secret secret secret secret",
    );

    assert_eq!(
        end_of(&verify(&rules, &token, None, None).await),
        End::Invalid
    );
}

#[tokio::test]
async fn the_client_id_is_the_audience_that_is_ours() {
    let rules = rules();
    let token = token(json!({"aud": ["theirs", OURS], "azp": OURS_TOO}));

    let verified = verify(&rules, &token, None, None).await.unwrap();

    assert_eq!(verified.client_id, OURS);
    assert_eq!(
        verified.claims.get("sub").and_then(Json::as_str),
        Some("248289761001")
    );
    assert!(!verified.access_token_bound);
}

#[tokio::test]
async fn without_client_ids_nothing_is_accepted() {
    let rules = rules();
    let deadline = Instant::now() + Duration::from_secs(5);
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    for client_ids in [&[][..], &[""], &[" ", ""]] {
        for aud in [json!(OURS), json!(""), json!([""]), json!(" ")] {
            let binding = Binding {
                client_ids,
                nonce: None,
                access_token: None,
            };
            let result = rules
                .verify(&token(json!({ "aud": aud })), binding, now, deadline)
                .await;
            assert_eq!(end_of(&result), End::Audience);
        }
    }
}

#[tokio::test]
async fn required_claims_must_have_exactly_their_text() {
    let mut rules = rules();
    rules.equals = vec![("token_use".to_owned(), "id".to_owned())];
    let cases = [
        (json!({"token_use": "id"}), End::Good),
        (json!({"token_use": "access"}), End::Invalid),
        (json!({"token_use": "ID"}), End::Invalid),
        (json!({"token_use": ["id"]}), End::Invalid),
        (json!({}), End::Invalid),
    ];

    for (changes, expected) in cases {
        let result = verify(&rules, &token(changes), None, None).await;
        assert_eq!(end_of(&result), expected);
    }
}

#[tokio::test]
async fn nonces_match_raw_or_hashed_on_either_side() {
    let rules = rules();
    let raw = "n-0S6_WzA2Mj";
    let digest = Sha256::digest(raw);
    let (hex, base64) = (hex::encode(digest), base64url(digest));
    let upper = hex.to_uppercase();
    let cases = [
        (json!(raw), Some(raw), End::Good),
        (json!(hex), Some(raw), End::Good),
        (json!(base64), Some(raw), End::Good),
        (json!(raw), Some(hex.as_str()), End::Good),
        (json!(raw), Some(base64.as_str()), End::Good),
        (json!(hex), Some(hex.as_str()), End::Good),
        (json!(hex), Some(base64.as_str()), End::Nonce),
        (json!(upper), Some(raw), End::Nonce),
        (json!(raw), Some("N-0S6_WzA2Mj"), End::Nonce),
        (json!(raw), Some("n-0S6_WzA2M"), End::Nonce),
        (json!(raw), Some(""), End::Nonce),
        (json!(""), Some(""), End::Nonce),
        (json!(""), Some(raw), End::Nonce),
        (json!(""), None, End::Nonce),
        (json!(raw), None, End::Nonce),
        (json!(1), Some("1"), End::Nonce),
        (json!([raw]), Some(raw), End::Nonce),
        (json!(null), Some(raw), End::Nonce),
        (json!(null), None, End::Good),
    ];

    for (claim, handed_in, expected) in cases {
        let name = format!("{claim} {handed_in:?}");
        let result = verify(&rules, &token(json!({ "nonce": claim })), handed_in, None).await;
        assert_eq!(end_of(&result), expected, "{name}");
    }
}

#[tokio::test]
async fn a_nonce_may_be_missing_only_where_the_issuer_says_so() {
    let rules = rules();
    let cases = [
        (json!({"nonce_supported": false}), End::Good),
        (json!({"nonce_supported": true}), End::Nonce),
        (json!({"nonce_supported": "false"}), End::Nonce),
        (
            json!({"nonce_supported": false, "nonce": "other"}),
            End::Nonce,
        ),
    ];

    for (changes, expected) in cases {
        let result = verify(&rules, &token(changes), Some("raw"), None).await;
        assert_eq!(end_of(&result), expected);
    }
}

#[tokio::test]
async fn at_hash_binds_the_access_token_by_the_algorithms_hash() {
    let keys = keys();
    let rules = rules();
    // The example of OpenID Connect Core, A.3.
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let known = "77QmUPtjPfzWtF2AnpK9RQ";
    let sha384 = base64url(&Sha384::digest(access_token)[..24]);
    let sha512 = base64url(&Sha512::digest(access_token)[..32]);
    let whole = base64url(Sha256::digest(access_token));
    let cases: Vec<(&TestKey, &str, &str, Value, End, bool)> = vec![
        (&keys.rsa, "RS256", "rsa", json!(known), End::Good, true),
        (&keys.rsa, "PS256", "rsa", json!(known), End::Good, true),
        (&keys.p256, "ES256", "p256", json!(known), End::Good, true),
        (&keys.p384, "ES384", "p384", json!(sha384), End::Good, true),
        (
            &keys.rsa,
            "RS512",
            "only-rs512",
            json!(sha512),
            End::Good,
            true,
        ),
        (&keys.ed25519, "EdDSA", "ed", json!(sha512), End::Good, true),
        (&keys.rsa, "RS256", "rsa", json!(null), End::Good, false),
        (
            &keys.rsa,
            "RS256",
            "rsa",
            json!(sha512),
            End::Invalid,
            false,
        ),
        (
            &keys.p384,
            "ES384",
            "p384",
            json!(known),
            End::Invalid,
            false,
        ),
        (&keys.rsa, "RS256", "rsa", json!(whole), End::Invalid, false),
        (&keys.rsa, "RS256", "rsa", json!(""), End::Invalid, false),
        (&keys.rsa, "RS256", "rsa", json!(1), End::Invalid, false),
        (
            &keys.rsa,
            "RS256",
            "rsa",
            json!("77QmUPtjPfzWtF2AnpK9RR"),
            End::Invalid,
            false,
        ),
    ];

    for (key, alg, kid, at_hash, expected, bound) in cases {
        let header = json!({"alg": alg, "kid": kid}).to_string();
        let token = key.token(&header, &claims(json!({ "at_hash": at_hash })));
        let result = verify(&rules, &token, None, Some(access_token)).await;
        assert_eq!(end_of(&result), expected, "{alg} {at_hash}");
        assert_eq!(
            result.is_ok_and(|verified| verified.access_token_bound),
            bound
        );
    }
    let unbound = verify(&rules, &token(json!({"at_hash": known})), None, None).await;
    assert!(!unbound.unwrap().access_token_bound);
    let others = verify(
        &rules,
        &token(json!({"at_hash": known})),
        None,
        Some("another"),
    )
    .await;
    assert_eq!(end_of(&others), End::Invalid);
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_not_used() {
    let cases = [
        (ISSUER, End::Good),
        ("https://login.example/{tenantid}/v2.0", End::Good),
        ("https://login.example/72f988bf/v2.0", End::Good),
        ("https://issuer.example/", End::Unavailable),
        ("https://evil.example", End::Unavailable),
        ("https://login.example/a@b/v2.0", End::Unavailable),
        ("https://login.example//v2.0", End::Unavailable),
        ("https://login.example/x", End::Unavailable),
    ];

    for (named, expected) in cases {
        let discovery = json!({"issuer": named, "jwks_uri": "https://issuer.example/jwks"});
        let source = KeySource::scripted(
            url::Url::parse("https://issuer.example/.well-known/openid-configuration").unwrap(),
            move |url| {
                let body = if url.path() == "/jwks" {
                    key_set()
                } else {
                    discovery.clone()
                };
                Ok(Answer {
                    status: 200,
                    body: body.to_string().into_bytes(),
                    max_age_seconds: None,
                })
            },
        );
        let rules = IdTokenRules {
            keys: source,
            ..rules()
        };

        let result = verify(&rules, &token(json!({})), None, None).await;

        assert_eq!(end_of(&result), expected, "{named}");
    }
}

#[tokio::test]
async fn a_token_says_nothing_about_where_keys_are_fetched() {
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&asked);
    let source = KeySource::scripted(
        url::Url::parse("https://issuer.example/.well-known/openid-configuration").unwrap(),
        move |url| {
            log.lock().unwrap().push(url.host_str().unwrap().to_owned());
            let discovery = json!({"issuer": ISSUER, "jwks_uri": "https://issuer.example/jwks"});
            let body = if url.path() == "/jwks" {
                key_set()
            } else {
                discovery
            };
            Ok(Answer {
                status: 200,
                body: body.to_string().into_bytes(),
                max_age_seconds: None,
            })
        },
    );
    let rules = IdTokenRules {
        keys: source,
        ..rules()
    };
    let forger = &keys().forger;
    let evil = "https://evil.example";

    for header in [
        json!({"alg": "RS256", "kid": "rsa"}),
        json!({"alg": "RS256", "kid": "https://evil.example/jwks"}),
        json!({"alg": "RS256", "kid": "rsa", "jku": "https://evil.example/jwks"}),
        json!({"alg": "RS256", "kid": "rsa", "x5u": "https://evil.example/x"}),
        json!({"alg": "RS256", "kid": "rsa", "iss": evil}),
    ] {
        let token = forger.token(&header.to_string(), &claims(json!({"iss": evil})));
        let result = verify(&rules, &token, None, None).await;
        assert_eq!(end_of(&result), End::Invalid);
    }

    let asked = asked.lock().unwrap();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|host| host == "issuer.example"));
}
