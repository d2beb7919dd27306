//! From a filter to statements.

use chrono::{DateTime, Utc};

use super::{MOST_OF_TAIL, Request, SocialAuthFilter};
use crate::domain::ProviderId;
use crate::domain::paging::Direction;
use crate::storage::connection::dispatch;
use crate::storage::sql::{Sql, id_list};
use crate::storage::upkeep::marks;
use crate::storage::user_lists::{FAR_AWAY, Limits, SocialAccounts, mark};
use crate::storage::{Backend, Reader, StorageError, rfc3339, sqlite};

/// The tables in the aliases that conditions use.
pub(super) const TABLES: &str = "social_auth AS s JOIN users AS u ON u.id = s.user_id LEFT JOIN last_sign_ins AS l ON l.user_id = u.id";

/// What leads to the rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lead {
    Everything,
    Provider(String),
    Expired,
    /// The accounts of few users.
    OfUsers(Few),
    /// The accounts of providers that have few.
    OfProviders,
}

/// Users that may be few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Few {
    Inactive,
    SignedInBefore,
    WithSeveral,
}

/// What a list needs to be put together.
pub(super) struct Plan<'r> {
    backend: Backend,
    filter: &'r SocialAuthFilter,
    pub(super) direction: Direction,
    pub(super) is_backwards: bool,
    now: String,
    limits: Limits,
    hull: Option<(i64, i64)>,
    pub(super) tail: Vec<i64>,
}

/// What was read before anything else.
pub(super) struct State {
    pub(super) total: i64,
    /// Of [`Plan::leads`], in their order.
    pub(super) estimates: Vec<i64>,
}

const TOTAL: i64 = 0;
const FIRST_BLOCK: i64 = 1;
const LAST_BLOCK: i64 = 2;
const TAIL: i64 = 3;
const ESTIMATES: i64 = 10;

impl<'r> Plan<'r> {
    pub(super) fn new(backend: Backend, request: &'r Request) -> Self {
        Self {
            backend,
            filter: &request.filter,
            direction: request.direction,
            is_backwards: request.is_backwards,
            now: rfc3339(request.now),
            limits: request.limits,
            hull: None,
            tail: Vec::new(),
        }
    }

    fn is_sqlite(&self) -> bool {
        self.backend == Backend::Sqlite
    }

    /// The leads that the filter offers.
    fn leads(&self) -> Vec<Lead> {
        let filter = self.filter;
        let mut leads = Vec::new();
        match filter.providers.as_slice() {
            [] => {}
            [one] => leads.push(Lead::Provider(one.as_str().to_owned())),
            _ => leads.push(Lead::OfProviders),
        }
        if filter.access_token_expired {
            leads.push(Lead::Expired);
        }
        if filter.is_active == Some(false) {
            leads.push(Lead::OfUsers(Few::Inactive));
        }
        if filter.social_accounts == Some(SocialAccounts::Several) {
            leads.push(Lead::OfUsers(Few::WithSeveral));
        }
        if filter.last_sign_in_before.is_some() {
            leads.push(Lead::OfUsers(Few::SignedInBefore));
        }
        leads
    }

    /// The rarest; one that is not in the order of the list only where it is rare.
    pub(super) fn lead(&self, estimates: &[i64]) -> Lead {
        let mut leads: Vec<(Lead, i64)> = self
            .leads()
            .into_iter()
            .zip(estimates.iter().copied())
            .collect();
        leads.retain(|(lead, size)| {
            *size <= self.limits.few || matches!(lead, Lead::Provider(_) | Lead::Expired)
        });
        leads
            .into_iter()
            .min_by_key(|(_, size)| *size)
            .map_or(Lead::Everything, |(lead, _)| lead)
    }

    /// `FROM ... WHERE` of what leads, alone, and its id column.
    pub(super) fn source(&self, lead: &Lead) -> (Sql, &'static str) {
        match lead {
            Lead::Everything => (Sql::new("social_auth AS s WHERE TRUE"), "s.id"),
            Lead::Provider(id) => (
                Sql::new("social_auth_index AS d WHERE d.provider = ").and(id.as_str()),
                "d.social_auth_id",
            ),
            Lead::Expired => {
                let index = if self.is_sqlite() {
                    " INDEXED BY social_auth_index_expired_id"
                } else {
                    ""
                };
                let text = format!("social_auth_index AS d{index} WHERE d.is_expired");
                (Sql::new(text), "d.social_auth_id")
            }
            Lead::OfProviders => {
                let mut sql = Sql::new("social_auth AS s WHERE s.provider IN (");
                sql.bind_all(self.filter.providers.iter().map(ProviderId::as_str))
                    .push(")");
                (sql, "s.id")
            }
            Lead::OfUsers(few) => {
                let joins = "(SELECT g.user_id FROM ";
                let mut sql = Sql::new(joins);
                sql.append(&self.few(*few))
                    .push(format!(" LIMIT {}) AS g ", self.limits.few * 2))
                    .push(if self.is_sqlite() {
                        "CROSS JOIN"
                    } else {
                        "JOIN"
                    })
                    .push(" social_auth AS s ON s.user_id = g.user_id WHERE TRUE");
                (sql, "s.id")
            }
        }
    }

    fn few(&self, few: Few) -> Sql {
        let users = |index: &str, condition: &str| {
            let by = if self.is_sqlite() {
                format!(" INDEXED BY {index}")
            } else {
                String::new()
            };
            Sql::new(format!(
                "(SELECT id AS user_id FROM users{by} WHERE {condition}) AS g"
            ))
        };
        match few {
            Few::Inactive => users("users_inactive", "NOT is_active"),
            Few::WithSeveral => users("users_with_several_social_accounts", "social_accounts >= 2"),
            Few::SignedInBefore => Sql::new("(SELECT user_id FROM last_sign_ins WHERE at < ")
                .and(self.filter.last_sign_in_before.unwrap_or_default())
                .with(") AS g"),
        }
    }

    /// `FROM ... WHERE` of what leads with all tables.
    pub(super) fn source_and_conditions(&self, lead: &Lead) -> (Sql, &'static str) {
        let (join, on) = if self.is_sqlite() {
            ("CROSS JOIN", "ON")
        } else {
            ("JOIN", "ON")
        };
        let users = format!(
            " {join} users AS u {on} u.id = s.user_id LEFT JOIN last_sign_ins AS l ON l.user_id = u.id WHERE "
        );
        let (source, id) = self.source(lead);
        let through_index = matches!(lead, Lead::Provider(_) | Lead::Expired);
        let accounts = if through_index {
            format!(" {join} social_auth AS s ON s.id = d.social_auth_id")
        } else {
            String::new()
        };
        let mut sql = source.replacing_where(&format!("{accounts}{users}"));
        if *lead == Lead::Expired {
            sql.append(&self.expired());
        }
        (sql, id)
    }

    fn expired(&self) -> Sql {
        Sql::new(" AND s.extra_data ->> 'expires_at' <= ").and(self.now.as_str())
    }

    /// The conditions of the filter, all but those that the lead sees to.
    pub(super) fn conditions(&self, lead: &Lead) -> Sql {
        let filter = self.filter;
        let mut sql = Sql::default();
        if !filter.providers.is_empty() && !matches!(lead, Lead::Provider(_) | Lead::OfProviders) {
            sql.push(" AND s.provider IN (")
                .bind_all(filter.providers.iter().map(ProviderId::as_str))
                .push(")");
        }
        if let Some(from) = filter.associated_from {
            sql.push(" AND s.created_at >= ").bind(from);
        }
        if let Some(before) = filter.associated_before {
            sql.push(" AND s.created_at < ").bind(before);
        }
        match filter.is_active {
            Some(true) => {
                sql.push(" AND u.is_active");
            }
            Some(false) => {
                sql.push(" AND NOT u.is_active");
            }
            None => {}
        }
        match filter.social_accounts {
            Some(SocialAccounts::One) => {
                sql.push(" AND u.social_accounts = 1");
            }
            Some(SocialAccounts::Several) => {
                sql.push(" AND u.social_accounts >= 2");
            }
            Some(SocialAccounts::None) | None => {}
        }
        if let Some(before) = filter.last_sign_in_before {
            sql.push(" AND l.at < ").bind(before);
        }
        if filter.access_token_expired && *lead != Lead::Expired {
            sql.append(&self.expired());
        }
        sql
    }

    /// Leaves out the tail, and what is outside the hull.
    pub(super) fn bounds(&self, id: &str) -> Sql {
        let mut sql = Sql::default();
        if !self.tail.is_empty() {
            sql.push(format!(" AND {id} NOT IN ({})", id_list(&self.tail)));
        }
        if let Some((from, to)) = self.hull {
            sql.push(format!(" AND {id} BETWEEN {from} AND {to}"));
        }
        sql
    }

    /// The id at the end of the budget, as an expression; `None` where what leads is few.
    pub(super) fn floor(&self, lead: &Lead, bounds: &Sql) -> Option<Sql> {
        if matches!(lead, Lead::OfUsers(_) | Lead::OfProviders) {
            return None;
        }
        let (source, id) = self.source(lead);
        let way = self.way();
        Some(
            Sql::new(format!("(SELECT {id} FROM "))
                .joined(&source)
                .joined(bounds)
                .with(format!(
                    " ORDER BY {id} {way} LIMIT 1 OFFSET {})",
                    self.limits.budget
                )),
        )
    }

    /// Whether anything outside the tail can match.
    pub(super) fn covers_index(&self) -> bool {
        self.hull.is_none_or(|(first, last)| first <= last)
    }

    pub(super) fn is_impossible(&self) -> bool {
        let has_none = self.filter.social_accounts == Some(SocialAccounts::None);
        has_none || self.span().is_some_and(|(from, before)| from >= before)
    }

    fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let (from, before) = (self.filter.associated_from, self.filter.associated_before);
        (from.is_some() || before.is_some()).then(|| {
            (
                from.unwrap_or(DateTime::UNIX_EPOCH),
                before.unwrap_or(FAR_AWAY),
            )
        })
    }

    /// Reads how many there are, how many each lead has, and what the index does not know yet.
    pub(super) fn read_state(&mut self, reader: &mut Reader<'_>) -> Result<State, StorageError> {
        let (accounts, changes) = (mark(marks::SOCIAL_AUTHS), mark(marks::CHANGES));
        let leads = self.leads();
        let mut sql = Sql::new(format!(
            "SELECT CAST({TOTAL} AS BIGINT), CAST(coalesce((SELECT sum(accounts) FROM social_auth_blocks), 0) AS BIGINT) + (SELECT count(*) FROM (SELECT 1 AS one FROM social_auth WHERE id > {accounts} LIMIT 10000) AS new)"
        ));
        if let Some((from, before)) = self.span() {
            for (what, which) in [(FIRST_BLOCK, "min"), (LAST_BLOCK, "max")] {
                sql.push(format!(" UNION ALL SELECT {what}, coalesce((SELECT {which}(block) FROM social_auth_blocks WHERE associated_to >= "))
                    .bind(from)
                    .push(" AND associated_from < ")
                    .bind(before)
                    .push("), -1)");
            }
        }
        for (lead, number) in leads.iter().zip(ESTIMATES..) {
            let (source, id) = self.source(lead);
            sql.push(format!(
                " UNION ALL SELECT {number}, (SELECT count(*) FROM (SELECT {id} FROM "
            ))
            .append(&source)
            .push(format!(" LIMIT {}) AS few)", self.limits.few + 1));
        }
        if !self.filter.is_empty() {
            sql.push(format!(
                " UNION ALL SELECT {TAIL}, id FROM (SELECT id FROM (SELECT id FROM social_auth WHERE id > {accounts} ORDER BY id DESC LIMIT {MOST_OF_TAIL}) AS a \
                 UNION SELECT id FROM (SELECT social_auth_id AS id FROM audit_log WHERE id > {changes} ORDER BY audit_log.id DESC LIMIT {MOST_OF_TAIL}) AS b WHERE id IS NOT NULL"
            ));
            if self.filter.access_token_expired {
                sql.push(" UNION SELECT id FROM (SELECT social_auth_id AS id FROM social_auth_index WHERE NOT is_expired AND expires_at <= ")
                    .bind(self.now.as_str())
                    .push(format!(" ORDER BY expires_at LIMIT {MOST_OF_TAIL}) AS c"));
            }
            sql.push(format!(" LIMIT {MOST_OF_TAIL}) AS tail"));
        }
        let rows = dispatch!(reader, lists::numbers(&sql))?;
        Ok(self.take(&rows, leads.len()))
    }

    fn take(&mut self, rows: &[(i64, i64)], leads: usize) -> State {
        const BLOCK: i64 = sqlite::queries::BLOCK;
        let value = |of| rows.iter().find(|(what, _)| *what == of).map(|row| row.1);
        self.tail = rows
            .iter()
            .filter(|(what, _)| *what == TAIL)
            .map(|row| row.1)
            .collect();
        if self.span().is_some() {
            let first = value(FIRST_BLOCK).filter(|block| *block >= 0);
            let last = value(LAST_BLOCK).filter(|block| *block >= 0);
            // An empty hull where no block matches.
            let (first, last) = first.zip(last).unwrap_or((1, -1));
            self.hull = Some((first * BLOCK, (last + 1) * BLOCK - 1));
        }
        State {
            total: value(TOTAL).unwrap_or_default(),
            estimates: (ESTIMATES..)
                .take(leads)
                .map(|number| value(number).unwrap_or_default())
                .collect(),
        }
    }
}
