//! What a page asks of the database: few queries, each of them bounded.

use latchkey::domain::Role;
use latchkey::flows::upkeep;

use super::people::store;
use crate::support::{Backend, StaffClient, TestApp, statements};

/// Queries of one page, besides those that find out whose session it is.
const MOST: usize = 6;

const PAGES: &[&str] = &[
    "/admin/users",
    "/admin/users?sort=username",
    "/admin/users?sort=email",
    "/admin/users?sort=email&dir=desc",
    "/admin/users?sort=seen",
    "/admin/users?provider=google",
    "/admin/users?provider=kakao&sort=email",
    "/admin/users?provider=google&provider=github",
    "/admin/users?provider=nobody-has-it",
    "/admin/users?from=today",
    "/admin/users?from=300d&to=2026-10-01&sort=seen",
    "/admin/users?status=inactive",
    "/admin/users?status=active&sort=username",
    "/admin/users?accounts=0",
    "/admin/users?accounts=1",
    "/admin/users?accounts=2&sort=email",
    "/admin/users?token=expired",
    "/admin/users?seen_before=2026-10-01",
    "/admin/users?from=300d&provider=google&accounts=2&status=active&seen_before=2026-10-01&token=expired",
    "/admin/users?q=okafor",
    "/admin/users?q=user1&sort=username&provider=apple",
    "/admin/users?q=zz",
    "/admin/accounts",
    "/admin/accounts?provider=google",
    "/admin/accounts?provider=google&provider=apple",
    "/admin/accounts?status=inactive",
    "/admin/accounts?accounts=2&token=expired",
    "/admin/accounts?seen_before=2026-10-01",
    "/admin/accounts?from=today",
    "/admin/users/7",
];

/// Pages of figures, and how many queries they need. They put together what several tables count.
const FIGURES: &[(&str, usize)] = &[
    ("/admin/overview", 14),
    ("/admin/overview?period=24h", 14),
    ("/admin/providers", 10),
    ("/admin/providers/google", 10),
];

/// The queries of a page, without the two that find out whose session it is. The upkeep may ask in between, so the page is
/// asked for again while there is anything to object to.
async fn queries(app: &TestApp, staff: &mut StaffClient, path: &str) -> (Vec<String>, Vec<String>) {
    let mut asked = Vec::new();
    let mut nexts = Vec::new();
    for _ in 0..20 {
        app.statements();
        let page = staff.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.html);
        let mut statements = app.statements();
        statements.retain(|sql| {
            let is_query = sql.starts_with("SELECT") || sql.starts_with("WITH");
            is_query && !sql.contains("staff_sessions")
        });
        assert!(!statements.is_empty(), "nothing was heard of {path}");
        nexts = page
            .html
            .split("href=\"")
            .filter_map(|rest| rest.split('"').next())
            .filter(|href| href.contains("cursor="))
            .map(|href| href.replace("&#38;", "&"))
            .collect();
        asked = statements;
        if objection(&asked).is_none() {
            break;
        }
    }
    (asked, nexts)
}

/// What is wrong with the queries of a page.
fn objection(queries: &[String]) -> Option<String> {
    if queries.len() > MOST {
        return Some(format!("{} queries", queries.len()));
    }
    let is_fine = |sql: &&String| is_limited(sql) && counts_are_bounded(sql);
    queries.iter().find(|sql| !is_fine(sql)).cloned()
}

/// Whether a statement stops somewhere, or looks up the one row of a key.
fn is_limited(sql: &str) -> bool {
    let plain = sql.replace(['`', '"'], "");
    plain.contains(" LIMIT ") || plain.contains(" WHERE (users.id = ")
}

/// Whether every count is one of rows that were limited before.
fn counts_are_bounded(sql: &str) -> bool {
    let sql = sql.to_lowercase();
    sql.split("count(")
        .skip(1)
        .all(|rest| rest.starts_with("*) from (select") && rest.contains(" limit "))
}

async fn check(app: &TestApp, staff: &mut StaffClient, pages: &[&str]) {
    for first in pages {
        let mut path = (*first).to_owned();
        // The first page, the next, and back.
        for _ in 0..3 {
            let (queries, nexts) = queries(app, staff, &path).await;
            assert_eq!(objection(&queries), None, "{path}: {queries:#?}");
            let Some(next) = nexts.last() else {
                break;
            };
            path.clone_from(next);
        }
    }
}

/// The queries of a page of figures. The upkeep may ask in between, so that the fewest count.
async fn fewest(app: &TestApp, staff: &mut StaffClient, path: &str) -> usize {
    let mut fewest = usize::MAX;
    for _ in 0..5 {
        fewest = fewest.min(queries(app, staff, path).await.0.len());
    }
    fewest
}

async fn look(backend: Backend) {
    statements::listen();
    let Some(app) = TestApp::spawn(backend, "[providers.google]\nclient_id = \"ours\"\n") else {
        return;
    };
    let mut account = 0;
    store(&app, 1, 150, &mut account).await;
    let mut staff = app.staff(Role::Admin).await;
    check(&app, &mut staff, PAGES).await;

    let settled = upkeep::settle(&app.app.db, &app.app.clock, |_| {}).await;
    settled.unwrap();
    store(&app, 150, 180, &mut account).await;

    check(&app, &mut staff, PAGES).await;

    // Providers that nobody configured need no query each.
    app.execute("UPDATE social_auth SET provider = 'gone-' || (id % 30) WHERE id % 2 = 0");
    for (path, most) in FIGURES {
        let asked = fewest(&app, &mut staff, path).await;
        assert!(asked <= *most, "{path}: {asked} queries");
    }
}

/// Pages that find too few among those who have what they are ordered by, and go on to those who lack it.
const LONG_WAYS: &[&str] = &[
    "/admin/users?status=active&sort=email",
    "/admin/users?status=active&sort=email&dir=desc",
    "/admin/users?status=active&sort=seen",
    "/admin/users?q=okafor&sort=email&as=list",
];

async fn look_far(backend: Backend) {
    statements::listen();
    let Some(app) = TestApp::spawn(backend, "") else {
        return;
    };
    let mut account = 0;
    // More than a page looks at, of whom fewer have an address or a sign-in.
    let people = match backend {
        Backend::Sqlite => 3_400,
        Backend::Postgres => 2_400,
    };
    store(&app, 1, people, &mut account).await;
    for change in [
        "UPDATE users SET email = NULL, email_folded = NULL, email_verified = FALSE WHERE id % 2 = 0",
        "DELETE FROM last_sign_ins WHERE user_id % 2 = 0",
        "UPDATE users SET is_active = FALSE WHERE id % 200 <> 0",
        "UPDATE users SET last_name = 'Zimmer' WHERE email IS NOT NULL",
    ] {
        app.execute(change);
    }
    let settled = upkeep::settle(&app.app.db, &app.app.clock, |_| {}).await;
    settled.unwrap();
    store(&app, people, people + 20, &mut account).await;
    let mut staff = app.staff(Role::Admin).await;

    check(&app, &mut staff, LONG_WAYS).await;
}

#[tokio::test]
async fn six_queries_are_enough_where_those_who_lack_the_order_begin_on_sqlite() {
    look_far(Backend::Sqlite).await;
}

#[tokio::test]
async fn six_queries_are_enough_where_those_who_lack_the_order_begin_on_postgres() {
    look_far(Backend::Postgres).await;
}

#[tokio::test]
async fn six_bounded_queries_are_enough_for_a_page_on_sqlite() {
    look(Backend::Sqlite).await;
}

#[tokio::test]
async fn six_bounded_queries_are_enough_for_a_page_on_postgres() {
    look(Backend::Postgres).await;
}

#[test]
fn a_count_of_a_whole_table_is_recognised() {
    assert!(counts_are_bounded(
        "SELECT count(*) FROM (SELECT 1 FROM users LIMIT 3) AS few"
    ));
    assert!(!counts_are_bounded("SELECT count(*) FROM users LIMIT 1"));
    assert!(!counts_are_bounded(
        "SELECT COUNT(id) FROM (SELECT id FROM users LIMIT 1)"
    ));
    assert!(!counts_are_bounded(
        "SELECT count(*) FROM (SELECT 1 FROM users)"
    ));
}
