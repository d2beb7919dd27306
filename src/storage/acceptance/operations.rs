//! Each operation by itself.

use serde_json::json;

use super::*;
use crate::domain::{Actor, AuditAction, AuditEntry, RequestContext, SessionId, StaffId};
use crate::storage::link_tickets::NewLinkTicket;
use crate::storage::{api_clients, audit, link_tickets, nonces, sessions};

on_both! {
    a_signed_up_person_is_found_again_with_all_that_was_stored
    a_uid_is_compared_byte_for_byte
    a_second_association_of_one_account_is_nobodys
    a_taken_user_name_gives_way_without_regard_to_case
    names_and_addresses_are_filled_only_where_missing
    a_verified_address_finds_at_most_two_users
    leftovers_that_nobody_vouched_for_are_removed
    social_accounts_are_counted_with_their_user
    the_last_sign_in_is_kept_beside_its_user
    the_schema_refuses_what_our_types_cannot_hold
    a_session_is_found_rotated_and_revoked
    a_session_outlives_the_social_account_it_was_opened_with
    an_audit_entry_outlives_its_user
    a_nonce_is_good_once
    a_link_ticket_is_redeemed_once_by_its_user_in_time
    an_api_clients_lists_are_read_and_a_broken_one_admits_nobody
    times_keep_microseconds_and_nothing_finer
    an_association_with_no_user_is_refused_on_the_spot
}

async fn a_signed_up_person_is_found_again_with_all_that_was_stored(db: Db) {
    let (user, account) = db.write(|tx| sign_up(tx, "Ada", "42")).await.unwrap();

    let found = db
        .read(|r| social_auths::find_with_owner(r, &provider("github"), &uid("42")))
        .await
        .unwrap();
    let locked = db
        .write(|tx| social_auths::find_with_owner_for_update(tx, &provider("github"), &uid("42")))
        .await
        .unwrap();
    let by_id = db.read(move |r| users::find(r, user.id)).await.unwrap();
    let other = db
        .read(|r| social_auths::find_with_owner(r, &provider("gitlab"), &uid("42")))
        .await
        .unwrap();

    assert_eq!(found, Some((account.clone(), user.clone())));
    assert_eq!(locked, Some((account, user.clone())));
    assert_eq!(by_id, Some(user.clone()));
    assert_eq!(other, None);
    assert_eq!((user.username.as_str(), user.is_active), ("Ada", true));
    assert_eq!(user.date_joined, now());
}

async fn a_uid_is_compared_byte_for_byte(db: Db) {
    // e with an acute accent, once composed and once decomposed; a long number; letters in two cases.
    let ids = [
        "ada",
        "Ada",
        "\u{e9}",
        "e\u{301}",
        "0",
        "00",
        "12345678901234567890",
    ];
    for (number, id) in ids.into_iter().enumerate() {
        let name = format!("user{number}");
        db.write(move |tx| sign_up(tx, &name, id)).await.unwrap();
    }

    for id in ids {
        let found = db
            .read(move |r| social_auths::find_with_owner(r, &provider("github"), &uid(id)))
            .await
            .unwrap();
        assert_eq!(found.unwrap().0.uid.as_str(), id);
    }
    assert_eq!(count_users(&db).await, 7);
}

async fn a_second_association_of_one_account_is_nobodys(db: Db) {
    let (first, _) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    let (second, _) = db.write(|tx| sign_up(tx, "eve", "2")).await.unwrap();

    let stolen = db
        .write(move |tx| associate(tx, second.id, "1"))
        .await
        .unwrap();
    let listed = db
        .read(move |r| social_auths::list_of_user(r, first.id))
        .await
        .unwrap();

    assert_eq!(stolen, None);
    assert_eq!(listed.len(), 1);
}

async fn a_taken_user_name_gives_way_without_regard_to_case(db: Db) {
    let insert = |name: &'static str, others: &'static [&'static str]| {
        db.write(move |tx| {
            let others = || others.iter().map(ToString::to_string).collect();
            users::insert(tx, &new_user(None), name, others, now())
        })
    };

    assert_eq!(insert("ada", &[]).await.unwrap().username, "ada");
    assert_eq!(insert("ADA", &["ADA2"]).await.unwrap().username, "ADA2");
    assert_eq!(
        insert("ada", &["ada2", "ada3", "ada4"])
            .await
            .unwrap()
            .username,
        "ada3"
    );
    let many: &'static [&'static str] = &[
        "ada2", "ada3", "ADA2", "ADA3", "ada", "ada2", "ada2", "ada2", "ada2", "ada2", "ada2",
        "ada2", "ada2", "ada-14th",
    ];
    assert_eq!(insert("ada", many).await.unwrap().username, "ada-14th");
    let exhausted = insert("ada", &["ada2", "ada3"]).await;
    assert!(
        matches!(exhausted, Err(StorageError::Unavailable { .. })),
        "{exhausted:?}"
    );
    assert_eq!(count_users(&db).await, 4);
}

async fn names_and_addresses_are_filled_only_where_missing(db: Db) {
    let (user, account) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();

    db.write(move |tx| {
        users::fill_names(tx, user.id, "Ada", "Changed", later(1))?;
        social_auths::update_extra_data(
            tx,
            account.id,
            &json!({"a": 1}),
            None,
            Some("ada@example.org"),
            true,
            later(1),
        )?;
        social_auths::update_extra_data(
            tx,
            account.id,
            &json!({"a": 2}),
            None,
            None,
            false,
            later(2),
        )
    })
    .await
    .unwrap();
    db.write(move |tx| users::fill_names(tx, user.id, "Eve", "", later(3)))
        .await
        .unwrap();

    let (account, user) = db
        .read(|r| social_auths::find_with_owner(r, &provider("github"), &uid("1")))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (user.first_name.as_str(), user.last_name.as_str()),
        ("Ada", "Okafor")
    );
    assert_eq!(
        (account.extra_data, account.modified_at),
        (json!({"a": 2}), later(2))
    );
    let kept =
        "social_auth WHERE client_id = 'ios' AND email = 'ada@example.org' AND email_verified";
    assert_eq!(count(&db, kept).await, 1);
}

async fn a_verified_address_finds_at_most_two_users(db: Db) {
    db.write(|tx| {
        for name in ["a", "b", "c"] {
            users::insert(
                tx,
                &new_user(Some("Ada@Example.org")),
                name,
                Vec::new,
                now(),
            )?;
        }
        let unverified = NewUser {
            email_verified: false,
            ..new_user(Some("eve@example.org"))
        };
        users::insert(tx, &unverified, "eve", Vec::new, now())
    })
    .await
    .unwrap();

    let found = |folded: &'static str| db.read(move |r| users::list_by_verified_email(r, folded));
    assert_eq!(found("ada@example.org").await.unwrap().len(), 2);
    assert_eq!(found("eve@example.org").await.unwrap(), []);
}

async fn leftovers_that_nobody_vouched_for_are_removed(db: Db) {
    let (user, _) = db
        .write(|tx| sign_up(tx, "ada", "no address"))
        .await
        .unwrap();
    let removed = db
        .write(move |tx| {
            for (id, email, email_verified) in [
                ("vouched", "\u{c9}ve@Example.org", true),
                ("unverified", "\u{e9}ve@example.org", false),
                ("other", "other@example.org", true),
            ] {
                let new = NewSocialAuth {
                    provider: &provider("github"),
                    uid: &uid(id),
                    client_id: None,
                    email: Some(email),
                    email_verified,
                    extra_data: &json!({}),
                };
                social_auths::insert(tx, user.id, &new, now())?;
            }
            social_auths::delete_unverified_of_user(tx, user.id, "\u{e9}ve@example.org")
        })
        .await
        .unwrap();

    let uids: Vec<_> = removed.iter().map(|account| account.uid.as_str()).collect();
    assert_eq!(uids, ["no address", "unverified", "other"]);
    assert_eq!(count(&db, "social_auth").await, 1);
}

async fn social_accounts_are_counted_with_their_user(db: Db) {
    let (user, _) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    let eve = db
        .write(|tx| users::insert(tx, &new_user(None), "eve", Vec::new, now()))
        .await
        .unwrap();
    let counted = |id: UserId, accounts: u8| {
        let condition = format!("users WHERE id = {id} AND social_accounts = {accounts}");
        let db = db.clone();
        async move {
            db.read(move |r| database::count(r, &condition))
                .await
                .unwrap()
        }
    };
    assert_eq!(
        (counted(user.id, 1).await, counted(eve.id, 0).await),
        (1, 1)
    );

    let again = db.write(move |tx| associate(tx, user.id, "2")).await;
    let taken = db.write(move |tx| associate(tx, eve.id, "2")).await;
    assert!(again.unwrap().is_some() && taken.unwrap().is_none());
    assert_eq!(
        (counted(user.id, 2).await, counted(eve.id, 0).await),
        (1, 1)
    );

    let removed = db
        .write(move |tx| social_auths::delete_unverified_of_user(tx, user.id, "ada@example.org"))
        .await
        .unwrap();
    assert_eq!((removed.len(), counted(user.id, 0).await), (2, 1));
}

async fn the_last_sign_in_is_kept_beside_its_user(db: Db) {
    let (user, _) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    let at = |db: &Db| {
        let db = db.clone();
        async move {
            let sql = "SELECT CAST(at AS TEXT) AS line FROM last_sign_ins";
            db.read(move |r| database::lines(r, sql)).await.unwrap()
        }
    };
    let first = at(&db).await;

    db.write(move |tx| users::record_sign_in(tx, user.id, later(60)))
        .await
        .unwrap();
    let second = at(&db).await;
    let nobody = db
        .write(|tx| users::record_sign_in(tx, UserId(4711), now()))
        .await;

    assert_eq!((first.len(), second.len()), (1, 1));
    assert!(first < second, "{first:?} {second:?}");
    assert!(matches!(nobody, Err(StorageError::Query(_))), "{nobody:?}");
    db.write(|tx| database::execute(tx, "DELETE FROM users"))
        .await
        .unwrap();
    assert_eq!(at(&db).await, [""; 0]);
}

async fn the_schema_refuses_what_our_types_cannot_hold(db: Db) {
    db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    for values in [
        "users SET username = ''",
        "users SET username_folded = ''",
        "users SET social_accounts = -1",
        "users SET email = NULL, email_folded = NULL, email_verified = TRUE",
        "social_auth SET provider = ''",
        "social_auth SET uid = ''",
        "social_auth SET extra_data = '[]'",
        "social_auth SET email = NULL, email_verified = TRUE",
    ] {
        let sql = format!("UPDATE {values}");
        let refused = db.write(move |tx| database::execute(tx, &sql)).await;
        assert!(
            matches!(refused, Err(StorageError::Query(_))),
            "{values}: {refused:?}"
        );
    }
}

async fn a_session_outlives_the_social_account_it_was_opened_with(db: Db) {
    let (user, account) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    let user_id = user.id;
    db.write(move |tx| {
        sessions::insert(tx, user_id, Some(account.id), None, &new_session(7), now())?;
        database::execute(tx, "DELETE FROM social_auth")
    })
    .await
    .unwrap();

    let listed = db
        .read(move |r| sessions::list_of_user(r, user_id))
        .await
        .unwrap();

    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].social_auth_id, Some(account.id));
    let seen = "sessions WHERE address = '192.0.2.7' AND user_agent = 'Ada/7.0'";
    assert_eq!(count(&db, seen).await, 1);
}

async fn a_session_is_found_rotated_and_revoked(db: Db) {
    let (user, account) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    let user_id = user.id;
    let id = db
        .write(move |tx| {
            sessions::insert(tx, user_id, Some(account.id), None, &new_session(7), now())
        })
        .await
        .unwrap();

    let (session, owner) = db
        .read(move |r| sessions::find_with_user(r, id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((session.id, &owner), (id, &user));
    assert!(session.is_live(later(3599)) && !session.is_live(later(3600)));

    let rotated = db
        .write(move |tx| {
            let (session, _) = sessions::find_for_update(tx, id)?.unwrap();
            sessions::rotate(tx, session.id, &session.refresh_hash, &[8; 32], later(5))?;
            sessions::find_for_update(tx, id)
        })
        .await
        .unwrap()
        .unwrap()
        .0;
    assert_eq!(rotated.refresh_hash, [8; 32]);
    assert_eq!(rotated.previous_hash.as_deref(), Some([7; 32].as_slice()));
    assert_eq!(rotated.rotated_at, Some(later(5)));

    let (first, second, others) = db
        .write(move |tx| {
            sessions::insert(tx, user_id, None, None, &new_session(9), now())?;
            let first = sessions::revoke(tx, id, "signed_out", later(6))?;
            let second = sessions::revoke(tx, id, "again", later(7))?;
            Ok::<_, StorageError>((
                first,
                second,
                sessions::revoke_all_of_user(tx, user_id, "all", later(8))?,
            ))
        })
        .await
        .unwrap();
    assert_eq!((first, second, others), (true, false, 1));
    let listed = db
        .read(move |r| sessions::list_of_user(r, user_id))
        .await
        .unwrap();
    let revoked: Vec<_> = listed.iter().map(|session| session.revoked_at).collect();
    assert_eq!(revoked, [Some(later(6)), Some(later(8))]);
    let nobody = db
        .write(|tx| sessions::find_for_update(tx, SessionId(4711)))
        .await;
    assert_eq!(nobody.unwrap(), None);
}

fn audit_entry(user: &User) -> AuditEntry {
    AuditEntry {
        actor: Actor::User(user.id),
        action: AuditAction::Refused,
        reason: Some("already_in_use".into()),
        detail: None,
        user_id: Some(user.id),
        social_auth_id: None,
        provider: Some(provider("github")),
        uid: Some(uid("1")),
        context: RequestContext {
            request_id: "req-1".into(),
            address: Some("2001:db8::1".parse().unwrap()),
            user_agent: None,
        },
    }
}

async fn an_audit_entry_outlives_its_user(db: Db) {
    let (user, _) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    let entry = audit_entry(&user);
    db.write(move |tx| {
        audit::insert(tx, &entry, now())?;
        audit::insert(
            tx,
            &AuditEntry {
                actor: Actor::Staff(StaffId(7)),
                reason: Some("Ticket 5190".into()),
                detail: Some(json!({"before": 1, "after": 2})),
                ..entry.clone()
            },
            later(1),
        )
    })
    .await
    .unwrap();

    db.write(|tx| database::execute(tx, "DELETE FROM users"))
        .await
        .unwrap();

    let listed = db.read(|r| audit::list(r, 10)).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (listed[0].actor_kind.as_str(), listed[0].actor_id),
        ("staff", Some(7))
    );
    assert_eq!(listed[0].reason.as_deref(), Some("Ticket 5190"));
    assert_eq!(listed[0].detail, Some(json!({"before": 1, "after": 2})));
    assert_eq!(
        (listed[1].action.as_str(), listed[1].reason.as_deref()),
        ("refused", Some("already_in_use"))
    );
    assert_eq!(
        (listed[1].at, listed[1].address.as_deref()),
        (now(), Some("2001:db8::1"))
    );
    assert_eq!(db.read(|r| audit::list(r, 1)).await.unwrap(), listed[..1]);
    assert_eq!(
        count(&db, "social_auth").await,
        0,
        "social accounts go with their user"
    );
}

async fn a_nonce_is_good_once(db: Db) {
    db.write(|tx| nonces::insert(tx, &[1; 32], later(60)))
        .await
        .unwrap();
    let consume = |numbers: &'static [[u8; 32]], seconds: i64| {
        db.write(move |tx| nonces::consume(tx, numbers, later(seconds)))
    };

    assert!(consume(&[], 0).await.unwrap());
    assert!(
        consume(&[[9; 32]], 0).await.unwrap(),
        "one that was not issued here is the app's own"
    );
    assert!(!consume(&[[1; 32]], 60).await.unwrap(), "expired");
    assert!(consume(&[[9; 32], [1; 32]], 59).await.unwrap());
    assert!(!consume(&[[1; 32]], 59).await.unwrap(), "used");
    let forget = |seconds: i64| db.write(move |tx| nonces::delete_expired(tx, later(seconds)));
    assert_eq!(forget(60).await.unwrap(), 0);
    assert_eq!(forget(61).await.unwrap(), 1);
}

async fn a_link_ticket_is_redeemed_once_by_its_user_in_time(db: Db) {
    let (ada, _) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    let (eve, _) = db.write(|tx| sign_up(tx, "eve", "2")).await.unwrap();
    db.write(move |tx| {
        let new = NewLinkTicket {
            hash: &[5; 32],
            user_id: ada.id,
            provider: &provider("google"),
            uid: &uid("g-1"),
            payload: &json!({"k": [1, 2]}),
            expires_at: later(600),
        };
        link_tickets::insert(tx, &new, now())
    })
    .await
    .unwrap();
    let redeem = |user: UserId, seconds: i64| {
        db.write(move |tx| link_tickets::redeem(tx, &[5; 32], user, later(seconds)))
    };

    assert_eq!(redeem(eve.id, 1).await.unwrap(), None);
    assert_eq!(redeem(ada.id, 600).await.unwrap(), None);
    let ticket = redeem(ada.id, 599).await.unwrap().unwrap();
    assert_eq!(
        (ticket.uid.as_str(), ticket.payload),
        ("g-1", json!({"k": [1, 2]}))
    );
    assert_eq!(redeem(ada.id, 599).await.unwrap(), None);
    assert_eq!(
        db.write(|tx| link_tickets::delete_expired(tx, later(600)))
            .await
            .unwrap(),
        1
    );
}

async fn an_api_clients_lists_are_read_and_a_broken_one_admits_nobody(db: Db) {
    db.write(|tx| {
        database::execute(
            tx,
            "INSERT INTO api_clients (client_id, title, is_active, allowed_providers, created_at) \
             VALUES ('app', 'App', TRUE, '[\"github\"]', '2026-01-01 00:00:00+00:00'), \
                    ('broken', 'App', TRUE, '[1]', '2026-01-01 00:00:00+00:00')",
        )?;
        database::execute(
            tx,
            "INSERT INTO api_clients (client_id, title, is_active, scopes, created_at) \
             VALUES ('later', 'App', TRUE, '[\"admin:read\", \"of:another:version\"]', '2026-01-01 00:00:00+00:00'), \
                    ('unreadable', 'App', TRUE, '[1]', '2026-01-01 00:00:00+00:00')",
        )
    })
    .await
    .unwrap();
    let find = |id: &'static str| db.read(move |r| api_clients::find(r, id));

    let app = find("app").await.unwrap().unwrap();
    assert_eq!(app.allowed_providers, Some(vec!["github".to_owned()]));
    assert_eq!(
        (app.allowed_intents, app.secret_hash, app.is_active),
        (None, None, true)
    );
    assert!(app.scopes.is_empty());
    assert_eq!(find("APP").await.unwrap(), None);
    let later = find("later").await.unwrap().unwrap();
    assert_eq!(later.scopes.to_string(), "admin:read");
    assert!(matches!(
        find("unreadable").await,
        Err(StorageError::Corrupt("api_clients.scopes"))
    ));
    assert!(matches!(
        find("broken").await,
        Err(StorageError::Corrupt("api_clients.allowed_providers"))
    ));
}

async fn times_keep_microseconds_and_nothing_finer(db: Db) {
    let fine = now() + TimeDelta::nanoseconds(789);
    let user = db
        .write(move |tx| users::insert(tx, &new_user(None), "ada", Vec::new, fine))
        .await
        .unwrap();

    let found = db
        .read(move |r| users::find(r, user.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((user.date_joined, found.date_joined), (now(), now()));
}

async fn an_association_with_no_user_is_refused_on_the_spot(db: Db) {
    let inserted = db.write(|tx| associate(tx, UserId(4711), "1")).await;

    assert!(
        matches!(inserted, Err(StorageError::Query(_))),
        "{inserted:?}"
    );
    assert_eq!(count(&db, "social_auth").await, 0);
}

#[test]
fn statements_of_the_hot_path_stay_prepared_on_their_connection() {
    super::on_postgres(|db| async move {
        let (user, account) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
        let prepared = db
            .write(move |tx| {
                for seconds in [1, 2] {
                    social_auths::find_with_owner_for_update(tx, &provider("github"), &uid("1"))?;
                    social_auths::update_extra_data(
                        tx,
                        account.id,
                        &json!({}),
                        None,
                        None,
                        false,
                        later(seconds),
                    )?;
                    users::fill_names(tx, user.id, "Ada", "", later(seconds))?;
                    users::record_sign_in(tx, user.id, later(seconds))?;
                    let taken = || vec!["ada".to_owned(), format!("ada{seconds}")];
                    users::insert(tx, &new_user(None), "ada", taken, now())?;
                    let number = u8::try_from(seconds).unwrap();
                    associate(tx, user.id, &seconds.to_string())?;
                    sessions::insert(tx, user.id, None, None, &new_session(number), now())?;
                    audit::insert(tx, &audit_entry(&user), now())?;
                }
                let sql = "SELECT statement AS line FROM pg_prepared_statements";
                database::lines(tx, sql)
            })
            .await
            .unwrap();

        for beginning in [
            "SELECT \"social_auth\"",
            "UPDATE social_auth",
            "UPDATE users SET first_name",
            "UPDATE users SET social_accounts",
            "INSERT INTO last_sign_ins",
            "SELECT username_folded",
            "INSERT INTO \"users\"",
            "INSERT INTO \"sessions\"",
            "INSERT INTO \"audit_log\"",
        ] {
            let times = prepared
                .iter()
                .filter(|sql| sql.starts_with(beginning))
                .count();
            assert_eq!(times, 1, "{beginning}: {prepared:#?}");
        }
    });
}
