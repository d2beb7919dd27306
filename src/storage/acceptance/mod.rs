//! What the storage layer promises, written once and run on both databases.

mod database;
mod faults;
mod hand_ins;
mod operations;
mod provider_health;
mod provider_users;
mod races;
mod roll_up;
mod schema;
mod staff;
mod transactions;
mod webhook_deliveries;

use std::future::Future;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use self::database::TestDb;
use super::social_auths::{self, NewSocialAuth};
use super::{Db, StorageError, Tx, users};
use crate::domain::{NewSession, NewUser, ProviderId, SocialAuth, Uid, User, UserId};

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! on_both {
    ($($test:ident)+) => {
        mod on_sqlite {
            $(#[test]
            fn $test() {
                crate::storage::acceptance::on_sqlite(super::$test);
            })+
        }
        mod on_postgres {
            $(#[test]
            fn $test() {
                crate::storage::acceptance::on_postgres(super::$test);
            })+
        }
    };
}
use on_both;

fn run<F: Future<Output = ()>>(test_db: TestDb, test: impl FnOnce(Db) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let db = test_db.open();
        tokio::task::spawn_blocking({
            let db = db.clone();
            move || db.migrate().unwrap()
        })
        .await
        .unwrap();
        test(db.clone()).await;
        db.close().await;
    });
    drop(runtime);
    drop(test_db);
}

fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Db) -> F) {
    run(TestDb::sqlite(), test);
}

fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(Db) -> F) {
    if let Some(test_db) = TestDb::postgres() {
        run(test_db, test);
    }
}

/// A fixed instant with microseconds.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap()
}

fn later(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

fn provider(slug: &str) -> ProviderId {
    ProviderId::parse(slug).unwrap()
}

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn new_user(email: Option<&str>) -> NewUser {
    NewUser {
        email: email.map(Into::into),
        email_verified: email.is_some(),
        first_name: String::new(),
        last_name: "Okafor".into(),
    }
}

fn new_session(number: u8) -> NewSession {
    NewSession {
        refresh_hash: [number; 32],
        authenticated_at: now(),
        expires_at: later(3600),
        address: Some([192, 0, 2, number].into()),
        user_agent: Some(format!("Ada/{number}.0")),
    }
}

/// Signs somebody up the way a flow does.
fn sign_up(tx: &mut Tx<'_>, name: &str, id: &str) -> Result<(User, SocialAuth), StorageError> {
    let user = users::insert(tx, &new_user(None), name, Vec::new, now())?;
    let account = associate(tx, user.id, id)?.ok_or(StorageError::Restart)?;
    Ok((user, account))
}

fn associate(
    tx: &mut Tx<'_>,
    user_id: UserId,
    id: &str,
) -> Result<Option<SocialAuth>, StorageError> {
    associate_at(tx, "github", user_id, id)
}

fn associate_at(
    tx: &mut Tx<'_>,
    slug: &str,
    user_id: UserId,
    id: &str,
) -> Result<Option<SocialAuth>, StorageError> {
    let new = NewSocialAuth {
        provider: &provider(slug),
        uid: &uid(id),
        client_id: Some("ios"),
        email: None,
        email_verified: false,
        extra_data: &json!({"access_token": {"sealed": "1.x"}}),
    };
    social_auths::insert(tx, user_id, &new, now())
}

async fn count_users(db: &Db) -> i64 {
    count(db, "users").await
}

async fn count(db: &Db, table: &'static str) -> i64 {
    db.read(move |reader| database::count(reader, table))
        .await
        .unwrap()
}
