//! The staff pages in headless Chromium: what `tests/browser/check.mjs` finds wrong with them.

use std::time::Duration;

use latchkey::domain::Role;
use serde_json::{Value, json};

use super::factor::{email_of, set_up};
use super::frame::POLICY;
use super::person_pages::send;
use super::providers::SETTINGS;
use crate::support::postgres::server_url;
use crate::support::staff::PASSWORD;
use crate::support::{
    Backend, StaffClient, TestApp, assert_nothing_wrong, chromium_script, database, on_both,
};

/// Wide and narrow, light and dark, each role; on PostgreSQL one of them in brief, since the data differ there and the styles do not.
///
/// Colours and sizes of each part that opens are looked at in both widths and in both themes, so that the other two looks open all
/// at once.
fn job(app: &TestApp, start: &[&str], scenes: &Value) -> Value {
    let is_brief = app.backend() == Backend::Postgres;
    let mut looks = vec![
        json!({"width": 1280, "theme": "light", "visitor": "superuser", "opens_each": !is_brief}),
        json!({"width": 390, "theme": "dark", "visitor": "superuser", "opens_each": true}),
        json!({"width": 1280, "theme": "dark", "visitor": "admin", "opens_each": false}),
        json!({"width": 390, "theme": "light", "visitor": "staff", "opens_each": false}),
    ];
    if is_brief {
        looks.truncate(1);
    }
    json!({
        "policy": POLICY, "is_brief": is_brief, "looks": looks, "start": start, "most": 60, "scenes": scenes,
    })
}

/// Browsers of everybody who may look at pages.
struct Visitors {
    superuser: StaffClient,
    admin: StaffClient,
    staff: StaffClient,
    /// The password was right, and a code is owed.
    halfway: StaffClient,
    nobody: StaffClient,
}

impl Visitors {
    /// The admin has a second factor, and the others have none.
    async fn of(app: &TestApp) -> Self {
        let mut admin = app.staff(Role::Admin).await;
        set_up(app, &mut admin).await;
        let mut halfway = StaffClient::new(app);
        let half = halfway.sign_in(&email_of(app, &admin), PASSWORD).await;
        assert!(half.location().starts_with("/admin/sign-in/code"));
        Self {
            superuser: app.staff(Role::Superuser).await,
            admin,
            staff: app.staff(Role::Staff).await,
            halfway,
            nobody: StaffClient::new(app),
        }
    }

    fn all(&self) -> [(&'static str, &StaffClient); 5] {
        [
            ("superuser", &self.superuser),
            ("admin", &self.admin),
            ("staff", &self.staff),
            ("halfway", &self.halfway),
            ("nobody", &self.nobody),
        ]
    }
}

/// People with everything that pages show: several accounts, none, a refusal, an unlinked account, an inactive user, a provider
/// that fails. User 1 is Ada, with social account 1; user 3 has none left; user 2 is inactive.
pub(super) async fn populate(app: &TestApp, admin: &mut StaffClient) {
    for (name, surname) in [
        ("Ada", "Okafor"),
        ("Linus", "Berg"),
        ("Margaret", "Silva"),
        ("Kenji", "Watanabe"),
        ("Ingrid", "Solheim"),
        ("Maximiliane-Konstantina", "Wolfeschlegelsteinhausen"),
    ] {
        let email = format!("{}@example.org", name.to_lowercase());
        let proof = json!({
            "kind": "access_token", "sub": name, "name": format!("{name} {surname}"),
            "username": format!("{name}.{surname}").to_lowercase(), "email": email, "email_verified": true,
        });
        let body = app.mint(proof).await;
        app.hand_in(&body).await.assert_outcome("signed_up");
        app.hand_in(&body).await.assert_outcome("signed_in");
    }
    let ada = app.hand_in(&app.access_token_of("Ada").await).await;
    let second = app.access_token_of("ada-second").await;
    app.hand_in_as(&ada.bearer(), &second)
        .await
        .assert_outcome("associated");
    let expired = json!({"kind": "access_token", "sub": "late", "behaviour": "expired"});
    let expired = app.mint(expired).await;
    assert_ne!(app.hand_in(&expired).await.status, 201);

    let why = ("why", "Asked for by mail, ticket 5190");
    let (path, last) = ("/admin/users/3/accounts/3/unlink", ("sure", "1"));
    let unlink = send(admin, path, &[why, last]).await;
    assert_eq!(unlink.status, 303);
    let deactivate = send(admin, "/admin/users/2/deactivate", &[why]).await;
    assert_eq!(deactivate.status, 303);
    // Signed up with a provider that is not configured any more.
    app.execute("UPDATE social_auth SET provider = 'acme' WHERE uid = 'Ingrid'");
    // Has the notices shown, so that they are on no other page.
    admin.get("/admin/preferences").await;
    for number in 0..4 {
        let what =
            json!({"kind": "access_token", "sub": format!("p{number}"), "behaviour": "outage"});
        let body = app.mint(what).await;
        assert_eq!(app.hand_in(&body).await.status, 503);
    }
}

/// Nobody listens there.
pub(super) const WEBHOOK: &str = "[webhooks.crm]\nurl = \"http://127.0.0.1:9/crm\"\nsecret = \"whsec_bm90LWEtc2VjcmV0LW9mLWFueWJvZHktYXQtYWxs\"\n";

/// One delivery is given up, and others are tried again.
pub(super) async fn give_up_a_delivery(app: &TestApp) {
    let failed = "SELECT count(*) AS number FROM webhook_deliveries WHERE problem IS NOT NULL";
    while app.number(failed) == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    app.execute(
        "UPDATE webhook_deliveries SET next_attempt_at = NULL WHERE id = (SELECT min(id) FROM webhook_deliveries WHERE problem IS NOT NULL)",
    );
}

/// Pages that no link leads to: filters, empty lists, forms in error, what comes of forms.
fn scenes() -> Value {
    let unlink = "/admin/users/1/accounts/1/unlink";
    json!([
        {"visitor": "superuser", "path": "/admin/users?status=active&provider=fake&sort=email", "status": 200},
        {"visitor": "superuser", "path": "/admin/users?q=nobody-of-that-name", "status": 200},
        {"visitor": "superuser", "path": "/admin/accounts?provider=github", "status": 200},
        {"visitor": "superuser", "path": "/admin/activity?user=4711", "status": 200},
        {"visitor": "superuser", "path": "/admin/settings/webhooks?show=undelivered", "status": 200},
        {"visitor": "superuser", "path": "/admin/activity?user=1&action=signed_in", "status": 200},
        {"visitor": "superuser", "path": "/admin/users?q=gho_0123456789abcdef0123", "status": 400},
        {"visitor": "superuser", "path": "/admin/users/3/unlinked/1/ticket", "status": 200},
        {"visitor": "superuser", "path": unlink, "press": "main .btn.fill", "status": 422},
        {"visitor": "superuser", "path": "/admin/users/3/unlinked/1/ticket", "press": "main form .btn.pri, main form .btn.bad", "status": 422},
        {"visitor": "superuser", "path": "/admin/users/1/deactivate", "press": "main .btn.fill", "status": 422},
        {"visitor": "superuser", "path": "/admin/users/2/reactivate", "press": "main form button", "status": 422},
        {"visitor": "superuser", "path": "/admin/users/1", "press": "main form[action$=check] button", "status": 200},
        {"visitor": "superuser", "path": "/admin/settings/password", "press": "main form button", "status": 422},
        {"visitor": "superuser", "path": "/admin/settings/second-factor", "press": "main form button", "status": 422},
        {"visitor": "superuser", "path": "/admin/settings/staff/invite", "press": "main form button", "status": 422},
        {"visitor": "superuser", "path": "/admin/settings/staff/invite", "press": "main form button", "status": 200, "once": true,
         "fill": {"[name=email]": "al@example.org", "[name=display_name]": "Al Novak"}},
        {"visitor": "superuser", "path": "/admin/providers/acme", "status": 200},
        {"visitor": "superuser", "path": "/admin/providers/fake", "press": ".head form button", "status": 200},
        {"visitor": "superuser", "path": "/admin/providers/fake", "press": "main .conf button", "status": 200,
         "fill": {"#token": "not-a-token"}},
        {"visitor": "admin", "path": "/admin/settings/second-factor", "status": 200},
        {"visitor": "admin", "path": "/admin/step-up?next=%2Fadmin%2Fsettings", "status": 200},
        {"visitor": "admin", "path": "/admin/step-up?next=%2Fadmin%2Fsettings", "press": "main form button", "status": 422},
        {"visitor": "halfway", "path": "/admin/sign-in/code", "status": 200},
        {"visitor": "halfway", "path": "/admin/sign-in/code", "press": "main form button", "status": 422, "once": true},
        {"visitor": "nobody", "path": "/admin/sign-in", "status": 200},
        {"visitor": "nobody", "path": "/admin/sign-in", "press": "main form button", "status": 422, "once": true},
        {"visitor": "nobody", "path": "/admin/welcome?token=spent", "status": 404},
    ])
}

on_both!(
    no_page_has_anything_wrong_in_a_real_browser,
    &format!("{SETTINGS}{WEBHOOK}"),
    |app| {
        let mut visitors = Visitors::of(app).await;
        populate(app, &mut visitors.superuser).await;
        give_up_a_delivery(app).await;

        let job = job(app, &["/admin/overview", "/admin/preferences"], &scenes());
        let report = chromium_script(app, "check.mjs", &visitors.all(), job).await;

        if let Some(report) = report {
            assert_nothing_wrong(&report);
            assert!(report["pages"].as_array().unwrap().len() >= 40, "{report}");
        }
    }
);

on_both!(
    an_empty_service_has_pages_without_fault,
    "[providers.fake]\n",
    |app| {
        let jo = app.staff(Role::Superuser).await;
        let fresh = |path: &str| json!({"visitor": "superuser", "path": path, "status": 200});
        let paths = ["overview", "users", "accounts", "activity"];

        let scenes = json!(paths.map(|path| fresh(&format!("/admin/{path}"))));
        let mut job = job(app, &[], &scenes);
        job["looks"].as_array_mut().unwrap().truncate(1);
        job["is_brief"] = true.into();
        let visitors = [("superuser", &jo)];
        if let Some(report) = chromium_script(app, "check.mjs", &visitors, job).await {
            assert_nothing_wrong(&report);
            assert_eq!(report["pages"].as_array().unwrap().len(), 4);
        }
    }
);

/// Makes every query fail, as a stopped server does.
fn stop_database(app: &TestApp) {
    match app.backend() {
        Backend::Sqlite => app.execute("ALTER TABLE staff_sessions RENAME TO gone"),
        Backend::Postgres => {
            let name = app.database_url().rsplit('/').next().unwrap();
            let server = server_url();
            let closed = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
            database::execute(&server, &closed);
            let end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity";
            database::execute(&server, &format!("{end_all} WHERE datname = '{name}'"));
        }
    }
}

on_both!(
    every_error_page_is_a_page_with_a_way_on_even_without_database,
    SETTINGS,
    |app| {
        let mut visitors = Visitors::of(app).await;
        populate(app, &mut visitors.superuser).await;
        // The wait that they earn is not over before the browser is there.
        app.advance(Duration::from_mins(10));
        for _ in 0..5 {
            visitors.nobody.sign_in("jo@example.org", "wrong").await;
        }
        app.turn_back(Duration::from_mins(10));
        // An authenticator's secret that does not open is nobody's fault but ours.
        app.execute("UPDATE staff SET totp_secret = 'v1.1.AAAA' WHERE totp_secret IS NOT NULL");
        let unlink = "/admin/users/1/accounts/1/unlink";
        let before = json!([
            {"visitor": "superuser", "path": "/admin/users?colour=red", "status": 400},
            {"visitor": "staff", "path": "/admin/settings/staff/invite", "status": 403},
            {"visitor": "superuser", "path": "/admin/nothing-here", "status": 404},
            {"visitor": "nobody", "path": "/admin/nothing-here", "status": 404},
            {"visitor": "nobody", "path": "/admin/sign-in/complete/fake?state=spent&error=access_denied", "status": 403},
            {"visitor": "superuser", "path": unlink, "press": "main .btn.fill", "status": 409,
             "fill": {"[name=version]": "1", "#why": "Ticket 5190"}},
            {"visitor": "nobody", "path": "/admin/sign-in", "press": "main form button", "status": 429,
             "fill": {"#email": "jo@example.org", "#password": "wrong"}},
            {"visitor": "halfway", "path": "/admin/sign-in/code", "press": "main form button", "status": 500,
             "fill": {"#code": "123456"}},
        ]);
        let after = json!([{"visitor": "superuser", "path": "/admin/users", "status": 503}]);

        for (at, scenes) in [before, after].into_iter().enumerate() {
            if at == 1 {
                stop_database(app);
            }
            let count = scenes.as_array().unwrap().len();
            let mut job = job(app, &[], &scenes);
            job["are_errors"] = true.into();
            let report = chromium_script(app, "check.mjs", &visitors.all(), job).await;
            if let Some(report) = report {
                assert_nothing_wrong(&report);
                assert_eq!(report["pages"].as_array().unwrap().len(), count);
            }
        }
    }
);

on_both!(
    pages_flash_in_no_other_theme_and_are_legible_in_forced_colours_and_on_paper,
    SETTINGS,
    |app| {
        let mut jo = app.staff(Role::Superuser).await;
        populate(app, &mut jo).await;
        jo.get("/admin/preferences").await;
        let chosen = jo.post("/admin/preferences", &[("theme", "dark")]).await;
        assert_eq!(chosen.status, 303);
        let mut paths = vec!["/admin/overview", "/admin/users", "/admin/users/1"];
        if app.backend() == Backend::Postgres {
            paths.truncate(1);
        }
        let page = |path: &&str| json!({"visitor": "superuser", "path": path});

        let job = json!({
            "pages": paths.iter().map(page).collect::<Value>(), "ground": "rgb(14, 19, 21)",
        });
        let visitors = [("superuser", &jo)];
        if let Some(report) = chromium_script(app, "paint.mjs", &visitors, job).await {
            assert_nothing_wrong(&report);
        }
    }
);
