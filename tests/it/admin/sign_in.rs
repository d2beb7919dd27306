//! Signing in and out.

use std::time::{Duration, Instant};

use latchkey::domain::Role;

use crate::support::staff::PASSWORD;
use crate::support::{Backend, StaffClient, TestApp, on_both};

const REFUSED: &str = "Email and password do not fit together.";

on_both!(
    the_cookie_is_sealed_and_for_the_host_over_https_alone,
    "[server]\npublic_url = \"https://id.example.org\"\n",
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let mut jo = StaffClient::new(app);

        let page = jo.sign_in("jo@example.org", PASSWORD).await;

        assert_eq!(page.location(), "/admin");
        let cookie = page.set_cookie("__Host-latchkey-staff").unwrap();
        for attribute in ["; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(
            !cookie.contains("Domain") && !cookie.contains("Max-Age"),
            "{cookie}"
        );
        assert!(jo.cookie("__Host-latchkey-form").is_some());
    }
);

on_both!(only_the_hash_of_the_key_is_stored, "", |app| {
    let jo = app.staff(Role::Staff).await;
    let cookie = jo.cookie("latchkey-staff").unwrap().to_owned();

    let hashes =
        app.number("SELECT count(*) AS number FROM staff_sessions WHERE length(key_hash) = 32");
    assert_eq!(hashes, 1);
    let state = match app.backend() {
        Backend::Sqlite => "SELECT state AS text FROM staff_sessions",
        Backend::Postgres => "SELECT state::text AS text FROM staff_sessions",
    };
    assert_eq!(app.text(state), "{}");
    assert!(
        cookie.len() > 60,
        "sealed, so longer than the key: {cookie}"
    );
});

on_both!(
    unknown_wrong_and_inactive_are_told_in_the_same_words,
    "",
    |app| {
        let id = app.new_staff("jo@example.org", Role::Staff).await;
        app.new_staff("al@example.org", Role::Staff).await;
        app.execute(&format!(
            "UPDATE staff SET is_active = {} WHERE id = {id}",
            app.bool(false)
        ));
        let mut nobody = StaffClient::new(app);

        let unknown = nobody.sign_in("nobody@example.org", PASSWORD).await;
        let inactive = nobody.sign_in("jo@example.org", PASSWORD).await;
        let wrong = nobody.sign_in("al@example.org", "wrong").await;

        let body = |page: &crate::support::Page, email: &str| page.html.replace(email, "EMAIL");
        unknown.assert_says(422, REFUSED);
        assert!(unknown.html.contains("<title>Error: Sign in"));
        assert!(
            unknown.html.contains("href=\"#password\"") && unknown.html.contains("aria-invalid")
        );
        assert_eq!(
            body(&unknown, "nobody@example.org"),
            body(&inactive, "jo@example.org")
        );
        assert_eq!(
            body(&unknown, "nobody@example.org"),
            body(&wrong, "al@example.org")
        );
        let reasons: Vec<_> = app
            .audit()
            .await
            .into_iter()
            .filter_map(|entry| entry.reason)
            .collect();
        assert_eq!(reasons, ["wrong_password", "inactive", "unknown"]);
    }
);

on_both!(
    the_sixth_wrong_try_waits_and_the_right_password_waits_with_it,
    "",
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let mut jo = StaffClient::new(app);

        for _ in 0..5 {
            jo.sign_in("jo@example.org", "wrong")
                .await
                .assert_says(422, REFUSED);
        }
        for password in ["wrong", PASSWORD] {
            let page = jo.sign_in("JO@example.org", password).await;
            page.assert_says(429, "Too many tries");
            let wait: u64 = page.headers["retry-after"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap();
            assert!((1..=31).contains(&wait), "{wait}");
        }
        app.advance(Duration::from_secs(31));
        assert_eq!(
            jo.sign_in("jo@example.org", PASSWORD).await.location(),
            "/admin"
        );
        let mut other = StaffClient::new(app);
        other
            .sign_in("jo@example.org", "wrong")
            .await
            .assert_says(422, REFUSED);
    }
);

on_both!(
    an_unknown_address_is_throttled_like_a_known_one,
    "",
    |app| {
        let mut nobody = StaffClient::new(app);
        for _ in 0..5 {
            nobody
                .sign_in("nobody@example.org", "wrong")
                .await
                .assert_says(422, REFUSED);
        }
        let page = nobody.sign_in("nobody@example.org", "wrong").await;
        page.assert_says(429, "Too many tries");
    }
);

on_both!(many_wrong_tries_at_once_gain_nothing, "", |app| {
    app.new_staff("jo@example.org", Role::Staff).await;
    let mut form = StaffClient::new(app);
    form.get("/admin/sign-in").await;

    let tries = (0..12).map(|_| {
        let mut browser = form.moved_to(&app.base);
        async move {
            let fields = [("email", "jo@example.org"), ("password", "wrong")];
            browser.post("/admin/sign-in", &fields).await.status
        }
    });
    let statuses = futures_util::future::join_all(tries).await;

    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(422), count(429)), (5, 7), "{statuses:?}");
});

on_both!(one_address_cannot_try_all_accounts, "", |app| {
    let mut nobody = StaffClient::new(app);
    for number in 0..20 {
        nobody
            .sign_in(&format!("n{number}@example.org"), "wrong")
            .await
            .assert_says(422, REFUSED);
    }
    nobody
        .sign_in("another@example.org", "wrong")
        .await
        .assert_says(429, "Too many tries");
});

on_both!(a_house_full_of_staff_signs_in_from_one_address, "", |app| {
    for _ in 0..25 {
        app.staff(Role::Staff).await;
    }
});

on_both!(
    each_sign_in_has_a_session_of_its_own_and_the_one_before_is_worthless,
    "",
    |app| {
        app.new_staff("jo@example.org", Role::Staff).await;
        let mut jo = StaffClient::new(app);
        jo.sign_in("jo@example.org", PASSWORD).await;
        let first = jo.cookie("latchkey-staff").unwrap().to_owned();
        let mut thief = jo.moved_to(&app.base);

        // A form that is still open in another tab.
        jo.get("/admin/preferences").await;
        jo.post(
            "/admin/sign-in",
            &[("email", "jo@example.org"), ("password", PASSWORD)],
        )
        .await;

        assert_ne!(jo.cookie("latchkey-staff").unwrap(), first);
        assert_eq!(jo.get("/admin/preferences").await.status, 200);
        assert_eq!(thief.get("/admin/preferences").await.status, 303);
    }
);

on_both!(a_planted_cookie_is_not_taken_up, "", |app| {
    app.new_staff("jo@example.org", Role::Staff).await;
    let mut evil = StaffClient::new(app);
    evil.sign_in("jo@example.org", "wrong").await;
    let mut jo = StaffClient::new(app);
    let planted = "x".repeat(120);
    jo.put_cookie("latchkey-staff", &planted);

    let page = jo.sign_in("jo@example.org", PASSWORD).await;

    assert_eq!(page.location(), "/admin");
    assert_ne!(jo.cookie("latchkey-staff"), Some(planted.as_str()));
});

on_both!(
    signed_out_the_session_has_ended_and_back_shows_nothing,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let before = jo.moved_to(&app.base);
        let page = jo.get("/admin/preferences").await;
        assert_eq!(page.headers["cache-control"], "no-store");

        let out = jo.post("/admin/sign-out", &[]).await;

        assert_eq!(out.location(), "/admin/sign-in?signed_out=1");
        jo.get("/admin/sign-in?signed_out=1")
            .await
            .assert_says(200, "You are signed out.");
        let mut before = before;
        assert_eq!(before.get("/admin/preferences").await.status, 303);
        assert_eq!(app.last_audit().await.1, "staff_signed_out");
    }
);

/// How many tries of each kind are timed at once.
const ROUNDS: usize = 20;

/// Median times of a wrong password for a known and for an unknown address.
async fn medians(app: &TestApp, nobody: &mut StaffClient) -> [f64; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        app.execute("DELETE FROM staff_throttles");
        nobody.get("/admin/sign-in").await;
        let known = format!("known{round}@example.org");
        let unknown = format!("nobody{round}@example.org");
        let mut pair = [(0, &known), (1, &unknown)];
        // Whoever comes first finds colder caches.
        if round % 2 == 1 {
            pair.reverse();
        }
        for (of, email) in pair {
            let started = Instant::now();
            let fields = [("email", email.as_str()), ("password", "wrong password")];
            assert_eq!(nobody.post("/admin/sign-in", &fields).await.status, 422);
            times[of].push(started.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64()
    })
}

/// Not on both databases: what takes the time is the hash.
#[tokio::test]
async fn unknown_and_wrong_take_the_same_time() {
    let Some(app) = TestApp::spawn(Backend::Sqlite, "") else {
        return;
    };
    for round in 0..ROUNDS {
        app.new_staff(&format!("known{round}@example.org"), Role::Staff)
            .await;
    }
    let mut nobody = StaffClient::new(&app);
    let mut seen = Vec::new();
    // Other work on the machine disturbs a measurement, but not each of ten; without the hash an unknown address takes a tenth.
    for _ in 0..10 {
        let [known, unknown] = medians(&app, &mut nobody).await;
        if (known - unknown).abs() / known < 0.1 {
            return;
        }
        seen.push((known, unknown));
    }
    panic!("seconds for a known and an unknown address: {seen:?}");
}
