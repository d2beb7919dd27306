//! What tests stand on: the real server with a database of its own, on SQLite and on PostgreSQL.

mod api_client;
mod chromium;
pub(crate) mod database;
pub(crate) mod issuer_keys;
pub(crate) mod mock_provider;
mod node;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
mod skip;
pub(crate) mod staff;
pub(crate) mod statements;
mod test_app;

pub(crate) use api_client::{ApiClient, token_of};
pub(crate) use chromium::{assert_nothing_wrong, chromium_script};
pub(crate) use node::node_script;
pub(crate) use process::{Place, Process, Ran};
pub(crate) use skip::skip;
pub(crate) use staff::{Page, StaffClient};
pub(crate) use test_app::{Answer, Backend, TestApp, client};

/// Writes one test that runs on both databases: `on_both!(name, "toml", |app| { ... });`
macro_rules! on_both {
    ($name:ident, $toml:expr, |$app:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn behaviour($app: &crate::support::TestApp) $body

            #[tokio::test]
            async fn on_sqlite() {
                if let Some(app) = crate::support::TestApp::spawn(crate::support::Backend::Sqlite, $toml) {
                    behaviour(&app).await;
                }
            }

            #[tokio::test]
            async fn on_postgres() {
                if let Some(app) = crate::support::TestApp::spawn(crate::support::Backend::Postgres, $toml) {
                    behaviour(&app).await;
                }
            }
        }
    };
}
pub(crate) use on_both;

/// Writes one test of the real binary that runs on both databases: `in_place!(name, |place| { ... });`
macro_rules! in_place {
    ($name:ident, |$place:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn behaviour($place: crate::support::Place) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                if let Some(place) = crate::support::Place::new(crate::support::Backend::Sqlite) {
                    behaviour(place).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(place) = crate::support::Place::new(crate::support::Backend::Postgres) {
                    behaviour(place).await;
                }
            }
        }
    };
}
pub(crate) use in_place;
