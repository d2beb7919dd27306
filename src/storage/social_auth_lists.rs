//! Pages of social accounts, in the order in which they were associated. How it is done: see [`super::user_lists`].

mod plan;

use chrono::{DateTime, Utc};

use self::plan::{Lead, Plan};
use super::connection::dispatch;
use super::sql::{SOCIAL_AUTH_COLUMNS, Sql, id_list};
use super::user_lists::{ListPage, ListRequest, SocialAccounts};
use super::{Reader, StorageError};
use crate::domain::paging::{Count, Direction, OrderKey, Page, Position};
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
        find(reader, &plan, request, &plan.lead(&state.estimates))?
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
    })
}

type Found = (Vec<ListedSocialAuth>, Option<i64>, Option<Count>);

fn find(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    lead: &Lead,
) -> Result<Found, StorageError> {
    let of_tail = tail_matches(reader, plan)?;
    let wanted = usize::from(request.rows) + 1;
    let count = match &request.from {
        None if !request.filter.is_empty() => Some(count(reader, plan, lead, of_tail.len())?),
        _ => None,
    };
    let (mut rows, stopped_at) = if plan.covers_index() {
        follow(reader, plan, request, lead, wanted)?
    } else {
        (Vec::new(), None)
    };
    let is_downwards = plan.reads_downwards();
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

/// Rows in reading order, and how far the reading came if its budget was used up.
fn follow(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    request: &Request,
    lead: &Lead,
    wanted: usize,
) -> Result<(Vec<ListedSocialAuth>, Option<i64>), StorageError> {
    let (from_where, id) = plan.source_and_conditions(lead);
    let conditions = plan.conditions(lead);
    let sign = if plan.reads_downwards() { "<" } else { ">" };
    let mut bounds = plan.bounds(id);
    if let Some(from) = &request.from {
        bounds.push(format!(" AND {id} {sign} ")).bind(from.id);
    }
    let mut sql = select(&from_where);
    sql.append(&conditions).append(&bounds);
    let floor = (!conditions.0.is_empty())
        .then(|| plan.floor(lead, &bounds))
        .flatten();
    if let Some(floor) = &floor {
        let (sign, none) = if plan.reads_downwards() {
            (">=", 0)
        } else {
            ("<=", i64::MAX)
        };
        sql.push(format!(" AND {id} {sign} coalesce("))
            .append(floor)
            .push(format!(", {none})"));
    }
    sql.push(format!(" ORDER BY {id} {} LIMIT {wanted}", plan.way()));
    let rows = dispatch!(reader, lists::social_auths(&sql))?;
    let mut stopped_at = None;
    if let Some(floor) = floor
        && rows.len() < wanted
    {
        let sql = Sql::new("SELECT coalesce(").joined(&floor).with(", 0)");
        let at = dispatch!(reader, lists::ids(&sql))?;
        stopped_at = at.first().copied().filter(|id| *id > 0);
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
    let text = format!("{} WHERE s.id IN ({})", plan::TABLES, id_list(&plan.tail));
    let mut sql = select(&Sql::new(text));
    sql.append(&plan.conditions(&Lead::Everything))
        .push(format!(" LIMIT {MOST_OF_TAIL}"));
    dispatch!(reader, lists::social_auths(&sql))
}

/// How many match, as far as they are counted.
fn count(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    lead: &Lead,
    of_tail: usize,
) -> Result<Count, StorageError> {
    use super::user_lists::COUNTED;
    let conditions = plan.conditions(lead);
    let mut sql = Sql::new("SELECT (SELECT count(*) FROM (SELECT 1 AS one FROM ");
    let mut stop = Sql::new("CAST(0 AS BIGINT)");
    if !plan.covers_index() {
        sql.push("social_auth WHERE FALSE");
    } else if conditions.0.is_empty() {
        let (source, id) = plan.source(lead);
        sql.append(&source).append(&plan.bounds(id));
    } else {
        let (from_where, id) = plan.source_and_conditions(lead);
        sql.append(&from_where)
            .append(&conditions)
            .append(&plan.bounds(id));
        if let Some(floor) = plan.floor(lead, &plan.bounds(id)) {
            stop = Sql::new("coalesce(").joined(&floor).with(", 0)");
            let (sign, none) = if plan.reads_downwards() {
                (">=", 0)
            } else {
                ("<=", i64::MAX)
            };
            sql.push(format!(" AND {id} {sign} coalesce("))
                .append(&floor)
                .push(format!(", {none})"));
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

impl Plan<'_> {
    fn reads_downwards(&self) -> bool {
        (self.direction == Direction::Descending) != self.is_backwards
    }

    fn way(&self) -> &'static str {
        if self.reads_downwards() {
            "DESC"
        } else {
            "ASC"
        }
    }
}
