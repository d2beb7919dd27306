//! Every role against every line of the table of routes.

use latchkey::domain::Role;
use latchkey::web::admin::routes::{Access, AdminRoute, ROUTES};

use crate::support::{Page, StaffClient, on_both};

/// Ids and names that a pattern may want: nothing has them, so that no line changes anything.
fn address(pattern: &str) -> String {
    pattern
        .split('/')
        .map(|part| {
            if part.starts_with('{') {
                "999999999"
            } else {
                part
            }
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// What the guard said: it lets on, sends away or refuses. What the handler says is of no interest here.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    LetOn,
    SentToSignIn,
    Forbidden,
}

async fn ask(browser: &mut StaffClient, method: &str, path: &str) -> Verdict {
    // Without token: a handler that is reached refuses the form, and nothing is changed.
    let request = browser
        .request(method, path)
        .header("sec-fetch-site", "same-origin");
    let page = browser.send(request).await;
    let sent_to = page
        .headers
        .get("location")
        .map(|to| to.to_str().unwrap().to_owned());
    match (page.status, sent_to) {
        (401, _) => Verdict::SentToSignIn,
        (303, Some(to))
            if to.starts_with("/admin/sign-in?next=")
                || (to == "/admin/sign-in" && path == "/admin") =>
        {
            Verdict::SentToSignIn
        }
        (403, _) if page.html.contains("Your role does not allow that") => Verdict::Forbidden,
        _ => Verdict::LetOn,
    }
}

on_both!(
    each_role_reaches_what_the_table_says_and_nothing_else,
    "",
    |app| {
        let mut browsers = vec![(None, StaffClient::new(app))];
        for role in Role::ALL {
            browsers.push((Some(role), app.staff(role).await));
        }

        for route in ROUTES {
            for (role, browser) in &mut browsers {
                let expected = match (route.access.least_role(), *role) {
                    (Some(_), None) => Verdict::SentToSignIn,
                    (Some(least), Some(role)) if role < least => Verdict::Forbidden,
                    (None, _) | (Some(_), Some(_)) => Verdict::LetOn,
                };
                let verdict = ask(browser, route.method.as_str(), &address(route.path)).await;
                assert_eq!(
                    verdict, expected,
                    "{} {} as {role:?}",
                    route.method, route.path
                );
            }
        }
    }
);

on_both!(
    whoever_owes_a_factor_reaches_nothing_that_needs_a_role,
    "[admin]\nrequire_second_factor = true\n",
    |app| {
        app.new_staff("jo@example.org", Role::Superuser).await;
        let mut jo = StaffClient::new(app);
        jo.sign_in("jo@example.org", crate::support::staff::PASSWORD)
            .await;

        for route in ROUTES
            .iter()
            .filter(|route| matches!(route.access, Access::Least(_)))
        {
            let request = jo.request(route.method.as_str(), &address(route.path));
            let page = jo.send(request).await;
            assert_eq!(
                page.location(),
                "/admin/settings/second-factor",
                "{} {}",
                route.method,
                route.path
            );
        }
    }
);

/// The line of the table that an address of a page leads to.
fn line_of(method: &str, address: &str) -> Option<&'static AdminRoute> {
    let path = address.split(['?', '#']).next().unwrap();
    let fits = |pattern: &str| {
        let (a, b): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.starts_with('{') || a == b)
    };
    ROUTES
        .iter()
        .find(|route| route.method == method && fits(route.path))
}

/// Where the links and forms of a page lead, with their methods.
fn ways_on(page: &Page) -> Vec<(&'static str, String)> {
    let quoted = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split('"').next()?.to_owned())
    };
    let tags = page.html.split('<').filter_map(|tag| tag.split('>').next());
    tags.filter_map(|tag| {
        if tag.starts_with("form ") {
            let is_post = tag.contains("method=\"post\"");
            Some((if is_post { "POST" } else { "GET" }, quoted(tag, "action")?))
        } else {
            let href = quoted(tag, "href").filter(|href| href.starts_with("/admin"));
            Some(("GET", href.filter(|_| tag.starts_with("a "))?))
        }
    })
    .collect()
}

on_both!(
    a_page_has_no_button_that_its_reader_may_not_use,
    "[providers.fake]\n",
    |app| {
        app.sign_up("ada").await;
        for role in Role::ALL {
            let mut browser = app.staff(role).await;
            for path in [
                "/admin/overview",
                "/admin/users",
                "/admin/users/1",
                "/admin/accounts",
                "/admin/activity",
                "/admin/activity/1",
                "/admin/providers",
                "/admin/providers/fake",
                "/admin/settings",
                "/admin/settings/health",
                "/admin/settings/second-factor",
                "/admin/settings/webhooks",
                "/admin/preferences",
            ] {
                let page = browser.get(path).await;
                assert_eq!(page.status, 200, "{path}");
                let ways = ways_on(&page);
                assert!(ways.len() > 8, "{path}: {ways:?}");
                for (method, address) in ways {
                    let line = line_of(method, &address);
                    let line = line.unwrap_or_else(|| panic!("{path}: no line for {address}"));
                    assert!(
                        line.access.least_role() <= Some(role),
                        "{role:?} sees {method} {address} on {path}"
                    );
                }
            }
        }
    }
);

/// Another way to add a page would go past the guard.
#[test]
fn every_page_stands_in_the_table_once_and_below_admin() {
    let mut seen = std::collections::BTreeSet::new();
    for route in ROUTES {
        assert!(
            route.path == "/admin" || route.path.starts_with("/admin/"),
            "{}",
            route.path
        );
        assert!(
            seen.insert((route.method.as_str(), route.path)),
            "{} twice",
            route.path
        );
    }
    let may_be_open = [
        "/admin/sign-in",
        "/admin/sign-in/providers/{provider}",
        "/admin/sign-in/complete/{provider}",
        "/admin/sign-in/code",
        "/admin/sign-out",
        "/admin/welcome",
    ];
    for route in ROUTES.iter().filter(|route| route.access == Access::Anyone) {
        assert!(
            may_be_open.contains(&route.path),
            "{} is open to anyone",
            route.path
        );
    }
}

on_both!(
    an_address_that_is_not_in_the_table_is_a_page_of_its_own,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let page = jo.get("/admin/none").await;
        page.assert_says(404, "There is nothing here");
        assert!(page.html.contains("<nav class=\"nav\""));
        let request = jo.request("PUT", "/admin/preferences");
        let page = jo.send(request).await;
        page.assert_says(405, "That cannot be done here");
        assert_eq!(page.headers["allow"], "GET, POST");
        jo.get("/admin/settings/staff/x")
            .await
            .assert_says(403, "Your role does not allow that");
    }
);
