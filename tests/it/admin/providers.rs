//! The pages of providers: what is set up, what is missing, and whether it works.

use latchkey::domain::Role;
use serde_json::json;

use crate::support::on_both;

pub(super) const SETTINGS: &str = "[providers.fake]\n\
    [providers.github]\nclient_id = 'Iv1.abc'\nclient_secret = '0123456789abcdef0123456789abcdef01234567'\n\
    [providers.spotify]\nenabled = false\nclient_id = 'sp'\n\
    [providers.discord]\nenabled = false\n";

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
