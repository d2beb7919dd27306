//! Running the statements of a plan, and putting their rows together.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::domain::paging::{Count, Direction, OrderKey, Page, Position};
use crate::domain::{ProviderId, UserId};
use crate::storage::connection::dispatch;
use crate::storage::search::{PROVIDERS, provider_id};
use crate::storage::sql::{Sql, id_list};
use crate::storage::{Reader, StorageError};

use super::count::{Lead, count};
use super::plan::Plan;
use super::sources::Stream;
use super::tail::{self, State};
use super::walk::{Rows, Wanted, follow, gather, select};
use super::{ListPage, ListedUser, Request};

/// Social accounts of one page's users, and providers, at most.
const MOST_PROVIDERS: i64 = 5_000;

pub(super) fn list(
    reader: &mut Reader<'_>,
    request: &Request,
    exact: &[UserId],
) -> Result<ListPage<ListedUser>, StorageError> {
    let mut plan = Plan::new(reader.backend(), request);
    let streams = plan.streams();
    let needs_tail = !request.filter.is_empty() || plan.lacking().is_some();
    let state = tail::read(reader, &plan, &streams, needs_tail)?;
    plan.take(&state);
    let (of_tail, mut exact) = read_tables(reader, &plan, request, exact)?;
    let Found { mut page, count } = if plan.is_impossible() {
        Found::default()
    } else {
        find(reader, &plan, request, of_tail, (&streams, &state))?
    };
    let shown = exact.iter_mut().chain(&mut page.rows);
    let providers = add_providers(reader, shown.collect())?;
    let everyone = u32::try_from(state.total).unwrap_or(u32::MAX);
    Ok(ListPage {
        page,
        count: if request.filter.is_empty() {
            Some(Count::Exactly(everyone))
        } else {
            count
        },
        total: state.total,
        is_behind: state.is_behind,
        exact,
        providers,
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
    of_tail: Vec<ListedUser>,
    (streams, state): (&[Stream], &State),
) -> Result<Found, StorageError> {
    let lead = plan.lead(streams, &state.estimates);
    let count = match &request.from {
        None if !request.filter.is_empty() => {
            let stream = plan.lead_by_id(streams, &state.estimates);
            Some(count(reader, plan, &stream, of_tail.len())?)
        }
        _ => None,
    };
    let exactly = match count {
        Some(Count::Exactly(all)) => usize::try_from(all).ok(),
        _ => None,
    };
    let wanted = Wanted {
        rows: usize::from(request.rows) + 1,
        exactly: exactly.map(|all| all.saturating_sub(of_tail.len())),
    };
    let mut found = match (&lead, plan.covers_models()) {
        (_, false) => Rows::default(),
        (Lead::Stream(stream), _) => follow(reader, plan, request, Some(stream), wanted)?,
        (Lead::Gathered(stream), _) => gather(reader, plan, request, stream, wanted)?,
        (Lead::Walk, _) => follow(reader, plan, request, None, wanted)?,
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
    sort(request, &mut found.rows);
    Ok(Found {
        page: page(request, found),
        count,
    })
}

/// Sorts users in the direction of reading.
pub(super) fn sort(request: &Request, users: &mut [ListedUser]) {
    users.sort_by(|a, b| {
        let (a, b) = (a.position(request.order), b.position(request.order));
        reading_order(request, &a, &b)
    });
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

/// By what the tables say: the users of the tail that match, and of `exact` those whom the list does not find.
fn read_tables(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    exact: &[UserId],
) -> Result<(Vec<ListedUser>, Vec<ListedUser>), StorageError> {
    if plan.tail.is_empty() && exact.is_empty() {
        return Ok(Default::default());
    }
    let exact: Vec<i64> = exact.iter().map(|id| id.0).collect();
    let tail = id_list(&plan.tail);
    let sql = Sql::new(format!(
        "users AS u LEFT JOIN last_sign_ins AS l ON l.user_id = u.id WHERE ((u.id IN ({tail})"
    ))
    .joined(&plan.conditions())
    .with(format!(
        ") OR u.id IN ({})) ORDER BY u.id DESC LIMIT {}",
        id_list(&exact),
        tail::MOST + exact.len()
    ));
    let users = dispatch!(reader, lists::users(&select(&sql)))?;
    // What the index of texts knows of them may be old.
    let needle = request.filter.needle.as_deref();
    let is_found = |user: &ListedUser| needle.is_some_and(|needle| user.is_found_by(needle));
    let is_of = |ids: &[i64], user: &ListedUser| ids.contains(&user.user.id.0);
    let of_tail = users.iter().filter(|user| is_of(&plan.tail, user));
    let of_tail = of_tail.filter(|user| needle.is_none() || is_found(user));
    let exact = users.iter().filter(|user| is_of(&exact, user));
    let exact = exact.filter(|user| !is_found(user));
    Ok((of_tail.cloned().collect(), exact.cloned().collect()))
}

/// Adds the providers of users, and gives all that there are, by one query.
fn add_providers(
    reader: &mut Reader<'_>,
    users: Vec<&mut ListedUser>,
) -> Result<Vec<ProviderId>, StorageError> {
    const ALL: i64 = 0;
    let ids: Vec<i64> = users.iter().map(|listed| listed.user.id.0).collect();
    let sql = Sql::new(PROVIDERS).with(format!(
        "SELECT user_id, provider FROM (SELECT user_id, id, provider FROM social_auth WHERE user_id IN ({}) \
         UNION ALL SELECT {ALL}, 0, provider FROM p WHERE provider IS NOT NULL) AS named ORDER BY user_id, id, provider LIMIT {MOST_PROVIDERS}",
        id_list(&ids)
    ));
    let mut by_user: HashMap<i64, Vec<ProviderId>> = HashMap::new();
    for (user_id, provider) in dispatch!(reader, lists::named(&sql))? {
        by_user
            .entry(user_id)
            .or_default()
            .push(provider_id(&provider)?);
    }
    for listed in users {
        listed.providers = by_user.remove(&listed.user.id.0).unwrap_or_default();
    }
    Ok(by_user.remove(&ALL).unwrap_or_default())
}
