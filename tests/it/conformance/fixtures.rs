//! The recorded answers of `tests/fixtures/providers/<id>/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use figment::Figment;
use figment::providers::{Format, Toml};
use latchkey::providers::entry::{AudienceProof, Entry, OAuth2};
use latchkey::providers::settings::ProviderSettings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::issuer_keys::issuer_keys;

/// The moment at which all hand-ins happen.
pub(super) const NOW: i64 = 1_795_000_000;
/// The nonce that apps ask with.
pub(super) const NONCE: &str = "n-0S6_WzA2Mj";
/// The access token that is handed in.
pub(super) const ACCESS_TOKEN: &str = "handed-in-access-token";

/// One folder.
#[derive(Debug, Clone)]
pub(super) struct Fixture {
    /// The entry's id.
    pub(super) id: String,
    /// The entry.
    pub(super) entry: Entry,
    /// The id under which it is configured.
    pub(super) slug: String,
    /// How it is configured.
    pub(super) settings: ProviderSettings,
    /// Answers by endpoint.
    pub(super) answers: BTreeMap<String, Recorded>,
    /// What comes of them.
    pub(super) expected: Expected,
    /// The token is another app's.
    pub(super) foreign: Option<Refusal>,
    /// The token has expired.
    pub(super) expired: Option<Refusal>,
    /// The token was revoked.
    pub(super) revoked: Option<Refusal>,
    /// What the issuer signs.
    pub(super) id_token: Option<RecordedIdToken>,
    /// What the token endpoint answers.
    pub(super) token_answer: Option<RecordedTokenAnswer>,
}

/// A recorded answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    /// The entry's request that it answers.
    #[serde(default)]
    pub(super) request: Option<String>,
    /// Status.
    pub(super) status: u16,
    /// Body; null is none at all.
    pub(super) body: Value,
}

/// What each kind of proof yields. A code yields the same as the id token that comes of it or, without one, as an access token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// For an access token.
    pub(super) access_token: Option<ExpectedIdentity>,
    /// For a token pair.
    pub(super) token_pair: Option<ExpectedIdentity>,
    /// For an id token.
    pub(super) id_token: Option<ExpectedIdentity>,
    /// How the check names our application, where that is not a client id.
    pub(super) audience: Option<String>,
}

/// An identity and the plain members of its `extra_data`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedIdentity {
    pub(super) uid: String,
    pub(super) username: Option<String>,
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) extra_data: BTreeMap<String, Value>,
}

/// Answers that replace the good ones, and what comes of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusal {
    /// The code of the refusal.
    pub(super) expect: String,
    /// Answers by endpoint.
    pub(super) answers: BTreeMap<String, Recorded>,
}

/// The claims of an id token, before it is signed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordedIdToken {
    /// Where the issuer publishes its keys.
    pub(super) endpoint: String,
    /// What it signs with.
    pub(super) algorithm: String,
    /// The claims.
    pub(super) claims: Value,
}

/// What the token endpoint answers to a good code and to a bad one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordedTokenAnswer {
    /// The token endpoint.
    pub(super) endpoint: String,
    /// Status for a good code.
    pub(super) status: u16,
    /// Body for a good code.
    pub(super) body: Value,
    /// Answer to a bad code.
    pub(super) refused: Recorded,
}

static FIXTURES: LazyLock<Vec<Fixture>> =
    LazyLock::new(|| catalogue_ids().iter().map(|id| load(id)).collect());

/// The fixtures of every entry but the built-in fake provider's, which has tests of its own.
pub(super) fn all() -> &'static [Fixture] {
    &FIXTURES
}

/// The ids of the catalogue's files.
pub(super) fn catalogue_ids() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/providers/catalog");
    let mut ids: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|id| id != "fake")
        .collect();
    ids.sort();
    ids
}

fn load(id: &str) -> Fixture {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("tests/fixtures/providers").join(id);
    assert!(
        folder.is_dir(),
        "the entry `{id}` has no fixtures: {}",
        folder.display()
    );
    let entry_file = root.join(format!("src/providers/catalog/{id}.toml"));
    let entry: Entry = Figment::from(Toml::file_exact(entry_file))
        .extract()
        .unwrap_or_else(|error| panic!("{id}.toml: {error}"));
    let (slug, settings) = load_settings(&folder.join("settings.toml"));
    Fixture {
        id: id.to_owned(),
        entry,
        slug,
        settings,
        answers: required(&folder, "answers.json"),
        expected: required(&folder, "expected.json"),
        foreign: optional(&folder.join("foreign.json")),
        expired: optional(&folder.join("expired.json")),
        revoked: optional(&folder.join("revoked.json")),
        id_token: optional(&folder.join("id_token_claims.json")),
        token_answer: optional(&folder.join("token_answer.json")),
    }
}

fn load_settings(path: &PathBuf) -> (String, ProviderSettings) {
    #[derive(Deserialize)]
    struct Configuration {
        providers: BTreeMap<String, ProviderSettings>,
    }
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .replace(
            "{private_key}",
            &issuer_keys().p256_pem().replace('\n', "\\n"),
        );
    let configuration: Configuration = Figment::from(Toml::string(&text))
        .extract()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    configuration.providers.into_iter().next().unwrap()
}

fn required<T: DeserializeOwned>(folder: &Path, name: &str) -> T {
    optional(&folder.join(name)).unwrap_or_else(|| panic!("{} lacks {name}", folder.display()))
}

fn optional<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let text = std::fs::read(path).ok()?;
    let parsed = serde_json::from_slice(&text);
    Some(parsed.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

impl Fixture {
    /// The kinds of proof that the entry takes.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let mut kinds = Vec::new();
        match self.entry.audience.proof {
            AudienceProof::Oauth1Signature => kinds.push(Kind::TokenPair),
            AudienceProof::IdToken => {}
            _ => kinds.push(Kind::AccessToken),
        }
        if self.entry.id_token.is_some() {
            kinds.push(Kind::IdToken);
        }
        if self.entry.oauth2.is_some() {
            kinds.push(Kind::Code);
        }
        kinds
    }

    /// What a proof of this kind yields.
    pub(super) fn expected(&self, kind: Kind) -> &ExpectedIdentity {
        let expected = &self.expected;
        let found = match kind {
            Kind::TokenPair => &expected.token_pair,
            Kind::IdToken => &expected.id_token,
            Kind::Code if self.code_yields_id_token() => &expected.id_token,
            Kind::AccessToken | Kind::Code => &expected.access_token,
        };
        found
            .as_ref()
            .unwrap_or_else(|| panic!("{}/expected.json lacks {kind:?}", self.id))
    }

    /// Whether the token endpoint answers with an id token, which then says who it is.
    pub(super) fn code_yields_id_token(&self) -> bool {
        let recorded = self.token_answer.as_ref();
        let ignored = |oauth2: &OAuth2| oauth2.ignore_id_token;
        recorded.is_some_and(|recorded| recorded.body.get("id_token").is_some())
            && !self.entry.oauth2.as_ref().is_some_and(ignored)
    }

    /// Our first client id.
    pub(super) fn client_id(&self) -> &str {
        match &self.settings.client_id {
            Some(id) => id,
            None => &self.settings.clients[0].id,
        }
    }

    /// How the check names our application.
    pub(super) fn audience(&self) -> &str {
        self.expected
            .audience
            .as_deref()
            .unwrap_or_else(|| self.client_id())
    }

    /// The endpoint of the request called `name`.
    pub(super) fn endpoint_of(&self, name: &str) -> &str {
        self.answers
            .iter()
            .find(|(_, recorded)| recorded.request.as_deref() == Some(name))
            .map_or_else(
                || panic!("{}/answers.json does not answer `{name}`", self.id),
                |(endpoint, _)| endpoint.as_str(),
            )
    }

    /// The endpoint of the check that proves the audience.
    pub(super) fn check_endpoint(&self) -> Option<&str> {
        let name = self.entry.audience.request.as_deref()?;
        Some(self.endpoint_of(name))
    }

    /// The endpoint whose answer holds the uid.
    pub(super) fn profile_endpoint(&self) -> Option<&str> {
        let first = self.entry.requests.first()?.name.as_str();
        let uid = self.entry.identity.as_ref()?.uid.as_slice().first()?;
        let name = self
            .entry
            .requests
            .iter()
            .map(|request| request.name.as_str())
            .find(|name| uid.starts_with(&format!("{name}:")))
            .unwrap_or(first);
        Some(self.endpoint_of(name))
    }

    /// The claims that the uid is made of.
    pub(super) fn uid_claims(&self) -> Vec<String> {
        let rules = self.entry.id_token.as_ref().unwrap();
        let uid = match &rules.identity {
            Some(identity) => identity.uid.as_slice()[0].as_str(),
            None => "sub",
        };
        match uid.strip_prefix("tpl!:") {
            Some(template) => template
                .split('{')
                .skip(1)
                .map(|part| part.split('}').next().unwrap().to_owned())
                .collect(),
            None => vec![uid.to_owned()],
        }
    }
}

/// Kinds of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    AccessToken,
    TokenPair,
    IdToken,
    Code,
}

/// The moment at which all hand-ins happen.
pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

/// Replaces the placeholders in `value`, which are listed in `tests/fixtures/providers/README.md`.
pub(super) fn fill(value: &mut Value, access_token: &str, id_token: &str) {
    match value {
        Value::String(text) => {
            if let Some(filled) = filled(text, access_token, id_token) {
                *value = filled;
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| fill(item, access_token, id_token)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| fill(member, access_token, id_token)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn filled(text: &str, access_token: &str, id_token: &str) -> Option<Value> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?;
    let (moment, form) = inside.split_once('|').unwrap_or((inside, ""));
    match moment {
        "nonce" => return Some(NONCE.into()),
        "id_token" => return Some(id_token.into()),
        "at_hash" => {
            let digest = Sha256::digest(access_token.as_bytes());
            return Some(URL_SAFE_NO_PAD.encode(&digest[..16]).into());
        }
        _ => {}
    }
    let offset = moment.strip_prefix("now")?;
    let offset: i64 = if offset.is_empty() {
        0
    } else {
        offset.parse().unwrap_or_else(|_| panic!("{text}"))
    };
    let seconds = NOW + offset;
    Some(match form {
        "" => seconds.into(),
        "text" => seconds.to_string().into(),
        "rfc3339" => DateTime::from_timestamp(seconds, 0)
            .unwrap()
            .to_rfc3339_opts(SecondsFormat::Secs, true)
            .into(),
        other => panic!("unknown form {other} in {text}"),
    })
}

/// Replaces every leaf of `value` that reads as `from`, and says how many there were.
pub(super) fn replace(value: &mut Value, from: &str, to: &Value) -> usize {
    let reads_as = match value {
        Value::String(text) => text == from,
        Value::Number(number) => number.to_string() == from,
        Value::Array(items) => {
            return items.iter_mut().map(|item| replace(item, from, to)).sum();
        }
        Value::Object(members) => {
            return members
                .values_mut()
                .map(|member| replace(member, from, to))
                .sum();
        }
        Value::Null | Value::Bool(_) => false,
    };
    if reads_as {
        *value = to.clone();
    }
    reads_as.into()
}

impl Fixture {
    /// Whether the good case needs `allow_unbound_tokens`.
    pub(super) fn settings_allow_unbound(&self) -> bool {
        self.entry.audience.proof == AudienceProof::None
    }
}
