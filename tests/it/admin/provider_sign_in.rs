//! Signing in through a provider: out, back, as whom, and who does not get in.

use std::time::Duration;

use latchkey::domain::staff::TotpSecret;
use latchkey::domain::{Role, Secret};
use latchkey::storage::audit::AuditRecord;
use serde_json::{Value, json};

use crate::support::{Page, StaffClient, TestApp, client, on_both};

const DOMAIN: &str =
    "[providers.fake]\n[admin.sign_in.fake]\nallowed_domains = [\"example.org\"]\n";
const REFUSED: &str = "This account may not sign in here";
const START: &str = "/admin/sign-in/providers/fake";

/// Where the page leads by itself.
#[track_caller]
fn onward(page: &Page) -> String {
    assert_eq!(page.status, 200, "{}", page.html);
    let refresh = page.headers["refresh"].to_str().unwrap();
    let to = refresh.strip_prefix("0; url=").unwrap().to_owned();
    let link = format!("href=\"{}\"", to.replace('&', "&#38;"));
    assert!(page.html.contains(&link), "{link} is not in {}", page.html);
    to
}

/// Presses the button on the sign-in page; gives the address at the provider.
async fn leave(browser: &mut StaffClient, next: &str) -> String {
    browser.get("/admin/sign-in").await;
    onward(&browser.post(START, &[("next", next)]).await)
}

/// Signs in at the fake provider as `sub`; gives the address that it sends the browser to.
async fn at_provider(url: &str, sub: &str, behaviour: &str) -> String {
    let url = format!("{url}&login_hint={sub}&behaviour={behaviour}");
    let answer = client().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// Follows the provider's redirect as a browser does: no cookie that is `SameSite=Strict` goes along.
async fn come_back(app: &TestApp, browser: &mut StaffClient, url: &str) -> Page {
    let path = url.strip_prefix(&app.base).unwrap();
    let mut abroad = StaffClient::new(app);
    if let Some(trip) = browser.cookie("latchkey-trip") {
        abroad.put_cookie("latchkey-trip", trip);
    }
    let page = abroad.get(path).await;
    for (name, value) in abroad.cookies() {
        browser.put_cookie(name, value);
    }
    page
}

/// All of it.
async fn sign_in_as(app: &TestApp, browser: &mut StaffClient, sub: &str, behaviour: &str) -> Page {
    let url = leave(browser, "").await;
    let back = at_provider(&url, sub, behaviour).await;
    come_back(app, browser, &back).await
}

/// Why the last one was refused, having checked that the page does not tell.
#[track_caller]
fn reason_of(page: &Page, entries: &[AuditRecord]) -> String {
    page.assert_says(403, REFUSED);
    let newest = &entries[0];
    assert_eq!(newest.action, "staff_sign_in_refused");
    assert_eq!(newest.provider.as_deref(), Some("fake"));
    newest.reason.clone().unwrap()
}

fn of_action<'a>(entries: &'a [AuditRecord], action: &str) -> Vec<&'a AuditRecord> {
    let found = entries.iter().filter(|entry| entry.action == action);
    found.collect()
}

fn detail(entry: &AuditRecord) -> Value {
    entry.detail.clone().unwrap_or_default()
}

/// Makes an account without a password.
async fn invited(app: &TestApp, email: &str, role: Role) -> i64 {
    let id = app.new_staff(email, role).await;
    app.execute(&format!(
        "UPDATE staff SET password_hash = NULL WHERE id = {id}"
    ));
    id.0
}

on_both!(
    an_account_is_bound_by_its_address_once_and_found_by_uid_ever_after,
    DOMAIN,
    |app| {
        let id = app.new_staff("Jo@example.org", Role::Superuser).await;
        let mut jo = StaffClient::new(app);

        let url = leave(&mut jo, "/admin/users?sort=seen").await;
        let back = at_provider(&url, "jo", "good").await;
        let page = come_back(app, &mut jo, &back).await;

        assert_eq!(onward(&page), "/admin/users?sort=seen");
        assert_eq!(jo.get("/admin/settings").await.status, 200);
        let entries = app.audit().await;
        let signed_in = of_action(&entries, "staff_signed_in")[0];
        assert_eq!(detail(signed_in), json!({ "by": "provider" }));
        assert_eq!(
            (signed_in.provider.as_deref(), signed_in.uid.as_deref()),
            (Some("fake"), Some("jo"))
        );
        let bound = of_action(&entries, "staff_changed")[0];
        let both = json!({ "before": null, "after": "fake" });
        assert_eq!(
            detail(bound),
            json!({ "staff_id": id.0, "signs_in_with": both })
        );

        app.execute("UPDATE staff SET email = 'x@y.example', email_folded = 'x@y.example'");
        let mut again = StaffClient::new(app);
        let page = sign_in_as(app, &mut again, "jo", "good").await;
        assert_eq!(onward(&page), "/admin");
        again
            .get("/admin/settings")
            .await
            .assert_says(200, "You sign in with Fake provider");
        let entries = app.audit().await;
        assert_eq!(of_action(&entries, "staff_changed").len(), 1);
        assert_eq!(of_action(&entries, "staff_signed_in").len(), 2);
    }
);

on_both!(
    on_the_way_out_goes_what_ties_the_answer_to_this_browser,
    DOMAIN,
    |app| {
        let mut jo = StaffClient::new(app);
        jo.get("/admin/sign-in")
            .await
            .assert_says(200, "Continue with Fake provider");

        let page = jo.post(START, &[("next", "https://evil.example/")]).await;

        let url = url::Url::parse(&onward(&page)).unwrap();
        let param = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        assert_eq!(param("response_type").as_deref(), Some("code"));
        assert_eq!(param("client_id").as_deref(), Some("fake-client"));
        assert_eq!(
            param("redirect_uri"),
            Some(format!("{}/admin/sign-in/complete/fake", app.base))
        );
        assert_eq!(param("code_challenge_method").as_deref(), Some("S256"));
        for secret in ["state", "nonce", "code_challenge"] {
            assert_eq!(param(secret).map(|text| text.len()), Some(43), "{secret}");
        }
        assert!(param("prompt").is_none() && param("max_age").is_none());
        let cookie = page.set_cookie("latchkey-trip").unwrap();
        for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=600"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        // The page does not widen the policy: what leads on is no form.
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("form-action 'self';"), "{policy}");
        let back = at_provider(url.as_str(), "nobody", "good").await;
        assert!(!back.contains(jo.cookie("latchkey-trip").unwrap()));
        let kept = "SELECT count(*) AS number FROM authorizations WHERE next = '/admin' AND purpose = 'staff_sign_in'";
        assert_eq!(app.number(kept), 1);
    }
);

on_both!(
    the_cookie_of_the_trip_is_for_https_and_this_host_alone,
    "[server]\npublic_url = \"https://id.example.org\"\n[providers.fake]\n[admin.sign_in.fake]\nallowed_uids = [\"1\"]\n",
    |app| {
        let mut jo = StaffClient::new(app);
        jo.get("/admin/sign-in").await;

        let page = jo.post(START, &[]).await;

        let cookie = page.set_cookie("__Host-latchkey-trip").unwrap();
        assert!(
            cookie.contains("; Secure") && !cookie.contains("Domain"),
            "{cookie}"
        );
        let to = "redirect_uri=https%3A%2F%2Fid.example.org%2Fadmin%2Fsign-in%2Fcomplete%2Ffake&";
        assert!(onward(&page).contains(to));
    }
);

on_both!(
    whoever_is_admitted_gets_an_account_with_the_role_that_is_set,
    "[providers.fake]\n[admin.sign_in.fake]\nallowed_domains = [\"example.org\"]\nnew_account_role = \"admin\"\n",
    |app| {
        let mut ada = StaffClient::new(app);

        let page = sign_in_as(app, &mut ada, "ada", "good").await;

        assert_eq!(onward(&page), "/admin");
        ada.get("/admin/settings").await.assert_says(200, "Admin");
        let entries = app.audit().await;
        let made = of_action(&entries, "staff_invited")[0];
        assert_eq!(made.actor_kind, "system");
        assert_eq!(detail(made)["role"], "admin");
        let name = "SELECT display_name || ' ' || email AS text FROM staff";
        assert_eq!(app.text(name), "Ada Okafor ada@example.org");
        // No password, no second factor: nothing but the provider leads in.
        let none = "SELECT count(*) AS number FROM staff WHERE password_hash IS NULL";
        assert_eq!(app.number(none), 1);
    }
);

on_both!(
    whoever_does_not_get_in_is_told_in_the_same_words_and_the_audit_log_why,
    DOMAIN,
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let al = app.new_staff("al@example.org", Role::Staff).await;
        app.execute(&format!(
            "UPDATE staff SET is_active = {} WHERE id = {al}",
            app.bool(false)
        ));
        let mut pages = Vec::new();
        for (sub, behaviour, reason) in [
            ("jo", "unverified_email", "unverified_email"),
            ("jo", "wrong_audience", "wrong_audience"),
            ("jo", "wrong_nonce", "nonce_mismatch"),
            ("jo", "wrong_issuer", "invalid_token"),
            ("jo", "bad_signature", "invalid_token"),
            ("jo", "expired", "invalid_token"),
            ("al", "good", "inactive"),
            ("nobody", "good", "no_account"),
        ] {
            let mut browser = StaffClient::new(app);

            let page = sign_in_as(app, &mut browser, sub, behaviour).await;

            assert_eq!(reason_of(&page, &app.audit().await), reason);
            assert!(page.set_cookie("latchkey-staff").is_none());
            let request = page
                .between("request <code data-copy=\"request id\">", "<")
                .unwrap()
                .to_owned();
            pages.push(page.html.replace(&request, ""));
        }
        pages.dedup();
        assert_eq!(pages.len(), 1, "{pages:?}");
        let bound = "SELECT count(*) AS number FROM staff_providers";
        assert_eq!(app.number(bound), 0);
        assert_eq!(app.number("SELECT count(*) AS number FROM staff"), 2);
    }
);

on_both!(
    an_address_of_another_domain_is_refused_whatever_account_it_has,
    "[providers.fake]\n[admin.sign_in.fake]\nallowed_domains = [\"example.com\"]\nnew_account_role = \"staff\"\n",
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let mut jo = StaffClient::new(app);

        let page = sign_in_as(app, &mut jo, "jo", "good").await;

        assert_eq!(reason_of(&page, &app.audit().await), "wrong_domain");
        let uid = app.audit().await.remove(0).uid;
        assert_eq!(uid.as_deref(), Some("jo"));
    }
);

on_both!(
    a_list_of_uids_admits_those_and_nobody_else,
    "[providers.fake]\n[admin.sign_in.fake]\nallowed_uids = [\"jo\"]\nnew_account_role = \"staff\"\n",
    |app| {
        let (mut jo, mut al) = (StaffClient::new(app), StaffClient::new(app));

        let unverified = sign_in_as(app, &mut jo, "jo", "unverified_email").await;
        assert_eq!(
            reason_of(&unverified, &app.audit().await),
            "unverified_email"
        );
        let page = sign_in_as(app, &mut jo, "jo", "good").await;
        assert_eq!(onward(&page), "/admin");
        let refused = sign_in_as(app, &mut al, "al", "good").await;
        assert_eq!(reason_of(&refused, &app.audit().await), "not_allowed");
        // Bound, and on the list by uid: the address is of no interest any more.
        let mut elsewhere = StaffClient::new(app);
        let again = sign_in_as(app, &mut elsewhere, "jo", "unverified_email").await;
        assert_eq!(onward(&again), "/admin");
    }
);

on_both!(
    a_second_person_with_the_same_address_is_refused,
    DOMAIN,
    |app| {
        app.new_staff("changed-jo@example.org", Role::Admin).await;
        let (mut first, mut second) = (StaffClient::new(app), StaffClient::new(app));

        let page = sign_in_as(app, &mut first, "jo", "changed_email").await;
        assert_eq!(onward(&page), "/admin");
        let page = sign_in_as(app, &mut second, "changed-jo", "good").await;

        assert_eq!(reason_of(&page, &app.audit().await), "other_uid");
        assert_eq!(first.get("/admin/settings").await.status, 200);
    }
);

on_both!(
    a_state_counts_once_in_time_and_in_its_own_browser,
    DOMAIN,
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let (mut jo, mut eve) = (StaffClient::new(app), StaffClient::new(app));
        leave(&mut eve, "").await;

        // Eve makes her browser bring Jo's code, and Jo's browser bring hers.
        let of_jo = at_provider(&leave(&mut jo, "").await, "jo", "good").await;
        let page = come_back(app, &mut eve, &of_jo).await;
        assert_eq!(reason_of(&page, &app.audit().await), "unknown_state");
        let of_eve = at_provider(&leave(&mut eve, "").await, "eve", "good").await;
        let page = come_back(app, &mut jo, &of_eve).await;
        assert_eq!(reason_of(&page, &app.audit().await), "unknown_state");
        // Neither has used it up.
        let page = come_back(app, &mut jo, &of_jo).await;
        assert_eq!(onward(&page), "/admin");
        let page = come_back(app, &mut jo, &of_jo).await;
        assert_eq!(reason_of(&page, &app.audit().await), "unknown_state");

        for path in [
            "",
            "?state=&code=x",
            "?state=made-up&code=x",
            "?code=x",
            "?error=access_denied",
        ] {
            let url = format!("{}/admin/sign-in/complete/fake{path}", app.base);
            let page = come_back(app, &mut jo, &url).await;
            assert_eq!(
                reason_of(&page, &app.audit().await),
                "unknown_state",
                "{path}"
            );
        }
        let url = leave(&mut eve, "").await;
        app.advance(Duration::from_mins(10));
        let late = at_provider(&url, "jo", "good").await;
        let page = come_back(app, &mut eve, &late).await;
        assert_eq!(reason_of(&page, &app.audit().await), "expired_state");
    }
);

on_both!(two_tabs_do_not_disturb_each_other, DOMAIN, |app| {
    app.new_staff("jo@example.org", Role::Staff).await;
    let mut jo = StaffClient::new(app);

    let one = leave(&mut jo, "/admin/users").await;
    let two = leave(&mut jo, "/admin/accounts").await;

    for (url, next) in [(one, "/admin/users"), (two, "/admin/accounts")] {
        let back = at_provider(&url, "jo", "good").await;
        let page = come_back(app, &mut jo, &back).await;
        assert_eq!(onward(&page), next);
    }
});

on_both!(an_answer_is_judged_before_its_code_is, DOMAIN, |app| {
    app.new_staff("jo@example.org", Role::Staff).await;
    let mut jo = StaffClient::new(app);

    let back = at_provider(&leave(&mut jo, "").await, "jo", "good").await;
    let foreign = format!("{back}&iss=https%3A%2F%2Fother.latchkey.example");
    let page = come_back(app, &mut jo, &foreign).await;
    assert_eq!(reason_of(&page, &app.audit().await), "wrong_issuer");

    let back = at_provider(&leave(&mut jo, "").await, "jo", "good").await;
    let state = back.split("state=").nth(1).unwrap();
    let without = format!("{}/admin/sign-in/complete/fake?state={state}", app.base);
    let page = come_back(app, &mut jo, &without).await;
    assert_eq!(reason_of(&page, &app.audit().await), "missing_code");

    let back = at_provider(&leave(&mut jo, "").await, "jo", "good").await;
    let twice = format!("{back}&code=another");
    let page = come_back(app, &mut jo, &twice).await;
    page.assert_says(400, "That request does not fit");

    let back = at_provider(&leave(&mut jo, "").await, "jo", "good").await;
    let other_code = back.replace("code=", "code=x");
    let page = come_back(app, &mut jo, &other_code).await;
    assert_eq!(reason_of(&page, &app.audit().await), "invalid_token");

    let back = at_provider(&leave(&mut jo, "").await, "jo", "good").await;
    let ours = format!("{back}&iss=https%3A%2F%2Ffake.latchkey.example&session_state=1");
    let page = come_back(app, &mut jo, &ours).await;
    assert_eq!(onward(&page), "/admin");
});

on_both!(
    a_provider_that_says_no_is_told_of_in_our_words,
    DOMAIN,
    |app| {
        let mut jo = StaffClient::new(app);
        let url = leave(&mut jo, "").await;
        let (_, state) = url.split_once("state=").unwrap();
        let state = state.split('&').next().unwrap();

        let no = format!(
            "{}/admin/sign-in/complete/fake?error=access_denied&error_description=Buy%20gold&state={state}",
            app.base
        );
        let page = come_back(app, &mut jo, &no).await;

        page.assert_says(403, "The sign-in was not completed");
        page.assert_says(403, "href=\"/admin/sign-in\"");
        assert!(!page.html.contains("gold") && !page.html.contains("access_denied"));
        let reason = app.last_audit().await.2;
        assert_eq!(reason.as_deref(), Some("refused_by_provider"));
    }
);

on_both!(
    a_provider_that_is_down_has_a_page_with_a_way_on,
    DOMAIN,
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let mut jo = StaffClient::new(app);

        let page = sign_in_as(app, &mut jo, "jo", "outage").await;

        page.assert_says(503, "The provider cannot be reached just now");
        page.assert_says(503, "href=\"/admin/sign-in\"");
        assert!(page.headers.contains_key("retry-after"));
        // Nobody was refused.
        assert!(app.audit().await.is_empty());
        let page = sign_in_as(app, &mut jo, "jo", "good").await;
        assert_eq!(onward(&page), "/admin");
    }
);

// An issuer whose discovery document cannot be had.
on_both!(
    a_provider_without_address_has_a_page_and_the_password_still_leads_in,
    "[providers.acme]\nissuer = \"http://127.0.0.1:9\"\nclient_id = \"x\"\n[admin.sign_in.acme]\nallowed_uids = [\"1\"]\n",
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let mut jo = StaffClient::new(app);
        jo.get("/admin/sign-in").await;

        let page = jo.post("/admin/sign-in/providers/acme", &[]).await;

        page.assert_says(503, "sign in with email and password");
        let page = jo
            .sign_in("jo@example.org", crate::support::staff::PASSWORD)
            .await;
        assert_eq!(page.location(), "/admin");
    }
);

on_both!(
    only_providers_that_are_set_up_for_staff_lead_in,
    "[providers.fake]\n",
    |app| {
        let mut jo = StaffClient::new(app);
        let page = jo.get("/admin/sign-in").await;

        assert!(!page.html.contains("Continue with"));
        for path in [
            START,
            "/admin/sign-in/providers/google",
            "/admin/sign-in/providers/%20",
        ] {
            jo.post(path, &[])
                .await
                .assert_says(404, "There is nothing here");
        }
        jo.get("/admin/sign-in/complete/fake?state=x&code=y")
            .await
            .assert_says(404, "There is nothing here");
    }
);

on_both!(a_second_factor_is_still_owed, DOMAIN, |app| {
    let id = app.new_staff("jo@example.org", Role::Staff).await;
    let secret = TotpSecret::new([7; 20]);
    let sealed = app
        .app
        .sealer
        .seal_totp_secret(&secret.base32(), id)
        .unwrap();
    app.execute(&format!(
        "UPDATE staff SET totp_secret = '{sealed}', totp_last_step = 0"
    ));
    let mut jo = StaffClient::new(app);

    let url = leave(&mut jo, "/admin/users").await;
    let back = at_provider(&url, "jo", "good").await;
    let page = come_back(app, &mut jo, &back).await;

    assert_eq!(onward(&page), "/admin/sign-in/code?next=%2Fadmin%2Fusers");
    assert_eq!(
        jo.get("/admin/users").await.location(),
        "/admin/sign-in/code"
    );
    assert!(of_action(&app.audit().await, "staff_signed_in").is_empty());
    jo.get("/admin/sign-in/code").await;
    let code = secret.code(app.app.clock.now());
    let fields = [("code", code.as_str()), ("next", "/admin/users")];
    let page = jo.post("/admin/sign-in/code", &fields).await;
    assert_eq!(page.location(), "/admin/users");
    let entries = app.audit().await;
    let signed_in = of_action(&entries, "staff_signed_in")[0];
    assert_eq!(detail(signed_in), json!({ "by": "provider_and_code" }));
    assert_eq!(signed_in.provider.as_deref(), Some("fake"));
});

on_both!(
    trips_that_lead_nowhere_wait_and_others_do_not,
    DOMAIN,
    |app| {
        for number in 0..25 {
            app.new_staff(&format!("n{number}@example.org"), Role::Staff)
                .await;
            let mut browser = StaffClient::new(app);
            let page = sign_in_as(app, &mut browser, &format!("n{number}"), "good").await;
            assert_eq!(onward(&page), "/admin");
        }
        let mut eve = StaffClient::new(app);
        for _ in 0..20 {
            leave(&mut eve, "").await;
        }
        let page = eve.post(START, &[]).await;
        page.assert_says(429, "Too many tries");
        assert!(page.headers.contains_key("retry-after"));
        let stored = "SELECT count(*) AS number FROM authorizations";
        assert_eq!(app.number(stored), 20);
        let written = app.audit().await.len();
        let page = eve.get("/admin/sign-in/complete/fake?state=x&code=y").await;
        page.assert_says(429, "Too many tries");
        assert_eq!(app.audit().await.len(), written);

        app.advance(Duration::from_secs(31));
        leave(&mut eve, "").await;
        // What nobody came back with is swept.
        app.advance(Duration::from_hours(2));
        leave(&mut eve, "").await;
        assert_eq!(app.number(stored), 1);
    }
);

on_both!(
    a_new_person_in_many_browsers_at_once_is_one_account,
    "[providers.fake]\n[admin.sign_in.fake]\nallowed_domains = [\"example.org\"]\nnew_account_role = \"staff\"\n",
    |app| {
        let mut trips = Vec::new();
        for _ in 0..8 {
            let mut browser = StaffClient::new(app);
            let url = leave(&mut browser, "").await;
            trips.push((browser, at_provider(&url, "ada", "good").await));
        }

        let back = trips
            .iter_mut()
            .map(|(browser, url)| come_back(app, browser, url));
        let pages = futures_util::future::join_all(back).await;

        for page in &pages {
            assert_eq!(onward(page), "/admin");
        }
        assert_eq!(app.number("SELECT count(*) AS number FROM staff"), 1);
        let bound = "SELECT count(*) AS number FROM staff_providers";
        assert_eq!(app.number(bound), 1);
        let sessions = "SELECT count(*) AS number FROM staff_sessions";
        assert_eq!(app.number(sessions), 8);
    }
);

/// Somebody with nothing but the provider, signed in, at the page that asks for a fresh proof.
async fn asked_to_confirm(app: &TestApp) -> StaffClient {
    invited(app, "jo@example.org", Role::Superuser).await;
    let mut jo = StaffClient::new(app);
    let page = sign_in_as(app, &mut jo, "jo", "good").await;
    assert_eq!(onward(&page), "/admin");
    // Nobody knows when that sign-in at the provider was.
    let page = jo.get("/admin/settings/staff/invite").await;
    assert_eq!(
        page.location(),
        "/admin/step-up?next=%2Fadmin%2Fsettings%2Fstaff%2Finvite"
    );
    let page = jo
        .get("/admin/step-up?next=/admin/settings/staff/invite")
        .await;
    page.assert_says(200, "Continue with Fake provider");
    assert!(!page.html.contains("type=\"password\""));
    jo
}

/// Presses the button on that page.
async fn leave_to_confirm(jo: &mut StaffClient) -> String {
    jo.get("/admin/step-up?next=/admin/settings/staff/invite")
        .await;
    let fields = [("next", "/admin/settings/staff/invite")];
    onward(&jo.post("/admin/step-up/providers/fake", &fields).await)
}

on_both!(
    whoever_has_nothing_but_a_provider_confirms_there_who_they_are,
    DOMAIN,
    |app| {
        let mut jo = asked_to_confirm(app).await;
        let old_key = jo.cookie("latchkey-staff").unwrap().to_owned();

        let url = leave_to_confirm(&mut jo).await;
        assert!(url.ends_with("&prompt=login&max_age=60"), "{url}");
        let back = at_provider(&url, "jo", "good").await;
        let page = come_back(app, &mut jo, &back).await;

        assert_eq!(onward(&page), "/admin/settings/staff/invite");
        assert_ne!(jo.cookie("latchkey-staff").unwrap(), old_key);
        let page = jo.get("/admin/settings/staff/invite").await;
        page.assert_says(200, "Invite somebody");
        let entries = app.audit().await;
        let stepped_up = of_action(&entries, "staff_stepped_up")[0];
        assert_eq!(detail(stepped_up), json!({ "by": "provider" }));
        let sessions = "SELECT count(*) AS number FROM staff_sessions";
        assert_eq!(app.number(sessions), 1);
        jo.put_cookie("latchkey-staff", &old_key);
        assert_eq!(jo.get("/admin/settings").await.status, 303);
    }
);

on_both!(
    what_is_no_fresh_proof_of_the_same_person_confirms_nothing,
    DOMAIN,
    |app| {
        app.new_staff("al@example.org", Role::Staff).await;
        let mut al = StaffClient::new(app);
        sign_in_as(app, &mut al, "al", "good").await;
        let mut jo = asked_to_confirm(app).await;
        for (sub, behaviour, without_max_age, reason) in [
            ("jo", "stale_sign_in", false, "stale_sign_in"),
            ("jo", "good", true, "stale_sign_in"),
            ("al", "good", false, "another_person"),
            ("jo", "wrong_nonce", false, "nonce_mismatch"),
        ] {
            let mut url = leave_to_confirm(&mut jo).await;
            if without_max_age {
                url = url.replace("&max_age=60", "");
            }
            let back = at_provider(&url, sub, behaviour).await;
            let page = come_back(app, &mut jo, &back).await;

            page.assert_says(403, "That did not confirm that it is you");
            assert_eq!(app.last_audit().await.2.as_deref(), Some(reason));
            let page = jo.get("/admin/settings/staff/invite").await;
            assert_eq!(page.status, 303);
        }
    }
);

on_both!(
    whoever_has_just_come_through_a_provider_sets_up_a_second_factor,
    "[admin]\nrequire_second_factor = true\n[providers.fake]\n[admin.sign_in.fake]\nallowed_domains = [\"example.org\"]\nnew_account_role = \"staff\"\n",
    |app| {
        let factor = "/admin/settings/second-factor";
        let (mut ada, mut slow) = (StaffClient::new(app), StaffClient::new(app));
        sign_in_as(app, &mut ada, "ada", "good").await;
        sign_in_as(app, &mut slow, "slow", "good").await;
        assert_eq!(ada.get("/admin/users").await.location(), factor);

        let page = ada.get(factor).await;
        let shown = page.between("<code class=\"secret\">", "<").unwrap();
        let secret = TotpSecret::parse(&Secret::new(shown.replace(' ', ""))).unwrap();
        let (sealed, code) = (
            page.hidden("sealed").unwrap(),
            secret.code(app.app.clock.now()),
        );
        let page = ada
            .post(factor, &[("sealed", &sealed), ("code", &code)])
            .await;

        page.assert_says(200, "They are shown only now.");
        assert_eq!(ada.get("/admin/users").await.status, 200);
        // Later, somebody else may be sitting there.
        app.advance(Duration::from_mins(10));
        let page = slow.get(factor).await;
        assert!(page.location().starts_with("/admin/step-up?next="));
        slow.get("/admin/step-up")
            .await
            .assert_says(200, "sign out and in again");
    }
);

on_both!(
    a_session_that_has_ended_meanwhile_is_not_confirmed,
    DOMAIN,
    |app| {
        let mut jo = asked_to_confirm(app).await;
        let url = leave_to_confirm(&mut jo).await;
        let back = at_provider(&url, "jo", "good").await;
        app.execute(
            "UPDATE staff_sessions SET revoked_at = created_at, revoked_reason = 'signed_out'",
        );

        let page = come_back(app, &mut jo, &back).await;

        page.assert_says(403, "That did not confirm that it is you");
        assert_eq!(app.last_audit().await.2.as_deref(), Some("session_ended"));
    }
);

on_both!(
    a_superuser_sees_who_signs_in_with_what_and_removes_it,
    DOMAIN,
    |app| {
        let id = invited(app, "jo@example.org", Role::Staff).await;
        let mut jo = StaffClient::new(app);
        sign_in_as(app, &mut jo, "jo", "good").await;
        let mut boss = app.staff(Role::Superuser).await;
        let path = format!("/admin/settings/staff/{id}");

        let page = boss.get(&path).await;
        page.assert_says(200, "Signs in with Fake provider");
        page.assert_says(200, "Active");
        let listed = boss.get("/admin/settings").await;
        listed.assert_says(200, "Signs in with");
        assert!(!listed.html.contains("Invited"));
        let page = boss
            .post(&format!("{path}/providers/fake/remove"), &[])
            .await;
        assert_eq!(page.location(), path);

        boss.get(&path)
            .await
            .assert_says(200, "no longer tied to anybody at Fake provider");
        assert_eq!(jo.get("/admin/settings").await.status, 303);
        let entries = app.audit().await;
        let changed = of_action(&entries, "staff_changed")[0];
        assert_eq!(changed.actor_kind, "staff");
        assert_eq!(changed.uid.as_deref(), Some("jo"));
        let both = json!({ "before": "fake", "after": null });
        assert_eq!(
            detail(changed),
            json!({ "staff_id": id, "signs_in_with": both, "sessions": 1 })
        );
        let again = boss
            .post(&format!("{path}/providers/fake/remove"), &[])
            .await;
        again.assert_says(409, "no longer there");
    }
);

on_both!(deactivated_nobody_comes_through_a_provider, DOMAIN, |app| {
    let id = app.new_staff("jo@example.org", Role::Staff).await;
    let mut jo = StaffClient::new(app);
    sign_in_as(app, &mut jo, "jo", "good").await;
    let mut boss = app.staff(Role::Superuser).await;
    boss.get(&format!("/admin/settings/staff/{id}/deactivate"))
        .await;
    boss.post(&format!("/admin/settings/staff/{id}/deactivate"), &[])
        .await;

    assert_eq!(jo.get("/admin/settings").await.status, 303);
    let page = sign_in_as(app, &mut jo, "jo", "good").await;

    assert_eq!(reason_of(&page, &app.audit().await), "inactive");
});
