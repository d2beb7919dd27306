//! Forms that another site sends, or that were not shown to this browser.

use latchkey::domain::Role;

use crate::support::staff::{PASSWORD, with_form};
use crate::support::{StaffClient, on_both};

const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");

on_both!(a_form_without_the_right_token_is_refused, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    let mut al = app.staff(Role::Staff).await;
    let mut nobody = StaffClient::new(app);
    nobody.get("/admin/sign-in").await;
    let (right, foreign, visitors) = (
        jo.csrf().to_owned(),
        al.csrf().to_owned(),
        nobody.csrf().to_owned(),
    );

    for token in [
        None,
        Some(""),
        Some("x"),
        Some(foreign.as_str()),
        Some(visitors.as_str()),
    ] {
        let mut fields = vec![("theme", "dark")];
        fields.extend(token.map(|token| ("csrf", token)));
        let request = jo
            .request("POST", "/admin/preferences")
            .header(SAME.0, SAME.1);
        let page = jo.send(with_form(request, &fields)).await;
        page.assert_says(403, "That form was not accepted");
        assert!(page.set_cookie("latchkey-preferences").is_none());
    }
    let request = jo
        .request("POST", "/admin/preferences")
        .header(SAME.0, SAME.1);
    let page = jo
        .send(with_form(
            request,
            &[("theme", "dark"), ("csrf", right.as_str())],
        ))
        .await;
    assert_eq!(page.status, 303);
    al.get("/admin/preferences").await;
});

on_both!(
    a_form_from_another_site_is_refused_even_with_the_right_token,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let own = app.base.clone();
        let cases: &[(&[(&str, &str)], u16)] = &[
            (&[("sec-fetch-site", "cross-site")], 403),
            (&[("sec-fetch-site", "same-site")], 403),
            (&[("sec-fetch-site", "none")], 403),
            (&[("origin", "https://evil.example")], 403),
            (&[("origin", "http://127.0.0.1")], 403),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://evil.example"),
                ],
                403,
            ),
            (&[("origin", own.as_str())], 303),
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "null")],
                303,
            ),
            (&[], 303),
        ];
        for (headers, expected) in cases {
            let csrf = jo.csrf().to_owned();
            let mut request = jo.request("POST", "/admin/preferences");
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let page = jo
                .send(with_form(request, &[("csrf", csrf.as_str())]))
                .await;
            assert_eq!(page.status, *expected, "{headers:?}");
            // The page of the refusal shows the token as well.
            assert_eq!(jo.csrf(), csrf);
        }
    }
);

on_both!(
    the_public_url_is_an_origin_of_ours,
    "[server]\npublic_url = \"https://id.example.org\"\n",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let csrf = jo.csrf().to_owned();
        for (origin, expected) in [
            ("https://id.example.org", 303),
            ("https://id.example.org.evil.example", 403),
        ] {
            let request = jo
                .request("POST", "/admin/preferences")
                .header("origin", origin);
            let page = jo
                .send(with_form(request, &[("csrf", csrf.as_str())]))
                .await;
            assert_eq!(page.status, expected, "{origin}");
        }
    }
);

on_both!(
    nobody_is_signed_in_by_a_form_that_was_not_shown_to_them,
    "",
    |app| {
        app.new_staff("evil@example.org", Role::Staff).await;
        let mut evil = StaffClient::new(app);
        evil.get("/admin/sign-in").await;
        let mut victim = StaffClient::new(app);
        let fields = [
            ("email", "evil@example.org"),
            ("password", PASSWORD),
            ("csrf", evil.csrf()),
        ];

        let request = victim
            .request("POST", "/admin/sign-in")
            .header(SAME.0, SAME.1);
        let without_cookie = victim.send(with_form(request, &fields)).await;
        let request = victim
            .request("POST", "/admin/sign-in")
            .header(SAME.0, SAME.1);
        let with_another = victim.send(with_form(request, &fields)).await;

        without_cookie.assert_says(403, "That form was not accepted");
        with_another.assert_says(403, "That form was not accepted");
        assert!(victim.cookie("latchkey-staff").is_none());
    }
);

on_both!(a_form_of_another_kind_or_size_is_refused, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    let csrf = jo.csrf().to_owned();

    let request = jo
        .request("POST", "/admin/preferences")
        .header("content-type", "text/plain");
    jo.send(request.body(format!("csrf={csrf}")))
        .await
        .assert_says(403, "That form was not accepted");
    let request = jo.request("POST", "/admin/preferences");
    let big = "x".repeat(70_000);
    jo.send(with_form(
        request,
        &[("csrf", csrf.as_str()), ("zone", big.as_str())],
    ))
    .await
    .assert_says(413, "That is too much at once");
});
