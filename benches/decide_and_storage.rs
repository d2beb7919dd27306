//! The association rules alone, and the transactions of a sign-up, a sign-in and an association through `Db::write`.
//!
//! `cargo bench --bench decide_and_storage`; `LATCHKEY_TEST_POSTGRES` names a PostgreSQL at which databases may be created.
#![expect(
    clippy::unwrap_used,
    reason = "a bench that meets a surprise has nothing better to do than to end"
)]

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{Criterion, Throughput};
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use futures_util::future::join_all;
use latchkey::app::Clock;
use latchkey::domain::association::{Caller, Owner, decide};
use latchkey::domain::{
    Actor, AuditAction, AuditEntry, Intent, NewSession, NewUser, ProviderId, RequestContext,
    SocialAuthId, Uid, UserId,
};
use latchkey::storage::social_auths::NewSocialAuth;
use latchkey::storage::{
    Db, Settings, StorageError, Tx, audit, sealing, sessions, social_auths, users,
};
use serde_json::{Value, json};

/// Transactions that run at once.
const AT_ONCE: u64 = 32;
/// People who sign in.
const PEOPLE: u64 = 1000;

static NEXT: AtomicU64 = AtomicU64::new(0);

fn decide_alone(criterion: &mut Criterion) {
    let owner = Owner {
        user_id: UserId(1),
        is_active: true,
    };
    criterion.bench_function("decide", |bencher| {
        bencher.iter(|| {
            decide(
                black_box(Caller::Anonymous),
                black_box(Intent::Auto),
                black_box(Some(owner)),
            )
        });
    });
}

#[derive(Clone, Copy)]
enum Verb {
    SignUp,
    SignIn,
    Associate,
}

fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn uid(number: u64) -> Uid {
    Uid::parse(&format!("u{number}")).unwrap()
}

fn extra_data() -> Value {
    json!({"access_token": {"sealed": "1.c2VhbGVkIGFuZCBzZWFsZWQgYW5kIHNlYWxlZCBhbmQgc2VhbGVk"}, "token_type": "Bearer"})
}

/// One transaction, statement by statement. On PostgreSQL `storage::hand_ins` writes the same by one, which is not measured here.
fn transaction(tx: &mut Tx<'_>, verb: Verb, number: u64) -> Result<(), StorageError> {
    let now = Clock::system().now();
    let provider = ProviderId::parse("bench").ok_or(StorageError::Corrupt("provider"))?;
    let uid = match verb {
        Verb::SignIn => uid(number % PEOPLE),
        Verb::SignUp | Verb::Associate => uid(PEOPLE + number),
    };
    let found = social_auths::find_with_owner_for_update(tx, &provider, &uid)?;
    let new = NewSocialAuth {
        provider: &provider,
        uid: &uid,
        client_id: Some("bench-client"),
        email: None,
        email_verified: false,
        extra_data: &extra_data(),
    };
    let (user_id, social_auth_id) = match (verb, found) {
        (Verb::SignIn, Some((account, user))) => {
            let merged = sealing::merge(account.extra_data, extra_data());
            social_auths::update_extra_data(tx, account.id, &merged, None, None, false, now)?;
            users::record_sign_in(tx, user.id, now)?;
            (user.id, account.id)
        }
        (Verb::Associate, _) => {
            let user = users::find(tx, UserId(1))?.ok_or(StorageError::Corrupt("user"))?;
            let account =
                social_auths::insert(tx, user.id, &new, now)?.ok_or(StorageError::Restart)?;
            return record(tx, AuditAction::Associated, user.id, account.id);
        }
        _ => {
            let user = NewUser {
                email: None,
                email_verified: false,
                first_name: "Ada".to_owned(),
                last_name: "Okafor".to_owned(),
            };
            let user = users::insert(tx, &user, uid.as_str(), Vec::new, now)?;
            let account =
                social_auths::insert(tx, user.id, &new, now)?.ok_or(StorageError::Restart)?;
            (user.id, account.id)
        }
    };
    let session = NewSession {
        refresh_hash: rand::random(),
        authenticated_at: now,
        expires_at: now + chrono::TimeDelta::days(90),
        address: None,
        user_agent: None,
    };
    sessions::insert(tx, user_id, Some(social_auth_id), None, &session, now)?;
    record(tx, AuditAction::SignedIn, user_id, social_auth_id)
}

fn record(
    tx: &mut Tx<'_>,
    action: AuditAction,
    user_id: UserId,
    social_auth_id: SocialAuthId,
) -> Result<(), StorageError> {
    let entry = AuditEntry {
        actor: Actor::Anonymous,
        action,
        reason: None,
        detail: None,
        user_id: Some(user_id),
        social_auth_id: Some(social_auth_id),
        provider: ProviderId::parse("bench"),
        uid: None,
        context: RequestContext {
            request_id: "0123456789abcdef01234567".to_owned(),
            address: None,
            user_agent: None,
        },
    };
    audit::insert(tx, &entry, Clock::system().now())
}

async fn write(db: &Db, verb: Verb) {
    let number = next();
    db.write(move |tx| transaction(tx, verb, number))
        .await
        .unwrap();
}

fn transactions(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}", folder.path().join("bench.db").display());
    measure(criterion, "sqlite", &sqlite);
    let base = std::env::var_os("LATCHKEY_TEST_POSTGRES")
        .and_then(|url| url.into_string().ok())
        .filter(|url| !url.is_empty());
    let Some(base) = base else {
        return println!("SKIPPED: PostgreSQL, since LATCHKEY_TEST_POSTGRES is not set");
    };
    let name = format!("bench_small_{}", std::process::id());
    let mut connection = diesel::PgConnection::establish(&base).unwrap();
    connection
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .unwrap();
    let (server, _) = base.rsplit_once('/').unwrap();
    measure(criterion, "postgres", &format!("{server}/{name}"));
    connection
        .batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .unwrap();
}

fn measure(criterion: &mut Criterion, backend: &str, url: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let db = Db::open(&Settings::new(url)).unwrap();
    db.migrate().unwrap();
    runtime.block_on(sign_everyone_up(&db));
    for (name, verb) in [
        ("sign-up", Verb::SignUp),
        ("sign-in", Verb::SignIn),
        ("association", Verb::Associate),
    ] {
        let mut group = criterion.benchmark_group(format!("{backend}/{name}"));
        group.sample_size(20);
        group.throughput(Throughput::Elements(1));
        group.bench_function("one", |bencher| {
            bencher.iter(|| runtime.block_on(write(&db, verb)));
        });
        group.throughput(Throughput::Elements(AT_ONCE));
        group.bench_function("32 at once", |bencher| {
            bencher.iter(|| runtime.block_on(join_all((0..AT_ONCE).map(|_| write(&db, verb)))));
        });
        group.finish();
    }
}

/// Makes the people with the uids below [`PEOPLE`].
async fn sign_everyone_up(db: &Db) {
    let made = db.write(|tx| {
        let now = Clock::system().now();
        let provider = ProviderId::parse("bench").ok_or(StorageError::Corrupt("provider"))?;
        for number in 0..PEOPLE {
            let uid = uid(number);
            let user = NewUser {
                email: None,
                email_verified: false,
                first_name: String::new(),
                last_name: String::new(),
            };
            let user = users::insert(tx, &user, uid.as_str(), Vec::new, now)?;
            let new = NewSocialAuth {
                provider: &provider,
                uid: &uid,
                client_id: None,
                email: None,
                email_verified: false,
                extra_data: &extra_data(),
            };
            social_auths::insert(tx, user.id, &new, now)?;
        }
        Ok::<_, StorageError>(())
    });
    made.await.unwrap();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    decide_alone(&mut criterion);
    transactions(&mut criterion);
    criterion.final_summary();
}
