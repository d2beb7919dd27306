//! Pages of social accounts, in the order in which they were associated. How it is done: see [`super::user_lists`].

mod plan;
mod sources;

use chrono::{DateTime, Utc};

use self::plan::Plan;
use self::sources::{Lead, USERS_OF_ACCOUNTS};
use super::connection::dispatch;
use super::search::list_providers;
use super::sql::{SOCIAL_AUTH_COLUMNS, Sql, id_list};
use super::user_lists::{COUNTED, ListPage, ListRequest, SocialAccounts};
use super::{Reader, StorageError};
use crate::domain::paging::{Count, OrderKey, Page, Position};
use crate::domain::{ProviderId, SocialAuthId, Uid, UserId};

/// Rows of the tail, at most.
const MOST_OF_TAIL: usize = 5_000;

/// Which social accounts are listed. Everything that is set has to hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SocialAuthFilter {
    /// At one of these providers; empty for all.
    pub providers: Vec<ProviderId>,
    /// Associated at or after this instant.
    pub associated_from: Option<DateTime<Utc>>,
    /// Associated before this instant.
    pub associated_before: Option<DateTime<Utc>>,
    /// The user may, or may not, sign in.
    pub is_active: Option<bool>,
    /// The user has so many social accounts.
    pub social_accounts: Option<SocialAccounts>,
    /// The user signed in before this instant for the last time.
    pub last_sign_in_before: Option<DateTime<Utc>>,
    /// The access token has expired.
    pub access_token_expired: bool,
}

impl SocialAuthFilter {
    /// Whether it lets all through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A social account in a list. Nothing of its access token but whether it is there and when it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSocialAuth {
    /// The row.
    pub id: SocialAuthId,
    /// At which provider.
    pub provider: ProviderId,
    /// The provider's id of the person.
    pub uid: Uid,
    /// When it was associated.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    pub modified_at: DateTime<Utc>,
    /// Whether there is an access token.
    pub has_access_token: bool,
    /// When the access token expires, as the provider said it.
    pub expires_at: Option<String>,
    /// Whose it is.
    pub user_id: UserId,
    /// The user's name.
    pub username: String,
    /// The user's given name.
    pub first_name: String,
    /// The user's family name.
    pub last_name: String,
    /// Whether the user may sign in.
    pub is_active: bool,
}

/// The only order of the list: that of the rows' ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct AssociatedOrder;

type Request = ListRequest<SocialAuthFilter, AssociatedOrder>;

/// A page of social accounts.
///
/// # Errors
/// [`StorageError`] when the database fails or a row does not parse.
pub fn list(
    reader: &mut Reader<'_>,
    request: &ListRequest<SocialAuthFilter, AssociatedOrder>,
) -> Result<ListPage<ListedSocialAuth>, StorageError> {
    let mut plan = Plan::new(reader.backend(), request);
    let state = plan.read_state(reader)?;
    let found = if plan.is_impossible() {
        (Vec::new(), None, Some(Count::Exactly(0)))
    } else {
        find(reader, &plan, request, plan.lead(&state.estimates))?
    };
    let (rows, stopped_at, count) = found;
    let everything = u32::try_from(state.total).unwrap_or(u32::MAX);
    Ok(ListPage {
        page: page(request, rows, stopped_at),
        count: if request.filter.is_empty() {
            Some(Count::Exactly(everything))
        } else {
            count
        },
        total: state.total,
        is_behind: plan.tail.len() >= MOST_OF_TAIL,
        exact: Vec::new(),
        providers: list_providers(reader)?,
    })
}

type Found = (Vec<ListedSocialAuth>, Option<i64>, Option<Count>);

fn find(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    lead: Lead,
) -> Result<Found, StorageError> {
    let of_tail = tail_matches(reader, plan)?;
    let wanted = usize::from(request.rows) + 1;
    let count = match &request.from {
        None if !request.filter.is_empty() => Some(count(reader, plan, lead, of_tail.len())?),
        _ => None,
    };
    let (mut rows, stopped_at) = if plan.covers_index() {
        follow(reader, plan, lead, wanted)?
    } else {
        (Vec::new(), None)
    };
    let is_downwards = plan.is_downwards;
    let is_behind = |id: i64, limit: i64| if is_downwards { id < limit } else { id > limit };
    let from = request.from.as_ref().map(|from| from.id);
    rows.extend(of_tail.into_iter().filter(|row| {
        from.is_none_or(|from| is_behind(row.id.0, from))
            && stopped_at.is_none_or(|stop| !is_behind(row.id.0, stop))
    }));
    rows.sort_by_key(|row| if is_downwards { -row.id.0 } else { row.id.0 });
    Ok((rows, stopped_at, count))
}

/// The page of rows that came in reading order.
fn page(
    request: &Request,
    mut rows: Vec<ListedSocialAuth>,
    stopped_at: Option<i64>,
) -> Page<ListedSocialAuth> {
    let at = |id: i64| Position {
        key: OrderKey::Id,
        id,
    };
    let fits = usize::from(request.rows);
    let is_full = rows.len() > fits;
    rows.truncate(fits);
    let last = rows.last().map(|row| row.id.0);
    let onward = if is_full { last } else { stopped_at }.map(at);
    let first = rows.first().map(|row| at(row.id.0));
    let backward = request
        .from
        .as_ref()
        .map(|from| first.unwrap_or_else(|| request.beside(from)));
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

fn select(from_where: &Sql) -> Sql {
    Sql::new(format!("SELECT {SOCIAL_AUTH_COLUMNS} FROM ")).joined(from_where)
}

/// Rows in reading order, and how far the reading came if candidates were left when their number was used up.
fn follow(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    lead: Lead,
    wanted: usize,
) -> Result<(Vec<ListedSocialAuth>, Option<i64>), StorageError> {
    let mut candidates = i64::try_from(wanted).unwrap_or(i64::MAX);
    if plan.asks_more_than(lead) {
        candidates = candidates.max(plan.budget());
    }
    let taken = plan.next_of(lead, candidates);
    let limit = i64::try_from(wanted).unwrap_or(i64::MAX);
    let sql = plan.first_of(&taken, lead, SOCIAL_AUTH_COLUMNS, limit);
    let rows = dispatch!(reader, lists::social_auths(&sql))?;
    let mut stopped_at = None;
    if rows.len() < wanted {
        let last_two = Sql::new("SELECT social_auth_id FROM (")
            .joined(&plan.next_of(lead, candidates + 1))
            .with(") AS candidates")
            .with(plan.order("social_auth_id"))
            .with(format!(" LIMIT 2 OFFSET {}", candidates - 1));
        if let [last, _] = dispatch!(reader, lists::ids(&last_two))?[..] {
            stopped_at = Some(last);
        }
    }
    Ok((rows, stopped_at))
}

/// The social accounts of the tail that match, by what the tables say.
fn tail_matches(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
) -> Result<Vec<ListedSocialAuth>, StorageError> {
    if plan.tail.is_empty() {
        return Ok(Vec::new());
    }
    let ids = id_list(&plan.tail);
    let text = format!("social_auth AS s JOIN{USERS_OF_ACCOUNTS}s.id IN ({ids})");
    let mut sql = select(&Sql::new(text));
    sql.append(&plan.conditions())
        .push(format!(" LIMIT {MOST_OF_TAIL}"));
    dispatch!(reader, lists::social_auths(&sql))
}

/// How many match, as far as they are counted.
fn count(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    lead: Lead,
    of_tail: usize,
) -> Result<Count, StorageError> {
    let budget = plan.budget();
    let (found, is_all) = if !plan.covers_index() {
        (0, true)
    } else if plan.asks_more_than(lead) {
        let sql = Sql::new("SELECT (SELECT count(*) FROM (")
            .joined(&plan.next_of(lead, budget + 1))
            .with(") AS candidates), (SELECT count(*) FROM (")
            .joined(&plan.first_of(&plan.next_of(lead, budget), lead, "1 AS one", budget))
            .with(") AS matching)");
        let (candidates, found) = first(&dispatch!(reader, lists::numbers(&sql))?);
        (found, candidates <= budget)
    } else {
        let sql = Sql::new("SELECT CAST(0 AS BIGINT), count(*) FROM (")
            .joined(&plan.next_of(lead, COUNTED + 1))
            .with(") AS counted");
        (first(&dispatch!(reader, lists::numbers(&sql))?).1, true)
    };
    let found = found + i64::try_from(of_tail).unwrap_or_default();
    let shown = u32::try_from(found.min(COUNTED)).unwrap_or_default();
    Ok(if found > COUNTED || !is_all {
        Count::MoreThan(shown)
    } else {
        Count::Exactly(shown)
    })
}

fn first(rows: &[(i64, i64)]) -> (i64, i64) {
    rows.first().copied().unwrap_or_default()
}
