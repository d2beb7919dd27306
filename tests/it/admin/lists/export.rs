//! Exports.

use latchkey::domain::Role;
use latchkey::flows::upkeep;
use latchkey::storage::audit::AuditRecord;

use super::people::store;
use crate::support::{TestApp, on_both};

/// The entries of exports, the earliest first, once there are `count` of them.
async fn exports(app: &TestApp, count: usize) -> Vec<AuditRecord> {
    // The last entry is written after the last byte was handed on.
    for _ in 0..500 {
        let mut entries = app.audit().await;
        entries.retain(|entry| entry.action == "list_exported");
        entries.reverse();
        if entries.len() >= count {
            return entries;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the exports were not written down");
}

on_both!(
    an_export_has_the_rows_of_the_view_and_is_written_down,
    "",
    |app| {
        let mut account = 0;
        let people = store(app, 1, 1_300, &mut account).await;
        upkeep::settle(&app.app.db, &app.app.clock, |_| {})
            .await
            .unwrap();
        app.execute("UPDATE users SET first_name = '=cmd|'' /C calc''!A0' WHERE id = 7");
        let mut jo = app.staff(Role::Admin).await;
        let active = people.iter().filter(|person| person.is_active).count();

        let ndjson = jo
            .get("/admin/users/export?status=active&sort=username&format=ndjson")
            .await;
        let csv = jo.get("/admin/users/export?format=csv").await;

        assert_eq!(ndjson.status, 200, "{}", ndjson.html);
        let rows: Vec<serde_json::Value> = ndjson
            .html
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(rows.len(), active);
        assert!(rows.is_sorted_by_key(|row| row["username"].as_str().unwrap().to_lowercase()));
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
        assert!(
            csv.headers["content-disposition"]
                .to_str()
                .unwrap()
                .starts_with("attachment; filename=\"users-")
        );
        assert_eq!(csv.html.lines().count(), people.len() + 1);
        assert!(csv.html.contains("'=cmd|") && !csv.html.contains(",=cmd"));
        for text in [&ndjson.html, &csv.html] {
            assert!(!text.contains("sealed") && !text.contains("access_token"));
        }
        let entries = exports(app, 4).await;
        assert_eq!(entries[0].reason.as_deref(), Some("begun"));
        let end = entries[1].detail.clone().unwrap();
        assert_eq!(end["rows"], active);
        assert_eq!(
            end["query"],
            serde_json::json!({"status": "active", "sort": "username"})
        );
        assert_eq!(
            (entries[1].actor_kind.as_str(), entries[1].reason.as_deref()),
            ("staff", Some("complete"))
        );
    }
);

on_both!(
    an_export_of_social_accounts_tells_the_state_of_the_access_token_alone,
    "",
    |app| {
        let mut account = 0;
        let people = store(app, 1, 60, &mut account).await;
        let mut jo = app.staff(Role::Admin).await;

        let csv = jo.get("/admin/accounts/export?format=csv").await;

        let accounts: usize = people.iter().map(|person| person.accounts.len()).sum();
        assert_eq!(csv.html.lines().count(), accounts + 1, "{}", csv.html);
        assert!(csv.html.contains(",expired,") && !csv.html.contains("1.x"));
    }
);

on_both!(
    staff_below_admin_neither_see_nor_use_the_export,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;

        let page = jo.get("/admin/users").await;
        let refused = jo.get("/admin/users/export?format=csv").await;

        assert!(!page.html.contains("Export"));
        assert_eq!(refused.status, 403);
        let mut admin = app.staff(Role::Admin).await;
        assert!(
            admin
                .get("/admin/users")
                .await
                .html
                .contains("/admin/users/export?format=ndjson")
        );
        admin
            .get("/admin/users/export")
            .await
            .assert_says(400, "The parameter format is csv or ndjson.");
    }
);

on_both!(
    what_was_searched_for_is_not_written_down_with_an_export,
    "",
    |app| {
        let mut account = 0;
        store(app, 1, 20, &mut account).await;
        let mut jo = app.staff(Role::Admin).await;

        let csv = jo.get("/admin/users/export?q=okafor&format=csv").await;

        assert_eq!(csv.html.lines().count(), 20);
        let entries = exports(app, 2).await;
        assert_eq!(
            entries[1].detail.clone().unwrap()["query"],
            serde_json::json!({"q": "not recorded"})
        );
    }
);
