//! Who acted, by name: a member of staff, or an API client.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::super::Conn;
use crate::storage::StorageError;
use crate::storage::audit::NamedActor;

/// Joins whoever acted to a query of a table with `actor_kind` and `actor_id`. Their names are selected with [`names`].
macro_rules! join_actor {
    ($query:expr, $table:ident) => {
        $query
            .left_join(
                staff::table.on($table::actor_id
                    .eq(staff::id.nullable())
                    .and($table::actor_kind.eq("staff"))),
            )
            .left_join(
                api_clients::table.on($table::actor_id
                    .eq(api_clients::id.nullable())
                    .and($table::actor_kind.eq("api_client"))),
            )
    };
}
pub(in crate::storage) use join_actor;

/// The columns of [`Names`].
macro_rules! names {
    () => {
        (
            staff::display_name.nullable(),
            api_clients::title.nullable(),
        )
    };
}
pub(in crate::storage) use names;

/// The name of the member of staff, and the title of the API client.
pub(in crate::storage) type Names = (Option<String>, Option<String>);

/// The name of whoever acted.
pub(in crate::storage) fn name((staff, client): Names) -> Option<String> {
    staff.or(client)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
}

/// One query for both tables: a page makes few.
pub(in crate::storage) fn list(
    conn: &mut Conn,
    limit: i64,
) -> Result<Vec<NamedActor>, StorageError> {
    let query = diesel::sql_query(
        "SELECT kind, id, name FROM (\
         SELECT 'staff' AS kind, id, display_name AS name FROM staff UNION ALL \
         SELECT 'api_client', id, title FROM api_clients) AS actors ORDER BY kind DESC, id LIMIT ",
    );
    let rows: Vec<Row> = query.sql(limit.to_string()).load(conn)?;
    let named = rows.into_iter().map(|row| NamedActor {
        kind: row.kind,
        id: row.id,
        name: row.name,
    });
    Ok(named.collect())
}
