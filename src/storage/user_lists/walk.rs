//! Reading rows along a stream, along the list's own index, or gathered and sorted.

use super::keys::{BY_ID, Keys, keys};
use super::plan::{Plan, Stream};
use super::{ListedUser, Request, UserOrder};
use crate::domain::paging::{Direction, OrderKey, Position};
use crate::storage::connection::dispatch;
use crate::storage::sql::{Sql, USER_COLUMNS};
use crate::storage::{Reader, StorageError};

/// Rows in reading order, and how far the reading came if it came to the end of its budget.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<ListedUser>,
    pub(super) stopped_at: Option<Position>,
}

/// A query of users.
pub(super) fn select(from_where: &Sql) -> Sql {
    Sql::new(format!("SELECT {USER_COLUMNS} FROM ")).joined(from_where)
}

/// Rows of a stream, in the order of ids.
pub(super) fn follow(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    stream: &Stream,
    wanted: usize,
) -> Result<Rows, StorageError> {
    let (from_where, id) = plan.stream(stream);
    let keys = BY_ID(id);
    let conditions = plan.conditions(Some(stream));
    let behind = request.from.as_ref().map_or_else(Sql::default, |from| {
        keys.behind(from, request.direction, request.is_backwards)
    });
    let floor = (!conditions.0.is_empty() && plan.has_budget(stream))
        .then(|| floor(plan, request, stream, &behind));
    let mut sql = select(&from_where);
    sql.append(&conditions)
        .append(&plan.bounds(id))
        .append(&behind);
    if let Some(floor) = &floor {
        let (sign, none) = match reading(request) {
            Direction::Descending => (">=", i64::MIN + 1),
            Direction::Ascending => ("<=", i64::MAX),
        };
        sql.push(format!(" AND {id} {sign} coalesce("))
            .append(floor)
            .push(format!(", {none})"));
    }
    sql.push(keys.order(request.direction, request.is_backwards))
        .push(format!(" LIMIT {wanted}"));
    let rows = dispatch!(reader, lists::users(&sql))?;
    let mut stopped_at = None;
    if let Some(floor) = floor
        && rows.len() < wanted
    {
        let sql = Sql::new("SELECT coalesce(").joined(&floor).with(", 0)");
        let at = dispatch!(reader, lists::ids(&sql))?;
        stopped_at = at.first().filter(|id| **id > 0).map(|id| Position {
            key: OrderKey::Id,
            id: *id,
        });
    }
    Ok(Rows { rows, stopped_at })
}

const fn reading(request: &Request) -> Direction {
    if request.is_backwards {
        request.direction.reversed()
    } else {
        request.direction
    }
}

/// The id at the end of the budget, as an expression; NULL if the stream is shorter.
fn floor(plan: &Plan<'_>, request: &Request, stream: &Stream, behind: &Sql) -> Sql {
    let (source, id) = plan.source(stream);
    let order = BY_ID(id).order(request.direction, request.is_backwards);
    let mut sql = Sql::new(format!("(SELECT {id} FROM "));
    sql.append(&source)
        .append(&plan.bounds(id))
        .append(behind)
        .push(format!("{order} LIMIT 1 OFFSET {})", plan.limits.budget));
    sql
}

/// Rows of a rare stream, sorted.
pub(super) fn gather(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    stream: &Stream,
    wanted: usize,
) -> Result<Rows, StorageError> {
    let keys = keys(request.order);
    let mut sql = select(&plan.gathered(stream));
    sql.append(&plan.conditions(Some(stream)))
        .append(&plan.bounds("u.id"));
    if let Some(from) = &request.from {
        sql.append(&keys.behind(from, request.direction, request.is_backwards));
    }
    sql.push(keys.order(request.direction, request.is_backwards))
        .push(format!(" LIMIT {wanted}"));
    let rows = dispatch!(reader, lists::users(&sql))?;
    Ok(Rows {
        rows,
        stopped_at: None,
    })
}

/// Rows of the list's own index, then those that are not in it because they lack what it is ordered by.
pub(super) fn walk(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    wanted: usize,
) -> Result<Rows, StorageError> {
    let is_among_lacking = request
        .from
        .as_ref()
        .is_some_and(|from| from.key == OrderKey::Missing);
    let Some(gap) = plan.lacking() else {
        return walk_index(reader, plan, request, wanted);
    };
    let lacking = Stream::Lacking(gap);
    if request.is_backwards {
        let mut found = if is_among_lacking {
            follow_lacking(reader, plan, request, &lacking, wanted)?
        } else {
            Rows::default()
        };
        if found.rows.len() < wanted && found.stopped_at.is_none() {
            let rest = Request {
                from: request.from.clone().filter(|_| !is_among_lacking),
                ..request.clone()
            };
            let missing = wanted - found.rows.len();
            let more = walk_index(reader, plan, &rest, missing)?;
            found.rows.extend(more.rows);
            found.stopped_at = more.stopped_at;
        }
        return Ok(found);
    }
    if is_among_lacking {
        return follow_lacking(reader, plan, request, &lacking, wanted);
    }
    let mut found = walk_index(reader, plan, request, wanted)?;
    if found.rows.len() < wanted && found.stopped_at.is_none() {
        let rest = Request {
            from: None,
            ..request.clone()
        };
        let missing = wanted - found.rows.len();
        let more = follow_lacking(reader, plan, &rest, &lacking, missing)?;
        found.rows.extend(more.rows);
        found.stopped_at = more.stopped_at;
    }
    Ok(found)
}

/// Rows of those who lack what the list is ordered by.
fn follow_lacking(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    lacking: &Stream,
    wanted: usize,
) -> Result<Rows, StorageError> {
    let mut found = follow(reader, plan, request, lacking, wanted)?;
    if let Some(stop) = &mut found.stopped_at {
        stop.key = OrderKey::Missing;
    }
    Ok(found)
}

fn walk_index(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    wanted: usize,
) -> Result<Rows, StorageError> {
    let keys = Keys {
        may_lack: false,
        id: match request.order {
            UserOrder::LastSignIn => "l.user_id",
            _ => "u.id",
        },
        ..keys(request.order)
    };
    let conditions = plan.conditions(None);
    let mut sql = select(&plan.walk());
    sql.append(&conditions).append(&plan.bounds("u.id"));
    if let Some(from) = &request.from {
        sql.append(&keys.behind(from, request.direction, request.is_backwards));
    }
    let stopped_at = if conditions.0.is_empty() {
        None
    } else {
        walk_floor(reader, request, keys)?
    };
    if let Some(stop) = &stopped_at {
        // Up to the end of the budget and not beyond: what is before it when the list is read the other way, and itself.
        let before = keys.behind(stop, request.direction, !request.is_backwards);
        sql.push(" AND (")
            .append(&before.without_and())
            .push(format!(" OR {} = ", keys.id))
            .bind(stop.id)
            .push(")");
    }
    sql.push(keys.order(request.direction, request.is_backwards))
        .push(format!(" LIMIT {wanted}"));
    let rows = dispatch!(reader, lists::users(&sql))?;
    let stopped_at = stopped_at.filter(|_| rows.len() < wanted);
    Ok(Rows { rows, stopped_at })
}

/// Where the budget of a walk ends, if the index does not end before.
fn walk_floor(
    reader: &mut Reader<'_>,
    request: &Request,
    keys: Keys,
) -> Result<Option<Position>, StorageError> {
    let (table, id) = match request.order {
        UserOrder::LastSignIn => ("last_sign_ins AS l", "l.user_id"),
        _ => ("users AS u", "u.id"),
    };
    let keys = Keys { id, ..keys };
    let column = if keys.column.is_empty() {
        id
    } else {
        keys.column
    };
    let mut sql = Sql::new(format!(
        "SELECT {id}, {column} FROM {table} WHERE {column} IS NOT NULL"
    ));
    if let Some(from) = &request.from {
        sql.append(&keys.behind(from, request.direction, request.is_backwards));
    }
    let order = keys.order(request.direction, request.is_backwards);
    // In another order than that of ids each row lies somewhere else.
    let budget = request.limits.budget / 2;
    sql.push(format!("{order} LIMIT 1 OFFSET {budget}"));
    let position = match request.order {
        UserOrder::LastSignIn => dispatch!(reader, lists::timed(&sql))?
            .pop()
            .map(|(id, at)| (id, OrderKey::Time(at.timestamp_micros()))),
        _ => dispatch!(reader, lists::named(&sql))?
            .pop()
            .map(|(id, text)| (id, OrderKey::Text(text))),
    };
    Ok(position.map(|(id, key)| Position { key, id }))
}
