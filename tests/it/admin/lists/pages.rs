//! The pages, as staff see them.

use std::collections::BTreeSet;

use latchkey::domain::Role;
use latchkey::flows::upkeep;

use super::people::{Person, store};
use crate::support::{Page, StaffClient, TestApp, on_both};

/// The ids of the users that a page lists, in its order.
fn listed(page: &Page) -> Vec<i64> {
    assert_eq!(page.status, 200, "{}", page.html);
    let rows = page.html.split("<tr role=\"row\"><td").skip(1);
    rows.map(|row| {
        let (_, rest) = row.split_once("href=\"/admin/users/").unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    })
    .collect()
}

/// The address of the link with this `rel` or text.
fn link(page: &Page, mark: &str) -> Option<String> {
    let at = page.html.find(mark)?;
    let around = page.html.get(page.html.get(..at)?.rfind("<a ")?..)?;
    let (_, rest) = around.split_once("href=\"")?;
    Some(rest.split('"').next()?.replace("&#38;", "&"))
}

async fn settle(app: &TestApp) {
    upkeep::settle(&app.app.db, &app.app.clock, |_| {})
        .await
        .unwrap();
}

on_both!(
    one_exact_match_is_opened_at_once_and_an_ambiguous_one_is_a_list,
    "",
    |app| {
        let mut account = 0;
        let people = store(app, 1, 60, &mut account).await;
        settle(app).await;
        let mut jo = app.staff(Role::Staff).await;
        let of = people
            .iter()
            .find(|person| !person.accounts.is_empty())
            .unwrap();
        let (first_account, provider, _) = of.accounts[0];

        for typed in [
            of.username.clone(),
            of.username.to_uppercase(),
            format!("uid-{first_account}"),
            format!("{provider}:uid-{first_account}"),
        ] {
            let query = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect::<String>();
            let found = jo.get(&format!("/admin/users?q={query}")).await;
            assert_eq!(
                found.location(),
                format!("/admin/users/{}", of.id),
                "{typed}"
            );
        }
        let told = jo.get("/admin/preferences").await;
        told.assert_says(200, "Opened the only match.");
        let list = link(&told, "Show as a list").unwrap();
        assert_eq!(listed(&jo.get(&list).await), [of.id]);

        let ambiguous = jo.get("/admin/users?q=okafor").await;
        assert_eq!(listed(&ambiguous).len(), 50);
        let nothing = jo.get("/admin/users?q=nobody-of-that-name").await;
        nothing.assert_says(200, "Nothing matches");
        nothing.assert_says(200, "Clear filters");
        nothing.assert_says(200, "nobody-of-that-name");
        jo.get("/admin/users?q=zz")
            .await
            .assert_says(200, "Type at least 3 characters");
    }
);

on_both!(an_address_that_several_users_have_lists_them, "", |app| {
    let mut account = 0;
    let people = store(app, 1, 400, &mut account).await;
    let mut jo = app.staff(Role::Staff).await;
    let email = people
        .iter()
        .filter_map(|person| person.email.clone())
        .find(|email| {
            people
                .iter()
                .filter(|other| other.email.as_ref() == Some(email))
                .count()
                == 2
        })
        .unwrap();
    let mut expected: Vec<i64> = people
        .iter()
        .filter(|person| person.email.as_ref() == Some(&email))
        .map(|person| person.id)
        .collect();
    expected.reverse();

    let list = jo
        .get(&format!("/admin/users?q={}", email.to_uppercase()))
        .await;

    assert_eq!(listed(&list)[..2], expected);
});

on_both!(
    what_looks_like_an_access_token_is_refused_and_kept_nowhere,
    "",
    |app| {
        let mut jo = app.staff(Role::Admin).await;
        let token = "gho_canary0123456789abcdef";

        let refused = jo.get(&format!("/admin/users?q={token}")).await;

        refused.assert_says(
            400,
            "That looks like an access token. It was not searched or logged.",
        );
        assert!(!refused.html.contains("canary"), "{}", refused.html);
        let mut nobody = StaffClient::new(app);
        let signed_out = nobody.get(&format!("/admin/users?q={token}")).await;
        assert!(!signed_out.location().contains("canary"));
        let audit = format!("{:?}", app.audit().await);
        assert!(!audit.contains("canary"), "{audit}");
        assert_eq!(
            app.number("SELECT count(*) AS number FROM staff_sessions WHERE CAST(state AS TEXT) LIKE '%canary%'"),
            0
        );
    }
);

on_both!(
    an_address_shows_the_same_rows_in_the_same_order_to_everybody,
    "",
    |app| {
        let mut account = 0;
        store(app, 1, 200, &mut account).await;
        settle(app).await;
        let mut jo = app.staff(Role::Staff).await;
        let mut kim = app.staff(Role::Superuser).await;

        for query in [
            "status=active&sort=email&dir=desc",
            "provider=google&provider=apple&accounts=2&sort=seen",
            "from=60d&token=expired&rows=25",
            "seen_before=2026-11-01&sort=username",
        ] {
            let path = format!("/admin/users?{query}");
            let page = jo.get(&path).await;
            assert_eq!(listed(&page), listed(&kim.get(&path).await), "{query}");
        }
    }
);

on_both!(removing_a_chip_drops_that_filter_alone, "", |app| {
    let mut account = 0;
    store(app, 1, 60, &mut account).await;
    let mut jo = app.staff(Role::Staff).await;

    let page = jo
        .get("/admin/users?status=active&provider=google&sort=email")
        .await;

    assert!(page.html.contains("Status: active") && page.html.contains("Provider: Google"));
    let remove = "href=\"/admin/users?provider=google&#38;sort=email\"";
    assert!(page.html.contains(remove), "{}", page.html);
    assert!(
        page.html
            .contains("<input type=\"hidden\" name=\"status\" value=\"active\">")
    );
});

on_both!(
    an_unknown_parameter_or_value_is_refused_by_name,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;

        for (query, told) in [
            ("colour=red", "does not know the parameter colour"),
            ("status=gone", "The parameter status is active or inactive."),
            ("from=yesterday", "The parameter from is a date"),
            (
                "status=active&status=inactive",
                "The parameter status is there twice.",
            ),
            ("rows=26", "The parameter rows is 25 or 50 or 100."),
            ("provider=No%20Slug", "The parameter provider"),
        ] {
            for list in ["users", "accounts"] {
                jo.get(&format!("/admin/{list}?{query}"))
                    .await
                    .assert_says(400, told);
            }
        }
    }
);

on_both!(
    a_cursor_of_another_order_leads_to_the_first_page_and_says_so,
    "",
    |app| {
        let mut account = 0;
        store(app, 1, 120, &mut account).await;
        let mut jo = app.staff(Role::Staff).await;
        let first = jo.get("/admin/users?sort=email").await;
        let next = link(&first, "rel=\"next\"").unwrap();

        let other = jo.get(&next.replace("sort=email", "sort=username")).await;
        let first_by_name = jo.get("/admin/users?sort=username").await;

        other.assert_says(200, "belongs to another order or filter");
        assert_eq!(listed(&other), listed(&first_by_name));
        assert!(!first.html.contains("belongs to another order"));
        jo.get("/admin/users?cursor=nonsense")
            .await
            .assert_says(200, "belongs to another order");
    }
);

on_both!(
    a_walk_sees_each_row_once_while_others_sign_up,
    "[providers.fake]\n",
    |app| {
        let mut account = 0;
        store(app, 1, 1_001, &mut account).await;
        settle(app).await;
        let mut jo = app.staff(Role::Staff).await;
        let mut seen = Vec::new();
        let mut path = Some("/admin/users?rows=100".to_owned());
        let mut newcomer = 0;

        // A walk that does not end fails, and does not run on.
        let is_endless = |pages: i32| assert!(pages < 50, "the walk does not end");
        while let Some(at) = path {
            let page = jo.get(&at).await;
            seen.extend(listed(&page));
            newcomer += 1;
            is_endless(newcomer);
            app.sign_up(&format!("newcomer-{newcomer}")).await;
            path = link(&page, "rel=\"next\"");
            if path.is_none() {
                let mut back = Vec::from([listed(&page)]);
                let mut path = link(&page, "rel=\"prev\"");
                while let Some(at) = path {
                    let page = jo.get(&at).await;
                    back.push(listed(&page));
                    path = link(&page, "rel=\"prev\"");
                }
                let back: Vec<i64> = back.into_iter().rev().flatten().collect();
                // Going back, those who came meanwhile are met as well.
                let old: Vec<i64> = back.into_iter().filter(|id| *id <= 1_000).collect();
                assert_eq!(old, (1..=1_000).rev().collect::<Vec<_>>());
            }
        }

        assert_eq!(seen, (1..=1_000).rev().collect::<Vec<_>>());
        let distinct: BTreeSet<i64> = seen.iter().copied().collect();
        assert_eq!(distinct.len(), seen.len());
    }
);

on_both!(the_size_of_a_page_is_remembered, "", |app| {
    let mut account = 0;
    store(app, 1, 120, &mut account).await;
    let mut jo = app.staff(Role::Staff).await;

    assert_eq!(listed(&jo.get("/admin/users").await).len(), 50);
    assert_eq!(listed(&jo.get("/admin/users?rows=25").await).len(), 25);
    assert_eq!(listed(&jo.get("/admin/users").await).len(), 25);
    assert_eq!(
        listed(&jo.get("/admin/users?status=active").await).len(),
        25
    );
});

on_both!(an_empty_list_says_what_to_do_next, "", |app| {
    let mut jo = app.staff(Role::Staff).await;

    let users = jo.get("/admin/users").await;
    let accounts = jo.get("/admin/accounts").await;

    users.assert_says(200, "Nobody has signed up yet");
    users.assert_says(200, "0 in all");
    accounts.assert_says(200, "No social accounts yet");
    for page in [&users, &accounts] {
        assert!(
            page.html
                .contains("href=\"/admin/providers\">Look at the providers")
        );
    }
});

on_both!(
    the_views_are_addresses_and_the_current_one_is_marked,
    "",
    |app| {
        let mut account = 0;
        let people = store(app, 1, 80, &mut account).await;
        settle(app).await;
        let mut jo = app.staff(Role::Staff).await;
        let count =
            |keep: &dyn Fn(&Person) -> bool| people.iter().filter(|person| keep(person)).count();

        for (query, label, expected) in [
            ("", "All users", people.len()),
            (
                "?accounts=2",
                "Several accounts",
                count(&|person| person.accounts.len() >= 2),
            ),
            (
                "?accounts=0",
                "No account",
                count(&|person| person.accounts.is_empty()),
            ),
            (
                "?status=inactive",
                "Inactive",
                count(&|person| !person.is_active),
            ),
        ] {
            let page = jo.get(&format!("/admin/users{query}")).await;
            assert!(
                page.html.contains(&format!(
                    "href=\"/admin/users{query}\" aria-current=\"page\">{label}</a>"
                )),
                "{}",
                page.html
            );
            page.assert_says(200, &format!(" of {expected} ·"));
        }
        let new = jo.get("/admin/users?from=today").await;
        assert!(new.html.contains("aria-current=\"page\">New today"));
        let expired = jo.get("/admin/users?token=expired").await;
        assert!(
            expired
                .html
                .contains("aria-current=\"page\">Access token expired")
        );
    }
);

on_both!(the_list_of_accounts_opens_their_users, "", |app| {
    let mut account = 0;
    let people = store(app, 1, 40, &mut account).await;
    settle(app).await;
    let mut jo = app.staff(Role::Staff).await;

    let page = jo.get("/admin/accounts?provider=google&rows=100").await;

    let mut expected: Vec<(i64, i64)> = people
        .iter()
        .flat_map(|person| person.accounts.iter().map(|account| (account, person.id)))
        .filter(|((_, provider, _), _)| *provider == "google")
        .map(|((id, _, _), user)| (*id, user))
        .collect();
    expected.sort_unstable_by_key(|(id, _)| -id);
    assert_eq!(
        listed(&page),
        expected.iter().map(|(_, user)| *user).collect::<Vec<_>>()
    );
    assert!(page.html.contains(&format!("uid-{}", expected[0].0)));
    assert!(!page.html.contains("sealed"));
});
