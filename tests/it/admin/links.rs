//! One-time links: the first superuser, invitations, forgotten passwords; and the command that prints one.

use std::time::Duration;

use latchkey::domain::Role;
use latchkey::flows::staff::issue_first_link;

use crate::support::{Page, StaffClient, TestApp, in_place, on_both};

const NEW: &str = "another good password";
const SPENT: &str = "This link cannot be used";

async fn first_link(app: &TestApp) -> Option<String> {
    let token = issue_first_link(&app.app).await.unwrap();
    token.map(|token| format!("/admin/welcome?token={}", token.expose()))
}

async fn accept(browser: &mut StaffClient, link: &str, fields: &[(&str, &str)]) -> Page {
    // The page of a spent link has no form; a browser that sends one all the same has seen another.
    browser.get("/admin/sign-in").await;
    browser.get(link).await;
    let token = link.split("token=").nth(1).unwrap();
    let mut fields = fields.to_vec();
    fields.push(("token", token));
    browser.post("/admin/welcome", &fields).await
}

on_both!(the_first_link_makes_the_first_superuser_once, "", |app| {
    let link = first_link(app).await.unwrap();
    let mut jo = StaffClient::new(app);
    let fields = [
        ("email", "jo@example.org"),
        ("display_name", "Jo Meyer"),
        ("password", NEW),
    ];
    jo.get(&link).await.assert_says(200, "You are the first.");

    let done = accept(&mut jo, &link, &fields).await;

    assert_eq!(done.location(), "/admin");
    jo.get("/admin/settings")
        .await
        .assert_says(200, "Superuser");
    let mut late = StaffClient::new(app);
    late.get(&link).await.assert_says(404, SPENT);
    accept(&mut late, &link, &fields)
        .await
        .assert_says(404, SPENT);
    assert_eq!(first_link(app).await, None);
    assert_eq!(app.number("SELECT count(*) AS number FROM staff"), 1);
});

on_both!(
    of_many_first_links_at_once_one_makes_a_superuser,
    "",
    |app| {
        let mut browsers = Vec::new();
        for number in 0..6 {
            let link = first_link(app).await.unwrap();
            let mut browser = StaffClient::new(app);
            browser.get(&link).await;
            browsers.push((browser, link, format!("n{number}@example.org")));
        }
        let sent = browsers
            .iter_mut()
            .map(|(browser, link, email)| async move {
                let token = link.split("token=").nth(1).unwrap();
                let fields = [
                    ("token", token),
                    ("email", email.as_str()),
                    ("display_name", "N"),
                    ("password", NEW),
                ];
                browser.post("/admin/welcome", &fields).await.status
            });

        let statuses = futures_util::future::join_all(sent).await;

        assert_eq!(
            statuses.iter().filter(|status| **status == 303).count(),
            1,
            "{statuses:?}"
        );
        assert_eq!(app.number("SELECT count(*) AS number FROM staff"), 1);
    }
);

on_both!(a_first_link_holds_for_fifteen_minutes, "", |app| {
    let link = first_link(app).await.unwrap();
    app.advance(Duration::from_mins(15));
    StaffClient::new(app)
        .get(&link)
        .await
        .assert_says(404, SPENT);
});

on_both!(
    what_does_not_fit_is_told_by_field_and_uses_nothing_up,
    "",
    |app| {
        let link = first_link(app).await.unwrap();
        let mut jo = StaffClient::new(app);

        let page = accept(&mut jo, &link, &[("email", "jo"), ("password", NEW)]).await;
        page.assert_says(422, "Write an address like jo@example.org.");
        assert!(
            page.html.contains("href=\"#email\"") && page.html.contains("href=\"#display_name\"")
        );
        let fields = [
            ("email", "jo@example.org"),
            ("display_name", "Jo Meyer"),
            ("password", "jo meyer 123"),
        ];
        accept(&mut jo, &link, &fields)
            .await
            .assert_says(422, "That is too easy to guess");
        jo.get(&link).await.assert_says(200, "You are the first.");
    }
);

on_both!(
    an_invitation_sets_the_password_of_that_account_once,
    "",
    |app| {
        let mut admin = app.staff(Role::Superuser).await;
        admin.get("/admin/settings/staff/invite").await;
        let fields = [
            ("email", "al@example.org"),
            ("display_name", "Al <b>"),
            ("role", "admin"),
            ("must_have_second_factor", "yes"),
        ];
        let page = admin.post("/admin/settings/staff/invite", &fields).await;
        page.assert_says(200, "It works once, for 24 hours, and is shown only now.");
        assert!(page.html.contains("Al &#60;b&#62;"), "{}", page.html);
        let link = page
            .html
            .split("value=\"")
            .find(|rest| rest.contains("/admin/welcome?token="))
            .unwrap();
        let link = link
            .split('"')
            .next()
            .unwrap()
            .strip_prefix(&app.base)
            .unwrap()
            .to_owned();

        let mut al = StaffClient::new(app);
        al.get(&link).await.assert_says(200, "al@example.org");
        let done = accept(&mut al, &link, &[("password", NEW)]).await;

        assert_eq!(done.location(), "/admin");
        assert_eq!(
            al.get("/admin/settings").await.location(),
            "/admin/settings/second-factor"
        );
        accept(&mut StaffClient::new(app), &link, &[("password", NEW)])
            .await
            .assert_says(404, SPENT);
        assert_eq!(
            app.text("SELECT role AS text FROM staff WHERE email = 'al@example.org'"),
            "admin"
        );
        let hashes =
            app.number("SELECT count(*) AS number FROM staff_links WHERE length(hash) = 32");
        assert_eq!(hashes, 1);
    }
);

on_both!(
    a_new_link_makes_the_one_before_worthless_and_ends_sessions_when_used,
    "",
    |app| {
        let mut admin = app.staff(Role::Superuser).await;
        let mut al = app.staff(Role::Staff).await;
        let path = format!("/admin/settings/staff/{}/link", al.id);
        let mut links = Vec::new();
        for _ in 0..2 {
            admin.get(&format!("/admin/settings/staff/{}", al.id)).await;
            let page = admin.post(&path, &[]).await;
            let link = page
                .html
                .split("value=\"")
                .find(|rest| rest.contains("token="))
                .unwrap()
                .to_owned();
            links.push(
                link.split('"')
                    .next()
                    .unwrap()
                    .strip_prefix(&app.base)
                    .unwrap()
                    .to_owned(),
            );
        }

        StaffClient::new(app)
            .get(&links[0])
            .await
            .assert_says(404, SPENT);
        assert_eq!(al.get("/admin/settings").await.status, 200);
        let mut browser = StaffClient::new(app);
        assert_eq!(
            accept(&mut browser, &links[1], &[("password", NEW)])
                .await
                .status,
            303
        );
        assert_eq!(al.get("/admin/settings").await.status, 303);
    }
);

/// The link that a command printed, without its origin.
fn printed(output: &str) -> String {
    let (_, rest) = output.split_once("/admin/welcome?token=").unwrap();
    let token = rest.split_whitespace().next().unwrap();
    format!("/admin/welcome?token={token}")
}

in_place!(
    without_staff_a_start_prints_a_link_and_with_staff_none,
    |place| {
        let service = place.serve("");
        let link = printed(&service.output_with("/admin/welcome?token="));
        let mut jo = StaffClient::at(&service.base);
        let fields = [
            ("email", "jo@example.org"),
            ("display_name", "Jo Meyer"),
            ("password", NEW),
        ];

        assert_eq!(accept(&mut jo, &link, &fields).await.location(), "/admin");

        service.signal("TERM");
        let (status, output) = service.ended();
        assert!(status.success(), "{output}");
        let again = place.serve("");
        assert!(
            !again.output().contains("/admin/welcome"),
            "{}",
            again.output()
        );
    }
);

in_place!(createsuperuser_works_beside_the_running_service, |place| {
    let service = place.serve("");
    let file = place.write("password", "a password from a file\nnot this line\n");
    let command = |email: &str, more: &[&str]| {
        let mut arguments = vec!["createsuperuser", "--email", email];
        let url = place.url().to_owned();
        arguments.extend(["--database-url", url.as_str()]);
        arguments.extend(more);
        place.run(&arguments)
    };

    let output = command("jo@example.org", &["--name", "Jo Meyer"]).succeeded();
    let with_file = command(
        "al@example.org",
        &["--password-file", file.to_str().unwrap()],
    );

    assert!(
        with_file
            .succeeded()
            .contains("al@example.org is a superuser and can sign in.")
    );
    let mut jo = StaffClient::at(&service.base);
    let done = accept(&mut jo, &printed(&output), &[("password", NEW)]).await;
    assert_eq!(done.location(), "/admin");
    let mut al = StaffClient::at(&service.base);
    assert_eq!(
        al.sign_in("al@example.org", "a password from a file")
            .await
            .location(),
        "/admin"
    );
    command("JO@example.org", &[]).failed_with(&["has this address already", "another --email"]);
    command("jo", &[]).failed_with(&["no address of mail", "--email jo@example.org"]);
    place.write("password", "short\n");
    command(
        "ed@example.org",
        &["--password-file", file.to_str().unwrap()],
    )
    .failed_with(&["at least 12 characters"]);
});
