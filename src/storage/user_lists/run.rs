//! Running the statements of a plan, and putting their rows together.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::domain::paging::{Count, Direction, OrderKey, Page, Position};
use crate::domain::search::Search;
use crate::domain::{ProviderId, UserId};
use crate::storage::connection::dispatch;
use crate::storage::sql::{Sql, USER_COLUMNS, id_list};
use crate::storage::{Reader, StorageError, sqlite};

use super::plan::{BUDGET, COUNTED, FEW, Keys, Plan, Stream};
use super::tail::{self, State};
use super::{ListPage, ListRequest, ListedUser, UserFilter, UserOrder};

/// Social accounts of one page's users, at most.
const MOST_PROVIDERS: i64 = 5_000;

type Request = ListRequest<UserFilter, UserOrder>;

/// What leads to the rows.
#[derive(Debug, PartialEq)]
enum Lead {
    Stream(Stream),
    Gathered(Stream),
    Walk,
}

/// Rows in reading order, and how far the reading came if it came to the end of its budget.
#[derive(Default)]
struct Rows {
    rows: Vec<ListedUser>,
    stopped_at: Option<Position>,
}

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
    let lead = lead(request.order, streams, &state.estimates);
    let of_tail = tail_matches(reader, plan, request)?;
    let count = match &request.from {
        None if !request.filter.is_empty() => {
            let counter = counter(&lead, streams, &state.estimates);
            Some(count(reader, plan, counter, of_tail.len())?)
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
        .or_else(|| request.from.clone());
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

/// What leads: the rarest filter if it is in the right order or rare, else the list's own index.
fn lead(order: UserOrder, streams: &[Stream], estimates: &[i64]) -> Lead {
    let mut by_size: Vec<(&Stream, i64)> = streams.iter().zip(estimates.iter().copied()).collect();
    by_size.sort_by_key(|(_, size)| *size);
    match by_size.first() {
        Some((stream, _)) if order == UserOrder::SignedUp && stream.is_ordered() => {
            Lead::Stream((*stream).clone())
        }
        Some((stream, size)) if *size <= FEW => Lead::Gathered((*stream).clone()),
        _ if order == UserOrder::SignedUp => {
            let ordered = by_size.iter().find(|(stream, _)| stream.is_ordered());
            Lead::Stream(ordered.map_or(Stream::Everyone, |(stream, _)| (*stream).clone()))
        }
        _ => Lead::Walk,
    }
}

/// What is counted along.
fn counter(lead: &Lead, streams: &[Stream], estimates: &[i64]) -> Lead {
    match lead {
        Lead::Stream(stream) => Lead::Stream(stream.clone()),
        Lead::Gathered(stream) => Lead::Gathered(stream.clone()),
        Lead::Walk => self::lead(UserOrder::SignedUp, streams, estimates),
    }
}

const BY_ID: fn(&'static str) -> Keys = |id| Keys {
    column: "",
    id,
    may_lack: false,
};

fn keys(order: UserOrder) -> Keys {
    let (column, may_lack) = match order {
        UserOrder::SignedUp => ("", false),
        UserOrder::LastSignIn => ("l.at", true),
        UserOrder::Username => ("u.username_folded", false),
        UserOrder::Email => ("u.email_folded", true),
    };
    Keys {
        column,
        id: "u.id",
        may_lack,
    }
}

fn select(from_where: &Sql) -> Sql {
    Sql::new(format!("SELECT {USER_COLUMNS} FROM ")).joined(from_where)
}

/// Rows of a stream, in the order of ids.
fn follow(
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
        .push(format!("{order} LIMIT 1 OFFSET {BUDGET})"));
    sql
}

/// Rows of a rare stream, sorted.
fn gather(
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
fn walk(
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
            follow(reader, plan, request, &lacking, wanted)?
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
        return follow(reader, plan, request, &lacking, wanted);
    }
    let mut found = walk_index(reader, plan, request, wanted)?;
    if found.rows.len() < wanted && found.stopped_at.is_none() {
        let rest = Request {
            from: None,
            ..request.clone()
        };
        let missing = wanted - found.rows.len();
        let more = follow(reader, plan, &rest, &lacking, missing)?;
        found.rows.extend(more.rows);
        found.stopped_at = more.stopped_at.map(|at| Position {
            key: OrderKey::Missing,
            ..at
        });
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
    sql.push(format!("{order} LIMIT 1 OFFSET {BUDGET}"));
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

/// How many match, as far as they are counted.
fn count(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    counter: Lead,
    of_tail: usize,
) -> Result<Count, StorageError> {
    let mut sql = Sql::new("SELECT (SELECT count(*) FROM (SELECT ");
    let mut stop = Sql::new("CAST(0 AS BIGINT)");
    match &counter {
        _ if !plan.covers_models() => {
            sql.push("1 AS one FROM users WHERE FALSE");
        }
        Lead::Gathered(stream) => {
            sql.push("1 AS one FROM ")
                .append(&plan.gathered(stream))
                .append(&plan.conditions(Some(stream)))
                .append(&plan.bounds("u.id"));
        }
        Lead::Stream(stream) => {
            let conditions = plan.conditions(Some(stream));
            if conditions.0.is_empty() {
                let (source, id) = plan.source(stream);
                sql.push(format!("DISTINCT {id} FROM "))
                    .append(&source)
                    .append(&plan.bounds(id));
            } else {
                let (from_where, id) = plan.stream(stream);
                sql.push("1 AS one FROM ")
                    .append(&from_where)
                    .append(&conditions)
                    .append(&plan.bounds(id));
                if plan.has_budget(stream) {
                    stop = Sql::new("coalesce(")
                        .joined(&plan.newest_floor(stream))
                        .with(", 0)");
                    sql.push(format!(" AND {id} >= ")).append(&stop);
                }
            }
        }
        Lead::Walk => {
            sql.push("1 AS one FROM users WHERE FALSE");
        }
    }
    sql.push(format!(" LIMIT {}) AS matching), ", COUNTED + 1))
        .append(&stop);
    let (count, stop) = dispatch!(reader, lists::numbers(&sql))?
        .first()
        .copied()
        .unwrap_or_default();
    let count = count + i64::try_from(of_tail).unwrap_or_default();
    let shown = u32::try_from(count.min(COUNTED)).unwrap_or_default();
    Ok(if count > COUNTED || stop > 0 {
        Count::MoreThan(shown)
    } else {
        Count::Exactly(shown)
    })
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

fn provider_id(text: &str) -> Result<ProviderId, StorageError> {
    ProviderId::parse(text).ok_or(StorageError::Corrupt("social_auth.provider"))
}

/// The providers there are, one look into the index each.
const PROVIDERS: &str = "WITH RECURSIVE p(provider) AS (SELECT min(provider) FROM social_auth UNION ALL \
     SELECT (SELECT min(s.provider) FROM social_auth AS s WHERE s.provider > p.provider) FROM p WHERE p.provider IS NOT NULL) ";

pub(super) fn list_providers(reader: &mut Reader<'_>) -> Result<Vec<ProviderId>, StorageError> {
    let sql = Sql::new(PROVIDERS)
        .with("SELECT CAST(0 AS BIGINT), provider FROM p WHERE provider IS NOT NULL LIMIT 1000");
    dispatch!(reader, lists::named(&sql))?
        .iter()
        .map(|(_, provider)| provider_id(provider))
        .collect()
}

pub(super) fn find_exactly(
    reader: &mut Reader<'_>,
    search: &Search,
    limit: u16,
) -> Result<Vec<UserId>, StorageError> {
    let mut sql = Sql::new(PROVIDERS).with("SELECT id FROM (SELECT id FROM users WHERE id = ");
    sql.bind(search.user_id.map_or(0, |id| id.0));
    if let Some(email) = &search.email {
        sql.push(" UNION SELECT id FROM (SELECT id FROM users WHERE email_folded = ")
            .bind(email.as_str())
            .push(format!(" LIMIT {limit}) AS by_email"));
    }
    if let Some(username) = &search.username {
        sql.push(" UNION SELECT id FROM users WHERE username_folded = ")
            .bind(username.as_str());
    }
    if let Some(uid) = &search.uid {
        sql.push(" UNION SELECT s.user_id FROM p JOIN social_auth AS s ON s.provider = p.provider AND s.uid = ")
            .bind(uid.as_str());
    }
    if let Some((provider, uid)) = &search.provider_uid {
        sql.push(" UNION SELECT user_id FROM social_auth WHERE provider = ")
            .bind(provider.as_str())
            .push(" AND uid = ")
            .bind(uid.as_str());
    }
    sql.push(format!(") AS found ORDER BY id DESC LIMIT {limit}"));
    let ids = dispatch!(reader, lists::ids(&sql))?;
    Ok(ids.into_iter().map(UserId).collect())
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

impl Plan<'_> {
    /// Takes over what was read about the read models.
    fn take(&mut self, state: &State) {
        const BLOCK: i64 = sqlite::queries::BLOCK;
        self.tail.clone_from(&state.tail);
        if self.span().is_some() {
            // An empty span where no block matches.
            let (first, last) = state.blocks.unwrap_or((1, 0));
            self.hull = Some((first * BLOCK, (last + 1) * BLOCK - 1));
        }
    }

    /// Whether any user outside the tail can match.
    fn covers_models(&self) -> bool {
        self.hull.is_none_or(|(first, last)| first <= last)
    }

    /// The gap that users may have who are not in the list's own index.
    fn lacking(&self) -> Option<&'static str> {
        match self.order {
            // Whoever signed in before an instant has signed in.
            UserOrder::LastSignIn if self.filter.last_sign_in_before.is_none() => Some("sign_in"),
            UserOrder::Email => Some("email"),
            _ => None,
        }
    }

    /// Whether a walk along the stream can be cut off. PostgreSQL's index of texts has no order to cut.
    fn has_budget(&self, stream: &Stream) -> bool {
        !(matches!(stream, Stream::Needle(_)) && self.backend == crate::storage::Backend::Postgres)
    }

    /// The id at the end of the budget, counted from the newest.
    fn newest_floor(&self, stream: &Stream) -> Sql {
        let (source, id) = self.source(stream);
        Sql::new(format!("(SELECT {id} FROM "))
            .joined(&source)
            .joined(&self.bounds(id))
            .with(format!(" ORDER BY {id} DESC LIMIT 1 OFFSET {BUDGET})"))
    }

    /// Whether the filter contradicts itself.
    fn is_impossible(&self) -> bool {
        let filter = self.filter;
        let needs_account = !filter.providers.is_empty() || filter.access_token_expired;
        let has_none = filter.social_accounts == Some(super::SocialAccounts::None);
        let is_empty_span = self.span().is_some_and(|(from, before)| from >= before);
        (needs_account && has_none) || is_empty_span
    }
}
