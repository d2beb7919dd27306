//! Reading rows: along a stream, gathered and sorted, or along the list's own index.

use super::keys::{BY_ID, keys};
use super::plan::Plan;
use super::sources::{Stream, Way};
use super::{ListedUser, Request, UserOrder};
use crate::domain::paging::{OrderKey, Position};
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
    /// Whether nothing more is wanted or to be had once so many were found.
    fn is_met_by(self, found: usize) -> bool {
        found >= self.rows || self.exactly.is_some_and(|exactly| found >= exactly)
    }

    fn without(self, found: usize) -> Self {
        Self {
            rows: self.rows.saturating_sub(found),
            exactly: self.exactly.map(|exactly| exactly.saturating_sub(found)),
        }
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

/// Rows of a stream, in the order of ids.
pub(super) fn follow(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    stream: &Stream,
    wanted: Wanted,
) -> Result<Rows, StorageError> {
    let way = request.way();
    let candidates = candidates(plan, stream, wanted);
    let taken = plan.next_of(stream, &way, candidates);
    let rows = first_of(reader, plan, &taken, Some(stream), wanted)?;
    let mut stopped_at = None;
    if !wanted.is_met_by(rows.len()) {
        let last_two = Sql::new("SELECT user_id FROM (")
            .joined(&plan.next_of(stream, &way, candidates + 1))
            .with(") AS candidates")
            .with(way.order(BY_ID("user_id")))
            .with(format!(" LIMIT 2 OFFSET {}", candidates - 1));
        if let [last, _] = dispatch!(reader, lists::ids(&last_two))?[..] {
            stopped_at = Some(Position {
                key: OrderKey::Id,
                id: last,
            });
        }
    }
    Ok(Rows { rows, stopped_at })
}

fn first_of(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    candidates: &Sql,
    led_by: Option<&Stream>,
    wanted: Wanted,
) -> Result<Vec<ListedUser>, StorageError> {
    let rows = i64::try_from(wanted.rows).unwrap_or(i64::MAX);
    let sql = plan.first_of(candidates, led_by, USER_COLUMNS, rows);
    dispatch!(reader, lists::users(&sql))
}

/// How many candidates are taken: as many as are wanted where nothing more is asked of them.
fn candidates(plan: &Plan<'_>, stream: &Stream, wanted: Wanted) -> i64 {
    let wanted = i64::try_from(wanted.rows).unwrap_or(i64::MAX);
    if plan.asks_more_than(stream) {
        plan.budget().max(wanted)
    } else {
        wanted
    }
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

/// The two parts of a list whose rows may lack what it is ordered by.
enum Half {
    Index,
    Lacking,
}

/// Rows of the list's own index, then those that are not in it because they lack what it is ordered by.
pub(super) fn walk(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    wanted: Wanted,
) -> Result<Rows, StorageError> {
    let Some(gap) = plan.lacking() else {
        return walk_index(reader, plan, request, wanted);
    };
    let lacking = Stream::Lacking(gap);
    let begins_among_lacking = request
        .from
        .as_ref()
        .is_some_and(|from| from.key == OrderKey::Missing);
    let from_its_end = Request {
        from: None,
        ..request.clone()
    };
    let halves: &[(Half, &Request)] = match (request.is_backwards, begins_among_lacking) {
        (false, false) => &[(Half::Index, request), (Half::Lacking, &from_its_end)],
        (false, true) => &[(Half::Lacking, request)],
        (true, true) => &[(Half::Lacking, request), (Half::Index, &from_its_end)],
        (true, false) => &[(Half::Index, request)],
    };
    let mut found = Rows::default();
    for (half, request) in halves {
        if wanted.is_met_by(found.rows.len()) || found.stopped_at.is_some() {
            break;
        }
        let missing = wanted.without(found.rows.len());
        let more = match half {
            Half::Index => walk_index(reader, plan, request, missing)?,
            Half::Lacking => follow_lacking(reader, plan, request, &lacking, missing)?,
        };
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
    wanted: Wanted,
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
    wanted: Wanted,
) -> Result<Rows, StorageError> {
    let way = request.way();
    let candidates = candidates(plan, &Stream::Everyone, wanted);
    let taken = plan.next_of_list(&way, candidates);
    let rows = first_of(reader, plan, &taken, None, wanted)?;
    // Where nothing is asked of the candidates each is a row.
    let is_at_end = wanted.is_met_by(rows.len()) || !plan.asks_more_than(&Stream::Everyone);
    let stopped_at = if is_at_end {
        None
    } else {
        walk_end(reader, plan, &way, candidates)?
    };
    Ok(Rows { rows, stopped_at })
}

/// The place of the last candidate, if there are more than these.
fn walk_end(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    way: &Way<'_>,
    candidates: i64,
) -> Result<Option<Position>, StorageError> {
    let (table, keys) = plan.own_index();
    let column = if keys.column.is_empty() {
        keys.id
    } else {
        keys.column
    };
    let sql = Sql::new(format!("SELECT {}, {column} FROM {table}", keys.id))
        .joined(&plan.bounds(keys.id))
        .joined(&way.behind(keys))
        .with(format!(
            "{} LIMIT 2 OFFSET {}",
            way.order(keys),
            candidates - 1
        ));
    let last_two: Vec<(i64, OrderKey)> = match plan.order {
        UserOrder::LastSignIn => dispatch!(reader, lists::timed(&sql))?
            .into_iter()
            .map(|(id, at)| (id, OrderKey::Time(at.timestamp_micros())))
            .collect(),
        _ => dispatch!(reader, lists::named(&sql))?
            .into_iter()
            .map(|(id, text)| (id, OrderKey::Text(text)))
            .collect(),
    };
    Ok(match last_two.as_slice() {
        [(id, key), _] => Some(Position {
            key: key.clone(),
            id: *id,
        }),
        _ => None,
    })
}
