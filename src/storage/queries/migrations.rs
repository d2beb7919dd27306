//! Which migrations were applied.

use diesel::prelude::*;

use super::super::Conn;
use super::super::schema::__diesel_schema_migrations as applied;

pub(in crate::storage) fn list_applied(conn: &mut Conn) -> QueryResult<Vec<String>> {
    applied::table.select(applied::version).load(conn)
}
