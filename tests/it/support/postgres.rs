//! A fresh PostgreSQL database for each test, copied from one that was migrated once.

use std::env;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use latchkey::storage::{Db, Settings};
use url::Url;

use super::skip::skip;

/// The server to use, as whoever may create databases: `postgres://postgres@127.0.0.1:5432/postgres`. `tests/run` sets it.
const SERVER: &str = "LATCHKEY_TEST_POSTGRES";
/// What the names of our databases begin with.
const PREFIX: &str = "latchkey_test_";
/// Databases of earlier runs that are older than this were left behind by killed ones.
const LEFT_BEHIND_SECONDS: i64 = 86_400;

/// The migrated database that the others are copies of. The lock is held while one is copied: PostgreSQL refuses to copy a
/// database that someone is connected to.
static TEMPLATE: Mutex<Option<String>> = Mutex::new(None);
static COPIES: AtomicU32 = AtomicU32::new(0);

/// A migrated, empty database of a test's own, gone when this is dropped.
pub(crate) struct TestDatabase {
    server: Url,
    name: String,
    url: String,
}

/// A fresh database; `None`, having said so, where there is no PostgreSQL.
pub(crate) fn test_database() -> Option<TestDatabase> {
    create("")
}

/// The server, as whoever may create databases.
pub(crate) fn server_url() -> String {
    env::var_os(SERVER).unwrap().into_string().unwrap()
}

/// A fresh database without any table.
pub(crate) fn empty_database() -> Option<TestDatabase> {
    create("template0")
}

/// A copy of the database `original`; of ours if that is empty.
fn create(original: &str) -> Option<TestDatabase> {
    let Some(server) = env::var_os(SERVER) else {
        skip("no PostgreSQL: LATCHKEY_TEST_POSTGRES is not set, tests/run does that");
        return None;
    };
    let server = Url::parse(server.to_str().unwrap()).unwrap();
    let mut connection = connect(&server);
    // A test that failed in here left the template as it was: whole or absent.
    let mut template = TEMPLATE.lock().unwrap_or_else(|poisoned| {
        TEMPLATE.clear_poison();
        poisoned.into_inner()
    });
    let template = &*template.get_or_insert_with(|| make_template(&server, &mut connection));
    let copy = COPIES.fetch_add(1, Ordering::Relaxed);
    let name = format!("{template}_{copy}");
    let original = if original.is_empty() {
        template.as_str()
    } else {
        original
    };
    run(
        &mut connection,
        &format!("CREATE DATABASE {name} TEMPLATE {original}"),
    );
    let url = url_of(&server, &name);
    Some(TestDatabase { server, name, url })
}

impl TestDatabase {
    /// Its address, for `database.url`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Not a reason to fail: the server may have been stopped by the very test.
        if let Ok(mut connection) = PgConnection::establish(self.server.as_str()) {
            let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            drop(sql_query(drop_it).execute(&mut connection));
        }
    }
}

fn url_of(server: &Url, database: &str) -> String {
    let mut url = server.clone();
    url.set_path(database);
    url.into()
}

#[track_caller]
fn connect(server: &Url) -> PgConnection {
    PgConnection::establish(server.as_str())
        .unwrap_or_else(|error| panic!("{SERVER} is set, but cannot be reached: {error}"))
}

#[track_caller]
fn run(connection: &mut PgConnection, sql: &str) {
    sql_query(sql)
        .execute(connection)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Makes and migrates the template, and tidies up after runs that were killed.
fn make_template(server: &Url, connection: &mut PgConnection) -> String {
    let now = server_time(connection);
    drop_left_behind(connection, now);
    let name = format!("{PREFIX}{now}_{}", process::id());
    run(connection, &format!("DROP DATABASE IF EXISTS {name}"));
    run(connection, &format!("CREATE DATABASE {name}"));
    let db = Db::open(&Settings::new(url_of(server, &name))).unwrap();
    db.migrate().unwrap();
    drop(db);
    end_connections(connection, &name);
    name
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// The server's clock, in seconds since 1970.
fn server_time(connection: &mut PgConnection) -> i64 {
    sql_query("SELECT extract(epoch FROM now())::bigint AS value")
        .get_result::<Number>(connection)
        .unwrap()
        .value
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    datname: String,
}

fn drop_left_behind(connection: &mut PgConnection, now: i64) {
    let names: Vec<Name> = sql_query(
        "SELECT datname::text AS datname FROM pg_database WHERE starts_with(datname, $1)",
    )
    .bind::<Text, _>(PREFIX)
    .get_results(connection)
    .unwrap();
    for Name { datname } in names {
        let created = datname
            .trim_start_matches(PREFIX)
            .split('_')
            .next()
            .and_then(|text| text.parse::<i64>().ok());
        if created.is_some_and(|created| now - created > LEFT_BEHIND_SECONDS) {
            run(
                connection,
                &format!("DROP DATABASE IF EXISTS {datname} WITH (FORCE)"),
            );
        }
    }
}

/// A pool may close its connections a moment after it is dropped, and the template must have none. Copying waits for those that end.
fn end_connections(connection: &mut PgConnection, database: &str) {
    run(
        connection,
        &format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"),
    );
    sql_query(
        "SELECT count(pg_terminate_backend(pid)) AS value FROM pg_stat_activity WHERE datname = $1",
    )
    .bind::<Text, _>(database)
    .get_result::<Number>(connection)
    .unwrap();
}
