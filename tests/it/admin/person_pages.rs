//! The page of a user and what staff do from there, as a browser without script sees it.

use std::time::Duration;

use latchkey::domain::Role;
use latchkey::domain::stewardship::TICKET_DAYS;
use serde_json::json;

use crate::support::mock_provider::MockProvider;
use crate::support::{Answer, Backend, Page, StaffClient, TestApp, on_both};

const FAKE: &str = "[providers.fake]\n";

/// What the API said about a person who signed up.
struct Person {
    id: i64,
    account: i64,
    bearer: String,
}

impl Person {
    fn of(answer: &Answer) -> Self {
        Self {
            id: answer.body["id"].as_i64().unwrap(),
            account: answer.body["social_auth"]["id"].as_i64().unwrap(),
            bearer: answer.bearer(),
        }
    }

    fn page(&self) -> String {
        format!("/admin/users/{}", self.id)
    }

    fn unlink(&self) -> String {
        format!("{}/accounts/{}/unlink", self.page(), self.account)
    }
}

/// Signs up Linus, whose only account is a fake one.
async fn linus(app: &TestApp) -> Person {
    let what = json!({ "sub": "5550123", "name": "Linus Berg", "username": "lberg", "email": "linus@example.org" });
    let body = app.mint(what).await;
    let answer = app.hand_in(&body).await;
    answer.assert_outcome("signed_up");
    Person::of(&answer)
}

async fn associate(app: &TestApp, person: &Person, sub: &str) -> i64 {
    let body = app.access_token_of(sub).await;
    let answer = app.hand_in_as(&person.bearer, &body).await;
    answer.assert_outcome("associated");
    answer.body["social_auth"]["id"].as_i64().unwrap()
}

/// Fills the page's form in and sends it.
pub(super) async fn send(browser: &mut StaffClient, path: &str, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.html);
    let version = page.hidden("version").unwrap_or_default();
    let mut fields = fields.to_vec();
    fields.push(("version", &version));
    browser.post(path, &fields).await
}

async fn entries(app: &TestApp, action: &str) -> usize {
    let audit = app.audit().await;
    audit.iter().filter(|entry| entry.action == action).count()
}

on_both!(
    the_page_shows_who_it_is_and_everything_they_have,
    FAKE,
    |app| {
        let linus = linus(app).await;
        let mut jo = app.staff(Role::Admin).await;

        let page = jo.get(&linus.page()).await;
        let again = jo.get(&linus.page()).await;

        assert_eq!(page.status, 200, "{}", page.html);
        for shown in [
            "<h1>Linus Berg</h1>",
            "linus@example.org",
            "5550123",
            "@lberg",
            "1 way to sign in",
            "Signed up with Fake provider",
            "sealed, ",
            "Signed in with Fake provider · 127.0.0.1",
        ] {
            assert!(page.html.contains(shown), "{shown}: {}", page.html);
        }
        assert!(
            again.html.contains("Jo Meyer looked at this page"),
            "{}",
            again.html
        );
        assert_eq!(entries(app, "user_viewed").await, 2);
        assert_eq!(jo.get("/admin/users/4711").await.status, 404);
        assert_eq!(jo.get("/admin/users/ada").await.status, 404);
    }
);

on_both!(
    staff_see_the_page_without_what_they_may_not_do,
    FAKE,
    |app| {
        let linus = linus(app).await;
        let mut sam = app.staff(Role::Staff).await;

        let page = sam.get(&linus.page()).await;

        assert_eq!(page.status, 200);
        for absent in ["Unlink", "Deactivate", "Revoke", "Undo"] {
            assert!(!page.html.contains(absent), "{absent}");
        }
        assert!(page.html.contains("Check with Fake provider"));
        for path in [
            linus.unlink(),
            format!("{}/deactivate", linus.page()),
            format!("{}/reactivate", linus.page()),
            format!("{}/sessions/revoke", linus.page()),
            format!("{}/sessions/1/revoke", linus.page()),
            format!("{}/unlinked/1/ticket", linus.page()),
        ] {
            assert_eq!(sam.get(&path).await.status, 403, "{path}");
            assert_eq!(
                sam.post(&path, &[("why", "Ticket 1")]).await.status,
                403,
                "{path}"
            );
        }
        let undo = format!("{}/unlinked/1/undo", linus.page());
        assert_eq!(sam.post(&undo, &[]).await.status, 403);
        assert_eq!(app.counts(), (1, 1));
    }
);

on_both!(
    the_unlink_page_names_person_provider_and_consequences_and_changes_nothing,
    FAKE,
    |app| {
        let linus = linus(app).await;
        let mut jo = app.staff(Role::Admin).await;
        let before = app.audit().await.len();

        let only = jo.get(&linus.unlink()).await;
        let after = app.audit().await.len();
        associate(app, &linus, "second").await;
        let one_of_two = jo.get(&linus.unlink()).await;

        for shown in [
            "<h1>Unlink Fake provider from Linus Berg?</h1>",
            "only way to sign in",
            "1 session started with Fake provider ends at once.",
            "You can undo it for 30 days.",
            "where Fake provider allows it, revoked",
            "I understand that Linus will have no way to sign in",
        ] {
            assert!(only.html.contains(shown), "{shown}: {}", only.html);
        }
        assert!(!one_of_two.html.contains("only way to sign in"));
        assert_eq!((app.counts(), after), ((1, 2), before));
    }
);

on_both!(
    an_unlink_without_token_reason_or_tick_is_refused_and_keeps_what_was_typed,
    FAKE,
    |app| {
        let linus = linus(app).await;
        let mut jo = app.staff(Role::Admin).await;

        let no_reason = send(&mut jo, &linus.unlink(), &[("why", "ab"), ("block", "1")]).await;
        let no_tick = send(&mut jo, &linus.unlink(), &[("why", "Ticket \"5190\"")]).await;
        let forged = jo
            .request("POST", &linus.unlink())
            .header("content-type", "application/x-www-form-urlencoded")
            .body("why=Ticket+5190&sure=1&version=1&csrf=forged");
        let forged = jo.send(forged).await;

        assert_eq!(
            (no_reason.status, no_tick.status, forged.status),
            (422, 422, 403)
        );
        for shown in [
            "<title>Error: ",
            "<a href=\"#why\">Give a reason of at least 3 characters</a>",
            "value=\"ab\"",
            "name=\"block\" value=\"1\" checked",
            "aria-invalid=\"true\"",
        ] {
            assert!(
                no_reason.html.contains(shown),
                "{shown}: {}",
                no_reason.html
            );
        }
        assert!(
            no_tick
                .html
                .contains("<a href=\"#sure\">Confirm that no way to sign in will be left</a>"),
            "{}",
            no_tick.html
        );
        assert!(
            no_tick.html.contains("Ticket &#34;5190&#34;"),
            "{}",
            no_tick.html
        );
        assert_eq!((app.counts(), entries(app, "unlinked").await), ((1, 1), 0));
    }
);

on_both!(
    an_unlink_leads_back_with_a_notice_and_its_undo_brings_the_account_back,
    FAKE,
    |app| {
        let linus = linus(app).await;
        let mut jo = app.staff(Role::Admin).await;
        let fields = [("why", "Ticket 5190"), ("sure", "1")];

        let done = send(&mut jo, &linus.unlink(), &fields).await;
        let after = jo.get(&linus.page()).await;

        assert_eq!((done.status, done.location()), (303, linus.page().as_str()));
        assert_eq!(app.counts(), (1, 0));
        app.get("/me", Some(&linus.bearer))
            .await
            .assert_refused(401, "invalid_bearer");
        for shown in [
            "Unlinked Fake provider. Ended 1 session. Fake provider revoked the access token.",
            "Jo Meyer unlinked it",
            "Ticket 5190",
            "No way to sign in",
            "Associate on next sign-in",
            "Undo",
        ] {
            assert!(after.html.contains(shown), "{shown}: {}", after.html);
        }
        let entry = app.audit().await;
        let entry = entry
            .iter()
            .find(|entry| entry.action == "unlinked")
            .unwrap();
        assert_eq!(
            (
                entry.actor_kind.as_str(),
                entry.actor_id,
                entry.address.as_deref()
            ),
            ("staff", Some(jo.id.0), Some("127.0.0.1"))
        );

        let undo = format!("{}/unlinked/1/undo", linus.page());
        let undone = jo.post(&undo, &[]).await;
        let twice = jo.post(&undo, &[]).await;
        let restored = jo.get(&linus.page()).await;

        assert_eq!((undone.status, twice.status), (303, 303));
        assert_eq!(
            (app.counts(), entries(app, "unlink_undone").await),
            ((1, 1), 1)
        );
        assert!(
            restored.html.contains("is linked again"),
            "{}",
            restored.html
        );
        assert!(
            restored.html.contains("No access token"),
            "{}",
            restored.html
        );
    }
);

on_both!(
    a_second_post_is_harmless_and_a_stale_page_changes_nothing,
    FAKE,
    |app| {
        let linus = linus(app).await;
        let mut jo = app.staff(Role::Admin).await;
        let stale = jo.get(&linus.unlink()).await.hidden("version").unwrap();
        app.advance(Duration::from_secs(1));
        app.hand_in(&app.access_token_of("5550123").await)
            .await
            .assert_outcome("signed_in");
        let fields = [("why", "Ticket 5190"), ("sure", "1"), ("version", &stale)];

        let refused = jo.post(&linus.unlink(), &fields).await;
        let fresh = jo.get(&linus.unlink()).await.hidden("version").unwrap();
        let fields = [("why", "Ticket 5190"), ("sure", "1"), ("version", &fresh)];
        let first = jo.post(&linus.unlink(), &fields).await;
        let second = jo.post(&linus.unlink(), &fields).await;
        let gone = jo.get(&linus.unlink()).await;

        assert_eq!(
            (refused.status, first.status, second.status, gone.status),
            (409, 303, 303, 409)
        );
        assert!(refused.html.contains("was used since the page was shown"));
        assert!(
            gone.html.contains(&format!("href=\"{}\"", linus.page())),
            "{}",
            gone.html
        );
        assert_eq!(
            (
                entries(app, "unlinked").await,
                entries(app, "token_revoked").await
            ),
            (1, 1)
        );
    }
);

on_both!(
    an_undo_says_why_not_and_is_offered_only_in_its_window,
    FAKE,
    |app| {
        let linus = linus(app).await;
        let mut jo = app.staff(Role::Admin).await;
        send(
            &mut jo,
            &linus.unlink(),
            &[("why", "Ticket 5190"), ("sure", "1")],
        )
        .await;
        app.hand_in(&app.access_token_of("5550123").await)
            .await
            .assert_outcome("signed_up");
        let undo = format!("{}/unlinked/1/undo", linus.page());

        let taken = jo.post(&undo, &[]).await;
        app.advance(Duration::from_hours(31 * 24));
        let mut jo = app.staff(Role::Admin).await;
        let page = jo.get(&linus.page()).await;
        let late = jo.post(&undo, &[]).await;

        assert_eq!((taken.status, late.status), (409, 409));
        assert!(
            taken.html.contains("belongs to their user now"),
            "{}",
            taken.html
        );
        assert!(late.html.contains("is not kept any more"), "{}", late.html);
        assert!(!page.html.contains("/undo"), "{}", page.html);
    }
);

on_both!(
    a_deactivated_user_is_refused_and_the_page_says_why_and_by_whom,
    FAKE,
    |app| {
        let linus = linus(app).await;
        let mut jo = app.staff(Role::Admin).await;
        let path = format!("{}/deactivate", linus.page());

        let asked = jo.get(&path).await;
        let refused = send(&mut jo, &path, &[("why", "")]).await;
        let done = send(&mut jo, &path, &[("why", "Chargeback 77")]).await;
        let page = jo.get(&linus.page()).await;

        assert!(
            asked.html.contains("1 session ends at once."),
            "{}",
            asked.html
        );
        assert_eq!((refused.status, done.status), (422, 303));
        app.get("/me", Some(&linus.bearer))
            .await
            .assert_refused(401, "invalid_bearer");
        app.hand_in(&app.access_token_of("5550123").await)
            .await
            .assert_refused(400, "social_auth_failed");
        for shown in [
            "Inactive",
            "Jo Meyer deactivated this user",
            "Chargeback 77",
            "Reactivate…",
            "User is inactive",
        ] {
            let page = jo.get(&linus.page()).await;
            assert!(page.html.contains(shown), "{shown}: {}", page.html);
        }
        assert!(!page.html.contains(">Deactivate…"));
        let back = send(
            &mut jo,
            &format!("{}/reactivate", linus.page()),
            &[("why", "Settled")],
        )
        .await;
        assert_eq!(back.status, 303);
        app.hand_in(&app.access_token_of("5550123").await)
            .await
            .assert_outcome("signed_in");
    }
);

on_both!(sessions_are_ended_one_by_one_or_all_at_once, FAKE, |app| {
    let linus = linus(app).await;
    let second = app.hand_in(&app.access_token_of("5550123").await).await;
    let third = app.hand_in(&app.access_token_of("5550123").await).await;
    let mut jo = app.staff(Role::Admin).await;

    let one = send(&mut jo, &format!("{}/sessions/1/revoke", linus.page()), &[]).await;
    let after_one = jo.get(&linus.page()).await;
    let left = app.get("/me", Some(&second.bearer())).await;
    let all = send(&mut jo, &format!("{}/sessions/revoke", linus.page()), &[]).await;
    let page = jo.get(&linus.page()).await;

    assert_eq!((one.status, left.status, all.status), (303, 200, 303));
    assert!(
        after_one.html.contains("Ended the session."),
        "{}",
        after_one.html
    );
    assert!(page.html.contains("Ended 2 sessions."), "{}", page.html);
    assert!(page.html.contains("Signed in nowhere."), "{}", page.html);
    app.get("/me", Some(&third.bearer()))
        .await
        .assert_refused(401, "invalid_bearer");
});

on_both!(a_ticket_brings_an_account_to_another_user, FAKE, |app| {
    let linus = linus(app).await;
    let ada = app.hand_in(&app.access_token_of("ada").await).await;
    let ada = Person::of(&ada);
    let mut jo = app.staff(Role::Admin).await;
    send(
        &mut jo,
        &linus.unlink(),
        &[("why", "Ticket 5190"), ("sure", "1")],
    )
    .await;
    let path = format!("{}/unlinked/1/ticket", linus.page());

    let nobody = send(&mut jo, &path, &[("user", "4711"), ("why", "Same person")]).await;
    let nonsense = send(&mut jo, &path, &[("user", "ada"), ("why", "x")]).await;
    let target = ada.id.to_string();
    let issued = send(&mut jo, &path, &[("user", &target), ("why", "Same person")]).await;
    let page = jo.get(&ada.page()).await;

    assert_eq!(
        (nobody.status, nonsense.status, issued.status),
        (422, 422, 303)
    );
    assert!(nobody.html.contains("There is no user with this number"));
    assert!(nonsense.html.contains("href=\"#user\"") && nonsense.html.contains("href=\"#why\""));
    assert!(nobody.html.contains(&format!("within {TICKET_DAYS} days")));
    assert!(
        page.html.contains(&format!("Goes to user {}", ada.id)),
        "{}",
        page.html
    );
    let signed_in = app.hand_in(&app.access_token_of("5550123").await).await;
    assert_eq!(signed_in.assert_outcome("signed_in")["id"], json!(ada.id));
    let after = jo.get(&ada.page()).await;
    assert!(
        after.html.contains("Linked Fake provider by a ticket"),
        "{}",
        after.html
    );
});

on_both!(a_check_tells_on_the_next_page, FAKE, |app| {
    let linus = linus(app).await;
    let mut sam = app.staff(Role::Staff).await;
    let path = format!("{}/accounts/{}/check", linus.page(), linus.account);

    let first = sam.post(&path, &[]).await;
    let page = sam.get(&linus.page()).await;
    let second = sam.post(&path, &[]).await;
    let too_soon = sam.get(&linus.page()).await;

    assert_eq!((first.status, second.status), (303, 303));
    assert!(
        page.html
            .contains("Checked with Fake provider: the access token works."),
        "{}",
        page.html
    );
    assert!(
        too_soon.html.contains("was checked a moment ago"),
        "{}",
        too_soon.html
    );
    assert_eq!(entries(app, "token_checked").await, 1);
});

/// Three secrets that look like nothing else.
const SECRETS: [&str; 3] = [
    "zq7Kx9wVh2LmTr5BnYp8",
    "Wd4Jf6RsQe1UcXg3HvOk",
    "mZ0aTb8yNi5LpCo2KwSr",
];

/// That no eight characters of a secret in a row stand in `text`.
#[track_caller]
fn assert_silent(what: &str, text: &str) {
    for secret in SECRETS {
        for slice in secret.as_bytes().windows(8) {
            let slice = std::str::from_utf8(slice).unwrap();
            assert!(!text.contains(slice), "{what} shows {slice}");
        }
    }
}

async fn no_page_shows_any_part_of_a_secret(backend: Backend) {
    let mock = MockProvider::start().await;
    let [access, refresh, api] = SECRETS;
    mock.answer(
        "GET oauth2.googleapis.com/tokeninfo",
        &json!({ "aud": "web.example", "azp": "web.example", "sub": "117", "expires_in": "3599" }),
    );
    mock.answer(
        "GET openidconnect.googleapis.com/v1/userinfo",
        &json!({ "sub": "117", "name": "Ada Okafor", "picture": "https://cdn.example/a.png" }),
    );
    let toml = format!(
        "[providers.google]\nclient_id = \"web.example\"\n[development]\nprovider_origin = \"{}\"\n",
        mock.origin()
    );
    let Some(app) = TestApp::spawn(backend, &toml) else {
        return;
    };
    let body = json!({ "provider": "google", "access_token": access, "refresh_token": refresh });
    let answer = app.hand_in(&body).await;
    answer.assert_outcome("signed_up");
    let ada = Person::of(&answer);
    // As an import from elsewhere may have left it.
    let stored = app.text("SELECT CAST(extra_data AS TEXT) AS text FROM social_auth");
    let mut stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    stored["api_token"] = api.into();
    stored["nested"] = json!({ "client_secret": api });
    app.execute(&format!("UPDATE social_auth SET extra_data = '{stored}'"));
    let mut jo = app.staff(Role::Superuser).await;

    let mut seen = Vec::new();
    for path in [
        ada.page(),
        ada.unlink(),
        format!("{}/deactivate", ada.page()),
        format!("{}/reactivate", ada.page()),
        format!("{}/sessions/revoke", ada.page()),
        format!("{}/sessions/1/revoke", ada.page()),
    ] {
        seen.push((path.clone(), jo.get(&path).await));
    }
    let check = format!("{}/accounts/{}/check", ada.page(), ada.account);
    seen.push(("check".to_owned(), jo.post(&check, &[]).await));
    seen.push((
        "no reason".to_owned(),
        send(&mut jo, &ada.unlink(), &[("why", "")]).await,
    ));
    let done = send(
        &mut jo,
        &ada.unlink(),
        &[("why", "Ticket 5190"), ("sure", "1")],
    )
    .await;
    seen.push(("unlink".to_owned(), done));
    seen.push(("after".to_owned(), jo.get(&ada.page()).await));
    let ticket = format!("{}/unlinked/1/ticket", ada.page());
    seen.push(("ticket".to_owned(), jo.get(&ticket).await));

    assert!(
        seen[0].1.html.contains("sealed, 20 characters"),
        "{}",
        seen[0].1.html
    );
    assert!(seen[0].1.html.contains("hidden, 20 characters"));
    for (path, page) in &seen {
        assert!(page.status < 500, "{path}: {}", page.status);
        assert_silent(path, &page.html);
    }
    let kept = app.text("SELECT CAST(kept_data AS TEXT) AS text FROM unlinked_accounts");
    assert_silent("unlinked_accounts", &kept);
    for entry in app.audit().await {
        assert_silent("the audit log", &format!("{entry:?}"));
    }
}

#[tokio::test]
async fn no_page_shows_any_part_of_a_secret_on_sqlite() {
    no_page_shows_any_part_of_a_secret(Backend::Sqlite).await;
}

#[tokio::test]
async fn no_page_shows_any_part_of_a_secret_on_postgres() {
    no_page_shows_any_part_of_a_secret(Backend::Postgres).await;
}
