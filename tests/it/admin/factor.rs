//! Second factors: setting up, signing in, recovery, step-up.

use std::time::Duration;

use latchkey::domain::staff::TotpSecret;
use latchkey::domain::{Role, Secret};

use crate::support::staff::PASSWORD;
use crate::support::{Page, StaffClient, TestApp, on_both};

const PATH: &str = "/admin/settings/second-factor";
const REFUSED: &str = "That code is wrong or was used before.";

/// The secret that the page shows.
fn secret_on(page: &Page) -> TotpSecret {
    let shown = page.between("<code class=\"secret\">", "<").unwrap();
    let text = shown.replace(' ', "");
    TotpSecret::parse(&Secret::new(text)).unwrap()
}

/// Sets a second factor up; gives its secret and the recovery codes.
pub(super) async fn set_up(app: &TestApp, browser: &mut StaffClient) -> (TotpSecret, Vec<String>) {
    let page = browser.get(PATH).await;
    let (secret, sealed) = (secret_on(&page), page.hidden("sealed").unwrap());
    let code = secret.code(app.app.clock.now());
    let page = browser
        .post(PATH, &[("sealed", &sealed), ("code", &code)])
        .await;
    page.assert_says(200, "They are shown only now.");
    let codes = page.html.split("<li><code>").skip(1);
    let codes: Vec<String> = codes
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect();
    assert_eq!(codes.len(), 10);
    // The code that proved it is used up.
    app.advance(Duration::from_secs(30));
    (secret, codes)
}

pub(super) fn email_of(app: &TestApp, browser: &StaffClient) -> String {
    app.text(&format!(
        "SELECT email AS text FROM staff WHERE id = {}",
        browser.id
    ))
}

on_both!(
    a_code_is_owed_after_the_password_and_counts_once,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let email = email_of(app, &jo);
        let (secret, _) = set_up(app, &mut jo).await;
        let code = secret.code(app.app.clock.now());

        let mut browser = StaffClient::new(app);
        let half = browser.sign_in(&email, PASSWORD).await;
        assert_eq!(half.location(), "/admin/sign-in/code?next=%2Fadmin");
        let half_key = browser.cookie("latchkey-staff").unwrap().to_owned();
        assert_eq!(
            browser.get("/admin/preferences").await.location(),
            "/admin/sign-in/code"
        );
        browser
            .get("/admin/sign-in/code?next=%2Fadmin%2Fpreferences")
            .await;
        let fields = [("code", code.as_str()), ("next", "/admin/preferences")];
        let done = browser.post("/admin/sign-in/code", &fields).await;
        assert_eq!(done.location(), "/admin/preferences");
        assert_ne!(browser.cookie("latchkey-staff").unwrap(), half_key);
        assert_eq!(browser.get("/admin/preferences").await.status, 200);
        assert_eq!(app.last_audit().await.1, "staff_signed_in");

        let mut again = StaffClient::new(app);
        again.sign_in(&email, PASSWORD).await;
        again.get("/admin/sign-in/code").await;
        again
            .post("/admin/sign-in/code", &[("code", &code)])
            .await
            .assert_says(422, REFUSED);
        assert_eq!(app.last_audit().await.2.as_deref(), Some("wrong_factor"));
    }
);

on_both!(one_step_either_way_is_accepted, "", |app| {
    for offset in [-30_i64, 30] {
        let mut jo = app.staff(Role::Staff).await;
        let email = email_of(app, &jo);
        let (secret, _) = set_up(app, &mut jo).await;
        app.advance(Duration::from_mins(1));
        let code = secret.code(app.app.clock.now() + chrono::TimeDelta::seconds(offset));

        let mut browser = StaffClient::new(app);
        browser.sign_in(&email, PASSWORD).await;
        browser.get("/admin/sign-in/code").await;
        let done = browser
            .post("/admin/sign-in/code", &[("code", &code)])
            .await;

        assert_eq!(done.location(), "/admin", "{offset}");
    }
});

on_both!(one_code_for_two_browsers_at_once_lets_one_in, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    let email = email_of(app, &jo);
    let (secret, _) = set_up(app, &mut jo).await;
    let code = secret.code(app.app.clock.now());
    let mut browsers = Vec::new();
    for _ in 0..4 {
        let mut browser = StaffClient::new(app);
        browser.sign_in(&email, PASSWORD).await;
        browser.get("/admin/sign-in/code").await;
        browsers.push(browser);
    }

    let fields = [("code", code.as_str())];
    let sent = browsers
        .iter_mut()
        .map(|browser| browser.post("/admin/sign-in/code", &fields));
    let answers = futures_util::future::join_all(sent).await;

    let let_in = answers.iter().filter(|page| page.status == 303).count();
    assert_eq!(
        let_in,
        1,
        "{:?}",
        answers.iter().map(|page| page.status).collect::<Vec<_>>()
    );
});

on_both!(a_recovery_code_signs_in_once, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    let email = email_of(app, &jo);
    let (_, codes) = set_up(app, &mut jo).await;

    for (code, accepted) in [
        (&codes[3], true),
        (&codes[3], false),
        (&codes[4].to_uppercase(), true),
    ] {
        let mut browser = StaffClient::new(app);
        browser.sign_in(&email, PASSWORD).await;
        browser.get("/admin/sign-in/code").await;
        let page = browser.post("/admin/sign-in/code", &[("code", code)]).await;
        assert_eq!(page.status, if accepted { 303 } else { 422 }, "{code}");
    }
    assert!(
        app.audit()
            .await
            .iter()
            .any(|entry| entry.action == "recovery_code_used")
    );
    jo.get("/admin/settings")
        .await
        .assert_says(200, "8 of 10 recovery codes left");
    let stored =
        app.number("SELECT count(*) AS number FROM staff_recovery_codes WHERE length(hash) = 32");
    assert_eq!(stored, 10);
});

on_both!(the_sixth_wrong_code_waits, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    let email = email_of(app, &jo);
    let (secret, _) = set_up(app, &mut jo).await;
    let mut browser = StaffClient::new(app);
    browser.sign_in(&email, PASSWORD).await;
    browser.get("/admin/sign-in/code").await;

    for _ in 0..5 {
        browser
            .post("/admin/sign-in/code", &[("code", "000000")])
            .await
            .assert_says(422, REFUSED);
    }
    let right = secret.code(app.app.clock.now());
    let page = browser
        .post("/admin/sign-in/code", &[("code", &right)])
        .await;

    page.assert_says(429, "Too many tries");
    assert!(page.headers.contains_key("retry-after"));
});

on_both!(
    a_demanded_second_factor_comes_before_anything_else,
    "[admin]\nrequire_second_factor = true\n",
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let mut jo = StaffClient::new(app);
        assert_eq!(
            jo.sign_in("jo@example.org", PASSWORD).await.location(),
            "/admin"
        );
        assert_eq!(jo.get("/admin/settings").await.location(), PATH);

        let page = jo.get(PATH).await;
        page.assert_says(
            200,
            "Your account needs a second factor before anything else.",
        );
        assert!(
            page.html.contains("<svg class=\"qr\"")
                && page
                    .html
                    .contains("otpauth://totp/Latchkey:jo%40example%2Eorg")
        );
        set_up(app, &mut jo).await;

        assert_eq!(jo.get("/admin/settings").await.status, 200);
        assert!(
            !app.text("SELECT totp_secret AS text FROM staff")
                .contains("otpauth")
        );
    }
);

on_both!(
    a_wrong_code_sets_nothing_up_and_keeps_the_secret,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let page = jo.get(PATH).await;
        let (secret, sealed) = (secret_on(&page), page.hidden("sealed").unwrap());

        let again = jo
            .post(PATH, &[("sealed", &sealed), ("code", "000000")])
            .await;

        again.assert_says(422, REFUSED);
        assert_eq!(
            secret_on(&again).base32().expose(),
            secret.base32().expose()
        );
        assert_eq!(
            app.number("SELECT count(*) AS number FROM staff WHERE totp_secret IS NOT NULL"),
            0
        );
    }
);

on_both!(
    a_secret_that_was_sealed_for_somebody_else_is_refused,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let mut evil = app.staff(Role::Staff).await;
        let page = evil.get(PATH).await;
        let (secret, sealed) = (secret_on(&page), page.hidden("sealed").unwrap());
        let code = secret.code(app.app.clock.now());

        let page = jo.post(PATH, &[("sealed", &sealed), ("code", &code)]).await;

        page.assert_says(403, "That form was not accepted");
    }
);

on_both!(what_is_dangerous_wants_a_fresh_factor, "", |app| {
    let mut jo = app.staff(Role::Superuser).await;
    let invite = "/admin/settings/staff/invite";
    assert_eq!(jo.get(invite).await.status, 200);

    app.advance(Duration::from_mins(10));
    let stale = jo.get(invite).await;
    assert_eq!(
        stale.location(),
        "/admin/step-up?next=%2Fadmin%2Fsettings%2Fstaff%2Finvite"
    );
    let page = jo.get(stale.location()).await;
    let next = page.hidden("next").unwrap();
    jo.post("/admin/step-up", &[("password", "wrong"), ("next", &next)])
        .await
        .assert_says(422, "That is not your password.");
    let done = jo
        .post("/admin/step-up", &[("password", PASSWORD), ("next", &next)])
        .await;

    assert_eq!(done.location(), invite);
    assert_eq!(jo.get(invite).await.status, 200);
    assert_eq!(app.last_audit().await.1, "staff_stepped_up");
});

on_both!(
    with_a_second_factor_the_password_alone_is_not_fresh,
    "",
    |app| {
        let mut jo = app.staff(Role::Superuser).await;
        let (secret, _) = set_up(app, &mut jo).await;
        app.advance(Duration::from_mins(10));
        let page = jo.get("/admin/step-up?next=%2Fadmin%2Fsettings").await;
        page.assert_says(200, "Six digits from your authenticator app");

        jo.post("/admin/step-up", &[("password", PASSWORD)])
            .await
            .assert_says(422, REFUSED);
        let code = secret.code(app.app.clock.now());
        let done = jo
            .post(
                "/admin/step-up",
                &[("code", &code), ("next", "/admin/settings")],
            )
            .await;

        assert_eq!(done.location(), "/admin/settings");
    }
);

on_both!(
    removing_a_second_factor_wants_a_fresh_one_and_is_audited,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        set_up(app, &mut jo).await;
        let remove = format!("{PATH}/remove");

        app.advance(Duration::from_mins(10));
        assert_eq!(
            jo.post(&remove, &[]).await.location(),
            "/admin/step-up?next=%2Fadmin%2Fsettings%2Fsecond-factor"
        );
        app.turn_back(Duration::from_mins(10));
        assert_eq!(jo.post(&remove, &[]).await.location(), "/admin/settings");

        assert_eq!(app.last_audit().await.1, "second_factor_removed");
        assert_eq!(
            app.number("SELECT count(*) AS number FROM staff_recovery_codes"),
            0
        );
    }
);

on_both!(
    an_unattended_browser_is_given_no_second_factor,
    "[admin]\nrequire_second_factor = true\n",
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let mut jo = StaffClient::new(app);
        jo.sign_in("jo@example.org", PASSWORD).await;
        assert_eq!(jo.get(PATH).await.status, 200);

        app.advance(Duration::from_mins(10));
        let stale = jo.get(PATH).await;
        jo.get(stale.location())
            .await
            .assert_says(200, "Confirm that it is you");
        let fields = [("password", PASSWORD), ("next", PATH)];
        let proven = jo.post("/admin/step-up", &fields).await;

        assert_eq!(proven.location(), PATH);
        assert_eq!(jo.get(PATH).await.status, 200);
    }
);

on_both!(
    changing_the_password_makes_no_second_factor_fresh,
    "",
    |app| {
        let mut jo = app.staff(Role::Superuser).await;
        set_up(app, &mut jo).await;
        app.advance(Duration::from_mins(10));

        let fields = [
            ("current_password", PASSWORD),
            ("new_password", "another good password"),
        ];
        assert_eq!(
            jo.post("/admin/settings/password", &fields).await.status,
            303
        );

        let invite = jo.get("/admin/settings/staff/invite").await;
        assert!(
            invite.location().starts_with("/admin/step-up"),
            "{}",
            invite.location()
        );
    }
);
