//! The pages of providers: what is set up, what is missing, and whether it works.

use latchkey::domain::Role;
use serde_json::json;

use crate::support::{TestApp, on_both};

pub(super) const SETTINGS: &str = "[providers.fake]\n\
    [providers.github]\nclient_id = 'Iv1.abc'\nclient_secret = '0123456789abcdef0123456789abcdef01234567'\n\
    [providers.spotify]\nenabled = false\nclient_id = 'sp'\n\
    [providers.discord]\nenabled = false\n\
    [admin.sign_in.fake]\nallowed_uids = ['boss']\n";

on_both!(
    the_list_tells_on_from_off_and_names_what_is_missing,
    SETTINGS,
    |app| {
        let mut jo = app.staff(Role::Staff).await;

        let page = jo.get("/admin/providers").await;

        page.assert_says(200, "href=\"/admin/providers/github\"");
        assert!(
            page.html
                .contains("<code>providers.discord.client_id</code>")
        );
        assert!(page.html.contains("href=\"/admin/providers/twitch\""));
        assert!(page.html.contains("class=\"mark c-violet \""));
    }
);

on_both!(a_secret_is_shown_by_its_length_alone, SETTINGS, |app| {
    let mut jo = app.staff(Role::Superuser).await;

    let page = jo.get("/admin/providers/github").await;

    page.assert_says(200, "set, 40 characters");
    for slice in ["01234567", "89abcdef"] {
        assert!(!page.html.contains(slice));
    }
});

on_both!(
    a_provider_that_is_off_names_each_missing_setting,
    SETTINGS,
    |app| {
        let mut jo = app.staff(Role::Staff).await;

        let github = jo.get("/admin/providers/discord").await;
        github.assert_says(200, "<code>providers.discord.client_id</code>");
        jo.get("/admin/providers/kakao")
            .await
            .assert_says(200, "What is missing");
        jo.get("/admin/providers/nobody")
            .await
            .assert_says(404, "There is nothing here");
    }
);

on_both!(
    a_test_says_what_can_be_proven_and_is_audited,
    SETTINGS,
    |app| {
        let mut jo = app.staff(Role::Admin).await;

        let page = jo.post("/admin/providers/fake/test", &[]).await;

        page.assert_says(200, "Reach ");
        assert!(page.html.contains("Read the keys of id tokens"));
        assert!(page.html.contains(" usable"));
        assert!(page.html.contains("Client id and secret of"));
        assert!(page.html.contains("Accepted"), "{}", page.html);
        let (kind, action, reason) = app.last_audit().await;
        assert_eq!(
            (kind.as_str(), action.as_str()),
            ("staff", "provider_tested")
        );
        assert_eq!(reason, None);
    }
);

on_both!(
    a_pasted_token_is_judged_and_leaves_no_trace_of_itself,
    SETTINGS,
    |app| {
        let mut jo = app.staff(Role::Admin).await;
        for (behaviour, headline, verdict) in [
            ("good", "<strong>Ours</strong>", "ours"),
            ("wrong_audience", "<strong>Not ours</strong>", "not_ours"),
            ("expired", "<strong>Expired</strong>", "expired"),
            ("revoked", "<strong>Not valid</strong>", "not_valid"),
            ("outage", "<strong>Cannot be told</strong>", "not_reached"),
        ] {
            let body = app
                .mint(json!({"kind": "access_token", "sub": "ada", "behaviour": behaviour}))
                .await;
            let token = body["access_token"].as_str().unwrap();

            let page = jo
                .post(
                    "/admin/providers/fake/test",
                    &[("token", token), ("kind", "access_token")],
                )
                .await;

            page.assert_says(200, headline);
            assert!(!page.html.contains(token.get(..8).unwrap()));
            let entry = app.audit().await.remove(0);
            assert_eq!(entry.reason.as_deref(), Some(verdict));
            assert!(!format!("{entry:?}").contains(token.get(..8).unwrap()));
        }
        assert_eq!(app.counts(), (0, 0), "nobody was signed up");
        // Trials are nobody's hand-ins.
        let checks = app
            .app
            .provider_ledger
            .pending(&app.app.providers, app.app.clock.now());
        assert!(checks.is_empty(), "{checks:?}");
    }
);

on_both!(only_admins_may_test, SETTINGS, |app| {
    let mut jo = app.staff(Role::Staff).await;

    let page = jo.get("/admin/providers/fake").await;
    let refused = jo.post("/admin/providers/fake/test", &[]).await;

    assert!(!page.html.contains("/test\""));
    assert_eq!(refused.status, 403);
});

on_both!(
    the_page_says_how_many_users_have_no_other_way_in,
    SETTINGS,
    |app| {
        app.sign_up("ada").await;
        let bea = app.sign_up("bea").await;
        app.execute(
            "INSERT INTO social_auth (user_id, provider, uid, email_verified, extra_data, created_at, modified_at) \
             SELECT user_id, 'github', '7', email_verified, extra_data, created_at, modified_at FROM social_auth WHERE uid = 'bea'",
        );
        drop(bea);
        let mut jo = app.staff(Role::Staff).await;

        let page = jo.get("/admin/providers/fake").await;

        page.assert_says(200, "<dt>Users with no other way in</dt><dd><b>1</b></dd>");
        assert!(page.html.contains("<dt>Social accounts</dt><dd>2</dd>"));
        assert!(page.html.contains("Social accounts stay as they are."));
    }
);

/// Takes somebody's account of the fake provider for one of `provider`, as if that had been configured then.
fn move_to(app: &TestApp, uid: &str, provider: &str) {
    app.execute(&format!(
        "UPDATE social_auth SET provider = '{provider}' WHERE uid = '{uid}'"
    ));
}

on_both!(
    a_provider_that_was_removed_is_listed_with_who_depends_on_it_and_what_to_do,
    SETTINGS,
    |app| {
        for (sub, provider) in [("ada", "acme"), ("bea", "acme"), ("cleo", "gitlab")] {
            app.sign_up(sub).await;
            move_to(app, sub, provider);
        }
        let mut jo = app.staff(Role::Staff).await;

        let list = jo.get("/admin/providers").await;
        let gone = list.between("id=\"h-gone\"", "</section>").unwrap();
        let unknown = jo.get("/admin/providers/acme").await;
        let known = jo.get("/admin/providers/gitlab").await;

        for row in [
            "/admin/providers/acme",
            "only way in for 2",
            "only way in for 1",
        ] {
            assert!(gone.contains(row), "{row}: {gone}");
        }
        for page in [&unknown, &known] {
            page.assert_says(200, "Removed from the configuration");
            assert!(page.html.contains("<code>removed_providers</code>"));
            assert!(page.html.contains("<code>enabled = false</code>"));
            assert!(page.html.contains("Lets these users in again."));
        }
        let other = "<dt>Users with no other way in</dt><dd><b>2</b></dd>";
        unknown.assert_says(200, other);
        known.assert_says(200, "<code>providers.gitlab.client_id</code>");
        assert_eq!(app.counts(), (3, 3));
    }
);

on_both!(
    the_overview_names_what_was_removed_while_users_have_no_other_way_in,
    SETTINGS,
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let headline = "was removed from the configuration";
        app.sign_up("ada").await;
        assert!(!jo.get("/admin/overview").await.html.contains(headline));

        move_to(app, "ada", "gitlab");
        let overview = jo.get("/admin/overview").await;
        app.sign_up("bea").await;
        move_to(app, "bea", "acme");
        let of_two = jo.get("/admin/overview").await;
        // Discord is off, and counts all the same: switching it on lets them in.
        app.execute(
            "INSERT INTO social_auth (user_id, provider, uid, email_verified, extra_data, created_at, modified_at) \
             SELECT user_id, 'discord', uid, email_verified, extra_data, created_at, modified_at FROM social_auth",
        );
        let of_none = jo.get("/admin/overview").await;

        overview.assert_says(200, &format!("GitLab {headline}"));
        assert!(overview.html.contains("no other way in: GitLab 1."));
        assert!(overview.html.contains("href=\"/admin/providers/gitlab\""));
        of_two.assert_says(200, "acme and GitLab were removed from the configuration");
        assert!(of_two.html.contains("no other way in: acme 1, GitLab 1."));
        assert!(!of_none.html.contains("removed from the configuration"));
    }
);

on_both!(another_way_in_is_one_that_is_on, SETTINGS, |app| {
    app.sign_up("ada").await;
    app.execute(
            "INSERT INTO social_auth (user_id, provider, uid, email_verified, extra_data, created_at, modified_at) \
             SELECT user_id, 'discord', uid, email_verified, extra_data, created_at, modified_at FROM social_auth",
        );
    let mut jo = app.staff(Role::Staff).await;
    let depend = |count: u8| format!("<dt>Users with no other way in</dt><dd><b>{count}</b></dd>");

    // Discord is off: without the fake provider Ada is locked out, and switching Discord on gives her one more way in.
    jo.get("/admin/providers/fake")
        .await
        .assert_says(200, &depend(1));
    jo.get("/admin/providers/discord")
        .await
        .assert_says(200, &depend(0));
});

on_both!(health_is_told_to_people_and_to_machines, SETTINGS, |app| {
    let mut jo = app.staff(Role::Staff).await;

    let page = jo.get("/admin/settings/health").await;
    let json = jo.get("/admin/settings/health.json").await;

    page.assert_says(200, "All applied");
    let health: serde_json::Value = serde_json::from_str(&json.html).unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["database"]["pending_migrations"], json!([]));
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
});
