use figment::Figment;
use figment::providers::{Format, Toml};

use super::*;
use crate::domain::ProofKind;

fn env() -> BuildEnv {
    BuildEnv {
        outbound: OutboundSettings {
            connect_timeout: Duration::from_secs(1),
            max_answer_bytes: 1 << 20,
            provider_origin: None,
            host_routes: Vec::new(),
        },
        limits: Limits::default(),
        development: false,
    }
}

pub(super) fn build(toml: &str) -> Result<Providers, Vec<SetupProblem>> {
    let settings: BTreeMap<String, ProviderSettings> =
        Figment::from(Toml::string(toml)).extract().unwrap();
    Providers::build(&settings, &env())
}

/// The keys that problems name.
pub(super) fn keys(problems: &[SetupProblem]) -> Vec<&str> {
    problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect()
}

#[track_caller]
fn assert_problem(toml: &str, key: &str) {
    let problems = build(toml).err().unwrap_or_default();
    assert!(
        problems.iter().any(|problem| problem.key == key),
        "expected a problem with `{key}` in\n{toml}\ngot {problems:?}"
    );
}

/// A provider of one's own that is in order; tests break one thing each.
const OWN: &str = r#"
[own]
title = "Own"
client_id = "ours"
client_secret = "s"
[[own.requests]]
name = "check"
url = "https://api.example/check"
[[own.requests]]
name = "me"
url = "https://api.example/users/{check:user}"
[own.audience]
proof = "tokeninfo"
request = "check"
client_id = "app"
uid = "user"
[own.identity]
uid = "me:id"
"#;

#[test]
fn every_catalogue_entry_builds_with_all_that_it_may_need() {
    for line in catalog::lines() {
        let toml = format!(
            "[{id}]\nclient_id = 'id'\nclient_secret = 's'\nhost = 'id.example'\n[{id}.params]\n",
            id = line.id
        );
        let entry = line.entry().unwrap();
        let unset = entry.params.iter().filter(|(_, value)| value.is_empty());
        let lines: Vec<String> = unset
            .map(|(name, _)| format!("{name} = 'https://id.example'"))
            .collect();

        let built = build(&(toml + &lines.join("\n")));

        assert!(built.is_ok(), "{}: {:?}", line.id, built.err());
        let Lookup::Enabled(provider) = built.unwrap().find(line.id) else {
            panic!("{}", line.id);
        };
        let takes_something = !provider.proofs().is_empty() || !provider.allows_unbound_tokens();
        assert!(takes_something, "{}", line.id);
    }
}

#[test]
fn names_lead_to_enabled_disabled_or_unknown_letter_for_letter() {
    let providers = build(
        "[google]\nclient_id = 'a'\n[github]\nenabled = false\n[gitlab-work]\nentry = 'gitlab'\nhost = 'git.example'\nclient_id = 'b'\nclient_secret = 's'",
    )
    .unwrap();

    for name in ["google", "google-oauth2", "gitlab-work"] {
        assert!(matches!(providers.find(name), Lookup::Enabled(_)), "{name}");
    }
    for name in ["github", "facebook", "gitlab"] {
        assert!(matches!(providers.find(name), Lookup::Disabled), "{name}");
    }
    for name in ["Google", "google ", "", "gооgle", "nobody"] {
        assert!(matches!(providers.find(name), Lookup::Unknown), "{name}");
    }
}

#[test]
fn no_provider_of_ones_own_takes_a_known_name() {
    assert_problem(
        "[google]\nissuer = 'https://evil.example'\nclient_id = 'a'",
        "",
    );
    assert_problem("[google-oauth2]\nclient_id = 'a'", "entry");
    assert_problem(
        "[facebook]\nentry = 'github'\nclient_id = 'a'\nclient_secret = 's'",
        "",
    );
    assert_problem("[Google]\nclient_id = 'a'", "");
    assert_problem(&OWN.replace("own", "github"), "");
    assert_problem(
        &format!(
            "{}\n[google]\nclient_id = 'a'",
            OWN.replace("title = \"Own\"", "aliases = ['google']")
        ),
        "aliases",
    );
    assert_problem("[gogle]\nclient_id = 'a'", "entry");
}

#[test]
fn an_own_provider_in_order_is_taken_and_every_hole_in_it_is_named() {
    assert!(build(OWN).is_ok(), "{:?}", build(OWN).err());

    let table = [
        (
            "request = \"check\"",
            "request = \"nobody\"",
            "audience.request",
        ),
        ("request = \"check\"\n", "", "audience.request"),
        ("client_id = \"app\"\n", "", "audience.client_id"),
        (
            "client_id = \"app\"",
            "client_id = \"input:client_id\"",
            "audience",
        ),
        (
            "client_id = \"app\"",
            "client_id = \"const:ours\"",
            "audience",
        ),
        ("uid = \"me:id\"", "uid = \"input:uid\"", "identity.uid"),
        ("uid = \"me:id\"", "uid = \"const:1\"", "identity.uid"),
        (
            "uid = \"me:id\"",
            "uid = \"tpl:{me:a}{me:b}\"",
            "identity.uid",
        ),
        ("uid = \"me:id\"", "uid = \"them:id\"", "identity.uid"),
        (
            "proof = \"tokeninfo\"",
            "proof = \"none\"",
            "audience.reason",
        ),
        (
            "proof = \"tokeninfo\"",
            "proof = \"id_token\"",
            "audience.proof",
        ),
        (
            "proof = \"tokeninfo\"",
            "proof = \"secret_proof\"",
            "audience.proof",
        ),
        (
            "proof = \"tokeninfo\"",
            "proof = \"oauth1_signature\"",
            "audience.proof",
        ),
        (
            "check\"\nurl = \"https://api.example/check\"",
            "check\"\nurl = \"https://{me:id}/check\"",
            "requests[0].url",
        ),
        (
            "check\"\nurl = \"https://api.example/check\"",
            "check\"\nurl = \"https://api.example/{me:id}\"",
            "requests",
        ),
        (
            "check\"\nurl = \"https://api.example/check\"",
            "check\"\nurl = \"https://api.example/check\"\noptional = true",
            "audience.request",
        ),
        (
            "check\"\nurl = \"https://api.example/check\"",
            "check\"\nurl = \"https://api.example/check\"\ntoken = \"none\"",
            "audience.request",
        ),
        ("name = \"me\"", "name = \"check\"", "requests[1].name"),
        ("name = \"me\"", "name = \"token\"", "requests[1].name"),
        ("[own.identity]\nuid = \"me:id\"", "", "identity"),
        ("client_id = \"ours\"\n", "", "client_id"),
        ("title = \"Own\"", "private_key = \"x\"", "private_key"),
        (
            "title = \"Own\"",
            "allowed_claims = { tid = [\"a\"] }",
            "allowed_claims",
        ),
        ("title = \"Own\"", "host = \"a/b\"", "host"),
    ];
    for (from, to, key) in table {
        let broken = OWN.replacen(from, to, 1);
        assert_ne!(broken, OWN, "{from}");
        assert_problem(&broken, key);
    }
}

#[test]
fn what_a_provider_takes_follows_from_its_secrets_and_the_operators_leave() {
    let proofs = |toml: &str, name: &str| match build(toml).unwrap().find(name) {
        Lookup::Enabled(provider) => provider.proofs(),
        other => panic!("{other:?}"),
    };

    assert_eq!(
        proofs("[google]\nclient_id = 'a'", "google"),
        [ProofKind::AccessToken, ProofKind::IdToken, ProofKind::Code]
    );
    assert_eq!(
        proofs("[facebook]\nclient_id = 'a'", "facebook"),
        [ProofKind::IdToken, ProofKind::Code]
    );
    assert_eq!(
        proofs("[apple]\nclient_id = 'a'", "apple"),
        [ProofKind::IdToken]
    );
    assert_eq!(
        proofs("[spotify]\nclient_id = 'a'\nclient_secret = 's'", "spotify"),
        [ProofKind::Code]
    );
    assert_eq!(
        proofs(
            "[spotify]\nclient_id = 'a'\nclient_secret = 's'\nallow_unbound_tokens = true",
            "spotify"
        ),
        [ProofKind::AccessToken, ProofKind::Code]
    );
    assert_eq!(
        proofs("[twitter]\nclient_id = 'a'\nclient_secret = 's'", "twitter"),
        [ProofKind::TokenPair]
    );
    assert_problem("[github]\nclient_id = 'a'", "client_secret");
}

#[test]
fn requests_are_led_away_only_in_development() {
    let mut led_away = env();
    led_away.outbound.provider_origin = Some("http://127.0.0.1:9".parse().unwrap());

    assert!(Providers::build(&BTreeMap::new(), &led_away).is_err());

    led_away.development = true;
    assert!(Providers::build(&BTreeMap::new(), &led_away).is_ok());
}

#[test]
fn an_issuer_beside_an_entry_with_its_own_is_refused() {
    assert_problem(
        "[mine]\nentry = 'google'\nissuer = 'https://evil.example'\nclient_id = 'x'",
        "issuer",
    );
    for entry in ["", "entry = 'oidc'\n"] {
        let toml = format!("[mine]\n{entry}issuer = 'https://login.acme.example'\nclient_id = 'x'");
        assert!(build(&toml).is_ok());
    }
}
