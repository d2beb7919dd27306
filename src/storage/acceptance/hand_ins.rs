//! What a hand-in writes in one go, on each backend in its own way.

use serde_json::json;

use super::*;
use std::sync::Arc;

use crate::domain::{Actor, Association, AuditAction, AuditEntry, RequestContext, SessionId};
use crate::storage::hand_ins::{
    self, Associated, Associating, HandIn, SignIn, SignUp, SignedUp, SigningIn, SigningUp,
};
use crate::storage::upkeep::{self, Round};
use crate::storage::{audit, sessions, user_records};

on_both! {
    a_sign_up_in_one_go_stores_user_account_session_and_entry
    a_sign_up_under_a_taken_name_stores_nothing
    a_sign_up_with_an_account_that_is_associated_starts_again
    a_sign_in_in_one_go_refreshes_the_account_and_stores_session_and_entry
}

/// The session of [`in_one_go`].
const SEEN: &str = "sessions WHERE address = '192.0.2.7' AND user_agent = 'Ada/7.0'";
const COUNTED: &str = "users WHERE social_accounts = 1";
/// A user whose last sign-in was after the sign-up.
const RECORDED: &str = "users JOIN last_sign_ins ON user_id = id WHERE at > date_joined";

fn entry(action: AuditAction) -> AuditEntry {
    AuditEntry {
        actor: Actor::Anonymous,
        action,
        reason: None,
        detail: None,
        user_id: None,
        social_auth_id: None,
        provider: Some(provider("github")),
        uid: Some(uid("42")),
        context: RequestContext {
            request_id: "r1".to_owned(),
            address: Some([192, 0, 2, 1].into()),
            user_agent: None,
        },
    }
}

fn ada() -> NewUser {
    NewUser {
        first_name: "Ada".to_owned(),
        ..new_user(Some("Ada@Example.org"))
    }
}

/// Calls `write` with a sign-up of github's 42 under `name`.
fn with_sign_up<T>(name: &str, write: impl FnOnce(&SignUp<'_>) -> T) -> T {
    write(&SignUp {
        user: &ada(),
        username: name,
        social_auth: &NewSocialAuth {
            provider: &provider("github"),
            uid: &uid("42"),
            client_id: Some("ios"),
            email: Some("ada@example.org"),
            email_verified: true,
            extra_data: &json!({"scope": "a"}),
        },
        session: &new_session(7),
        entry: &entry(AuditAction::SignedUp),
    })
}

fn in_one_go(tx: &mut Tx<'_>, name: &str) -> Result<Option<SignedUp>, StorageError> {
    with_sign_up(name, |sign_up| hand_ins::write_sign_up(tx, sign_up, now()))
}

async fn a_sign_up_in_one_go_stores_user_account_session_and_entry(db: Db) {
    let written = db.write(|tx| in_one_go(tx, "Ada")).await.unwrap();

    assert_signed_up(&db, written.expect("the name is free")).await;
}

/// What a sign-up as in [`with_sign_up`] leaves.
async fn assert_signed_up(db: &Db, (user, association, session_id): SignedUp) {
    let (account, owner) = db
        .read(|r| social_auths::find_with_owner(r, &provider("github"), &uid("42")))
        .await
        .unwrap()
        .unwrap();
    let session = db
        .read(move |r| sessions::find_with_user(r, session_id))
        .await
        .unwrap();
    let by_address = db
        .read(|r| users::list_by_verified_email(r, "ada@example.org"))
        .await
        .unwrap();
    let log = db.read(|r| audit::list(r, 10)).await.unwrap();

    assert_eq!(account.extra_data, json!({"scope": "a"}));
    assert_eq!(
        (Association::from(account), &owner),
        (association.clone(), &user)
    );
    assert_eq!(by_address, vec![user.clone()]);
    let (session, owner) = session.unwrap();
    assert_eq!(owner, user);
    assert_eq!(session.social_auth_id, Some(association.id));
    assert_eq!(session.api_client_id, None);
    assert_eq!(session.refresh_hash, vec![7; 32]);
    assert_eq!(
        (session.authenticated_at, session.expires_at),
        (now(), later(3600))
    );
    assert_eq!(count(db, SEEN).await, 1);
    assert_eq!(count(db, COUNTED).await, 1);
    assert_eq!(count(db, "last_sign_ins").await, 1);
    let [logged] = log.as_slice() else {
        panic!("one entry, not {}", log.len());
    };
    assert_eq!(
        (logged.user_id, logged.social_auth_id),
        (Some(user.id), Some(association.id))
    );
    assert_eq!((logged.at, logged.action.as_str()), (now(), "signed_up"));
    assert_eq!(logged.uid.as_deref(), Some("42"));
    assert_eq!(logged.address.as_deref(), Some("192.0.2.1"));
    assert_eq!(
        (logged.actor_kind.as_str(), logged.request_id.as_str()),
        ("anonymous", "r1")
    );
}

async fn a_sign_up_under_a_taken_name_stores_nothing(db: Db) {
    db.write(|tx| sign_up(tx, "ADA", "1")).await.unwrap();

    let written = db.write(|tx| in_one_go(tx, "ada")).await.unwrap();

    assert_eq!(written, None);
    for (table, rows) in [
        ("users", 1),
        ("last_sign_ins", 1),
        ("social_auth", 1),
        ("sessions", 0),
        ("audit_log", 0),
    ] {
        assert_eq!(count(&db, table).await, rows, "{table}");
    }
}

async fn a_sign_up_with_an_account_that_is_associated_starts_again(db: Db) {
    db.write(|tx| sign_up(tx, "eve", "42")).await.unwrap();

    let written = db.write(|tx| in_one_go(tx, "ada")).await;

    // Always the same winner here, so that it is given up in the end.
    assert!(matches!(written, Err(StorageError::Unavailable { .. })));
    for (table, rows) in [
        ("users", 1),
        ("last_sign_ins", 1),
        ("social_auth", 1),
        ("sessions", 0),
        ("audit_log", 0),
    ] {
        assert_eq!(count(&db, table).await, rows, "{table}");
    }
}

async fn a_sign_in_in_one_go_refreshes_the_account_and_stores_session_and_entry(db: Db) {
    let (user, mut account) = db.write(|tx| sign_up(tx, "ada", "42")).await.unwrap();
    account.extra_data = json!({"scope": "b"});
    account.modified_at = later(60);
    let (refreshed, id) = (account.clone(), user.id);

    let session_id = db
        .write(move |tx| {
            let sign_in = SignIn {
                social_auth: &refreshed,
                client_id: None,
                email: Some("ada@example.org"),
                email_verified: true,
                session: &new_session(9),
                entry: &AuditEntry {
                    user_id: Some(id),
                    social_auth_id: Some(refreshed.id),
                    ..entry(AuditAction::SignedIn)
                },
            };
            hand_ins::write_sign_in(tx, &sign_in, later(60))
        })
        .await
        .unwrap();

    assert_signed_in(&db, &user, &account, session_id).await;
}

/// The user's own page shows the sign-in at once; the lists when the upkeep has followed the audit log.
async fn assert_last_sign_in(db: &Db, user: &User) {
    let id = user.id;
    let shown = |db: Db| async move {
        let record = db.read(move |r| user_records::find(r, id)).await.unwrap();
        record.unwrap().last_sign_in_at
    };
    assert_eq!(shown(db.clone()).await, Some(later(60)));
    assert_eq!(count(db, RECORDED).await, 0);

    let follow = |position| {
        db.write(move |tx| {
            let round = Round {
                now: later(3600),
                position,
                batch: 100,
                number: 0,
            };
            upkeep::follow_sign_ins(tx, &round)
        })
    };
    let done = follow(0).await.unwrap();
    assert_eq!(done.rows, 1);
    assert_eq!(count(db, RECORDED).await, 1);
    assert_eq!(count(db, "last_sign_ins").await, 1);
    // An older entry does not take it back.
    db.write(move |tx| users::record_sign_in(tx, id, later(120)))
        .await
        .unwrap();
    follow(0).await.unwrap();
    assert_eq!(follow(done.position).await.unwrap().rows, 0);
    assert_eq!(shown(db.clone()).await, Some(later(120)));
}

/// What a sign-in a minute after the sign-up leaves, whose session is number 9.
async fn assert_signed_in(db: &Db, user: &User, account: &SocialAuth, session_id: SessionId) {
    let (session, owner) = db
        .read(move |r| sessions::find_with_user(r, session_id))
        .await
        .unwrap()
        .unwrap();
    let found = db
        .read(|r| social_auths::find_with_owner(r, &provider("github"), &uid("42")))
        .await
        .unwrap();
    let log = db.read(|r| audit::list(r, 10)).await.unwrap();

    assert_eq!(found.as_ref(), Some(&(account.clone(), owner)));
    assert_last_sign_in(db, user).await;
    assert_eq!(session.social_auth_id, Some(account.id));
    assert_eq!(session.refresh_hash, vec![9; 32]);
    let kept =
        "social_auth WHERE client_id = 'ios' AND email = 'ada@example.org' AND email_verified";
    assert_eq!(count(db, kept).await, 1);
    let [logged] = log.as_slice() else {
        panic!("one entry, not {}", log.len());
    };
    assert_eq!(
        (logged.at, logged.action.as_str()),
        (later(60), "signed_in")
    );
    assert_eq!(
        (logged.user_id, logged.social_auth_id),
        (Some(user.id), Some(account.id))
    );
}

/// A hand-in of one of github's accounts.
struct Gathered {
    uid: Uid,
    client_id: Option<&'static str>,
    email: Option<&'static str>,
    extra_data: serde_json::Value,
    session: NewSession,
    context: RequestContext,
    now: DateTime<Utc>,
}

impl Gathered {
    fn new(id: &str, extra_data: serde_json::Value, seconds: i64) -> Self {
        Self {
            uid: uid(id),
            client_id: None,
            email: Some("ada@example.org"),
            extra_data,
            session: new_session(9),
            context: entry(AuditAction::SignedIn).context,
            now: later(seconds),
        }
    }
}

impl HandIn for Gathered {
    fn social_auth(&self) -> NewSocialAuth<'_> {
        static GITHUB: std::sync::LazyLock<ProviderId> =
            std::sync::LazyLock::new(|| provider("github"));
        NewSocialAuth {
            provider: &GITHUB,
            uid: &self.uid,
            client_id: self.client_id,
            email: self.email,
            email_verified: self.email.is_some(),
            extra_data: &self.extra_data,
        }
    }

    fn session(&self) -> &NewSession {
        &self.session
    }

    fn context(&self) -> &RequestContext {
        &self.context
    }

    fn now(&self) -> DateTime<Utc> {
        self.now
    }
}

/// `None` as well where it would be done again in a transaction.
fn or_by_itself<T>(result: Result<Option<T>, StorageError>) -> Option<T> {
    match result {
        Err(StorageError::Restart) => None,
        result => result.unwrap(),
    }
}

/// Signs github's `id` up under `name` as [`with_sign_up`] does.
async fn sign_up_together(db: &Db, name: &str, id: &str) -> Option<SignedUp> {
    let hand_in = Gathered {
        client_id: Some("ios"),
        session: new_session(7),
        ..Gathered::new(id, json!({"scope": "a"}), 0)
    };
    let signing_up = SigningUp {
        hand_in: Arc::new(hand_in),
        user: ada(),
        username: name.to_owned(),
    };
    or_by_itself(hand_ins::sign_up(db, signing_up).await)
}

/// Signs in with github's `id`, a minute after the sign-up.
async fn sign_in_together(
    db: &Db,
    id: &str,
    extra_data: serde_json::Value,
    brings_name: bool,
) -> Option<SignedUp> {
    let signing_in = SigningIn {
        hand_in: Arc::new(Gathered::new(id, extra_data, 60)),
        brings_name,
    };
    or_by_itself(hand_ins::sign_in(db, signing_in).await)
}

async fn associate_together(
    db: &Db,
    (user_id, session_id): (UserId, SessionId),
    id: &str,
    seconds: i64,
) -> Option<Associated> {
    let hand_in = Gathered {
        email: None,
        ..Gathered::new(id, json!({}), seconds)
    };
    let associating = Associating {
        hand_in: Arc::new(hand_in),
        user_id,
        session_id,
    };
    or_by_itself(hand_ins::associate(db, associating).await)
}

/// How many rows the tables have that a hand-in writes to.
async fn rows(db: &Db) -> [i64; 5] {
    let mut rows = [0; 5];
    let tables = [
        "users",
        "last_sign_ins",
        "social_auth",
        "sessions",
        "audit_log",
    ];
    for (number, table) in rows.iter_mut().zip(tables) {
        *number = count(db, table).await;
    }
    rows
}

#[test]
fn a_sign_up_together_stores_what_one_in_a_transaction_does() {
    on_postgres(|db| async move {
        let written = sign_up_together(&db, "Ada", "42").await;

        assert_signed_up(&db, written.expect("it was done")).await;
    });
}

#[test]
fn a_sign_up_together_under_a_taken_name_or_with_a_taken_account_stores_nothing() {
    on_postgres(|db| async move {
        db.write(|tx| sign_up(tx, "ADA", "1")).await.unwrap();
        assert_eq!(sign_up_together(&db, "ada", "42").await, None);
        assert_eq!(rows(&db).await, [1, 1, 1, 0, 0]);

        db.write(|tx| sign_up(tx, "eve", "42")).await.unwrap();
        assert_eq!(sign_up_together(&db, "bob", "42").await, None);
        assert_eq!(rows(&db).await, [2, 2, 2, 0, 0]);
    });
}

#[test]
fn a_sign_in_together_stores_what_one_in_a_transaction_does() {
    on_postgres(|db| async move {
        let (user, mut account) = db.write(|tx| sign_up(tx, "ada", "42")).await.unwrap();

        let brought = json!({"scope": "b", "access_token": 1});
        let written = sign_in_together(&db, "42", brought, true).await;

        let (owner, association, session_id) = written.expect("it was done");
        account.extra_data = json!({"access_token": 1, "scope": "b"});
        account.modified_at = later(60);
        assert_eq!((&owner, association), (&user, account.clone().into()));
        assert_signed_in(&db, &user, &account, session_id).await;
    });
}

#[test]
fn a_sign_in_together_leaves_strangers_the_inactive_and_the_nameless_to_a_transaction() {
    on_postgres(|db| async move {
        db.write(|tx| sign_up(tx, "ada", "42")).await.unwrap();
        let attempt =
            |id: &'static str, brings_name| sign_in_together(&db, id, json!({}), brings_name);
        let change = |sql: &'static str| db.write(move |tx| database::execute(tx, sql));

        assert_eq!(attempt("43", false).await, None);
        change("UPDATE users SET is_active = FALSE").await.unwrap();
        assert_eq!(attempt("42", false).await, None);
        change("UPDATE users SET is_active = TRUE, last_name = ''")
            .await
            .unwrap();
        assert_eq!(attempt("42", true).await, None);
        assert_eq!(rows(&db).await, [1, 1, 1, 0, 0]);
        assert!(attempt("42", false).await.is_some());
    });
}

#[test]
fn fifty_people_at_once_each_get_what_is_theirs() {
    on_postgres(|db| async move {
        let each = |work: fn(Db, i64) -> tokio::task::JoinHandle<Option<SignedUp>>| {
            let db = db.clone();
            async move {
                let all: Vec<_> = (0..50).map(|number| work(db.clone(), number)).collect();
                let mut done = Vec::new();
                for one in all {
                    done.push(one.await.unwrap().expect("it was done"));
                }
                done
            }
        };
        let signed_up = each(|db, number| {
            tokio::spawn(async move {
                sign_up_together(&db, &format!("name{number}"), &number.to_string()).await
            })
        })
        .await;
        let signed_in = each(|db, number| {
            tokio::spawn(async move {
                let brought = json!({ "number": number });
                sign_in_together(&db, &number.to_string(), brought, true).await
            })
        })
        .await;

        for (number, (up, within)) in signed_up.iter().zip(&signed_in).enumerate() {
            assert_eq!(up.0.username, format!("name{number}"));
            assert_eq!(up.1.uid, uid(&number.to_string()));
            assert_eq!((&up.0, up.1.id), (&within.0, within.1.id));
            let id = uid(&number.to_string());
            let found = db
                .read(move |r| social_auths::find_with_owner(r, &provider("github"), &id))
                .await
                .unwrap();
            let (account, owner) = found.unwrap();
            assert_eq!((owner.id, account.id), (up.0.id, up.1.id));
            assert_eq!(account.extra_data["number"], json!(number));
            for session_id in [up.2, within.2] {
                let session = db.read(move |r| sessions::find_with_user(r, session_id));
                let (session, owner) = session.await.unwrap().unwrap();
                assert_eq!((owner.id, session.social_auth_id), (up.0.id, Some(up.1.id)));
            }
        }
        assert_eq!(rows(&db).await, [50, 50, 50, 100, 100]);
    });
}

#[test]
fn fifty_sign_ins_of_one_person_lose_nothing_of_what_they_bring() {
    on_postgres(|db| async move {
        db.write(|tx| sign_up(tx, "ada", "42")).await.unwrap();
        let sign_ins = (0..50).map(|number: usize| {
            let db = db.clone();
            let brought = json!({ number.to_string(): 1 });
            tokio::spawn(async move { sign_in_together(&db, "42", brought, true).await })
        });

        let mut done = 0;
        for sign_in in sign_ins.collect::<Vec<_>>() {
            // Whose row another statement has in hand is left to a transaction.
            done += usize::from(sign_in.await.unwrap().is_some());
        }

        let (account, _) = db
            .read(|r| social_auths::find_with_owner(r, &provider("github"), &uid("42")))
            .await
            .unwrap()
            .unwrap();
        assert!(done > 0);
        assert_eq!(account.extra_data.as_object().unwrap().len(), 1 + done);
        let written = i64::try_from(done).unwrap();
        assert_eq!(rows(&db).await, [1, 1, 1, written, written]);
    });
}

#[test]
fn fifty_sign_ups_of_one_person_make_one_user() {
    on_postgres(|db| async move {
        let sign_ups = (0..50).map(|number: usize| {
            let db = db.clone();
            let name = format!("name{}", number % 5);
            tokio::spawn(async move { sign_up_together(&db, &name, "42").await })
        });

        let mut done = 0;
        for sign_up in sign_ups.collect::<Vec<_>>() {
            done += usize::from(sign_up.await.unwrap().is_some());
        }

        assert_eq!(done, 1);
        assert_eq!(rows(&db).await, [1, 1, 1, 1, 1]);
    });
}

#[test]
fn whose_row_somebody_has_in_hand_holds_up_nobody_else() {
    on_postgres(|db| async move {
        db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
        db.write(|tx| sign_up(tx, "bob", "2")).await.unwrap();
        let inside = db.clone();
        let handle = tokio::runtime::Handle::current();
        let (ada, bob) = db
            .write(move |tx| {
                social_auths::find_with_owner_for_update(tx, &provider("github"), &uid("1"))?;
                let both = handle.block_on(async {
                    tokio::join!(
                        sign_in_together(&inside, "1", json!({}), true),
                        sign_in_together(&inside, "2", json!({}), true)
                    )
                });
                Ok::<_, StorageError>(both)
            })
            .await
            .unwrap();

        assert_eq!(ada, None);
        assert!(bob.is_some());
    });
}

#[test]
fn an_association_together_is_stored_counted_and_logged() {
    on_postgres(|db| async move {
        let (user, _, session_id) = sign_up_together(&db, "Ada", "42").await.unwrap();
        let caller = (user.id, session_id);

        let written = associate_together(&db, caller, "43", 60).await;

        let (owner, association) = written.expect("it was done");
        let listed = db
            .read(move |r| social_auths::list_of_user(r, caller.0))
            .await
            .unwrap();
        assert_eq!(owner, user);
        assert_eq!(Association::from(listed[1].clone()), association);
        assert_eq!(
            (association.uid, association.created_at),
            (uid("43"), later(60))
        );
        assert_eq!(count(&db, "users WHERE social_accounts = 2").await, 1);
        let logged = db.read(|r| audit::list(r, 1)).await.unwrap();
        assert_eq!(
            (
                logged[0].action.as_str(),
                logged[0].actor_kind.as_str(),
                logged[0].actor_id,
                logged[0].user_id
            ),
            ("associated", "user", Some(user.id.0), Some(user.id))
        );
        assert_eq!(logged[0].social_auth_id, Some(association.id));
        assert_eq!(rows(&db).await, [1, 1, 2, 1, 2]);
    });
}

#[test]
fn several_associations_of_one_user_at_once_are_all_counted() {
    on_postgres(|db| async move {
        let (user, _, session_id) = sign_up_together(&db, "Ada", "42").await.unwrap();
        let associations = (0..20).map(|number: usize| {
            let (db, caller) = (db.clone(), (user.id, session_id));
            tokio::spawn(
                async move { associate_together(&db, caller, &format!("a{number}"), 60).await },
            )
        });

        let mut done = 0;
        for association in associations.collect::<Vec<_>>() {
            done += usize::from(association.await.unwrap().is_some());
        }

        assert!(done > 0);
        let counted = "users WHERE social_accounts = (SELECT count(*) FROM social_auth)";
        assert_eq!(count(&db, counted).await, 1);
        assert_eq!(rows(&db).await[2], i64::try_from(1 + done).unwrap());
    });
}

#[test]
fn an_association_together_needs_a_free_account_and_a_live_session_of_an_active_user() {
    on_postgres(|db| async move {
        let (ada, _, session_id) = sign_up_together(&db, "Ada", "42").await.unwrap();
        let (eve, _) = db.write(|tx| sign_up(tx, "eve", "44")).await.unwrap();
        let attempt = |user_id: UserId, id: &'static str, seconds: i64| {
            associate_together(&db, (user_id, session_id), id, seconds)
        };
        let change = |sql: &'static str| db.write(move |tx| database::execute(tx, sql));
        let before = rows(&db).await;

        assert_eq!(attempt(ada.id, "42", 0).await, None, "one's own");
        assert_eq!(attempt(ada.id, "44", 0).await, None, "somebody else's");
        assert_eq!(attempt(eve.id, "43", 0).await, None, "another's session");
        assert_eq!(attempt(ada.id, "43", 3600).await, None, "expired");
        change("UPDATE users SET is_active = FALSE").await.unwrap();
        assert_eq!(attempt(ada.id, "43", 0).await, None, "inactive");
        change("UPDATE users SET is_active = TRUE").await.unwrap();
        change("UPDATE sessions SET revoked_at = now(), revoked_reason = 'test'")
            .await
            .unwrap();
        assert_eq!(attempt(ada.id, "43", 0).await, None, "revoked");
        assert_eq!(rows(&db).await, before);
        assert_eq!(count(&db, "users WHERE social_accounts = 1").await, 2);
    });
}

#[test]
fn sqlite_leaves_everything_to_a_transaction() {
    on_sqlite(|db| async move {
        assert_eq!(sign_up_together(&db, "Ada", "42").await, None);
        assert_eq!(rows(&db).await, [0; 5]);
    });
}

#[test]
fn a_connection_that_broke_is_left_to_a_transaction_and_replaced() {
    on_postgres(|db| async move {
        db.write(|tx| sign_up(tx, "ada", "42")).await.unwrap();
        assert!(sign_in_together(&db, "42", json!({}), true).await.is_some());
        // All that the pool has, this one too.
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()";
        let killed = db.write(move |tx| database::execute(tx, kill)).await;
        assert!(killed.is_err());

        let after: Vec<bool> = [
            sign_in_together(&db, "42", json!({}), true).await.is_some(),
            sign_in_together(&db, "42", json!({}), true).await.is_some(),
        ]
        .into();

        assert!(after[1], "{after:?}");
    });
}

#[test]
fn a_statement_that_fails_stores_nothing() {
    on_postgres(|db| async move {
        db.write(|tx| sign_up(tx, "ada", "42")).await.unwrap();
        let change = |sql: &'static str| db.write(move |tx| database::execute(tx, sql));
        change("ALTER TABLE sessions RENAME TO elsewhere")
            .await
            .unwrap();

        assert_eq!(
            sign_in_together(&db, "42", json!({"a": 1}), true).await,
            None
        );

        change("ALTER TABLE elsewhere RENAME TO sessions")
            .await
            .unwrap();
        assert_eq!(rows(&db).await, [1, 1, 1, 0, 0]);
        assert!(
            sign_in_together(&db, "42", json!({"a": 1}), true)
                .await
                .is_some()
        );
    });
}
