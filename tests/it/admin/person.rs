//! What staff do with a person's account, by the flows that pages and the JSON API share.

use std::time::Duration;

use futures_util::future::join_all;
use latchkey::domain::stewardship::{By, Reason, UnlinkedId};
use latchkey::domain::{
    Actor, ProviderId, RequestContext, SessionId, SocialAuthId, StaffId, Uid, UserId,
};
use latchkey::flows::people::{
    self, PersonError, TicketRequest, UnlinkRequest, Unlinked, plan_unlink, undo_unlink, unlink,
};
use latchkey::providers::{Revocation, TokenState};
use serde_json::json;

use crate::support::mock_provider::{Misbehaviour, MockProvider};
use crate::support::{Answer, Backend, TestApp, database, on_both};

const FAKE: &str = "[providers.fake]\n";
const JO: StaffId = StaffId(7);

fn by() -> By {
    By {
        actor: Actor::Staff(JO),
        context: RequestContext {
            request_id: "a-request".to_owned(),
            address: Some([203, 0, 113, 24].into()),
            user_agent: None,
        },
    }
}

fn reason() -> Reason {
    Reason::parse("Ticket 5190").unwrap()
}

/// A person with an account, as the API knows them.
struct Person {
    user_id: UserId,
    account_id: SocialAuthId,
    bearer: String,
    refresh_token: String,
}

impl Person {
    fn of(answer: &Answer) -> Self {
        let body = &answer.body;
        Self {
            user_id: UserId(body["id"].as_i64().unwrap()),
            account_id: account_id(answer),
            bearer: answer.bearer(),
            refresh_token: body["token"]["refresh_token"].as_str().unwrap().to_owned(),
        }
    }
}

fn account_id(answer: &Answer) -> SocialAuthId {
    SocialAuthId(answer.body["social_auth"]["id"].as_i64().unwrap())
}

async fn sign_up(app: &TestApp, sub: &str) -> Person {
    let answer = app.hand_in(&app.access_token_of(sub).await).await;
    answer.assert_outcome("signed_up");
    Person::of(&answer)
}

async fn associate(app: &TestApp, person: &Person, sub: &str) -> SocialAuthId {
    let body = app.access_token_of(sub).await;
    let answer = app.hand_in_as(&person.bearer, &body).await;
    answer.assert_outcome("associated");
    account_id(&answer)
}

/// The request that the confirmation page of this account would send.
async fn request(app: &TestApp, user_id: UserId, id: SocialAuthId) -> UnlinkRequest {
    let plan = plan_unlink(&app.app, user_id, id).await.unwrap();
    UnlinkRequest {
        user_id,
        social_auth_id: id,
        version: plan.version,
        reason: reason(),
        last_way_in_confirmed: plan.is_last_way_in,
        refuse_in_future: false,
    }
}

async fn unlink_now(app: &TestApp, user_id: UserId, id: SocialAuthId) -> Unlinked {
    let request = request(app, user_id, id).await;
    unlink(&app.app, by(), request).await.unwrap()
}

/// Waits until the upkeep has left so many rows in `table`.
async fn assert_left(app: &TestApp, table: &str, rows: i64) {
    let sql = format!("SELECT count(*) AS number FROM {table}");
    let mut left = app.number(&sql);
    for _ in 0..400 {
        if left == rows {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        left = app.number(&sql);
    }
    panic!("{left} rows are left in {table}, and not {rows}");
}

/// How many entries of the audit log tell of this action.
async fn entries(app: &TestApp, action: &str) -> usize {
    let audit = app.audit().await;
    audit.iter().filter(|entry| entry.action == action).count()
}

/// That every user's counter is the number of their rows.
#[track_caller]
fn assert_counted(app: &TestApp) {
    let wrong = app.number(
        "SELECT count(*) AS number FROM users u WHERE social_accounts <> \
         (SELECT count(*) FROM social_auth s WHERE s.user_id = u.id)",
    );
    assert_eq!(wrong, 0, "users.social_accounts differs from the rows");
}

async fn assert_refused_session(app: &TestApp, person: &Person) {
    app.get("/me", Some(&person.bearer))
        .await
        .assert_refused(401, "invalid_bearer");
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        person.refresh_token
    );
    let refresh = app
        .request("POST", "/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    assert_eq!(app.send(refresh).await.status, 400);
}

on_both!(
    a_plan_tells_the_consequences_and_changes_nothing,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        app.hand_in(&app.access_token_of("ada").await)
            .await
            .assert_outcome("signed_in");
        let before = app.audit().await.len();

        let alone = plan_unlink(&app.app, ada.user_id, ada.account_id)
            .await
            .unwrap();
        let second = associate(app, &ada, "ada-2").await;
        let one_of_two = plan_unlink(&app.app, ada.user_id, second).await.unwrap();

        assert_eq!((alone.is_last_way_in, alone.sessions), (true, 2));
        assert_eq!((one_of_two.is_last_way_in, one_of_two.sessions), (false, 0));
        assert!(alone.can_revoke && alone.undo_until.is_some());
        assert_eq!(app.counts(), (1, 2));
        assert_eq!(app.audit().await.len(), before + 1);
        let nobody = plan_unlink(&app.app, UserId(4711), ada.account_id).await;
        assert!(
            matches!(nobody, Err(PersonError::UserNotFound)),
            "{nobody:?}"
        );
        let bob = sign_up(app, "bob").await;
        let anothers = plan_unlink(&app.app, bob.user_id, ada.account_id).await;
        assert!(
            matches!(anothers, Err(PersonError::AccountGone)),
            "{anothers:?}"
        );
    }
);

on_both!(
    an_unlink_ends_the_sessions_opened_with_it_and_no_other,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        associate(app, &ada, "ada-2").await;
        let other = Person::of(&app.hand_in(&app.access_token_of("ada-2").await).await);

        let done = unlink_now(app, ada.user_id, ada.account_id).await;

        assert_eq!(done.sessions_ended, 1);
        assert_refused_session(app, &ada).await;
        assert_eq!(app.get("/me", Some(&other.bearer)).await.status, 200);
        assert_eq!(app.counts(), (1, 1));
        assert_counted(app);
    }
);

on_both!(
    an_unlink_is_audited_with_actor_reason_address_and_what_it_did,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;

        let done = unlink_now(app, ada.user_id, ada.account_id).await;

        let audit = app.audit().await;
        let entry = audit
            .iter()
            .find(|entry| entry.action == "unlinked")
            .unwrap();
        assert_eq!(
            (entry.actor_kind.as_str(), entry.actor_id),
            ("staff", Some(JO.0))
        );
        assert_eq!(entry.reason.as_deref(), Some("Ticket 5190"));
        assert_eq!(entry.address.as_deref(), Some("203.0.113.24"));
        assert_eq!(entry.request_id, "a-request");
        assert_eq!(
            (entry.user_id, entry.social_auth_id),
            (Some(ada.user_id), Some(ada.account_id))
        );
        assert_eq!(
            (entry.provider.as_deref(), entry.uid.as_deref()),
            (Some("fake"), Some("ada"))
        );
        let detail = entry.detail.as_ref().unwrap();
        assert_eq!(
            (&detail["sessions"], &detail["last_way_in"]),
            (&json!(1), &json!(true))
        );
        assert_eq!(done.revocation, Some(Revocation::Revoked));
        let revoked = audit
            .iter()
            .find(|entry| entry.action == "token_revoked")
            .unwrap();
        assert_eq!(revoked.reason.as_deref(), Some("revoked"));
    }
);

on_both!(the_same_unlink_again_does_nothing, FAKE, |app| {
    let ada = sign_up(app, "ada").await;
    let request = request(app, ada.user_id, ada.account_id).await;
    let first = unlink(&app.app, by(), request.clone()).await.unwrap();

    let second = unlink(&app.app, by(), request).await.unwrap();

    assert!(second.was_repeated() && !first.was_repeated());
    assert_eq!(second.unlinked_id, first.unlinked_id);
    assert_eq!(
        (
            entries(app, "unlinked").await,
            entries(app, "token_revoked").await
        ),
        (1, 1)
    );
});

on_both!(
    an_account_that_was_used_since_the_page_was_shown_stays,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        let stale = request(app, ada.user_id, ada.account_id).await;
        app.advance(Duration::from_secs(1));
        app.hand_in(&app.access_token_of("ada").await)
            .await
            .assert_outcome("signed_in");

        let refused = unlink(&app.app, by(), stale).await;

        assert!(matches!(refused, Err(PersonError::Stale)), "{refused:?}");
        assert_eq!((app.counts(), entries(app, "unlinked").await), ((1, 1), 0));
    }
);

on_both!(
    the_last_way_in_goes_only_when_that_is_confirmed,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        let mut unconfirmed = request(app, ada.user_id, ada.account_id).await;
        unconfirmed.last_way_in_confirmed = false;

        let refused = unlink(&app.app, by(), unconfirmed.clone()).await;
        associate(app, &ada, "ada-2").await;
        let one_of_two = unlink(&app.app, by(), unconfirmed).await;

        assert!(
            matches!(refused, Err(PersonError::LastWayIn)),
            "{refused:?}"
        );
        assert!(one_of_two.is_ok(), "{one_of_two:?}");
        assert_counted(app);
    }
);

on_both!(
    an_account_whose_provider_is_off_is_no_way_in,
    "[providers.fake]\n[providers.github]\nenabled = false\n",
    |app| {
        let ada = sign_up(app, "ada").await;
        let other = associate(app, &ada, "ada-2").await;
        app.execute(&format!(
            "UPDATE social_auth SET provider = 'github' WHERE id = {other}"
        ));

        let plan = plan_unlink(&app.app, ada.user_id, ada.account_id)
            .await
            .unwrap();
        let of_the_other = plan_unlink(&app.app, ada.user_id, other).await.unwrap();

        assert!(plan.is_last_way_in && !of_the_other.is_last_way_in);
        assert!(!of_the_other.can_revoke);
    }
);

on_both!(
    an_undo_gives_the_account_back_without_its_token,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        let unlinked = unlink_now(app, ada.user_id, ada.account_id).await;
        let id = unlinked.unlinked_id.unwrap();

        let restored = undo_unlink(&app.app, by(), ada.user_id, id, None)
            .await
            .unwrap();

        assert!(!restored.was_repeated);
        let stored = app.text("SELECT CAST(extra_data AS TEXT) AS text FROM social_auth");
        assert!(
            !stored.contains("token") && !stored.contains("sealed"),
            "{stored}"
        );
        assert_refused_session(app, &ada).await;
        let again = app.hand_in(&app.access_token_of("ada").await).await;
        assert_eq!(
            again.assert_outcome("signed_in")["id"],
            json!(ada.user_id.0)
        );
        assert_counted(app);
        let twice = undo_unlink(&app.app, by(), ada.user_id, id, None)
            .await
            .unwrap();
        assert!(twice.was_repeated);
        assert_eq!(
            (app.counts(), entries(app, "unlink_undone").await),
            ((1, 1), 1)
        );
    }
);

on_both!(
    an_undo_is_refused_when_the_account_is_somebodys_by_then,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        let unlinked = unlink_now(app, ada.user_id, ada.account_id).await;
        let second = sign_up(app, "ada").await;

        let refused = undo_unlink(
            &app.app,
            by(),
            ada.user_id,
            unlinked.unlinked_id.unwrap(),
            None,
        )
        .await;

        assert!(matches!(refused, Err(PersonError::Taken)), "{refused:?}");
        assert_ne!(second.user_id, ada.user_id);
        assert_eq!(
            (app.counts(), entries(app, "unlink_undone").await),
            ((2, 1), 0)
        );
        assert_counted(app);
    }
);

on_both!(an_undo_ends_with_its_window, FAKE, |app| {
    let ada = sign_up(app, "ada").await;
    let unlinked = unlink_now(app, ada.user_id, ada.account_id).await;
    app.advance(Duration::from_hours(30 * 24));

    let refused = undo_unlink(
        &app.app,
        by(),
        ada.user_id,
        unlinked.unlinked_id.unwrap(),
        None,
    )
    .await;

    assert!(matches!(refused, Err(PersonError::NotKept)), "{refused:?}");
    assert_left(app, "unlinked_accounts", 0).await;
});

on_both!(
    a_refused_account_neither_signs_up_nor_is_associated_until_its_time_is_over,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        let bob = sign_up(app, "bob").await;
        let mut request = request(app, ada.user_id, ada.account_id).await;
        request.refuse_in_future = true;
        let unlinked = unlink(&app.app, by(), request).await.unwrap();

        let anonymous = app.hand_in(&app.access_token_of("ada").await).await;
        let audited = app.last_audit().await;
        let body = app.access_token_of("ada").await;
        let signed_in = app.hand_in_as(&bob.bearer, &body).await;

        anonymous.assert_refused(400, "social_auth_failed");
        signed_in.assert_refused(400, "social_auth_failed");
        assert_eq!(
            anonymous.body["errors"],
            json!("Error with social authentication")
        );
        assert_eq!(audited.2.as_deref(), Some("account_refused"));
        assert_eq!(app.counts(), (2, 1));
        let id = unlinked.unlinked_id.unwrap();
        undo_unlink(&app.app, by(), ada.user_id, id, None)
            .await
            .unwrap();
        app.hand_in(&app.access_token_of("ada").await)
            .await
            .assert_outcome("signed_in");
        unlink_now(app, bob.user_id, bob.account_id).await;
        app.advance(Duration::from_hours(91 * 24));
        app.hand_in(&app.access_token_of("bob").await)
            .await
            .assert_outcome("signed_up");
    }
);

fn ticket(user_id: UserId, uid: &str) -> TicketRequest {
    TicketRequest {
        user_id,
        provider: ProviderId::parse("fake").unwrap(),
        uid: Uid::parse(uid).unwrap(),
        reason: reason(),
    }
}

on_both!(
    a_ticket_brings_the_next_sign_in_to_its_user_once,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        let bob = sign_up(app, "bob").await;
        unlink_now(app, ada.user_id, ada.account_id).await;
        people::issue_association_ticket(&app.app, by(), ticket(bob.user_id, "ada"))
            .await
            .unwrap();

        let first = app.hand_in(&app.access_token_of("ada").await).await;

        assert_eq!(
            first.assert_outcome("signed_in")["id"],
            json!(bob.user_id.0)
        );
        assert_eq!(app.counts(), (2, 2));
        assert_eq!(entries(app, "association_ticket_redeemed").await, 1);
        assert_eq!(
            app.number("SELECT count(*) AS number FROM standing_orders"),
            0
        );
        assert_counted(app);
        unlink_now(app, bob.user_id, account_id(&first)).await;
        let again = app.hand_in(&app.access_token_of("ada").await).await;
        assert_ne!(
            again.assert_outcome("signed_up")["id"],
            json!(bob.user_id.0)
        );
    }
);

on_both!(a_ticket_is_good_for_a_week, FAKE, |app| {
    let bob = sign_up(app, "bob").await;
    people::issue_association_ticket(&app.app, by(), ticket(bob.user_id, "late"))
        .await
        .unwrap();
    app.advance(Duration::from_hours(7 * 24));

    app.hand_in(&app.access_token_of("late").await)
        .await
        .assert_outcome("signed_up");

    assert_left(app, "standing_orders", 0).await;
});

on_both!(
    a_ticket_changes_nothing_for_an_account_that_is_somebodys,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        let bob = sign_up(app, "bob").await;

        let taken =
            people::issue_association_ticket(&app.app, by(), ticket(bob.user_id, "ada")).await;
        people::issue_association_ticket(&app.app, by(), ticket(bob.user_id, "new"))
            .await
            .unwrap();
        associate(app, &ada, "new").await;

        assert!(matches!(taken, Err(PersonError::Taken)), "{taken:?}");
        assert_eq!(
            app.number("SELECT count(*) AS number FROM standing_orders"),
            0
        );
        let body = json!({ "intent": "sign_in" });
        let mut unknown = app.access_token_of("unknown").await;
        unknown["intent"] = body["intent"].clone();
        people::issue_association_ticket(&app.app, by(), ticket(bob.user_id, "unknown"))
            .await
            .unwrap();
        app.hand_in(&unknown)
            .await
            .assert_refused(400, "not_signed_up");
    }
);

on_both!(a_ticket_is_no_way_around_a_deactivation, FAKE, |app| {
    let bob = sign_up(app, "bob").await;
    people::issue_association_ticket(&app.app, by(), ticket(bob.user_id, "ada"))
        .await
        .unwrap();
    people::deactivate_user(&app.app, by(), bob.user_id, reason())
        .await
        .unwrap();

    let refused = app.hand_in(&app.access_token_of("ada").await).await;

    refused.assert_refused(400, "social_auth_failed");
    assert_eq!(app.counts(), (1, 1));
    let inactive = people::issue_association_ticket(&app.app, by(), ticket(bob.user_id, "x")).await;
    assert!(
        matches!(inactive, Err(PersonError::Inactive)),
        "{inactive:?}"
    );
});

on_both!(
    a_deactivated_user_is_refused_everywhere_at_once,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;

        let done = people::deactivate_user(&app.app, by(), ada.user_id, reason())
            .await
            .unwrap();
        let again = people::deactivate_user(&app.app, by(), ada.user_id, reason())
            .await
            .unwrap();

        assert_eq!((done.sessions_ended, done.was_repeated), (1, false));
        assert!(again.was_repeated);
        assert_eq!(entries(app, "deactivated").await, 1);
        assert_refused_session(app, &ada).await;
        let refused = app.hand_in(&app.access_token_of("ada").await).await;
        refused.assert_refused(400, "social_auth_failed");
        assert_eq!(
            refused.body["errors"],
            json!("Error with social authentication")
        );
        let view = people::view_user(&app.app, &by(), ada.user_id)
            .await
            .unwrap();
        let why = view.user.deactivation.unwrap();
        assert_eq!(
            (why.reason.as_str(), why.actor_kind.as_str(), why.actor_id),
            ("Ticket 5190", "staff", Some(JO.0))
        );
    }
);

on_both!(
    a_reactivated_user_signs_in_again_and_old_sessions_stay_ended,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        people::deactivate_user(&app.app, by(), ada.user_id, reason())
            .await
            .unwrap();

        let first = people::reactivate_user(&app.app, by(), ada.user_id, reason()).await;
        let second = people::reactivate_user(&app.app, by(), ada.user_id, reason()).await;

        assert!(first.unwrap() && !second.unwrap());
        assert_refused_session(app, &ada).await;
        app.hand_in(&app.access_token_of("ada").await)
            .await
            .assert_outcome("signed_in");
        let view = people::view_user(&app.app, &by(), ada.user_id)
            .await
            .unwrap();
        assert_eq!(view.user.deactivation, None);
    }
);

on_both!(one_session_ends_or_all_do, FAKE, |app| {
    let first = sign_up(app, "ada").await;
    let second = Person::of(&app.hand_in(&app.access_token_of("ada").await).await);
    let third = Person::of(&app.hand_in(&app.access_token_of("ada").await).await);
    let bob = sign_up(app, "bob").await;
    let view = people::view_user(&app.app, &by(), first.user_id)
        .await
        .unwrap();
    let oldest = view.sessions.iter().map(|session| session.id).min();

    let one = people::revoke_session(&app.app, by(), first.user_id, oldest.unwrap(), None).await;
    let one_again =
        people::revoke_session(&app.app, by(), first.user_id, oldest.unwrap(), None).await;
    let foreign = people::revoke_session(&app.app, by(), bob.user_id, SessionId(2), None).await;

    assert!(one.unwrap() && !one_again.unwrap() && !foreign.unwrap());
    assert_refused_session(app, &first).await;
    assert_eq!(app.get("/me", Some(&second.bearer)).await.status, 200);
    let all = people::revoke_sessions(&app.app, by(), first.user_id, None).await;
    let all_again = people::revoke_sessions(&app.app, by(), first.user_id, None).await;
    assert_eq!((all.unwrap(), all_again.unwrap()), (2, 0));
    for ended in [&second, &third] {
        assert_refused_session(app, ended).await;
    }
    assert_eq!(app.get("/me", Some(&bob.bearer)).await.status, 200);
    assert_eq!(
        (
            entries(app, "session_revoked").await,
            entries(app, "sessions_revoked").await
        ),
        (1, 1)
    );
});

on_both!(
    expired_sessions_are_purged_and_live_ones_stay,
    FAKE,
    |app| {
        sign_up(app, "ada").await;
        app.advance(Duration::from_hours(60 * 24));
        let bob = sign_up(app, "bob").await;
        app.advance(Duration::from_hours(31 * 24));

        assert_left(app, "sessions", 1).await;

        let left = app.number("SELECT user_id AS number FROM sessions");
        assert_eq!(left, bob.user_id.0);
    }
);

on_both!(a_view_shows_everything_and_is_noted, FAKE, |app| {
    let ada = sign_up(app, "ada").await;
    let second = associate(app, &ada, "ada-2").await;
    unlink_now(app, ada.user_id, second).await;

    let view = people::view_user(&app.app, &by(), ada.user_id)
        .await
        .unwrap();

    assert_eq!(view.user.user.id, ada.user_id);
    assert!(view.user.last_sign_in_at.is_some());
    assert_eq!((view.accounts.len(), view.ways_in()), (1, 1));
    assert_eq!(view.sessions.len(), 1);
    assert_eq!(view.sessions[0].social_auth_id, Some(ada.account_id));
    assert_eq!(view.unlinked.len(), 1);
    assert_eq!(view.unlinked[0].account.social_auth_id, second);
    let actions: Vec<&str> = view
        .timeline
        .iter()
        .map(|entry| entry.record.action.as_str())
        .collect();
    assert_eq!(
        actions,
        ["token_revoked", "unlinked", "associated", "signed_up"]
    );
    assert_eq!(app.last_audit().await.1, "user_viewed");
    let nobody = people::view_user(&app.app, &by(), UserId(4711)).await;
    assert!(matches!(nobody, Err(PersonError::UserNotFound)));
});

on_both!(
    a_stored_token_is_checked_with_its_provider_once_a_minute,
    FAKE,
    |app| {
        let ada = sign_up(app, "ada").await;
        let check = || people::check_token(&app.app, by(), ada.user_id, ada.account_id);

        let works = check().await.unwrap();
        let too_soon = check().await;
        app.advance(Duration::from_secs(3700));
        let expired = check().await.unwrap();

        assert_eq!(works.state, TokenState::Works);
        assert!(
            matches!(
                too_soon,
                Err(PersonError::TooSoon {
                    retry_after_seconds: 1..=60
                })
            ),
            "{too_soon:?}"
        );
        assert_eq!(expired.state, TokenState::Expired);
        assert_eq!(entries(app, "token_checked").await, 2);
        let view = people::view_user(&app.app, &by(), ada.user_id)
            .await
            .unwrap();
        let shown = view.accounts[0].check.clone().unwrap();
        assert_eq!(shown.outcome.as_deref(), Some("expired"));
    }
);

#[tokio::test]
async fn a_check_tells_a_foreign_token_a_revoked_one_and_an_outage_apart() {
    for (behaviour, expected) in [
        ("good", TokenState::Works),
        ("wrong_audience", TokenState::AnotherApps),
        ("revoked", TokenState::Refused),
        ("outage", TokenState::NotReached),
        ("garbage", TokenState::NotReached),
    ] {
        let app = TestApp::spawn(Backend::Sqlite, FAKE).unwrap();
        let ada = sign_up(&app, "ada").await;
        let minted = app
            .mint(json!({ "kind": "access_token", "sub": "ada", "behaviour": behaviour }))
            .await;
        store_access_token(&app, &ada, minted["access_token"].as_str().unwrap());

        let checked = people::check_token(&app.app, by(), ada.user_id, ada.account_id)
            .await
            .unwrap();

        assert_eq!(checked.state, expected, "{behaviour}");
    }
}

#[tokio::test]
async fn a_check_tells_the_token_of_another_person() {
    let app = TestApp::spawn(Backend::Sqlite, FAKE).unwrap();
    let ada = sign_up(&app, "ada").await;
    let bobs = app.access_token_of("bob").await;
    store_access_token(&app, &ada, bobs["access_token"].as_str().unwrap());

    let checked = people::check_token(&app.app, by(), ada.user_id, ada.account_id)
        .await
        .unwrap();

    assert_eq!(checked.state, TokenState::AnotherPersons);
}

/// Puts another access token into the row, sealed as it belongs.
fn store_access_token(app: &TestApp, person: &Person, access_token: &str) {
    let mut extra_data = latchkey::domain::ExtraData::default();
    extra_data.put_secret(
        "access_token",
        Some(latchkey::domain::Secret::new(access_token)),
    );
    let sealed = app
        .app
        .sealer
        .seal_extra_data(
            &extra_data,
            &ProviderId::parse("fake").unwrap(),
            &Uid::parse("ada").unwrap(),
        )
        .unwrap();
    app.execute(&format!(
        "UPDATE social_auth SET extra_data = '{sealed}' WHERE id = {}",
        person.account_id
    ));
}

fn rounds() -> usize {
    std::env::var_os("LATCHKEY_TEST_ROUNDS")
        .map_or(20, |rounds| rounds.to_str().unwrap().parse().unwrap())
}

on_both!(
    two_unlinks_at_once_never_take_both_of_the_last_two_ways_in_unconfirmed,
    FAKE,
    |app| {
        for round in 0..rounds() {
            let ada = sign_up(app, &format!("ada-{round}")).await;
            let second = associate(app, &ada, &format!("second-{round}")).await;
            let requests = [
                request(app, ada.user_id, ada.account_id).await,
                request(app, ada.user_id, second).await,
            ];

            let results = join_all(
                requests
                    .into_iter()
                    .map(|request| unlink(&app.app, by(), request)),
            )
            .await;

            let done = results.iter().filter(|result| result.is_ok()).count();
            assert_eq!(done, 1, "round {round}: {results:?}");
            assert!(
                results
                    .iter()
                    .any(|result| matches!(result, Err(PersonError::LastWayIn))),
                "round {round}: {results:?}"
            );
        }
        assert_counted(app);
        database::assert_sound(app.database_url());
    }
);

on_both!(
    an_unlink_and_a_sign_in_at_once_leave_no_session_without_its_account,
    FAKE,
    |app| {
        for round in 0..rounds() {
            let sub = format!("ada-{round}");
            let ada = sign_up(app, &sub).await;
            let request = request(app, ada.user_id, ada.account_id).await;
            let body = app.access_token_of(&sub).await;

            let (unlinked, answer) =
                tokio::join!(unlink(&app.app, by(), request), app.hand_in(&body));

            match (&unlinked, answer.body["outcome"].as_str()) {
                // The sign-in was first: the account changed, or its session ended with it.
                (Err(PersonError::Stale), Some("signed_in"))
                // The unlink was first: a second user, or a token that the provider had taken back by then.
                | (Ok(_), Some("signed_up" | "signed_in")) => {}
                (Ok(_), None) => answer.assert_refused(400, "invalid_token"),
                other => panic!("round {round}: {other:?} {:?}", answer.body),
            }
        }
        let orphans = app.number(
            "SELECT count(*) AS number FROM sessions s WHERE revoked_at IS NULL AND NOT EXISTS \
             (SELECT 1 FROM social_auth a WHERE a.id = s.social_auth_id)",
        );
        assert_eq!(orphans, 0, "live sessions whose account is gone");
        assert_counted(app);
    }
);

on_both!(
    a_ticket_that_many_sign_ins_want_at_once_makes_one_association,
    FAKE,
    |app| {
        let bob = sign_up(app, "bob").await;
        for round in 0..rounds() {
            let uid = format!("wanted-{round}");
            people::issue_association_ticket(&app.app, by(), ticket(bob.user_id, &uid))
                .await
                .unwrap();
            let body = app.access_token_of(&uid).await;

            let answers = join_all((0..10).map(|_| app.hand_in(&body))).await;

            for answer in &answers {
                assert_eq!(
                    answer.assert_outcome("signed_in")["id"],
                    json!(bob.user_id.0)
                );
            }
        }
        let total = i64::try_from(rounds()).unwrap();
        assert_eq!(app.counts(), (1, 1 + total));
        assert_counted(app);
    }
);

on_both!(undos_at_once_give_one_account_back, FAKE, |app| {
    let ada = sign_up(app, "ada").await;
    let mut account = ada.account_id;
    for round in 0..rounds() {
        let unlinked = unlink_now(app, ada.user_id, account).await;
        let id: UnlinkedId = unlinked.unlinked_id.unwrap();

        let results =
            join_all((0..6).map(|_| undo_unlink(&app.app, by(), ada.user_id, id, None))).await;

        let fresh = results
            .iter()
            .filter(|result| result.as_ref().is_ok_and(|done| !done.was_repeated))
            .count();
        assert!(
            fresh == 1 && results.iter().all(Result::is_ok),
            "round {round}: {results:?}"
        );
        account = SocialAuthId(app.number("SELECT id AS number FROM social_auth"));
    }
    assert_counted(app);
});

/// A person with a Google account, at a mock that knows them, and the server that has them.
async fn with_google(backend: Backend) -> Option<(MockProvider, TestApp, Person)> {
    let mock = MockProvider::start().await;
    let app = TestApp::spawn(
        backend,
        &format!(
            "[providers.google]\nclient_id = \"web.example\"\n\
             [outbound]\ntotal_timeout_ms = 600\n\
             [development]\nprovider_origin = \"{}\"\n",
            mock.origin()
        ),
    )?;
    let tokeninfo =
        json!({ "aud": "web.example", "azp": "web.example", "sub": "117", "expires_in": "3599" });
    mock.answer("GET oauth2.googleapis.com/tokeninfo", &tokeninfo);
    mock.answer(
        "GET openidconnect.googleapis.com/v1/userinfo",
        &json!({ "sub": "117", "name": "Ada Okafor" }),
    );
    mock.answer("POST oauth2.googleapis.com/revoke", &json!({}));
    let body = json!({ "provider": "google", "access_token": "google-access-token", "refresh_token": "google-refresh-token" });
    let answer = app.hand_in(&body).await;
    answer.assert_outcome("signed_up");
    let person = Person::of(&answer);
    Some((mock, app, person))
}

async fn provider_gets_the_stored_token_after_the_commit(backend: Backend) {
    let Some((mock, app, ada)) = with_google(backend).await else {
        return;
    };

    let done = unlink_now(&app, ada.user_id, ada.account_id).await;

    assert_eq!(done.revocation, Some(Revocation::Revoked));
    let requests = mock.requests();
    let revoked = requests.last().unwrap();
    assert_eq!(revoked.endpoint, "POST oauth2.googleapis.com/revoke");
    assert_eq!(revoked.params()["token"], "google-refresh-token");
    assert_eq!(app.last_audit().await.2.as_deref(), Some("revoked"));
}

#[tokio::test]
async fn the_provider_gets_the_stored_token_after_the_commit_on_sqlite() {
    provider_gets_the_stored_token_after_the_commit(Backend::Sqlite).await;
}

#[tokio::test]
async fn the_provider_gets_the_stored_token_after_the_commit_on_postgres() {
    provider_gets_the_stored_token_after_the_commit(Backend::Postgres).await;
}

#[tokio::test]
async fn a_provider_that_is_down_delays_an_unlink_for_no_longer_than_its_deadline() {
    let (mock, app, ada) = with_google(Backend::Sqlite).await.unwrap();
    mock.misbehave(Misbehaviour::Silence(Duration::from_secs(20)));
    let began = std::time::Instant::now();

    let done = unlink_now(&app, ada.user_id, ada.account_id).await;

    assert_eq!(done.revocation, Some(Revocation::NotReached));
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(app.counts(), (1, 0));
    assert_eq!(
        app.last_audit().await,
        (
            "staff".to_owned(),
            "token_revoked".to_owned(),
            Some("not_reached".to_owned())
        )
    );
}

#[tokio::test]
async fn the_revocation_goes_on_when_whoever_asked_for_the_unlink_has_left() {
    let (mock, app, ada) = with_google(Backend::Sqlite).await.unwrap();
    let request = request(&app, ada.user_id, ada.account_id).await;
    mock.misbehave(Misbehaviour::Silence(Duration::from_millis(300)));

    let unlinking = unlink(&app.app, by(), request);
    let left = tokio::time::timeout(Duration::from_millis(150), unlinking).await;

    assert!(left.is_err(), "{left:?}");
    let mut audited = 0;
    for _ in 0..200 {
        audited = entries(&app, "token_revoked").await;
        if audited > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(audited, 1);
}

#[tokio::test]
async fn nothing_is_kept_where_an_undo_is_off() {
    let app = TestApp::spawn(
        Backend::Sqlite,
        "[providers.fake]\n[admin]\nundo_days = 0\n",
    )
    .unwrap();
    let ada = sign_up(&app, "ada").await;
    let request = request(&app, ada.user_id, ada.account_id).await;

    let done = unlink(&app.app, by(), request.clone()).await.unwrap();
    let again = unlink(&app.app, by(), request).await;

    assert_eq!(done.unlinked_id, None);
    assert!(matches!(again, Err(PersonError::AccountGone)), "{again:?}");
    assert_eq!(
        app.number("SELECT count(*) AS number FROM unlinked_accounts"),
        0
    );
}
