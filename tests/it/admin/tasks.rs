//! What staff do, by clicks and keys in Chromium with JavaScript switched off, in no more of them than each task may take.
//!
//! The goals are counted from any page after the sign-in; text that is typed counts nothing, Enter counts as a key.

use std::time::Duration;

use latchkey::domain::Role;
use serde_json::{Value, json};

use crate::support::{StaffClient, TestApp, assert_nothing_wrong, chromium_script, on_both};

const FAKE: &str = "[providers.fake]\n";
const EMAIL: &str = "linus@example.org";
const UID: &str = "5550123";
const WHY: &str = "Asked for by mail, ticket 5190";
/// Any page.
const FROM: &str = "/admin/providers";

/// Signs up Linus, user 1 with social account 1; gives his bearer.
async fn linus(app: &TestApp) -> String {
    let what = json!({ "sub": UID, "name": "Linus Berg", "username": "lberg", "email": EMAIL });
    let answer = app.hand_in(&app.mint(what).await).await;
    assert_eq!(answer.assert_outcome("signed_up")["id"], 1);
    answer.bearer()
}

/// Lets `who` do a task. `None` without Chromium.
async fn done(app: &TestApp, who: &StaffClient, task: &str, given: Value) -> Option<Value> {
    let job = json!({ "task": task, "visitor": "staff", "given": given });
    let report = chromium_script(app, "tasks.mjs", &[("staff", who)], job).await?;
    assert_nothing_wrong(&report);
    Some(report)
}

/// That it took no more than the goal: clicks, keys, pages.
#[track_caller]
fn assert_took(report: &Value, goal: (u64, u64, u64)) {
    let count = |what: &str| report[what].as_u64().unwrap();
    let took = (count("clicks"), count("keys"), count("loads"));
    let within = took.0 <= goal.0 && took.1 <= goal.1 && took.2 <= goal.2;
    assert!(within, "{took:?} and not {goal:?}: {report}");
}

#[track_caller]
fn assert_ends(report: &Value, path: &str, says: &[&str]) {
    assert_eq!(report["path"], path, "{report}");
    for text in says {
        assert!(
            report["says"].as_str().unwrap().contains(text),
            "{text}: {report}"
        );
    }
}

fn rows(app: &TestApp, table: &str, condition: &str) -> i64 {
    app.number(&format!(
        "SELECT count(*) AS number FROM {table} WHERE {condition}"
    ))
}

/// Why the newest entry of this action was written, and by whom.
fn assert_audited(app: &TestApp, action: &str, staff: &StaffClient) {
    let by = format!(
        "action = '{action}' AND actor_kind = 'staff' AND actor_id = {}",
        staff.id.0
    );
    assert_eq!(rows(app, "audit_log", &by), 1, "{action}");
}

on_both!(
    s1_an_email_leads_to_the_user_and_their_accounts,
    FAKE,
    |app| {
        linus(app).await;
        let jo = app.staff(Role::Staff).await;

        let given = json!({ "from": FROM, "typed": EMAIL });
        let Some(report) = done(app, &jo, "find", given).await else {
            return;
        };

        assert_took(&report, (1, 1, 1));
        // S2: the social accounts stand on the same page.
        assert_ends(
            &report,
            "/admin/users/1",
            &["Linus Berg", UID, "Opened the only match."],
        );
        assert_audited(app, "user_viewed", &jo);
    }
);

on_both!(
    s3_a_uid_leads_to_the_user_with_or_without_provider,
    FAKE,
    |app| {
        linus(app).await;
        let jo = app.staff(Role::Staff).await;

        for typed in [UID, "fake:5550123"] {
            let given = json!({ "from": FROM, "typed": typed });
            let Some(report) = done(app, &jo, "find", given).await else {
                return;
            };
            assert_took(&report, (1, 1, 1));
            assert_ends(&report, "/admin/users/1", &["Linus Berg"]);
        }
    }
);

on_both!(
    s4_the_users_page_says_why_they_cannot_sign_in,
    FAKE,
    |app| {
        linus(app).await;
        app.set_active(1, false);
        let refused = app.hand_in(&app.access_token_of(UID).await).await;
        refused.assert_refused(400, "social_auth_failed");
        let jo = app.staff(Role::Staff).await;

        let given = json!({ "from": FROM, "typed": EMAIL });
        let Some(report) = done(app, &jo, "find", given).await else {
            return;
        };

        assert_took(&report, (1, 1, 1));
        assert_ends(&report, "/admin/users/1", &["Inactive", "User is inactive"]);
    }
);

on_both!(
    s5_one_click_tells_whether_the_access_token_still_works,
    FAKE,
    |app| {
        linus(app).await;
        let jo = app.staff(Role::Staff).await;

        let given = json!({ "page": "/admin/users/1" });
        let Some(report) = done(app, &jo, "check", given).await else {
            return;
        };

        assert_took(&report, (1, 0, 1));
        assert_ends(&report, "/admin/users/1", &["the access token works"]);
        assert_audited(app, "token_checked", &jo);
    }
);

on_both!(
    s6_who_signed_up_with_a_provider_last_week_is_an_address,
    FAKE,
    |app| {
        linus(app).await;
        app.advance(Duration::from_hours(10 * 24));
        let newcomer = json!({ "sub": "newcomer", "name": "Kenji Watanabe" });
        app.hand_in(&app.mint(newcomer).await)
            .await
            .assert_outcome("signed_up");
        let jo = app.staff(Role::Staff).await;

        let given = json!({ "from": "/admin/settings", "provider": "Fake provider" });
        let Some(report) = done(app, &jo, "signedUpWith", given).await else {
            return;
        };

        assert_took(&report, (3, 0, 3));
        assert_ends(
            &report,
            "/admin/users?provider=fake&from=7d",
            &["Kenji Watanabe"],
        );
        assert!(
            !report["says"].as_str().unwrap().contains("Linus"),
            "{report}"
        );
    }
);

on_both!(s7_two_clicks_give_the_list_as_a_file, FAKE, |app| {
    linus(app).await;
    let jo = app.staff(Role::Admin).await;

    let given = json!({ "page": "/admin/users", "format": "CSV" });
    let Some(report) = done(app, &jo, "export", given).await else {
        return;
    };

    assert_took(&report, (2, 0, 1));
    let file = report["file"].as_str().unwrap();
    assert_eq!(
        (file.lines().count(), file.contains(EMAIL)),
        (2, true),
        "{file}"
    );
    assert_eq!(
        rows(
            app,
            "audit_log",
            "action = 'list_exported' AND reason = 'begun'"
        ),
        1
    );
});

on_both!(
    a1_an_unlink_shows_its_consequences_and_takes_four_clicks,
    FAKE,
    |app| {
        let bearer = linus(app).await;
        let second = app.access_token_of("second").await;
        app.hand_in_as(&bearer, &second)
            .await
            .assert_outcome("associated");
        let jo = app.staff(Role::Admin).await;

        for (clicks, is_last) in [(4, false), (5, true)] {
            let given = json!({ "from": FROM, "typed": EMAIL, "reason": WHY, "isLast": is_last });
            let Some(report) = done(app, &jo, "unlink", given).await else {
                return;
            };
            assert_took(&report, (clicks, 1, 3));
            assert_ends(&report, "/admin/users/1", &["Unlinked Fake provider."]);
            let asked = report["asked"].as_str().unwrap();
            assert_eq!(asked.contains("only way to sign in"), is_last, "{asked}");
            assert!(
                asked.contains("The stored access token is erased"),
                "{asked}"
            );
            assert!(asked.contains("You can undo it for 30 days."), "{asked}");
        }
        assert_eq!(app.counts(), (1, 0));
        assert_eq!(
            rows(app, "unlinked_accounts", &format!("reason = '{WHY}'")),
            2
        );
        app.get("/me", Some(&bearer))
            .await
            .assert_refused(401, "invalid_bearer");
    }
);

on_both!(a2_one_click_undoes_an_unlink, FAKE, |app| {
    linus(app).await;
    let jo = app.staff(Role::Admin).await;

    for through_notice in [true, false] {
        if !through_notice {
            let given = json!({ "from": FROM, "typed": EMAIL, "reason": WHY, "isLast": true });
            done(app, &jo, "unlink", given).await;
            assert_eq!(app.counts(), (1, 0));
        }
        let given = json!({
            "from": FROM, "typed": EMAIL, "reason": WHY, "throughNotice": through_notice, "page": "/admin/users/1",
        });
        let Some(report) = done(app, &jo, "undo", given).await else {
            return;
        };
        assert_took(&report, (1, 0, 1));
        assert_ends(&report, "/admin/users/1", &["is linked again"]);
        assert_eq!(
            rows(
                app,
                "social_auth",
                &format!("user_id = 1 AND uid = '{UID}'")
            ),
            1
        );
    }
});

on_both!(
    a3_a_deactivation_ends_the_sessions_in_the_same_step,
    FAKE,
    |app| {
        let bearer = linus(app).await;
        let jo = app.staff(Role::Admin).await;

        let given = json!({ "from": FROM, "typed": EMAIL, "reason": WHY });
        let Some(report) = done(app, &jo, "deactivate", given).await else {
            return;
        };

        assert_took(&report, (4, 1, 3));
        assert_ends(
            &report,
            "/admin/users/1",
            &["Inactive", WHY, "Signed in nowhere."],
        );
        assert_eq!(
            rows(app, "users", &format!("is_active = {}", app.bool(false))),
            1
        );
        app.get("/me", Some(&bearer))
            .await
            .assert_refused(401, "invalid_bearer");
        assert_audited(app, "deactivated", &jo);
    }
);

on_both!(a4_two_clicks_end_one_session_or_all, FAKE, |app| {
    linus(app).await;
    app.hand_in(&app.access_token_of(UID).await)
        .await
        .assert_outcome("signed_in");
    let left = app.hand_in(&app.access_token_of(UID).await).await.bearer();
    let jo = app.staff(Role::Admin).await;
    let given = json!({ "page": "/admin/users/1" });

    for (task, says) in [
        ("revokeOne", "Ended the session."),
        ("revokeAll", "Ended 2 sessions."),
    ] {
        let Some(report) = done(app, &jo, task, given.clone()).await else {
            return;
        };
        assert_took(&report, (2, 0, 2));
        assert_ends(&report, "/admin/users/1", &[says]);
    }
    app.get("/me", Some(&left))
        .await
        .assert_refused(401, "invalid_bearer");
});

on_both!(
    a5_a_ticket_moves_an_account_to_the_right_user,
    FAKE,
    |app| {
        linus(app).await;
        let right = app.hand_in(&app.access_token_of("right").await).await.body["id"].clone();
        let jo = app.staff(Role::Admin).await;

        let given = json!({ "from": FROM, "typed": EMAIL, "reason": WHY, "isLast": true });
        if done(app, &jo, "unlink", given).await.is_none() {
            return;
        }
        let given = json!({ "page": "/admin/users/1", "user": right.to_string(), "reason": "Same person, ticket 5190" });
        let report = done(app, &jo, "ticket", given).await.unwrap();

        assert_took(&report, (4, 0, 2));
        assert_ends(&report, "/admin/users/1", &["will link it to user"]);
        let moved = app.hand_in(&app.access_token_of(UID).await).await;
        assert_eq!(moved.assert_outcome("signed_in")["id"], right);
        assert_eq!(rows(app, "social_auth", &format!("user_id = {right}")), 2);
    }
);
