//! What a hand-in writes in one go, on each backend in its own way.

use serde_json::json;

use super::*;
use crate::domain::{Actor, AuditAction, AuditEntry, RequestContext, SessionId};
use crate::storage::hand_ins::{self, SignIn, SignUp, SignedUp};
use crate::storage::{audit, sessions};

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

fn in_one_go(tx: &mut Tx<'_>, name: &str) -> Result<Option<SignedUp>, StorageError> {
    let mut user = new_user(Some("Ada@Example.org"));
    user.first_name = "Ada".to_owned();
    let sign_up = SignUp {
        user: &user,
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
    };
    hand_ins::write_sign_up(tx, &sign_up, now())
}

async fn done(db: &Db, name: &'static str) -> (User, SocialAuth, SessionId) {
    let written = db.write(move |tx| in_one_go(tx, name)).await.unwrap();
    written.expect("the name is free")
}

async fn a_sign_up_in_one_go_stores_user_account_session_and_entry(db: Db) {
    let (user, account, session_id) = done(&db, "Ada").await;

    let found = db
        .read(|r| social_auths::find_with_owner(r, &provider("github"), &uid("42")))
        .await
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

    assert_eq!(found, Some((account.clone(), user.clone())));
    assert_eq!(by_address, vec![user.clone()]);
    let (session, owner) = session.unwrap();
    assert_eq!(owner, user);
    assert_eq!(session.social_auth_id, Some(account.id));
    assert_eq!(session.api_client_id, None);
    assert_eq!(session.refresh_hash, vec![7; 32]);
    assert_eq!(
        (session.authenticated_at, session.expires_at),
        (now(), later(3600))
    );
    assert_eq!(count(&db, SEEN).await, 1);
    assert_eq!(count(&db, COUNTED).await, 1);
    assert_eq!(count(&db, "last_sign_ins").await, 1);
    let [logged] = log.as_slice() else {
        panic!("one entry, not {}", log.len());
    };
    assert_eq!(
        (logged.user_id, logged.social_auth_id),
        (Some(user.id), Some(account.id))
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

    assert_eq!(found, Some((account.clone(), owner)));
    assert_eq!(count(&db, RECORDED).await, 1);
    assert_eq!(count(&db, "last_sign_ins").await, 1);
    assert_eq!(session.social_auth_id, Some(account.id));
    assert_eq!(session.refresh_hash, vec![9; 32]);
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
