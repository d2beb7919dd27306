//! The databases of a run: one for the server, one for the floor and one for the original, made here, filled by generated SQL, removed at the end.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use diesel::{PgConnection, SqliteConnection};

use crate::floor;
use crate::process;

/// Which database a run is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// The databases of a run.
pub(crate) struct Databases {
    pub(crate) server_url: String,
    pub(crate) floor_url: String,
    /// Empty: Django makes its own tables.
    pub(crate) original_url: String,
    /// PostgreSQL's first process, and where its databases are made.
    postgres: Option<(u32, String, [String; 3])>,
}

impl Drop for Databases {
    fn drop(&mut self) {
        if let Some((_, url, names)) = &self.postgres
            && let Ok(mut connection) = PgConnection::establish(url)
        {
            for name in names {
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                // The whole server is about to be removed anyway.
                let _ = connection.batch_execute(&drop);
            }
        }
    }
}

#[derive(QueryableByName)]
struct Pid {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

impl Databases {
    /// New and empty ones. `postgres_url` is an address at which databases may be created.
    pub(crate) fn create(backend: Backend, folder: &Path, postgres_url: Option<&str>) -> Self {
        if backend == Backend::Sqlite {
            let url = |name: &str| format!("sqlite://{}", folder.join(name).display());
            let floor_url = url("floor.db");
            sqlite(&floor_url)
                .batch_execute(floor::SQLITE_TABLES)
                .unwrap();
            return Self {
                server_url: url("latchkey.db"),
                floor_url,
                original_url: url("original.db"),
                postgres: None,
            };
        }
        let base = postgres_url.expect("a PostgreSQL");
        let mut connection = PgConnection::establish(base).unwrap();
        let names =
            ["server", "floor", "original"].map(|of| format!("bench_{of}_{}", std::process::id()));
        for name in &names {
            let create = format!("CREATE DATABASE {name}");
            connection.batch_execute(&create).unwrap();
        }
        let pid: Pid = diesel::sql_query("SELECT pg_backend_pid() AS pid")
            .get_result(&mut connection)
            .unwrap();
        let postmaster = process::parent_of(u32::try_from(pid.pid).unwrap());
        let (server, _) = base.rsplit_once('/').unwrap();
        let [server_url, floor_url, original_url] =
            names.clone().map(|name| format!("{server}/{name}"));
        PgConnection::establish(&floor_url)
            .unwrap()
            .batch_execute(floor::POSTGRES_TABLES)
            .unwrap();
        Self {
            server_url,
            floor_url,
            original_url,
            postgres: Some((postmaster.unwrap(), base.to_owned(), names)),
        }
    }

    /// Processor time that PostgreSQL used so far, in seconds; on SQLite that is the server's own.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        self.postgres.as_ref().map_or(0.0, |(postmaster, ..)| {
            process::family_cpu_seconds(*postmaster)
        })
    }

    /// Fills the server's and the floor's with `users` people u1, u2 ..., each with a social account, a session and an audit entry. Run it once, after
    /// the migrations.
    pub(crate) fn preload(&self, users: i64) {
        if self.postgres.is_some() {
            let mut server = PgConnection::establish(&self.server_url).unwrap();
            server.batch_execute(&postgres_preload(users)).unwrap();
            server.batch_execute("VACUUM ANALYZE").unwrap();
            let mut floor = PgConnection::establish(&self.floor_url).unwrap();
            floor.batch_execute(&format!("
                INSERT INTO floor_accounts (uid, extra_data) SELECT md5('a' || i), repeat('x', 90) FROM generate_series(1, {users}) i;
                INSERT INTO floor_sessions (lookup, expires_at) SELECT decode(md5('s' || i), 'hex'), 4102444800 FROM generate_series(1, {users}) i;
            ")).unwrap();
            floor.batch_execute("VACUUM ANALYZE").unwrap();
        } else {
            sqlite(&self.server_url)
                .batch_execute(&sqlite_preload(users))
                .unwrap();
            sqlite(&self.floor_url).batch_execute(&format!("BEGIN;
                INSERT INTO floor_accounts (uid, extra_data) {n} SELECT lower(hex(randomblob(16))), printf('%090d', i) FROM n;
                INSERT INTO floor_sessions (lookup, expires_at) {n} SELECT randomblob(16), 4102444800 FROM n; COMMIT;
            ", n = numbers(users))).unwrap();
        }
    }
}

fn sqlite(url: &str) -> SqliteConnection {
    let path = url.strip_prefix("sqlite://").unwrap();
    let mut connection = SqliteConnection::establish(path).unwrap();
    let pragmas = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA cache_size = -200000; PRAGMA wal_autocheckpoint = 20000;";
    connection.batch_execute(pragmas).unwrap();
    connection
}

fn numbers(count: i64) -> String {
    format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})")
}

fn sqlite_preload(users: i64) -> String {
    let n = numbers(users);
    let at = "'2026-11-01 10:00:00.000000+00:00'";
    let end = "'2099-11-01 10:00:00.000000+00:00'";
    format!("BEGIN;
        INSERT INTO users (username, username_folded, email, email_folded, email_verified, first_name, last_name, is_active, date_joined, modified_at, social_accounts)
            {n} SELECT 'u' || i, 'u' || i, 'u' || i || '@example.org', 'u' || i || '@example.org', 1, 'Ada', 'Okafor', 1, {at}, {at}, 1 FROM n;
        INSERT INTO last_sign_ins (user_id, at) {n} SELECT i, {at} FROM n;
        INSERT INTO social_auth (user_id, provider, uid, client_id, email, email_verified, extra_data, created_at, modified_at)
            {n} SELECT i, 'bench', 'u' || i, 'bench-client', 'u' || i || '@example.org', 1, '{{\"token_type\":\"Bearer\"}}', {at}, {at} FROM n;
        INSERT INTO sessions (user_id, social_auth_id, refresh_hash, created_at, authenticated_at, last_used_at, expires_at)
            {n} SELECT i, i, randomblob(32), {at}, {at}, {at}, {end} FROM n;
        INSERT INTO audit_log (at, actor_kind, action, user_id, social_auth_id, provider, uid, request_id)
            {n} SELECT {at}, 'anonymous', 'signed_up', i, i, 'bench', 'u' || i, hex(randomblob(12)) FROM n;
        COMMIT;")
}

fn postgres_preload(users: i64) -> String {
    let n = format!("generate_series(1, {users}) i");
    let (at, end) = (
        "'2026-11-01 10:00:00Z'::timestamptz",
        "'2099-11-01 10:00:00Z'::timestamptz",
    );
    format!("
        INSERT INTO users (username, username_folded, email, email_folded, email_verified, first_name, last_name, is_active, date_joined, modified_at, social_accounts)
            SELECT 'u' || i, 'u' || i, 'u' || i || '@example.org', 'u' || i || '@example.org', true, 'Ada', 'Okafor', true, {at}, {at}, 1 FROM {n};
        INSERT INTO last_sign_ins (user_id, at) SELECT i, {at} FROM {n};
        INSERT INTO social_auth (user_id, provider, uid, client_id, email, email_verified, extra_data, created_at, modified_at)
            SELECT i, 'bench', 'u' || i, 'bench-client', 'u' || i || '@example.org', true, '{{\"token_type\":\"Bearer\"}}', {at}, {at} FROM {n};
        INSERT INTO sessions (user_id, social_auth_id, refresh_hash, created_at, authenticated_at, last_used_at, expires_at)
            SELECT i, i, decode(md5('a' || i) || md5('b' || i), 'hex'), {at}, {at}, {at}, {end} FROM {n};
        INSERT INTO audit_log (at, actor_kind, action, user_id, social_auth_id, provider, uid, request_id)
            SELECT {at}, 'anonymous', 'signed_up', i, i, 'bench', 'u' || i, md5('r' || i) FROM {n};")
}
