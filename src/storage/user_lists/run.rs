//! Running the statements of a plan, and putting their rows together.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::domain::paging::{Count, Direction, OrderKey, Page, Position};
use crate::domain::{ProviderId, UserId};
use crate::storage::connection::dispatch;
use crate::storage::search::provider_id;
use crate::storage::sql::{Sql, id_list};
use crate::storage::{Reader, StorageError};

use super::count::{Lead, count, counter, lead};
use super::plan::{Plan, Stream};
use super::tail::{self, State};
use super::walk::{Rows, follow, gather, select, walk};
use super::{ListPage, ListedUser, Request};

/// Social accounts of one page's users, at most.
const MOST_PROVIDERS: i64 = 5_000;

pub(super) fn list(
    reader: &mut Reader<'_>,
    request: &Request,
) -> Result<ListPage<ListedUser>, StorageError> {
    let mut plan = Plan::new(reader.backend(), request);
    let streams = plan.streams();
    let needs_tail = !request.filter.is_empty() || plan.lacking().is_some();
    let state = tail::read(reader, &plan, &streams, needs_tail)?;
    plan.take(&state);
    let found = if plan.is_impossible() {
        Found::default()
    } else {
        find(reader, &plan, request, &streams, &state)?
    };
    let mut page = found.page;
    add_providers(reader, &mut page.rows)?;
    let everyone = u32::try_from(state.total).unwrap_or(u32::MAX);
    Ok(ListPage {
        page,
        count: if request.filter.is_empty() {
            Some(Count::Exactly(everyone))
        } else {
            found.count
        },
        total: state.total,
        is_behind: state.is_behind,
    })
}

struct Found {
    page: Page<ListedUser>,
    count: Option<Count>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            page: Page {
                rows: Vec::new(),
                back: None,
                next: None,
            },
            count: Some(Count::Exactly(0)),
        }
    }
}

fn find(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    streams: &[Stream],
    state: &State,
) -> Result<Found, StorageError> {
    let lead = lead(request.order, streams, &state.estimates, request.limits.few);
    let of_tail = tail_matches(reader, plan, request)?;
    let count = match &request.from {
        None if !request.filter.is_empty() => {
            let counter = counter(&lead, streams, &state.estimates, request.limits.few);
            Some(count(reader, plan, &counter, of_tail.len())?)
        }
        _ => None,
    };
    let wanted = usize::from(request.rows) + 1;
    let mut found = match (&lead, plan.covers_models()) {
        (_, false) => Rows::default(),
        (Lead::Stream(stream), _) => follow(reader, plan, request, stream, wanted)?,
        (Lead::Gathered(stream), _) => gather(reader, plan, request, stream, wanted)?,
        (Lead::Walk, _) => walk(reader, plan, request, wanted)?,
    };
    let is_in_reach = |user: &ListedUser| {
        let position = user.position(request.order);
        let is_behind = request
            .from
            .as_ref()
            .is_none_or(|from| reading_order(request, &position, from) == Ordering::Greater);
        let is_before = found
            .stopped_at
            .as_ref()
            .is_none_or(|stop| reading_order(request, &position, stop) != Ordering::Greater);
        is_behind && is_before
    };
    let of_tail: Vec<ListedUser> = of_tail.into_iter().filter(is_in_reach).collect();
    found.rows.extend(of_tail);
    found.rows.sort_by(|a, b| {
        reading_order(
            request,
            &a.position(request.order),
            &b.position(request.order),
        )
    });
    Ok(Found {
        page: page(request, found),
        count,
    })
}

/// How two places follow each other in the direction of reading.
fn reading_order(request: &Request, a: &Position, b: &Position) -> Ordering {
    let order = list_order(request.direction, a, b);
    if request.is_backwards {
        order.reverse()
    } else {
        order
    }
}

/// How two places follow each other in the list: what is missing comes last, whichever way the list runs.
pub(in crate::storage) fn list_order(direction: Direction, a: &Position, b: &Position) -> Ordering {
    let lacks = |position: &Position| position.key == OrderKey::Missing;
    let keys = match (&a.key, &b.key) {
        (OrderKey::Time(a), OrderKey::Time(b)) => a.cmp(b),
        (OrderKey::Text(a), OrderKey::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        _ => Ordering::Equal,
    };
    let within = keys.then(a.id.cmp(&b.id));
    lacks(a).cmp(&lacks(b)).then(match direction {
        Direction::Ascending => within,
        Direction::Descending => within.reverse(),
    })
}

/// The page of rows that came in reading order.
fn page(request: &Request, found: Rows) -> Page<ListedUser> {
    let Rows {
        mut rows,
        mut stopped_at,
    } = found;
    let fits = usize::from(request.rows);
    let has_more = rows.len() > fits || stopped_at.is_some();
    if rows.len() > fits {
        rows.truncate(fits);
        stopped_at = None;
    }
    let last = stopped_at.or_else(|| rows.last().map(|row| row.position(request.order)));
    let first = rows
        .first()
        .map(|row| row.position(request.order))
        .or_else(|| request.from.as_ref().map(|from| request.beside(from)));
    let onward = has_more.then_some(last).flatten();
    // Where somebody came from there are rows, or there were.
    let backward = request.from.is_some().then_some(first).flatten();
    if request.is_backwards {
        rows.reverse();
        Page {
            rows,
            back: onward,
            next: backward,
        }
    } else {
        Page {
            rows,
            back: backward,
            next: onward,
        }
    }
}

/// The users of the tail that match, by what the tables say.
fn tail_matches(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
) -> Result<Vec<ListedUser>, StorageError> {
    if plan.tail.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "users AS u LEFT JOIN last_sign_ins AS l ON l.user_id = u.id WHERE u.id IN ({})",
        id_list(&plan.tail)
    );
    let mut sql = select(&Sql::new(text));
    // What search knows of them may be old.
    let without_needle = request.filter.needle.clone().map(Stream::Needle);
    sql.append(&plan.conditions(without_needle.as_ref()))
        .push(format!(" LIMIT {}", tail::MOST));
    let users = dispatch!(reader, lists::users(&sql))?;
    Ok(users
        .into_iter()
        .filter(|user| matches_needle(user, request))
        .collect())
}

fn matches_needle(listed: &ListedUser, request: &Request) -> bool {
    let needle = request.filter.needle.as_deref();
    needle.is_none_or(|needle| listed.is_found_by(needle))
}

/// Adds the providers of a page's users, by one query.
fn add_providers(reader: &mut Reader<'_>, rows: &mut [ListedUser]) -> Result<(), StorageError> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.user.id.0).collect();
    let sql = Sql::new(format!(
        "SELECT user_id, provider FROM social_auth WHERE user_id IN ({}) ORDER BY user_id, id LIMIT {MOST_PROVIDERS}",
        id_list(&ids)
    ));
    let mut by_user: HashMap<i64, Vec<ProviderId>> = HashMap::new();
    for (user_id, provider) in dispatch!(reader, lists::named(&sql))? {
        by_user
            .entry(user_id)
            .or_default()
            .push(provider_id(&provider)?);
    }
    for row in rows {
        row.providers = by_user.remove(&row.user.id.0).unwrap_or_default();
    }
    Ok(())
}

pub(super) fn list_by_id(
    reader: &mut Reader<'_>,
    ids: &[UserId],
) -> Result<Vec<ListedUser>, StorageError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let text = format!(
        "users AS u LEFT JOIN last_sign_ins AS l ON l.user_id = u.id WHERE u.id IN ({}) ORDER BY u.id DESC LIMIT {}",
        id_list(&ids),
        ids.len()
    );
    let mut rows = dispatch!(reader, lists::users(&select(&Sql::new(text))))?;
    add_providers(reader, &mut rows)?;
    Ok(rows)
}
