//! The real server: its configuration, as an operator would write it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::process::latchkey_command;
use crate::provider::CLIENT_ID;

/// An operator's own provider, of the shape of the built-in fake: one request is the profile and the proof of the audience.
fn entry(name: &str) -> String {
    format!(
        r#"
[providers.{name}]
title = "Bench"
client_id = "{CLIENT_ID}"
extra_data = ["me:preferred_username"]
[providers.{name}.id_token]
issuers = ["https://{name}.example"]
jwks_url = "https://{name}.example/jwks"
algorithms = ["RS256"]
[[providers.{name}.requests]]
name = "me"
url = "https://{name}.example/me"
token = "bearer"
errors = [{{ when = "error", verdict = "invalid_token" }}]
[providers.{name}.audience]
proof = "tokeninfo"
request = "me"
client_id = "me:client_id"
uid = "me:sub"
expires_at = "me:exp"
scope = "me:scope"
[providers.{name}.identity]
uid = "me:sub"
username = "me:preferred_username"
email = [{{ address = "me:email", verified = "me:email_verified" }}]
full_name = "me:name"
"#
    )
}

/// Where the configuration and the log of one server are.
pub(crate) struct Files {
    pub(crate) config: PathBuf,
    pub(crate) log: PathBuf,
}

fn write(folder: &Path, name: &str, url: &str, provider: u16, providers: &str) -> Files {
    let config = format!(
        "[database]\nurl = \"{url}\"\n[keys]\nfile = \"{}\"\n[development]\nprovider_origin = \"http://127.0.0.1:{provider}\"\n{providers}",
        folder.join("keys.toml").display()
    );
    let files = Files {
        config: folder.join(format!("{name}.toml")),
        log: folder.join(format!("{name}.log")),
    };
    fs::write(&files.config, config).unwrap();
    files
}

/// The provider `bench` and `more`, and the database migrated.
pub(crate) fn configure(folder: &Path, url: &str, provider: u16, more: &[String]) -> Files {
    let mut providers = entry("bench");
    for name in more {
        providers.push_str(&entry(name));
    }
    let files = write(folder, "latchkey", url, provider, &providers);
    let migrated = latchkey_command(&files.config)
        .arg("migrate")
        .status()
        .unwrap();
    assert!(migrated.success(), "latchkey migrate");
    files
}

/// The whole catalogue, with the settings of the conformance suite, on the same database.
pub(crate) fn configure_catalogue(folder: &Path, url: &str, provider: u16) -> Files {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/providers");
    let mut providers = String::from("[providers.fake]\n");
    for entry in fs::read_dir(fixtures).unwrap() {
        if let Ok(settings) = fs::read_to_string(entry.unwrap().path().join("settings.toml")) {
            providers.push_str(&settings);
        }
    }
    let key = aws_lc_rs::signature::EcdsaKeyPair::generate(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    )
    .unwrap()
    .to_pkcs8v1()
    .unwrap();
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\\n");
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.as_ref());
    write!(pem, "{encoded}\\n-----END PRIVATE KEY-----\\n").unwrap();
    let providers = providers.replace("{private_key}", &pem);
    write(folder, "catalogue", url, provider, &providers)
}
