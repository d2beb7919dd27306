//! Reading rows: along a stream or the list's own index, or gathered and sorted.

use super::keys::keys;
use super::plan::Plan;
use super::run::sort;
use super::sources::{Stream, Way};
use super::{ListedUser, Request};
use crate::domain::paging::Position;
use crate::storage::connection::dispatch;
use crate::storage::sql::{Sql, USER_COLUMNS};
use crate::storage::{Reader, StorageError};

/// Rows in reading order, and how far the reading came if candidates were left when their number was used up.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<ListedUser>,
    pub(super) stopped_at: Option<Position>,
}

/// How many rows are wanted, and how many there are if that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) rows: usize,
    pub(super) exactly: Option<usize>,
}

impl Wanted {
    /// How many found are enough: nothing more is wanted then, or to be had.
    fn enough(self) -> usize {
        self.exactly
            .map_or(self.rows, |exactly| exactly.min(self.rows))
    }
}

impl Request {
    pub(super) fn way(&self) -> Way<'_> {
        Way {
            from: self.from.as_ref(),
            direction: self.direction,
            is_backwards: self.is_backwards,
        }
    }
}

/// A query of users.
pub(super) fn select(from_where: &Sql) -> Sql {
    Sql::new(format!("SELECT {USER_COLUMNS} FROM ")).joined(from_where)
}

/// Rows along a stream or the list's own index, and how far that led: in one statement.
pub(super) fn follow(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    stream: Option<&Stream>,
    wanted: Wanted,
) -> Result<Rows, StorageError> {
    let way = request.way();
    let next = |count| match stream {
        Some(stream) => plan.next_of(stream, &way, count),
        None => plan.next_of_list(&way, count),
    };
    let rows = i64::try_from(wanted.rows).unwrap_or(i64::MAX);
    let candidates = if plan.asks_more_than(stream.unwrap_or(&Stream::Everyone)) {
        plan.budget().max(rows)
    } else {
        rows
    };
    let mut sql = Sql::new("WITH found AS MATERIALIZED (")
        .joined(&plan.first_of(&next(candidates), stream, USER_COLUMNS, rows))
        .with(") SELECT found.*, FALSE AS is_end FROM found");
    // In a list of everybody each candidate is a row.
    if !request.filter.is_empty() && wanted.enough() > 0 {
        sql.append(&end(plan, &next(candidates + 1), candidates, wanted));
    }
    let (rows, mut last_two) = dispatch!(reader, lists::users_and_end(&sql))?;
    sort(request, &mut last_two);
    let stopped_at = match last_two.as_slice() {
        [last, _] => Some(last.position(request.order)),
        _ => None,
    };
    Ok(Rows { rows, stopped_at })
}

/// The last of so many candidates and the one behind, looked for only if too few of the candidates match: both databases leave a query
/// alone whose limit is none.
fn end(plan: &Plan<'_>, and_one_more: &Sql, candidates: i64, wanted: Wanted) -> Sql {
    let last_one = wanted.enough().saturating_sub(1);
    Sql::new(format!(
        " UNION ALL SELECT {USER_COLUMNS}, TRUE FROM (SELECT user_id FROM ("
    ))
    .joined(and_one_more)
    .with(format!(
        ") AS candidates LIMIT CASE WHEN EXISTS (SELECT 1 FROM found LIMIT 1 OFFSET {last_one}) THEN 0 ELSE 2 END OFFSET {}) AS g \
         {} users AS u ON u.id = g.user_id LEFT JOIN last_sign_ins AS l ON l.user_id = u.id",
        candidates - 1,
        plan.join(),
    ))
}

/// Rows of a stream that has few, sorted.
pub(super) fn gather(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    stream: &Stream,
    wanted: Wanted,
) -> Result<Rows, StorageError> {
    let (way, keys) = (request.way(), keys(request.order));
    // More than was estimated may be there by now.
    let all = plan.next_of(stream, &Way::NEWEST, plan.limits.few * 2);
    let sql = select(&plan.matching(&all, Some(stream)))
        .joined(&way.behind(keys))
        .with(format!("{} LIMIT {}", way.order(keys), wanted.rows));
    let rows = dispatch!(reader, lists::users(&sql))?;
    Ok(Rows {
        rows,
        stopped_at: None,
    })
}
