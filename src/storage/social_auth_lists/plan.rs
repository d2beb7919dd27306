//! What a list needs to be put together: its filter, what the index knows, and how much work a page may be.

use chrono::{DateTime, Utc};

use super::sources::Lead;
use super::{MOST_OF_TAIL, Request, SocialAuthFilter};
use crate::domain::ProviderId;
use crate::domain::paging::{Direction, Position};
use crate::storage::connection::dispatch;
use crate::storage::sql::Sql;
use crate::storage::upkeep::marks;
use crate::storage::user_lists::{FAR_AWAY, Limits, SocialAccounts, mark};
use crate::storage::{Backend, Reader, StorageError, rfc3339, sqlite};

/// See the module.
pub(super) struct Plan<'r> {
    pub(super) backend: Backend,
    pub(super) filter: &'r SocialAuthFilter,
    pub(super) from: Option<&'r Position>,
    /// Whether ids are read from the greatest down.
    pub(super) is_downwards: bool,
    pub(super) now: String,
    pub(super) limits: Limits,
    pub(super) hull: Option<(i64, i64)>,
    pub(super) tail: Vec<i64>,
}

/// What was read before anything else.
pub(super) struct State {
    pub(super) total: i64,
    /// Of [`Plan::leads`], in their order; zeros where there is no choice.
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
            from: request.from.as_ref(),
            is_downwards: (request.direction == Direction::Descending) != request.is_backwards,
            now: rfc3339(request.now),
            limits: request.limits,
            hull: None,
            tail: Vec::new(),
        }
    }

    pub(super) fn is_sqlite(&self) -> bool {
        self.backend == Backend::Sqlite
    }

    /// The leads that the filter offers.
    fn leads(&self) -> Vec<Lead> {
        let filter = self.filter;
        let mut leads = Vec::new();
        if !filter.providers.is_empty() {
            leads.push(Lead::Providers);
        }
        if filter.access_token_expired {
            leads.push(Lead::Expired);
        }
        if filter.is_active == Some(false) {
            leads.push(Lead::Inactive);
        }
        if filter.social_accounts == Some(SocialAccounts::Several) {
            leads.push(Lead::WithSeveral);
        }
        if filter.last_sign_in_before.is_some() {
            leads.push(Lead::SignedInBefore);
        }
        leads
    }

    /// The rarest; one that is not in the order of the list only where it is rare.
    pub(super) fn lead(&self, estimates: &[i64]) -> Lead {
        let sizes = self.leads().into_iter().zip(estimates.iter().copied());
        sizes
            .filter(|(lead, size)| lead.is_in_order() || *size <= self.limits.few)
            .min_by_key(|(_, size)| *size)
            .map_or(Lead::Everything, |(lead, _)| lead)
    }

    /// Whether the filter asks for more than what leads sees to.
    pub(super) fn asks_more_than(&self, lead: Lead) -> bool {
        let filter = self.filter;
        let asked = [
            !filter.providers.is_empty(),
            filter.associated_from.is_some(),
            filter.associated_before.is_some(),
            filter.is_active.is_some(),
            filter.social_accounts.is_some(),
            filter.last_sign_in_before.is_some(),
            filter.access_token_expired,
        ];
        let asked = asked.into_iter().filter(|is_asked| *is_asked).count();
        asked > usize::from(lead != Lead::Everything)
    }

    /// Candidates of which a page may ask more than their source tells.
    pub(super) fn budget(&self) -> i64 {
        self.limits.budget_of(self.backend)
    }

    pub(super) fn providers(&self) -> impl Iterator<Item = &'r str> {
        self.filter.providers.iter().map(ProviderId::as_str)
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
        let accounts = mark(marks::SOCIAL_AUTHS);
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
        // One that is alone and in order leads however many it has.
        let is_given = matches!(leads[..], [only] if only.is_in_order());
        let estimated: &[Lead] = if is_given { &[] } else { &leads };
        for (lead, number) in estimated.iter().zip(ESTIMATES..) {
            sql.push(format!(" UNION ALL SELECT {number}, "))
                .append(&self.estimate(*lead));
        }
        if !self.filter.is_empty() {
            sql.push(format!(" UNION ALL SELECT {TAIL}, id FROM ("))
                .append(&self.tail_ids())
                .push(format!(" LIMIT {MOST_OF_TAIL}) AS tail"));
        }
        let rows = dispatch!(reader, lists::numbers(&sql))?;
        Ok(self.take(&rows, leads.len()))
    }

    /// What may have changed since the index was written.
    fn tail_ids(&self) -> Sql {
        let (accounts, changes) = (mark(marks::SOCIAL_AUTHS), mark(marks::CHANGES));
        let mut sql = Sql::new(format!(
            "SELECT id FROM (SELECT id FROM social_auth WHERE id > {accounts} ORDER BY id DESC LIMIT {MOST_OF_TAIL}) AS a \
             UNION SELECT id FROM (SELECT social_auth_id AS id FROM audit_log WHERE id > {changes} ORDER BY audit_log.id DESC LIMIT {MOST_OF_TAIL}) AS b WHERE id IS NOT NULL"
        ));
        if self.filter.access_token_expired {
            sql.push(" UNION SELECT id FROM (SELECT social_auth_id AS id FROM social_auth_index WHERE NOT is_expired AND expires_at <= ")
                .bind(self.now.as_str())
                .push(format!(" ORDER BY expires_at LIMIT {MOST_OF_TAIL}) AS c"));
        }
        sql
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
