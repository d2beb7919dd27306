//! Hundreds of secrets go through the real binary at its most talkative; none of them comes out anywhere it should not.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::issuer_keys::foreign_keys;
use crate::support::mock_provider::{Misbehaviour, MockProvider};
use crate::support::{Answer, Place, Process, database, in_place};

/// How many persons hand in each kind of proof.
const PERSONS: usize = 30;

/// What must not be found, and what must not be found in logs, answers and metrics but belongs into the database.
#[derive(Default)]
struct Canaries {
    secrets: Vec<(String, String)>,
    addresses: Vec<String>,
    /// Refusals and metrics, as they went over the wire.
    shown: String,
}

impl Canaries {
    /// Remembers a secret, and gives it back.
    fn secret(&mut self, what: &str, secret: impl Into<String>) -> String {
        let secret = secret.into();
        assert!(
            secret.len() >= 16,
            "{what} is too short to be told from chance"
        );
        self.secrets.push((what.to_owned(), secret.clone()));
        secret
    }

    /// A secret made up here.
    fn made_up(&mut self, what: &str) -> String {
        let random: [u8; 12] = rand::random();
        self.secret(what, format!("canary-{what}-{}", hex::encode(random)))
    }

    /// Remembers the secrets in a body that is handed in.
    fn hand_in(&mut self, body: &Value) {
        for member in [
            "access_token",
            "access_token_secret",
            "id_token",
            "nonce",
            "code",
            "code_verifier",
            "refresh_token",
        ] {
            if let Some(secret) = body[member].as_str() {
                self.secret(member, secret);
            }
        }
    }

    /// Remembers our own tokens in a success, and the whole of a refusal.
    fn answer(&mut self, answer: &Answer) {
        if answer.status >= 400 {
            writeln!(self.shown, "{} {:?}", answer.body, answer.headers).unwrap();
        }
        for member in ["access_token", "refresh_token"] {
            if let Some(secret) = answer.body["token"][member].as_str() {
                self.secret(&format!("our {member}"), secret);
            }
        }
    }

    /// What of them is found in `text`. A token of three parts must not be found in part either.
    #[track_caller]
    fn assert_absent(&self, place: &str, text: &[u8], addresses_too: bool) {
        let addresses = self.addresses.iter().map(|address| ("address", address));
        let secrets = self
            .secrets
            .iter()
            .map(|(what, secret)| (what.as_str(), secret));
        let addresses = addresses.filter(|_| addresses_too);
        let parts: Vec<(&str, &str)> = secrets
            .chain(addresses)
            .flat_map(|(what, secret)| {
                // The first part of a signed token is its header, which is no secret.
                let signed = secret.starts_with("eyJ");
                let skipped = usize::from(signed && secret.matches('.').count() == 2);
                let split = secret
                    .split('.')
                    .skip(skipped)
                    .filter(|part| part.len() >= 16);
                std::iter::once(secret.as_str())
                    .chain(split)
                    .map(move |part| (what, part))
            })
            .collect();
        let found = find_any(text, &parts);
        assert!(found.is_empty(), "{place} holds {found:?}");
    }
}

/// Which of `needles` stand in `text`: by the first 16 bytes of each, so that a large text is gone through once.
fn find_any<'n>(text: &[u8], needles: &[(&'n str, &'n str)]) -> Vec<(&'n str, &'n str)> {
    let mut by_start = HashMap::<&[u8], Vec<(&str, &str)>>::new();
    // Two bytes tell most places apart without a look into the map.
    let mut may_start = vec![false; 1 << 16];
    let pair = |bytes: &[u8]| usize::from(bytes[14]) << 8 | usize::from(bytes[15]);
    for (what, needle) in needles {
        let start = &needle.as_bytes()[..16];
        by_start.entry(start).or_default().push((what, needle));
        may_start[pair(start)] = true;
    }
    let mut found = Vec::new();
    for (at, window) in text.windows(16).enumerate() {
        if !may_start[pair(window)] {
            continue;
        }
        for (what, needle) in by_start.get(window).into_iter().flatten() {
            if text[at..].starts_with(needle.as_bytes()) {
                found.push((*what, *needle));
            }
        }
    }
    found
}

#[test]
fn a_canary_is_found_where_there_is_one() {
    let found = find_any(
        b"... canary-0123456789abcdef ...",
        &[
            ("x", "canary-0123456789abcdef"),
            ("y", "canary-0123456789abcdee"),
        ],
    );
    assert_eq!(found, [("x", "canary-0123456789abcdef")]);
}

/// Sends `body`, anonymously or with a bearer, and remembers all that is secret about it.
async fn send(
    server: &Process,
    canaries: &mut Canaries,
    body: &Value,
    bearer: Option<&str>,
) -> Answer {
    canaries.hand_in(body);
    let mut request = server.post("/social_sign_up/", body);
    if let Some(bearer) = bearer {
        request = request.bearer_auth(bearer);
    }
    let answer = server.send(request).await;
    canaries.answer(&answer);
    answer
}

/// Good and refused proofs of the fake provider, of every kind.
async fn through_the_fake_provider(server: &Process, canaries: &mut Canaries) {
    for person in 0..PERSONS {
        let address = format!(
            "canary-{person}-{}@example.org",
            hex::encode(rand::random::<[u8; 6]>())
        );
        canaries.addresses.push(address.clone());
        let sub = format!("person-{person}");
        let verifier = canaries.made_up("code_verifier-of-43-characters-at-least");
        let nonce = canaries.made_up("nonce");
        for what in [
            json!({ "kind": "access_token" }),
            json!({ "kind": "access_token_secret" }),
            json!({ "kind": "id_token", "nonce": nonce }),
            json!({ "kind": "code", "code_verifier": verifier, "redirect_uri": "https://app.example.org/done" }),
            json!({ "kind": "access_token", "behaviour": "wrong_audience" }),
            json!({ "kind": "access_token", "behaviour": "garbage" }),
            json!({ "kind": "code", "behaviour": "expired" }),
            json!({ "kind": "id_token", "behaviour": "bad_signature" }),
        ] {
            let is_good = what.get("behaviour").is_none();
            let mut what = what;
            what["sub"] = json!(sub);
            what["email"] = json!(address);
            let mut body = server.mint(&what).await;
            if body.get("access_token").is_some() && body.get("access_token_secret").is_none() {
                body["refresh_token"] = json!(canaries.made_up("refresh_token"));
            }
            let answer = send(server, canaries, &body, None).await;
            assert_eq!(answer.status == 201, is_good, "{:?}", answer.body);
            if what["kind"] == "access_token" && is_good {
                let bearer = answer.bearer();
                server.get("/me", Some(&bearer)).await;
                let grant = json!({
                    "grant_type": "refresh_token", "refresh_token": answer.body["token"]["refresh_token"],
                });
                let refreshed = server.send(server.post("/oauth/token", &grant)).await;
                canaries.answer(&Answer {
                    body: json!({ "token": refreshed.body }),
                    ..refreshed
                });
                send(server, canaries, &body, Some(&bearer)).await;
            }
        }
    }
}

/// Made-up secrets in every member, as bearer, and where they do not belong.
async fn refused_on_sight(server: &Process, canaries: &mut Canaries) {
    for _ in 0..PERSONS {
        let bodies = [
            json!({ "provider": "fake", "access_token": canaries.made_up("access_token") }),
            json!({ "provider": "fake", "access_token": canaries.made_up("access_token"), "access_token_secret": canaries.made_up("secret") }),
            json!({ "provider": "fake", "id_token": canaries.made_up("id_token"), "nonce": canaries.made_up("nonce") }),
            json!({ "provider": "fake", "code": canaries.made_up("code"), "code_verifier": canaries.made_up("code_verifier") }),
            json!({ "provider": "fake", "code": canaries.made_up("code"), "access_token": canaries.made_up("access_token") }),
            json!({ "provider": "fake", "access_token": [canaries.made_up("access_token")] }),
            json!({ "provider": "fake", "link_ticket": canaries.made_up("link_ticket") }),
            json!({ "provider": canaries.made_up("provider"), "access_token": canaries.made_up("access_token") }),
            json!({ "provider": "fake", "intent": canaries.made_up("intent"), "access_token": canaries.made_up("access_token") }),
            json!({ "provider": "fake", canaries.made_up("member"): 1 }),
        ];
        for body in &bodies {
            let answer = send(server, canaries, body, None).await;
            assert!(
                answer.status == 400 || answer.status == 401,
                "{:?}",
                answer.body
            );
        }
        let bearer = canaries.made_up("bearer");
        assert_eq!(
            send(server, canaries, &bodies[0], Some(&bearer))
                .await
                .status,
            401
        );
        let query = canaries.made_up("query");
        let path = format!("/me?access_token={query}");
        canaries.answer(&server.get(&path, None).await);
        let path = canaries.made_up("path");
        canaries.answer(&server.get(&format!("/{path}"), None).await);
        let broken = format!(
            "{{\"provider\": \"fake\", \"access_token\": \"{}",
            canaries.made_up("broken")
        );
        let request = server
            .request("POST", "/social_sign_up/")
            .header("content-type", "application/json")
            .body(broken);
        canaries.answer(&server.send(request).await);
        let grant = json!({ "grant_type": "refresh_token", "refresh_token": canaries.made_up("refresh_token") });
        canaries.answer(&server.send(server.post("/oauth/token", &grant)).await);
    }
}

/// An API client's secret in the body and in the header, its access token, and a search for one. Gives what the client got to see,
/// where addresses of mail are no secret.
async fn through_the_admin_api(server: &Process, place: &Place, canaries: &mut Canaries) -> String {
    let words = "clients create --title Canary --scope admin:read --scope admin:write";
    let words: Vec<&str> = words
        .split(' ')
        .chain(["--database-url", place.url()])
        .collect();
    let made = place.run(&words).succeeded();
    let word_after = |label: &str| {
        let (_, rest) = made.split_once(label).unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let client_id = word_after("client_id");
    let client_secret = canaries.secret("api client's secret", word_after("client_secret"));
    let grant = |secret: &str| json!({ "grant_type": "client_credentials", "client_id": client_id, "client_secret": secret });
    let by_body = server
        .send(server.post("/oauth/token", &grant(&client_secret)))
        .await;
    let by_header = server
        .post(
            "/oauth/token",
            &json!({ "grant_type": "client_credentials" }),
        )
        .basic_auth(&client_id, Some(&client_secret));
    let by_header = server.send(by_header).await;
    let made_up = canaries.made_up("client_secret");
    canaries.answer(
        &server
            .send(server.post("/oauth/token", &grant(&made_up)))
            .await,
    );
    let bearers = [by_body, by_header].map(|answer| {
        let bearer = answer.body["access_token"].as_str().unwrap();
        canaries.secret("api client's access token", bearer)
    });

    let mut seen = String::new();
    for path in [
        "users?rows=100",
        "users/1",
        "users/1/accounts/1/unlink",
        "accounts?rows=100",
        "activity?rows=100",
    ] {
        let answer = server
            .get(&format!("/admin/api/{path}"), Some(&bearers[0]))
            .await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        writeln!(seen, "{}", answer.body).unwrap();
    }
    let searched = canaries.secret(
        "search",
        format!("gho_{}", hex::encode(rand::random::<[u8; 12]>())),
    );
    let search = format!("/admin/api/users?q={searched}");
    let refused = server.get(&search, Some(&bearers[1])).await;
    refused.assert_refused(400, "invalid_request");
    canaries.answer(&refused);
    seen
}

/// Real providers' requests, which carry secrets in the URL, in headers and in the body; answered well and badly.
async fn through_real_providers(
    server: &Process,
    provider: &MockProvider,
    canaries: &mut Canaries,
) {
    provider.answer(
        "POST api.github.com/applications/Iv1.canary/token",
        &json!({ "app": { "client_id": "Iv1.canary" }, "user": { "id": 583_231 }, "scopes": [] }),
    );
    provider.answer(
        "GET api.github.com/user",
        &json!({ "login": "ada", "id": 583_231 }),
    );
    provider.answer("GET api.github.com/user/emails", &json!([]));
    provider.answer(
        "GET graph.facebook.com/v24.0/debug_token",
        &json!({ "data": { "app_id": "1029384756102938", "type": "USER", "is_valid": true, "expires_at": 0, "user_id": "1" } }),
    );
    provider.answer(
        "GET graph.facebook.com/v24.0/me",
        &json!({ "id": "1", "name": "Ada" }),
    );
    provider.answer(
        "GET api.twitter.com/1.1/account/verify_credentials.json",
        &json!({ "id_str": "16052764", "screen_name": "ada", "name": "Ada" }),
    );
    let said = canaries.made_up("said-by-the-provider");
    for misbehaviour in [
        None,
        Some(Misbehaviour::Status(500)),
        Some(Misbehaviour::Body(format!("<h1>{said}</h1>").into_bytes())),
        Some(Misbehaviour::Redirect(format!(
            "https://api.github.com/?token={said}"
        ))),
        Some(Misbehaviour::HangUp),
    ] {
        let is_good = misbehaviour.is_none();
        match misbehaviour {
            Some(misbehaviour) => provider.misbehave(misbehaviour),
            None => provider.behave(),
        }
        for name in ["github", "facebook", "twitter"] {
            let mut body =
                json!({ "provider": name, "access_token": canaries.made_up("access_token") });
            if name == "twitter" {
                body["access_token_secret"] = json!(canaries.made_up("access_token_secret"));
            }
            let answer = send(server, canaries, &body, None).await;
            assert_eq!(answer.status == 201, is_good, "{name}: {:?}", answer.body);
        }
    }
    // An id token that nobody signed for us, with a secret in its claims.
    let claims = json!({ "iss": "https://accounts.google.com", "sub": canaries.made_up("claim") });
    let forged = foreign_keys().sign("RS256", &claims);
    let body = json!({ "provider": "google", "id_token": forged });
    send(server, canaries, &body, None).await;
}

/// Everything that the database holds, as it lies on the disk or as it reads.
fn database_bytes(place: &Place) -> Vec<u8> {
    if let Some(path) = place.url().strip_prefix("sqlite://") {
        let mut bytes = Vec::new();
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let path = format!("{path}{suffix}");
            if Path::new(&path).exists() {
                bytes.extend(std::fs::read(path).unwrap());
            }
        }
        return bytes;
    }
    let tables = database::texts(
        place.url(),
        "SELECT tablename::text AS text FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%'",
    );
    let mut bytes = Vec::new();
    for table in tables {
        // A whole row as text; what is binary stands there in hex, so that its bytes are added as well.
        for row in database::texts(
            place.url(),
            &format!("SELECT t::text AS text FROM \"{table}\" t"),
        ) {
            bytes.extend(row.as_bytes());
            for piece in row.split("\\x").skip(1) {
                let digits = piece
                    .chars()
                    .take_while(char::is_ascii_hexdigit)
                    .collect::<String>();
                bytes.extend(hex::decode(digits).unwrap_or_default());
            }
            bytes.push(b'\n');
        }
    }
    bytes
}

in_place!(no_secret_comes_out_anywhere, |place| {
    let provider = MockProvider::start().await;
    let mut canaries = Canaries::default();
    let mut secret = || canaries.made_up("client_secret");
    let toml = format!(
        "[development]\nprovider_origin = \"{}\"\n[log]\nlevel = \"trace\"\n[providers.fake]\n\
         [providers.github]\nclient_id = \"Iv1.canary\"\nclient_secret = \"{}\"\n\
         [providers.facebook]\nclient_id = \"1029384756102938\"\nclient_secret = \"{}\"\n\
         [providers.twitter]\nclient_id = \"canary-consumer\"\nclient_secret = \"{}\"\n\
         [providers.google]\nclient_id = \"canary.apps.example\"\nclient_secret = \"{}\"\n",
        provider.origin().as_str().trim_end_matches('/'),
        secret(),
        secret(),
        secret(),
        secret(),
    );
    let server = place.serve(&toml);

    through_the_fake_provider(&server, &mut canaries).await;
    refused_on_sight(&server, &mut canaries).await;
    through_real_providers(&server, &provider, &mut canaries).await;
    let seen = through_the_admin_api(&server, &place, &mut canaries).await;
    let metrics = server.get("/metrics", None).await;
    canaries.shown.push_str(metrics.body.as_str().unwrap());
    for line in std::fs::read_to_string(place.folder().join("latchkey.keys.toml"))
        .unwrap()
        .lines()
    {
        if let Some((_, key)) = line
            .split_once("= \"")
            .filter(|(name, _)| !name.starts_with("kid"))
        {
            canaries.secret("key", key.trim_end_matches('"'));
        }
    }

    assert!(
        canaries.secrets.len() >= 300,
        "only {}",
        canaries.secrets.len()
    );
    let bytes = database_bytes(&place);
    let addresses: Vec<_> = canaries
        .addresses
        .iter()
        .map(|address| ("address", address.as_str()))
        .collect();
    let stored: BTreeSet<_> = find_any(&bytes, &addresses).into_iter().collect();
    assert_eq!(
        stored.len(),
        PERSONS,
        "the look at the database sees nothing"
    );
    canaries.assert_absent("the database", &bytes, false);
    canaries.assert_absent("the admin API", seen.as_bytes(), false);
    canaries.assert_absent(
        "what callers and operators see",
        canaries.shown.as_bytes(),
        true,
    );
    server.signal("TERM");
    let (_, log) = server.ended();
    assert!(
        log.contains("TRACE") && log.contains("POST /social_sign_up/"),
        "the log is not talkative"
    );
    canaries.assert_absent("the log", log.as_bytes(), true);
});
