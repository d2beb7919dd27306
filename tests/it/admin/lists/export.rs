//! Exports.

use std::time::{Duration, Instant};

use latchkey::domain::Role;
use latchkey::flows::upkeep;
use latchkey::storage::audit::AuditRecord;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::people::store;
use crate::support::{Backend, StaffClient, TestApp, on_both, statements};

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

/// Rows of an export that is far more than the connection and the service hold back together.
const MANY: i64 = 20_000;

/// Stores that many users, social accounts and entries of the audit log, all of them wide.
fn store_many(app: &TestApp) {
    let wide = "Wolfeschlegelsteinhausenbergerdorff ".repeat(8);
    let cast = |value: String, to: &str| match app.backend() {
        Backend::Sqlite => value,
        Backend::Postgres => format!("CAST({value} AS {to})"),
    };
    let at = cast(
        "'2026-11-01 12:00:00.000000+00:00'".to_owned(),
        "timestamptz",
    );
    let json = cast(format!("'{{\"note\": \"{wide}\"}}'"), "jsonb");
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})");
    for insert in [
        format!(
            "INSERT INTO users (id, username, username_folded, email_verified, first_name, last_name, is_active, date_joined, modified_at, social_accounts) \
             {numbers} SELECT i, 'u' || i, 'u' || i, FALSE, '{wide}', '{wide}', TRUE, {at}, {at}, 1 FROM n"
        ),
        format!(
            "INSERT INTO social_auth (id, user_id, provider, uid, email_verified, extra_data, created_at, modified_at) \
             {numbers} SELECT i, i, 'google', 'uid-' || i, FALSE, {json}, {at}, {at} FROM n"
        ),
        format!(
            "INSERT INTO audit_log (at, actor_kind, action, detail, request_id) \
             {numbers} SELECT {at}, 'anonymous', 'signed_up', {json}, 'r' || i FROM n"
        ),
    ] {
        app.execute(&insert);
    }
}

/// Asks for an export and takes no more of it than its first bytes.
async fn begin(app: &TestApp, jo: &StaffClient, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // Else the kernel would take in megabytes for whoever takes nothing.
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let host = app.base.trim_start_matches("http://");
    let mut stream = socket.connect(host.parse().unwrap()).await.unwrap();
    let cookies: Vec<String> = jo
        .cookies()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {}\r\n\r\n",
        cookies.join("; ")
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut taken = Vec::new();
    while !taken.windows(4).any(|end| end == b"\r\n\r\n") || taken.ends_with(b"\r\n\r\n") {
        let mut some = [0; 1024];
        let count = stream.read(&mut some).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&taken));
        taken.extend(&some[..count]);
    }
    assert!(taken.starts_with(b"HTTP/1.1 200 "), "{path}");
    stream
}

/// How many pages of the list the service has read by now, once it waits for the client.
async fn pages_read(app: &TestApp) -> usize {
    let mut read = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let statements = app.statements();
        let more = statements
            .iter()
            .filter(|sql| sql.starts_with("WITH found AS"))
            .count();
        if more == 0 && read > 0 {
            return read;
        }
        read += more;
    }
}

async fn stream(backend: Backend) {
    statements::listen();
    let Some(app) = TestApp::spawn(backend, "") else {
        return;
    };
    store_many(&app);
    let jo = app.staff(Role::Admin).await;
    let pages = usize::try_from(MANY / 500).unwrap();

    let mut first_bytes = Vec::new();
    for ended in 1..=3 {
        app.statements();
        let asked = Instant::now();
        let connection = begin(&app, &jo, "/admin/users/export?format=ndjson").await;
        first_bytes.push(asked.elapsed());

        let read = pages_read(&app).await;

        assert!(read < pages / 2, "{read} of {pages} pages were read ahead");
        drop(connection);
        assert_eq!(exports(&app, 2 * ended).await.len(), 2 * ended);
    }
    // The machine may do other things at the same time.
    let first_byte = first_bytes.iter().min().unwrap();
    assert!(first_byte.as_millis() < 200, "{first_byte:?}");
}

#[tokio::test]
async fn an_export_is_sent_while_it_is_read_on_sqlite() {
    stream(Backend::Sqlite).await;
}

#[tokio::test]
async fn an_export_is_sent_while_it_is_read_on_postgres() {
    stream(Backend::Postgres).await;
}

on_both!(
    an_export_that_its_client_breaks_off_is_written_down_with_what_was_sent,
    "",
    |app| {
        store_many(app);
        let mut jo = app.staff(Role::Admin).await;

        for (ended, (path, list)) in (1..).zip([
            ("/admin/users/export?format=ndjson", "users"),
            ("/admin/users/export?format=csv", "users"),
            ("/admin/accounts/export?format=csv", "accounts"),
            ("/admin/activity/export", "activity"),
        ]) {
            drop(begin(app, &jo, path).await);

            let entries = exports(app, 2 * ended).await;
            let end = entries.last().unwrap();
            let detail = end.detail.clone().unwrap();
            let rows = detail["rows"].as_i64().unwrap();
            assert_eq!(end.reason.as_deref(), Some("broken_off"), "{path}");
            assert_eq!(detail["list"], list);
            assert!(0 < rows && rows < MANY, "{path}: {rows}");
        }
        let all = jo.get("/admin/users/export?format=ndjson").await;
        assert_eq!(i64::try_from(all.html.lines().count()).unwrap(), MANY);
        let end = exports(app, 10).await.pop().unwrap();
        assert_eq!(end.reason.as_deref(), Some("complete"));
        assert_eq!(end.detail.unwrap()["rows"], MANY);
    }
);
