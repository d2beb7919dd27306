//! Who depends on a provider.

use super::*;
use crate::storage::provider_users::{self, Dependants};

on_both! {
    whoever_has_another_way_in_does_not_depend_on_a_provider
    each_of_several_is_told_as_it_is_alone
    nobody_is_found_only_after_all_were_looked_at
    what_is_not_configured_is_found_by_its_social_accounts
}

/// Signs up `count` people with GitHub, uids from `a` on. All but the last have an account of `second` as well.
async fn sign_ups(db: &Db, count: u8, second: &'static str) {
    for (number, letter) in (b'a'..).map(char::from).take(count.into()).enumerate() {
        let id = letter.to_string();
        let is_last = number + 1 == usize::from(count);
        db.write(move |tx| {
            let (user, _) = sign_up(tx, &id, &id)?;
            if !is_last {
                associate_at(tx, second, user.id, &id)?;
            }
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
    }
}

async fn of(db: &Db, ways_in: &[&str], limit: u32) -> Dependants {
    let ways_in: Vec<String> = ways_in.iter().map(|id| (*id).to_owned()).collect();
    db.read(move |r| provider_users::count(r, "github", &ways_in, limit))
        .await
        .unwrap()
}

async fn until_found(db: &Db, ways_in: &[&str], limit: u32) -> Dependants {
    let ways_in: Vec<String> = ways_in.iter().map(|id| (*id).to_owned()).collect();
    db.read(move |r| provider_users::count_until_found(r, "github", &ways_in, limit))
        .await
        .unwrap()
}

const fn dependants(users: u64, accounts: u64, is_complete: bool) -> Dependants {
    Dependants {
        users,
        accounts,
        is_complete,
    }
}

async fn whoever_has_another_way_in_does_not_depend_on_a_provider(db: Db) {
    sign_ups(&db, 3, "google").await;
    // Two accounts of one person are one person.
    db.write(|tx| associate(tx, UserId(3), "c2")).await.unwrap();

    assert_eq!(of(&db, &["google"], 10).await, dependants(1, 4, true));
    assert_eq!(of(&db, &["gitlab", "google"], 10).await.users, 1);
    assert_eq!(of(&db, &["gitlab"], 10).await.users, 3);
    assert_eq!(of(&db, &[], 10).await, dependants(3, 4, true));
    assert_eq!(of(&db, &[], 2).await, dependants(2, 2, false));
}

async fn each_of_several_is_told_as_it_is_alone(db: Db) {
    sign_ups(&db, 3, "google").await;
    db.write(|tx| associate(tx, UserId(3), "c2")).await.unwrap();
    let each = |ways_in: &'static [&'static str], limit| {
        let db = db.clone();
        let ids = ["google", "github", "gitlab"].map(str::to_owned);
        let ways_in: Vec<String> = ways_in.iter().map(|id| (*id).to_owned()).collect();
        async move {
            db.read(move |r| provider_users::count_each(r, &ids, &ways_in, limit))
                .await
                .unwrap()
        }
    };

    assert_eq!(
        each(&["google", "github"], 10).await,
        [
            dependants(0, 2, true),
            dependants(1, 4, true),
            Dependants::NONE
        ]
    );
    assert_eq!(
        each(&[], 2).await,
        [
            dependants(2, 2, false),
            dependants(2, 2, false),
            Dependants::NONE
        ]
    );
    // More than one statement asks of.
    let ids: Vec<String> = (0..250)
        .map(|number| format!("provider-{number}"))
        .collect();
    let ids = [ids, vec!["github".to_owned()]].concat();
    let many = db
        .read(move |r| provider_users::count_each(r, &ids, &[], 5))
        .await
        .unwrap();
    assert_eq!(many.len(), 251);
    assert_eq!(many.last(), Some(&dependants(3, 4, true)));
}

async fn nobody_is_found_only_after_all_were_looked_at(db: Db) {
    assert_eq!(until_found(&db, &[], 2).await, Dependants::NONE);
    sign_ups(&db, 6, "google").await;

    // The last of them by uid is the one who depends on it.
    assert_eq!(of(&db, &["google"], 4).await, dependants(0, 4, false));
    for limit in 1..=5 {
        assert_eq!(until_found(&db, &["google"], limit).await.users, 1);
    }
    assert_eq!(
        until_found(&db, &["google"], 6).await,
        dependants(1, 6, false)
    );
    db.write(|tx| associate_at(tx, "google", UserId(6), "f"))
        .await
        .unwrap();
    for limit in 1..=7 {
        assert_eq!(
            until_found(&db, &["google"], limit).await,
            dependants(0, 6, true)
        );
    }
}

async fn what_is_not_configured_is_found_by_its_social_accounts(db: Db) {
    let removed = |known: &'static [&'static str]| {
        let db = db.clone();
        async move {
            db.read(|r| provider_users::list_removed(r, |id| known.contains(&id)))
                .await
                .unwrap()
        }
    };
    assert!(removed(&[]).await.is_empty());
    sign_ups(&db, 3, "gitlab-work").await;

    assert_eq!(removed(&[]).await, ["github", "gitlab-work"]);
    assert_eq!(removed(&["github", "google"]).await, ["gitlab-work"]);
    assert!(removed(&["gitlab-work", "github"]).await.is_empty());
}
