//! Users in bulk, known to the test, and what lists have to say about them.

use chrono::{DateTime, TimeDelta, Utc};
use latchkey::domain::{ProviderId, SocialAuthId, Uid, UserId};
use latchkey::storage::seeding::{Batch, SeededAuditEntry, SeededSocialAuth, SeededUser};
use serde_json::json;

use crate::support::TestApp;

/// An account: its row, provider and when the access token expires.
pub(super) type Account = (i64, &'static str, Option<DateTime<Utc>>);

/// A user as the test made them.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: i64,
    pub(super) username: String,
    pub(super) email: Option<String>,
    pub(super) first_name: &'static str,
    pub(super) is_active: bool,
    pub(super) joined: DateTime<Utc>,
    pub(super) last_sign_in_at: Option<DateTime<Utc>>,
    pub(super) accounts: Vec<Account>,
}

const NAMES: [&str; 5] = ["Ada", "Søren", "Ольга", "秀英", "Noor"];
const PROVIDERS: [&str; 4] = ["google", "github", "apple", "kakao"];

/// The `number`-th person; everything about them follows from the number.
fn person(number: i64, now: DateTime<Utc>, first_account: &mut i64) -> Person {
    let mix = |salt: i64| (number * 2_654_435_761 + salt * 40_503).rem_euclid(9_973);
    // Not in the order of ids, as after an import.
    let joined =
        now - TimeDelta::hours(2_000 - number * 3 + if number % 50 == 0 { 1_500 } else { 0 });
    let count = [1, 2, 1, 0, 3, 1][usize::try_from(mix(1) % 6).unwrap()];
    let accounts: Vec<Account> = (0..count)
        .map(|index| {
            *first_account += 1;
            // Kakao is rare.
            let provider = if mix(index + 20) % 40 == 0 {
                "kakao"
            } else {
                PROVIDERS[usize::try_from(mix(index + 30) % 3).unwrap()]
            };
            let expires = match mix(index + 40) % 3 {
                0 => None,
                1 => Some(now - TimeDelta::hours(1 + mix(3) % 900)),
                _ => Some(now + TimeDelta::hours(1 + mix(4) % 900)),
            };
            (*first_account, provider, expires)
        })
        .collect();
    let signed_in = joined + TimeDelta::minutes(mix(5) * 10);
    Person {
        id: number,
        username: format!(
            "{}{}",
            ["Zed", "ada", "mo-", "x_"][usize::try_from(mix(6) % 4).unwrap()],
            mix(7) * 1_000 + number
        ),
        email: (mix(8) % 5 != 0).then(|| format!("User{}@Example.org", mix(9) % 300)),
        first_name: NAMES[usize::try_from(mix(10) % 5).unwrap()],
        is_active: mix(11) % 7 != 0,
        joined,
        last_sign_in_at: (mix(12) % 6 != 0).then(|| signed_in.min(now)),
        accounts,
    }
}

/// Stores people with the numbers `from..to`.
pub(super) async fn store(
    app: &TestApp,
    from: i64,
    to: i64,
    first_account: &mut i64,
) -> Vec<Person> {
    let now = app.app.clock.now();
    let people: Vec<Person> = (from..to)
        .map(|number| person(number, now, first_account))
        .collect();
    let mut batch = Batch::default();
    for person in &people {
        add(&mut batch, person);
    }
    let db = app.app.db.clone();
    tokio::task::spawn_blocking(move || {
        let mut seeder = db.seeder().unwrap();
        seeder.insert(&batch).unwrap();
        seeder.finish().unwrap();
    })
    .await
    .unwrap();
    people
}

fn add(batch: &mut Batch, person: &Person) {
    batch.users.push(SeededUser {
        id: UserId(person.id),
        username: person.username.clone(),
        email: person.email.clone(),
        email_verified: true,
        first_name: person.first_name,
        last_name: "Okafor",
        is_active: person.is_active,
        date_joined: person.joined,
        social_accounts: i32::try_from(person.accounts.len()).unwrap(),
        last_sign_in_at: person.last_sign_in_at,
    });
    for (id, provider, expires) in &person.accounts {
        let mut extra_data = json!({"access_token": {"sealed": "1.x"}});
        if let Some(at) = expires {
            extra_data["expires_at"] = json!(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        }
        let provider = ProviderId::parse(provider).unwrap();
        let uid = Uid::parse(&format!("uid-{id}")).unwrap();
        batch.social_auths.push(SeededSocialAuth {
            id: SocialAuthId(*id),
            user_id: UserId(person.id),
            provider: provider.clone(),
            uid: uid.clone(),
            email: None,
            extra_data,
            created_at: person.joined,
            modified_at: person.joined,
        });
        batch.audit.push(SeededAuditEntry {
            at: person.joined,
            actor_kind: "anonymous",
            actor_id: None,
            action: "signed_up",
            reason: None,
            user_id: UserId(person.id),
            social_auth_id: SocialAuthId(*id),
            provider,
            uid,
            request_id: "test".to_owned(),
            address: "192.0.2.1".to_owned(),
        });
    }
}
