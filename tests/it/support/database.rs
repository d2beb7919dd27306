//! Looks at a database, and changes it, behind the server's back.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::query_dsl::methods::LoadQuery;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

fn sqlite(url: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(url.trim_start_matches("sqlite://")).unwrap();
    connection
        .batch_execute("PRAGMA busy_timeout = 5000")
        .unwrap();
    connection
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite://")
}

/// Runs statements.
#[track_caller]
pub(crate) fn execute(url: &str, sql: &str) {
    let result = if is_sqlite(url) {
        sqlite(url).batch_execute(sql)
    } else {
        PgConnection::establish(url).unwrap().batch_execute(sql)
    };
    result.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[track_caller]
fn rows<T>(url: &str, sql: &str) -> Vec<T>
where
    diesel::query_builder::SqlQuery:
        for<'q> LoadQuery<'q, SqliteConnection, T> + for<'q> LoadQuery<'q, PgConnection, T>,
{
    let result = if is_sqlite(url) {
        diesel::RunQueryDsl::load(sql_query(sql), &mut sqlite(url))
    } else {
        diesel::RunQueryDsl::load(sql_query(sql), &mut PgConnection::establish(url).unwrap())
    };
    result.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The values `text` of a query's rows.
#[track_caller]
pub(crate) fn texts(url: &str, sql: &str) -> Vec<String> {
    rows::<Line>(url, sql)
        .into_iter()
        .map(|line| line.text)
        .collect()
}

/// The value `number` of a query's one row.
#[track_caller]
pub(crate) fn number(url: &str, sql: &str) -> i64 {
    rows::<Number>(url, sql).remove(0).number
}

/// What must hold at every instant, whatever was killed: nothing is half there, and the file is sound.
#[track_caller]
pub(crate) fn assert_sound(url: &str) {
    for (what, sql) in [
        (
            "users without a social account",
            "SELECT count(*) AS number FROM users u WHERE NOT EXISTS (SELECT 1 FROM social_auth s WHERE s.user_id = u.id)",
        ),
        (
            "social accounts without a user",
            "SELECT count(*) AS number FROM social_auth s WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id)",
        ),
        (
            "users whose number of social accounts is not that of their rows",
            "SELECT count(*) AS number FROM users u WHERE u.social_accounts <> (SELECT count(*) FROM social_auth s WHERE s.user_id = u.id)",
        ),
        (
            "users without a last sign-in",
            "SELECT count(*) AS number FROM users u WHERE NOT EXISTS (SELECT 1 FROM last_sign_ins l WHERE l.user_id = u.id)",
        ),
        (
            "sessions without a user",
            "SELECT count(*) AS number FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id)",
        ),
        (
            "social accounts that are there twice",
            "SELECT count(*) AS number FROM (SELECT 1 FROM social_auth GROUP BY provider, uid HAVING count(*) > 1) twice",
        ),
        (
            "user names that are there twice",
            "SELECT count(*) AS number FROM (SELECT 1 FROM users GROUP BY username_folded HAVING count(*) > 1) twice",
        ),
        (
            "users whose sign-up is not in the audit log exactly once",
            "SELECT count(*) AS number FROM users u WHERE (SELECT count(*) FROM audit_log a WHERE a.action = 'signed_up' AND a.user_id = u.id) <> 1",
        ),
        (
            "sign-ups in the audit log without a user",
            "SELECT count(*) AS number FROM audit_log a WHERE a.action = 'signed_up' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = a.user_id)",
        ),
    ] {
        assert_eq!(number(url, sql), 0, "{what}");
    }
    if is_sqlite(url) {
        assert_eq!(
            texts(
                url,
                "SELECT integrity_check AS text FROM pragma_integrity_check"
            ),
            ["ok"]
        );
        assert_eq!(
            number(
                url,
                "SELECT count(*) AS number FROM pragma_foreign_key_check"
            ),
            0
        );
    }
}
