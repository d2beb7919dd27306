//! The audit log: every filter, walking through it, and taking it away.

use latchkey::domain::Role;
use serde_json::{Value, json};

use crate::support::{Page, StaffClient, TestApp, on_both};

/// The ids of the entries that a page lists.
fn ids(page: &Page) -> Vec<i64> {
    page.html
        .split("href=\"/admin/activity/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next().unwrap().parse().ok())
        .collect()
}

/// Where the link to older or newer entries leads.
fn link(page: &Page, rel: &str) -> Option<String> {
    let mark = format!("rel=\"{rel}\" href=\"");
    let (_, rest) = page.html.split_once(&mark)?;
    Some(
        rest.split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&")
            .replace("&amp;", "&"),
    )
}

fn fill(app: &TestApp) {
    for n in 0..6 {
        let slug = if n % 2 == 0 { "github" } else { "google" };
        let action = if n == 3 { "refused" } else { "signed_up" };
        app.execute(&format!(
            "INSERT INTO audit_log (at, actor_kind, action, reason, user_id, provider, request_id) \
             VALUES ('2026-11-0{} 12:00:00.000000+00:00', 'anonymous', '{action}', {}, {n}, '{slug}', 'r{n}')",
            n + 1,
            if n == 3 { "'wrong_audience'" } else { "NULL" },
        ));
    }
}

async fn found(jo: &mut StaffClient, query: &str) -> Vec<i64> {
    let page = jo.get(&format!("/admin/activity?{query}")).await;
    assert_eq!(page.status, 200, "{}", page.html);
    ids(&page)
}

on_both!(
    each_filter_finds_its_entries_before_and_after_the_roll_up,
    "",
    |app| {
        fill(app);
        let mut jo = app.staff(Role::Admin).await;
        let first: i64 = app.number("SELECT min(id) AS number FROM audit_log");
        let of = |n: &[i64]| n.iter().map(|n| first + n).collect::<Vec<_>>();

        for _ in 0..2 {
            for (query, expected) in [
                ("provider=google", &[5, 3, 1][..]),
                ("action=refused", &[3]),
                ("user=2", &[2]),
                ("from=2026-11-03&to=2026-11-04", &[3, 2]),
                ("provider=github&from=2026-11-02&action=signed_up", &[4, 2]),
                ("actor=system", &[]),
                ("provider=google&action=unlinked", &[]),
            ] {
                assert_eq!(found(&mut jo, query).await, of(expected), "{query}");
            }
            app.roll_up().await;
        }
        let id = jo.id;
        let own = jo.get(&format!("/admin/activity?actor=staff:{id}")).await;
        own.assert_says(200, "Who: Jo Meyer");
        assert!(ids(&own).iter().all(|id| *id > first + 5));
    }
);

on_both!(pages_lead_through_every_entry_once_and_back, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    jo.post("/admin/preferences", &[("page_size", "25")]).await;
    for _ in 0..10 {
        fill(app);
    }
    app.roll_up().await;
    fill(app);
    let expected = app
        .number("SELECT count(*) AS number FROM audit_log WHERE provider IN ('github', 'google')");

    let mut page = jo.get("/admin/activity?actor=anonymous").await;
    let first = ids(&page);
    let mut seen = first.clone();
    while let Some(next) = link(&page, "next") {
        page = jo.get(&next).await;
        seen.extend(ids(&page));
    }
    let mut back = page;
    while let Some(previous) = link(&back, "prev") {
        back = jo.get(&previous).await;
    }

    assert_eq!(seen.len(), usize::try_from(expected).unwrap());
    assert!(seen.is_sorted_by(|a, b| a > b));
    assert_eq!(ids(&back), first);
});

on_both!(
    an_entry_shows_what_was_changed_and_leads_to_who_and_whom,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let id = jo.id;
        app.execute(&format!(
            "INSERT INTO audit_log (at, actor_kind, actor_id, action, reason, detail, user_id, request_id, address) \
             VALUES ('2026-11-01 12:00:00.000000+00:00', 'staff', {id}, 'deactivated', 'Asked by <mail>', \
             '{{\"before\": {{\"is_active\": true}}, \"after\": {{\"is_active\": false}}}}', 42, 'req-1', '192.0.2.7')"
        ));
        let entry = app.number("SELECT max(id) AS number FROM audit_log");

        let page = jo.get(&format!("/admin/activity/{entry}")).await;

        page.assert_says(200, "Deactivated a user");
        for text in [
            "<td>is active</td><td>true</td><td>false</td>",
            "href=\"/admin/users/42\"",
            "Jo Meyer",
            "Asked by &#60;mail&#62;",
            "req-1",
            "192.0.2.7",
        ] {
            assert!(page.html.contains(text), "{text} is not in {}", page.html);
        }
        assert_eq!(jo.get("/admin/activity/999999").await.status, 404);
    }
);

on_both!(
    an_export_has_the_entries_of_the_filter_and_is_audited,
    "",
    |app| {
        for _ in 0..90 {
            fill(app);
        }
        let mut jo = app.staff(Role::Admin).await;

        let export = jo.get("/admin/activity/export?provider=google").await;

        assert_eq!(export.status, 200, "{}", export.html);
        assert_eq!(export.headers["content-type"], "application/x-ndjson");
        let lines: Vec<Value> = export
            .html
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 270);
        assert!(lines.iter().all(|line| line["provider"] == "google"));
        assert!(lines.is_sorted_by(|a, b| a["id"].as_i64() > b["id"].as_i64()));
        let audit = app.audit().await;
        let details: Vec<_> = audit
            .iter()
            .filter(|entry| entry.action == "list_exported")
            .map(|entry| entry.detail.clone().unwrap())
            .collect();
        assert_eq!(details.len(), 2);
        assert_eq!(details[0]["rows"], 270);
        assert_eq!(details[1]["query"]["provider"], "google");
    }
);

on_both!(staff_may_look_but_not_export, "", |app| {
    let mut jo = app.staff(Role::Staff).await;

    let page = jo.get("/admin/activity").await;

    assert!(!page.html.contains("/admin/activity/export"));
    assert_eq!(jo.get("/admin/activity/export").await.status, 403);
    jo.get("/admin/activity?action=unlinked")
        .await
        .assert_says(200, "Nothing matches");
});

on_both!(
    an_api_client_is_called_by_its_title,
    "[providers.fake]\n",
    |app| {
        let ada = app.hand_in(&app.access_token_of("ada").await).await;
        let user = ada.body["id"].as_i64().unwrap();
        let token = app.api_token("admin:read admin:write").await;
        let account = ada.body["social_auth"]["id"].as_i64().unwrap();
        let unlink = format!("/admin/api/users/{user}/accounts/{account}/unlink");
        let plan = app.get(&unlink, Some(&token)).await;
        let body =
            json!({"version": plan.body["version"], "reason": "Ticket 5190", "last_way_in": true});
        assert_eq!(app.post(&unlink, &body, Some(&token)).await.status, 200);
        let deactivate = format!("/admin/api/users/{user}/deactivate");
        let body = json!({ "reason": "Ticket 5191" });
        assert_eq!(app.post(&deactivate, &body, Some(&token)).await.status, 200);
        let mut jo = app.staff(Role::Staff).await;

        let list = jo.get("/admin/activity?action=unlinked").await;
        let entry = jo.get(&format!("/admin/activity/{}", ids(&list)[0])).await;
        let person = jo.get(&format!("/admin/users/{user}")).await;
        let client = app.number("SELECT id AS number FROM api_clients");
        let own = jo
            .get(&format!("/admin/activity?actor=api_client:{client}"))
            .await;

        let title = "Support desk (API client)";
        list.assert_says(200, &format!(">{title}</td>"));
        entry.assert_says(200, &format!(">{title}</a>"));
        for words in [
            format!("{title} unlinked it"),
            format!("{title} deactivated this user"),
            format!("<small>{title} · Ticket 5190"),
        ] {
            person.assert_says(200, &words);
        }
        own.assert_says(200, &format!("Who: {title}"));
        assert!(
            own.html
                .contains(&format!("value=\"api_client:{client}\" checked"))
        );
        for page in [&list, &entry, &person] {
            assert!(!page.html.contains(&format!("API client {client}")));
        }
    }
);
