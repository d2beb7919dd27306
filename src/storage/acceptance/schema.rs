//! Migrations, and that both databases have the same tables.

use diesel::prelude::*;
use diesel_migrations::MigrationHarness as _;

use super::database::{TestDb, lines};
use super::*;
use crate::storage::{Backend, migrations, pg, sqlite};

const SQLITE_SCHEMA: &str = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS line FROM sqlite_schema \
     WHERE name NOT LIKE '%diesel%' AND name NOT LIKE 'sqlite_%' ORDER BY line";
const POSTGRES_SCHEMA: &str = "SELECT line FROM ( \
     SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(collation_name, '') AS line \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '%diesel%' \
     UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '%diesel%' \
     UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
         WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '%diesel%') AS all_of_it ORDER BY line";
/// The index of trigrams is a virtual table on SQLite, with tables of its own, and an index on PostgreSQL.
const SQLITE_COLUMNS: &str = "SELECT t.name || '.' || c.name || CASE WHEN c.\"notnull\" THEN ' not null' ELSE '' END AS line \
     FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c \
     WHERE t.type = 'table' AND t.name NOT LIKE '%diesel%' AND t.name NOT LIKE 'sqlite_%' \
     AND t.name NOT LIKE 'user_search_trigrams%' ORDER BY line";
const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END \
     COLLATE \"C\" AS line FROM information_schema.columns \
     WHERE table_schema = 'public' AND table_name NOT LIKE '%diesel%' ORDER BY line";
const SQLITE_INDEXES: &str = "SELECT name AS line FROM sqlite_schema \
     WHERE type = 'index' AND name NOT LIKE 'sqlite_%' ORDER BY name";
/// Those of UNIQUE and PRIMARY KEY have names of their own on each side.
const POSTGRES_INDEXES: &str = "SELECT indexname::text COLLATE \"C\" AS line FROM pg_indexes WHERE schemaname = 'public' \
     AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key' \
     AND indexname <> 'user_search_trigrams' ORDER BY line";

macro_rules! read_everything {
    ($backend:ident, $connection:expr) => {{
        use $backend::schema::*;
        let connection = &mut **$connection;
        assert_eq!(
            users::table.select(users::all_columns).execute(connection),
            Ok(0)
        );
        assert_eq!(
            last_sign_ins::table
                .select(last_sign_ins::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            social_auth::table
                .select(social_auth::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            sessions::table
                .select(sessions::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            audit_log::table
                .select(audit_log::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            webhook_deliveries::table
                .select(webhook_deliveries::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            upkeep_marks::table
                .select(upkeep_marks::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            user_blocks::table
                .select(user_blocks::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            social_auth_blocks::table
                .select(social_auth_blocks::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            user_search::table
                .select(user_search::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            user_gaps::table
                .select(user_gaps::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            social_auth_index::table
                .select(social_auth_index::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            nonces::table
                .select(nonces::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            link_tickets::table
                .select(link_tickets::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            api_clients::table
                .select(api_clients::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            staff::table.select(staff::all_columns).execute(connection),
            Ok(0)
        );
        assert_eq!(
            staff_recovery_codes::table
                .select(staff_recovery_codes::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            staff_sessions::table
                .select(staff_sessions::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            staff_links::table
                .select(staff_links::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            staff_providers::table
                .select(staff_providers::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            authorizations::table
                .select(authorizations::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            staff_throttles::table
                .select(staff_throttles::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            daily_counts::table
                .select(daily_counts::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            hourly_counts::table
                .select(hourly_counts::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            audit_kinds::table
                .select(audit_kinds::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            audit_blocks::table
                .select(audit_blocks::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            audit_hours::table
                .select(audit_hours::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            provider_checks::table
                .select(provider_checks::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            provider_latencies::table
                .select(provider_latencies::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            provider_health::table
                .select(provider_health::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            unlinked_accounts::table
                .select(unlinked_accounts::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            standing_orders::table
                .select(standing_orders::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            token_checks::table
                .select(token_checks::all_columns)
                .execute(connection),
            Ok(0)
        );
        assert_eq!(
            deactivations::table
                .select(deactivations::all_columns)
                .execute(connection),
            Ok(0)
        );
    }};
}

on_both! {
    the_schema_is_the_same_after_up_down_and_up
    every_column_of_every_table_can_be_read
    a_second_migration_does_nothing
}

async fn schema(db: &Db) -> Vec<String> {
    let sql = match db.backend() {
        Backend::Sqlite => SQLITE_SCHEMA,
        Backend::Postgres => POSTGRES_SCHEMA,
    };
    db.read(move |reader| lines(reader, sql)).await.unwrap()
}

async fn the_schema_is_the_same_after_up_down_and_up(db: Db) {
    let before = schema(&db).await;

    db.migrate_down();
    let without = schema(&db).await;
    let applied = db.migrate().unwrap();

    assert!(before.len() > 15, "{before:?}");
    assert_eq!(without, [""; 0]);
    assert!(applied.len() >= 5, "{applied:?}");
    assert_eq!(schema(&db).await, before);
}

async fn a_second_migration_does_nothing(db: Db) {
    assert_eq!(db.pending_migrations().unwrap(), [""; 0]);
    assert_eq!(db.migrate().unwrap(), [""; 0]);
}

async fn every_column_of_every_table_can_be_read(db: Db) {
    db.read(|reader| {
        match reader.connection() {
            crate::storage::connection::Connection::Sqlite(connection) => {
                read_everything!(sqlite, connection);
            }
            crate::storage::connection::Connection::Postgres(connection) => {
                read_everything!(pg, connection);
            }
        }
        Ok::<_, StorageError>(())
    })
    .await
    .unwrap();
}

impl Db {
    /// Undoes every migration.
    fn migrate_down(&self) {
        match self.backend() {
            Backend::Sqlite => {
                let mut connection = sqlite::open_writer(self.address()).unwrap();
                connection
                    .revert_all_migrations(migrations::SQLITE)
                    .unwrap();
            }
            Backend::Postgres => {
                let mut connection = PgConnection::establish(self.address()).unwrap();
                connection
                    .revert_all_migrations(migrations::POSTGRES)
                    .unwrap();
            }
        }
    }
}

#[test]
fn both_databases_have_the_same_tables_columns_and_indexes() {
    let Some(postgres) = TestDb::postgres() else {
        return;
    };
    let sides = [
        (TestDb::sqlite(), SQLITE_COLUMNS, SQLITE_INDEXES),
        (postgres, POSTGRES_COLUMNS, POSTGRES_INDEXES),
    ];
    let [ours, theirs] = sides.map(|(test_db, columns, indexes)| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let db = test_db.open();
            db.migrate().unwrap();
            let columns = db.read(move |reader| lines(reader, columns)).await.unwrap();
            let indexes = db.read(move |reader| lines(reader, indexes)).await.unwrap();
            db.close().await;
            (columns, indexes)
        })
    });

    assert!(ours.0.len() > 60 && ours.1.len() > 8);
    assert_eq!(ours, theirs);
}

#[test]
fn eight_handles_that_migrate_at_once_all_succeed() {
    for test_db in [Some(TestDb::sqlite()), TestDb::postgres()]
        .into_iter()
        .flatten()
    {
        let url = test_db.url();
        let handles: Vec<_> = (0..8)
            .map(|_| {
                let url = url.clone();
                std::thread::spawn(move || {
                    let db = Db::open(&crate::storage::Settings::new(url)).unwrap();
                    db.migrate().unwrap()
                })
            })
            .collect();

        let mut applied: Vec<String> = handles
            .into_iter()
            .flat_map(|handle| handle.join().unwrap())
            .collect();

        applied.sort();
        let mut once = applied.clone();
        once.dedup();
        assert!(!applied.is_empty());
        assert_eq!(applied, once);
        let pending = test_db.open().pending_migrations().unwrap();
        assert_eq!(pending, [""; 0]);
    }
}
