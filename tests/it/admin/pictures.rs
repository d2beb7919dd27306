//! The pictures in `docs/screenshots`, taken of people that are made up and at an instant that stands still.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use latchkey::domain::{ProviderId, Role, SocialAuthId, Uid, UserId};
use latchkey::flows::upkeep;
use latchkey::storage::seeding::{
    Batch, SeededAuditEntry, SeededSession, SeededSocialAuth, SeededUser,
};
use serde_json::json;

use crate::support::mock_provider::{Misbehaviour, MockProvider};
use crate::support::{Backend, StaffClient, TestApp, assert_nothing_wrong, chromium_script};

/// Where the pictures of the documentation are.
const SCREENSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/screenshots");

/// So many people, in the order in which they signed up.
const PEOPLE: i64 = 560;
/// Has three accounts.
const ADA: i64 = 7;
/// Has one account, and no other way in.
const LINUS: i64 = PEOPLE - 12;

const FIRST_NAMES: [&str; 16] = [
    "Hedy",
    "Margaret",
    "Kenji",
    "Ingrid",
    "Noor",
    "Tomás",
    "Søren",
    "Amara",
    "Ольга",
    "Wei",
    "Fatima",
    "Jonas",
    "Priya",
    "Mateo",
    "Chloé",
    "Yusuf",
];
const LAST_NAMES: [&str; 13] = [
    "Berg",
    "Silva",
    "Watanabe",
    "Solheim",
    "Haddad",
    "Novák",
    "Lindqvist",
    "Nwosu",
    "Петрова",
    "Chen",
    "Rahman",
    "Weber",
    "Iyer",
];
const PROVIDERS: [&str; 8] = [
    "google",
    "facebook",
    "google",
    "github",
    "instagram",
    "google",
    "apple",
    "facebook",
];

/// An app.
const SHOP: &str = "Shop/4.2 (iPhone; iOS 26.1)";

/// The instant of the pictures.
fn now() -> DateTime<Utc> {
    "2026-11-23T11:15:00Z".parse().unwrap()
}

/// A number that looks arbitrary and follows from the others.
fn mix(number: i64, salt: i64) -> i64 {
    (number * 2_654_435_761 + salt * 40_503).rem_euclid(9_973)
}

fn of<T: Copy>(list: &[T], number: i64) -> T {
    list[usize::try_from(number).unwrap() % list.len()]
}

/// Everybody with their accounts, and what the audit log says of them.
fn people() -> Batch {
    let mut batch = Batch::default();
    for number in 1..=PEOPLE {
        let user = user(number);
        let (joined, accounts, last_sign_in_at) =
            (user.date_joined, user.social_accounts, user.last_sign_in_at);
        batch.users.push(user);
        for index in 0..i64::from(accounts) {
            account(&mut batch, number, index, joined);
        }
        let newest = batch.social_auths.last().cloned();
        if let (Some(with), true) = (newest, accounts > 0) {
            let weekly = (1..4).map(|weeks| joined + TimeDelta::weeks(weeks));
            let before = weekly.filter(|at| Some(*at) < last_sign_in_at);
            let sign_ins = before.chain(last_sign_in_at);
            batch
                .audit
                .extend(sign_ins.map(|at| entry("signed_in", &with, at)));
        }
    }
    sessions(&mut batch);
    batch
}

/// The `number`-th person.
fn user(number: i64) -> SeededUser {
    let is_known = matches!(number, ADA | LINUS);
    let joined = now() - TimeDelta::minutes((PEOPLE - number) * 140 + mix(number, 1) % 130 + 9);
    let (first_name, last_name, social_accounts, seen) = match number {
        ADA => ("Ada", "Okafor", 3, 12),
        LINUS => ("Linus", "Berg", 1, 38),
        _ => (
            of(&FIRST_NAMES, mix(number, 2)),
            of(&LAST_NAMES, mix(number, 3)),
            of(&[1, 1, 2, 1, 1, 1, 2, 1, 0], mix(number, 4)),
            45 + mix(number, 7) * 8,
        ),
    };
    let name = format!("{first_name}.{last_name}").to_lowercase();
    let username = match (is_known, name.is_ascii()) {
        (true, _) => name,
        (false, true) => format!("{name}{number}"),
        (false, false) => format!("user{number}"),
    };
    SeededUser {
        id: UserId(number),
        email: (is_known || mix(number, 5) % 9 != 0).then(|| format!("{username}@example.org")),
        username,
        email_verified: true,
        first_name,
        last_name,
        is_active: is_known || mix(number, 6) % 14 != 0,
        date_joined: joined,
        social_accounts,
        last_sign_in_at: Some(joined.max(now() - TimeDelta::minutes(seen))),
    }
}

/// One of a person's accounts, and how it came.
fn account(batch: &mut Batch, number: i64, index: i64, joined: DateTime<Utc>) {
    let provider = match number {
        ADA => of(&["facebook", "google", "github"], index),
        LINUS => "github",
        _ => of(&PROVIDERS, mix(number, 8) + index * 3),
    };
    let at = joined + TimeDelta::minutes(index * 3_000).min(TimeDelta::days(9));
    let at = at.min(now() - TimeDelta::minutes(12));
    let uid = (10_158_392_042_917 + mix(number, 9) * 7_919 + index).to_string();
    let expires = now() + TimeDelta::hours(130 + mix(number, 10));
    let expires = expires.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let handle = match number {
        ADA => "ada.okafor",
        LINUS => "lberg",
        _ => "",
    };
    let account = SeededSocialAuth {
        id: SocialAuthId(i64::try_from(batch.social_auths.len()).unwrap() + 1),
        user_id: UserId(number),
        provider: ProviderId::parse(provider).unwrap(),
        uid: Uid::parse(&uid).unwrap(),
        email: None,
        extra_data: json!({
            "access_token": {"sealed": "1.c2VhbGVkLCBhbmQgb2Ygbm8gdXNlIHRvIGFueWJvZHk"}, "token_type": "bearer",
            "expires_at": expires, "username": handle,
        }),
        created_at: at,
        modified_at: at,
    };
    let action = if index == 0 {
        "signed_up"
    } else {
        "associated"
    };
    batch.audit.push(entry(action, &account, at));
    batch.social_auths.push(account);
}

/// What the audit log says of an account.
fn entry(action: &'static str, account: &SeededSocialAuth, at: DateTime<Utc>) -> SeededAuditEntry {
    SeededAuditEntry {
        at,
        actor_kind: "anonymous",
        actor_id: None,
        action,
        reason: None,
        user_id: account.user_id,
        social_auth_id: account.id,
        provider: account.provider.clone(),
        uid: account.uid.clone(),
        request_id: format!("{:016x}", account.id.0 * 8_191 + at.timestamp()),
        address: "203.0.113.24".to_owned(),
    }
}

/// Where Ada and Linus are signed in.
fn sessions(batch: &mut Batch) {
    let first_of = |number: i64| {
        let mut all = batch.social_auths.iter();
        all.find(|account| account.user_id == UserId(number))
            .unwrap()
            .id
    };
    let (ada, linus) = (first_of(ADA), first_of(LINUS));
    for (at, (number, account, minutes, user_agent)) in [
        (
            ADA,
            SocialAuthId(ada.0 + 1),
            4_400,
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        ),
        (ADA, ada, 12, SHOP),
        (LINUS, linus, 38, SHOP),
        (LINUS, linus, 900, SHOP),
    ]
    .into_iter()
    .enumerate()
    {
        let created_at = now() - TimeDelta::minutes(minutes);
        batch.sessions.push(SeededSession {
            user_id: UserId(number),
            social_auth_id: account,
            refresh_hash: [u8::try_from(at).unwrap(); 32],
            created_at,
            expires_at: created_at + TimeDelta::days(30),
            address: "203.0.113.24".to_owned(),
            user_agent,
        });
    }
}

/// A service with everybody in it, and a provider that has just begun to fail.
async fn scene() -> (MockProvider, TestApp) {
    let mock = MockProvider::start().await;
    let toml = format!(
        "[providers.google]\nclient_id = 'web.example'\n\
         [providers.facebook]\nclient_id = '1'\nclient_secret = 's'\n\
         [providers.github]\nclient_id = 'Iv1'\nclient_secret = 's'\n\
         [providers.instagram]\nclient_id = '2'\nclient_secret = 's'\n\
         [providers.apple]\nclient_id = 'app.example'\n\
         [admin.sign_in.github]\nallowed_uids = ['583231']\n\
         [development]\nprovider_origin = '{}'\n",
        mock.origin()
    );
    let app = TestApp::spawn_at(Backend::Sqlite, &toml, now()).unwrap();
    let db = app.app.db.clone();
    tokio::task::spawn_blocking(move || {
        let mut seeder = db.seeder().unwrap();
        seeder.insert(&people()).unwrap();
        seeder.finish().unwrap();
    })
    .await
    .unwrap();
    upkeep::settle(&app.app.db, &app.app.clock, |_| {})
        .await
        .unwrap();
    mock.answer(
        "GET oauth2.googleapis.com/tokeninfo",
        &json!({ "aud": "web.example", "azp": "web.example", "sub": "117", "expires_in": "3599" }),
    );
    mock.answer(
        "GET openidconnect.googleapis.com/v1/userinfo",
        &json!({ "sub": "117", "name": "Ingrid Kowalski", "email": "ingrid@example.org" }),
    );
    app.turn_back(Duration::from_mins(2));
    for provider in ["google", "facebook"] {
        if provider == "facebook" {
            mock.misbehave(Misbehaviour::Status(503));
        }
        for number in 0..4 {
            let body = json!({ "provider": provider, "access_token": format!("token-{number}") });
            app.hand_in(&body).await;
        }
    }
    app.advance(Duration::from_mins(2));
    (mock, app)
}

#[tokio::test]
async fn the_pictures_of_the_documentation_can_be_taken() {
    let (_mock, app) = scene().await;
    let mut jo = app.staff(Role::Superuser).await;
    // Has the menu know which providers need attention.
    jo.get("/admin/overview").await;
    let scratch = tempfile::tempdir().unwrap();
    // `LATCHKEY_SCREENSHOTS=1 tests/run pictures` takes those of the documentation anew.
    let folder = match std::env::var_os("LATCHKEY_SCREENSHOTS") {
        Some(_) => Path::new(SCREENSHOTS),
        None => scratch.path(),
    };
    let first = format!("SELECT min(id) AS number FROM social_auth WHERE user_id = {LINUS}");
    let unlink = format!(
        "/admin/users/{LINUS}/accounts/{}/unlink",
        app.number(&first)
    );
    let visitors = [("superuser", &jo), ("nobody", &StaffClient::new(&app))];

    let job = json!({
        "folder": folder,
        "looks": [
            {"width": 1280, "theme": "light"}, {"width": 1280, "theme": "dark"},
            {"width": 390, "theme": "light"}, {"width": 390, "theme": "dark"},
        ],
        "pages": [
            {"name": "overview", "visitor": "superuser", "path": "/admin/overview?period=30d"},
            {"name": "users", "visitor": "superuser", "path": "/admin/users?rows=25&sort=seen"},
            {"name": "user", "visitor": "superuser", "path": format!("/admin/users/{ADA}")},
            {"name": "unlink", "visitor": "superuser", "path": unlink},
            {"name": "sign-in", "visitor": "nobody", "path": "/admin/sign-in"},
        ],
    });
    if let Some(report) = chromium_script(&app, "pictures.mjs", &visitors, job).await {
        assert_nothing_wrong(&report);
        assert_eq!(report["taken"], 20);
        assert!(folder.join("user-390-dark.png").is_file());
    }
}
