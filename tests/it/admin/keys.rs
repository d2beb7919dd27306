//! What script adds to the pages: keys, closing what is open, copying.

use latchkey::domain::Role;
use serde_json::json;

use crate::support::{StaffClient, assert_nothing_wrong, chromium_script, on_both};

/// More than a page has.
const PEOPLE: usize = 27;

on_both!(
    keys_lead_through_lists_and_are_silent_while_one_types_or_wants_none,
    "[providers.fake]\n",
    |app| {
        for number in 0..PEOPLE {
            app.sign_up(&format!("person-{number}")).await;
        }
        let mut jo = app.staff(Role::Admin).await;
        jo.get("/admin/users/1").await;
        let viewed = "SELECT id AS number FROM audit_log WHERE action = 'user_viewed'";
        let job = json!({
            "visitor": "admin", "list": "/admin/users?rows=25", "person": "/admin/users/1", "uid": "person-0",
            "entry": format!("/admin/activity/{}", app.number(viewed)),
        });

        let report = chromium_script(app, "keys.mjs", &[("admin", &jo)], job).await;

        if let Some(report) = report {
            assert_nothing_wrong(&report);
            let steps = [
                "rows",
                "pages",
                "search",
                "modifiers",
                "help",
                "popovers",
                "copying",
                "switchedOff",
                "withoutScript",
            ];
            assert_eq!(report["steps"], json!(steps));
        }
    }
);

on_both!(
    the_script_is_small_and_writes_neither_markup_nor_styles,
    "",
    |app| {
        let mut nobody = StaffClient::new(app);
        let page = nobody.get("/admin/sign-in").await;

        let script = nobody
            .get(page.between("<script src=\"", "\"").unwrap())
            .await;

        assert_eq!(script.status, 200);
        assert!(script.html.len() <= 3000, "{} bytes", script.html.len());
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "style",
            "eval",
            "Function(",
            "fetch",
            "import",
        ] {
            assert!(!script.html.contains(word), "{word}");
        }
    }
);
