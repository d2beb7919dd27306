//! What pages ask the database: never for an unknown number of rows, and never for the size of a table.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use latchkey::domain::Role;
use latchkey::flows::upkeep;

use super::people::store;
use crate::support::{Backend, TestApp};

/// The statements to each watched database, without their values.
static SEEN: LazyLock<Mutex<HashMap<String, BTreeSet<String>>>> = LazyLock::new(Mutex::default);

/// The part of a database's address that tells it from others, however it is written.
fn key(url: &str) -> &str {
    url.strip_prefix("sqlite://")
        .unwrap_or_else(|| url.rsplit('/').next().unwrap())
}

/// Notes statements of one connection.
#[derive(Default)]
struct Watch {
    database: String,
}

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                url.clone_into(&mut self.database);
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let mut seen = SEEN.lock().unwrap();
                let watched = seen
                    .iter_mut()
                    .find(|(key, _)| self.database.contains(key.as_str()));
                if let Some((_, statements)) = watched {
                    let text = query.to_string();
                    let text = text.split(" -- binds").next().unwrap();
                    statements.insert(text.split_whitespace().collect::<Vec<_>>().join(" "));
                }
            }
            _ => {}
        }
    }
}

async fn pages_ask_for_a_bounded_number_of_rows(backend: Backend) {
    set_default_instrumentation(|| Some(Box::new(Watch::default()))).unwrap();
    let Some(app) = TestApp::spawn(backend, "[providers.fake]\n") else {
        return;
    };
    let mut account = 0;
    store(&app, 1, 120, &mut account).await;
    upkeep::settle(&app.app.db, &app.app.clock, |_| {})
        .await
        .unwrap();
    let mut jo = app.staff(Role::Superuser).await;
    let watched = key(app.database_url()).to_owned();
    SEEN.lock()
        .unwrap()
        .insert(watched.clone(), BTreeSet::new());

    for path in [
        "/admin/overview",
        "/admin/overview?period=30d",
        "/admin/users",
        "/admin/users?sort=email&dir=desc",
        "/admin/users?status=inactive",
        "/admin/users?accounts=0",
        "/admin/users?accounts=2&sort=seen",
        "/admin/users?provider=kakao",
        "/admin/users?provider=google&provider=apple",
        "/admin/users?from=7d&to=today",
        "/admin/users?token=expired",
        "/admin/users?seen_before=2026-01-01",
        "/admin/users?q=okafor",
        "/admin/users?q=uid-1",
        "/admin/accounts",
        "/admin/accounts?provider=google&token=expired",
        "/admin/activity",
        "/admin/activity?user=1",
        "/admin/activity?action=signed_up",
        "/admin/providers",
        "/admin/providers/fake",
        "/admin/users/1",
        "/admin/settings",
        "/admin/settings/health",
    ] {
        let page = jo.get(path).await;
        assert!(matches!(page.status, 200 | 303), "{path}: {}", page.status);
    }

    let statements = SEEN.lock().unwrap().remove(&watched).unwrap();
    assert!(statements.len() > 20, "{statements:#?}");
    let open_ended: Vec<&String> = statements
        .iter()
        .filter(|statement| !is_bounded(statement))
        .collect();
    assert!(open_ended.is_empty(), "{open_ended:#?}");
}

/// Tables that grow with the people who use the service.
const GROWING: [&str; 9] = [
    "users",
    "social_auth",
    "sessions",
    "audit_log",
    "last_sign_ins",
    "unlinked_accounts",
    "user_search",
    "deactivations",
    "token_checks",
];

/// Whether a statement reads a number of rows that does not grow with the tables: up to a limit, of one user, of one block of ids,
/// or whether there is any.
fn is_bounded(statement: &str) -> bool {
    let text = statement.to_lowercase().replace(['"', '`'], "");
    let is_read = text.starts_with("select") || text.starts_with("with");
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let grows = words
        .windows(2)
        .any(|pair| matches!(pair[0], "from" | "join") && GROWING.contains(&pair[1]));
    let bounds = [
        " limit ",
        "select exists (",
        "(users.id = ?)",
        "(users.id = $",
        "(1=0)",
    ];
    let is_of_a_block = text.contains("id >= ") && text.contains("id < ");
    !is_read || !grows || is_of_a_block || bounds.iter().any(|bound| text.contains(bound))
}

#[test]
fn a_query_without_end_is_found() {
    for open_ended in [
        "SELECT count(*) FROM \"users\"",
        "SELECT `users`.`id` FROM `users` ORDER BY `users`.`id` DESC",
        "WITH a AS (SELECT 1 FROM audit_log) SELECT * FROM a",
    ] {
        assert!(!is_bounded(open_ended), "{open_ended}");
    }
    for bounded in [
        "SELECT count(*) FROM (SELECT 1 FROM users LIMIT 10001) some",
        "SELECT `users`.`username` FROM `users` WHERE (`users`.`id` = ?)",
        "SELECT `staff`.`id` FROM `staff`",
    ] {
        assert!(is_bounded(bounded), "{bounded}");
    }
}

#[tokio::test]
async fn pages_ask_for_a_bounded_number_of_rows_on_sqlite() {
    pages_ask_for_a_bounded_number_of_rows(Backend::Sqlite).await;
}

#[tokio::test]
async fn pages_ask_for_a_bounded_number_of_rows_on_postgres() {
    pages_ask_for_a_bounded_number_of_rows(Backend::Postgres).await;
}
