//! What all pages of staff share.

use latchkey::domain::Role;

use crate::support::{Page, StaffClient, on_both};

pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

on_both!(
    the_theme_form_sets_the_cookie_and_the_next_page_has_it,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let before = jo.get("/admin/preferences").await;

        let set = jo
            .post(
                "/admin/preferences",
                &[("theme", "dark"), ("back", "/admin/preferences?x=1")],
            )
            .await;
        let after = jo.get("/admin/preferences").await;

        assert_eq!(set.location(), "/admin/preferences?x=1");
        assert!(
            before
                .html
                .contains("<html lang=\"en\" dir=\"ltr\" data-keys>")
        );
        assert!(
            after
                .html
                .contains("<html lang=\"en\" dir=\"ltr\" data-theme=\"dark\" data-keys>")
        );
    }
);

on_both!(keys_are_on_until_somebody_switches_them_off, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    let mut nobody = StaffClient::new(app);
    let has_keys = |page: &Page| {
        let dialog = page.html.contains("<dialog id=\"keys\"");
        assert_eq!(page.html.contains(" data-keys>"), dialog);
        dialog
    };

    assert!(has_keys(&jo.get("/admin/preferences").await));
    jo.post("/admin/preferences", &[("keys", "off")]).await;
    assert!(!has_keys(&jo.get("/admin/preferences").await));
    // The rest stays as it is, and so do they.
    for field in [("theme", "light"), ("keys", "sometimes")] {
        jo.post("/admin/preferences", &[field]).await;
        assert!(!has_keys(&jo.get("/admin/preferences").await));
    }
    jo.post("/admin/preferences", &[("keys", "on")]).await;
    assert!(has_keys(&jo.get("/admin/preferences").await));
    assert!(!has_keys(&nobody.get("/admin/sign-in").await));
});

on_both!(
    the_zone_changes_the_title_of_times_and_not_the_instant,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;

        let utc = jo.get("/admin/preferences").await;
        jo.post("/admin/preferences", &[("zone", "Asia/Tokyo")])
            .await;
        let tokyo = jo.get("/admin/preferences").await;

        assert!(utc.html.contains(" UTC\">"));
        assert!(tokyo.html.contains(" JST\">") && tokyo.html.contains("Times in Asia/Tokyo"));
        let datetime = |page: &Page| page.between("datetime=\"", "\"").unwrap().to_owned();
        assert!(datetime(&tokyo).ends_with('Z'), "{}", datetime(&tokyo));
        let hour = |page| datetime(page).split(':').next().unwrap().to_owned();
        assert_eq!(hour(&tokyo), hour(&utc));
    }
);

on_both!(every_answer_has_the_headers_and_nothing_inline, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    let mut nobody = StaffClient::new(app);

    for page in [
        jo.get("/admin/preferences").await,
        jo.get("/admin/nothing-here").await,
        jo.post("/admin/preferences", &[]).await,
        nobody.get("/admin/sign-in").await,
        nobody.get("/admin/nothing-here").await,
        nobody.get("/admin").await,
        nobody.post("/admin/sign-in", &[]).await,
    ] {
        let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-security-policy"), POLICY);
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert!(header("permissions-policy").contains("camera=()"));
        for inline in [
            " style=",
            "<style",
            "<script>",
            "javascript:",
            "data:",
            " onclick",
            " onload",
        ] {
            assert!(!page.html.contains(inline), "{inline} in {}", page.html);
        }
        let ours = page.html.matches("<script src=\"/static/admin.").count();
        assert_eq!(page.html.matches("<script").count(), ours);
        assert_eq!(ours, usize::from(!page.html.is_empty()));
    }
});

on_both!(
    assets_are_named_by_their_content_and_kept_for_good,
    "",
    |app| {
        let mut nobody = StaffClient::new(app);
        let page = nobody.get("/admin/sign-in").await;

        for (before, content_type) in [
            ("rel=\"stylesheet\" href=\"", "text/css; charset=utf-8"),
            ("<script src=\"", "text/javascript; charset=utf-8"),
            ("rel=\"icon\" href=\"", "image/svg+xml"),
        ] {
            let asset = nobody.get(page.between(before, "\"").unwrap()).await;
            assert_eq!(asset.status, 200);
            assert_eq!(asset.headers["content-type"], content_type);
            assert_eq!(
                asset.headers["cache-control"],
                "public, max-age=31536000, immutable"
            );
        }
        assert_eq!(
            nobody.get("/static/admin.000000000000.css").await.status,
            404
        );
    }
);

on_both!(signed_out_a_page_leads_to_the_sign_in_and_back, "", |app| {
    app.new_staff("jo@example.org", Role::Staff).await;
    let mut jo = StaffClient::new(app);

    let sent = jo.get("/admin/preferences?x=a%20b").await;
    assert_eq!(
        sent.location(),
        "/admin/sign-in?next=%2Fadmin%2Fpreferences%3Fx%3Da%2520b"
    );

    let page = jo.get(sent.location()).await;
    let next = page.hidden("next").unwrap();
    let fields = [
        ("email", "Jo@Example.org "),
        ("password", crate::support::staff::PASSWORD),
        ("next", next.as_str()),
    ];
    let signed_in = jo.post("/admin/sign-in", &fields).await;
    assert_eq!(signed_in.location(), "/admin/preferences?x=a%20b");
});
