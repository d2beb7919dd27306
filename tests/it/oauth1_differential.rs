//! Our OAuth 1.0a signatures against those of oauthlib, the signer that most of the world's OAuth 1.0a clients use.
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use latchkey::providers::entry::Method;
use latchkey::providers::oauth1::{Credentials, authorization_header, base_string, signature};
use serde::Deserialize;
use url::Url;

const OAUTHLIB: &str = "oauthlib==4.0.1";
const CASES: usize = 2_000;
const SEED: &str = "5849";

#[derive(Deserialize)]
struct Vector {
    method: String,
    url: String,
    form: Vec<(String, String)>,
    consumer_key: String,
    consumer_secret: String,
    token: String,
    token_secret: String,
    nonce: String,
    timestamp: String,
    base_string: String,
    signature: String,
}

#[test]
fn signatures_equal_those_of_oauthlib() {
    let Some(python) = python_with_oauthlib() else {
        return crate::support::skip("oauthlib can neither be imported nor installed");
    };

    let vectors = vectors(&python);

    assert_eq!(vectors.len(), CASES);
    for vector in &vectors {
        check(vector);
    }
}

#[track_caller]
fn check(vector: &Vector) {
    let method = match vector.method.as_str() {
        "POST" => Method::Post,
        _ => Method::Get,
    };
    let url = Url::parse(&vector.url).unwrap();
    let protocol = [
        ("oauth_consumer_key", vector.consumer_key.as_str()),
        ("oauth_nonce", &vector.nonce),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", &vector.timestamp),
        ("oauth_token", &vector.token),
        ("oauth_version", "1.0"),
    ];
    let credentials = Credentials {
        consumer_key: &vector.consumer_key,
        consumer_secret: &vector.consumer_secret,
        token: &vector.token,
        token_secret: &vector.token_secret,
    };
    let timestamp = vector.timestamp.parse().unwrap();

    let base = base_string(method, &url, &protocol, &vector.form);
    let signed = signature(&base, &vector.consumer_secret, &vector.token_secret);
    let header = authorization_header(
        method,
        &url,
        &vector.form,
        credentials,
        &vector.nonce,
        timestamp,
    );

    assert_eq!(base, vector.base_string, "{}", vector.url);
    assert_eq!(signed, vector.signature, "{}", vector.url);
    let encoded: String = url::form_urlencoded::byte_serialize(signed.as_bytes()).collect();
    assert!(header.contains(&format!("oauth_signature=\"{encoded}\"")));
}

fn vectors(python: &Path) -> Vec<Vector> {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/differential/oauth1_vectors.py"
    );
    let output = Command::new(python)
        .args([script, &CASES.to_string(), SEED])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A Python that can import oauthlib: the machine's, or one of our own beside the build.
fn python_with_oauthlib() -> Option<PathBuf> {
    let of_the_machine = PathBuf::from("python3");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-venv");
    let own = folder.join("bin").join("python");
    let has_oauthlib =
        |python: &PathBuf| succeeds(Command::new(python).args(["-c", "import oauthlib"]));
    if has_oauthlib(&of_the_machine) {
        return Some(of_the_machine);
    }
    if !has_oauthlib(&own) {
        succeeds(
            Command::new(&of_the_machine)
                .args(["-m", "venv"])
                .arg(&folder),
        );
        succeeds(Command::new(&own).args(["-m", "pip", "install", "--quiet", OAUTHLIB]));
    }
    has_oauthlib(&own).then_some(own)
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
