//! Finding entries of the audit log.

use std::collections::BTreeSet;

use diesel::dsl::{max, min};
use diesel::prelude::*;

use super::super::schema::{audit_blocks, audit_hours, audit_log};
use super::super::{Backend, Conn};
use super::audit::AuditRow;
use super::find_one;
use super::roll_up::list_kinds;
use super::upkeep;
use crate::storage::StorageError;
use crate::storage::audit::AuditRecord;
use crate::storage::audit_search::{AuditFilter, AuditPosition};
use crate::storage::counts::hour_of;
use crate::storage::roll_up::{AuditKind, BLOCK};
use crate::storage::upkeep::marks;

/// A range of ids, both ends included; empty where it ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ids {
    first: i64,
    last: i64,
}

impl Ids {
    fn and(self, other: Self) -> Self {
        Self {
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        }
    }

    const fn is_empty(self) -> bool {
        self.first > self.last
    }
}

/// One search: what is looked for, in which direction, and what was found so far.
struct Search<'a> {
    filter: &'a AuditFilter,
    newest_first: bool,
    limit: usize,
    found: Vec<AuditRecord>,
}

/// Entries in the order of the search: newest first, or oldest first where what is newer than an entry is looked for.
pub(in crate::storage) fn search(
    conn: &mut Conn,
    filter: &AuditFilter,
    position: AuditPosition,
    limit: usize,
) -> Result<Vec<AuditRecord>, StorageError> {
    let (ids, newest_first) = match position {
        AuditPosition::Newest => (
            Ids {
                first: 1,
                last: i64::MAX,
            },
            true,
        ),
        AuditPosition::OlderThan(id) => (
            Ids {
                first: 1,
                last: id.saturating_sub(1),
            },
            true,
        ),
        AuditPosition::NewerThan(id) => {
            let first = id.saturating_add(1);
            (
                Ids {
                    first,
                    last: i64::MAX,
                },
                false,
            )
        }
    };
    let mut search = Search {
        filter,
        newest_first,
        limit,
        found: Vec::new(),
    };
    if filter.user_id.is_some() {
        search.scan(conn, ids)?;
        return Ok(search.found);
    }
    let mark = upkeep::position(conn, marks::ROLL_UP)?;
    let tail = ids.and(Ids {
        first: mark.saturating_add(1),
        last: i64::MAX,
    });
    let rolled = ids
        .and(Ids {
            first: 1,
            last: mark,
        })
        .and(ids_of_dates(conn, filter)?);
    if newest_first {
        search.scan(conn, tail)?;
        search.scan_rolled(conn, rolled)?;
    } else {
        search.scan_rolled(conn, rolled)?;
        search.scan(conn, tail)?;
    }
    Ok(search.found)
}

pub(in crate::storage) fn find(
    conn: &mut Conn,
    id: i64,
) -> Result<Option<AuditRecord>, StorageError> {
    let query = audit_log::table.find(id).select(AuditRow::as_select());
    Ok(find_one::<_, AuditRow>(conn, query)?.map(AuditRecord::from))
}

/// The ids between which the entries of the filter's dates lie, as far as they are rolled up.
fn ids_of_dates(conn: &mut Conn, filter: &AuditFilter) -> Result<Ids, StorageError> {
    let everything = Ids {
        first: 1,
        last: i64::MAX,
    };
    if filter.from.is_none() && filter.before.is_none() {
        return Ok(everything);
    }
    let mut query = audit_hours::table
        .select((min(audit_hours::first_id), max(audit_hours::last_id)))
        .into_boxed::<Backend>();
    if let Some(from) = filter.from {
        query = query.filter(audit_hours::hour.ge(hour_of(from)));
    }
    if let Some(before) = filter.before {
        query = query.filter(audit_hours::hour.lt(before));
    }
    let (first, last): (Option<i64>, Option<i64>) = query.first(conn)?;
    Ok(match (first, last) {
        (Some(first), Some(last)) => Ids { first, last },
        _ => Ids { first: 1, last: 0 },
    })
}

impl Search<'_> {
    fn missing(&self) -> usize {
        self.limit.saturating_sub(self.found.len())
    }

    /// Reads the entries of `ids` one by one until enough are found.
    fn scan(&mut self, conn: &mut Conn, ids: Ids) -> Result<(), StorageError> {
        if ids.is_empty() || self.missing() == 0 {
            return Ok(());
        }
        let filter = self.filter;
        let mut query = audit_log::table
            .filter(audit_log::id.between(ids.first, ids.last))
            .limit(i64::try_from(self.missing()).unwrap_or(i64::MAX))
            .select(AuditRow::as_select())
            .into_boxed::<Backend>();
        query = if self.newest_first {
            query.order(audit_log::id.desc())
        } else {
            query.order(audit_log::id.asc())
        };
        if let Some(user_id) = filter.user_id {
            query = query.filter(audit_log::user_id.eq(user_id.0));
        }
        if let Some(kind) = &filter.actor_kind {
            query = query.filter(audit_log::actor_kind.eq(kind));
        }
        if let Some(id) = filter.actor_id {
            query = query.filter(audit_log::actor_id.eq(id));
        }
        if let Some(action) = &filter.action {
            query = query.filter(audit_log::action.eq(action));
        }
        if let Some(provider) = &filter.provider {
            query = query.filter(audit_log::provider.eq(provider));
        }
        if let Some(from) = filter.from {
            query = query.filter(audit_log::at.ge(from));
        }
        if let Some(before) = filter.before {
            query = query.filter(audit_log::at.lt(before));
        }
        let rows: Vec<AuditRow> = query.load(conn)?;
        self.found.extend(rows.into_iter().map(AuditRecord::from));
        Ok(())
    }

    /// As [`Search::scan`], by the blocks that hold something of the kind.
    fn scan_rolled(&mut self, conn: &mut Conn, ids: Ids) -> Result<(), StorageError> {
        let filter = self.filter;
        if filter.actor_kind.is_none() && filter.action.is_none() && filter.provider.is_none() {
            return self.scan(conn, ids);
        }
        let kinds: Vec<i64> = list_kinds(conn)?
            .into_iter()
            .filter(|(_, kind)| admits(filter, kind))
            .map(|(id, _)| id)
            .collect();
        let mut left = ids;
        // Each block of a round holds at least one entry, apart from those at the edges of the range: rounds are few.
        while self.missing() > 0 && !left.is_empty() {
            let blocks = self.next_blocks(conn, &kinds, left)?;
            if blocks.is_empty() {
                return Ok(());
            }
            for run in runs(&blocks) {
                self.scan(conn, run.and(left))?;
                if self.newest_first {
                    left.last = left.last.min(run.first - 1);
                } else {
                    left.first = left.first.max(run.last + 1);
                }
            }
        }
        Ok(())
    }

    /// The next blocks that hold entries of `kinds`, in the direction of the search: as many as entries are missing, so that as a
    /// rule one round is enough.
    fn next_blocks(
        &self,
        conn: &mut Conn,
        kinds: &[i64],
        ids: Ids,
    ) -> Result<Vec<i64>, StorageError> {
        let limit = self.missing() + 2;
        let mut blocks = BTreeSet::new();
        // One look into the index for each kind: a single query would have to sort every block of every kind.
        for kind in kinds {
            let mut query = audit_blocks::table
                .filter(audit_blocks::kind_id.eq(kind))
                .filter(audit_blocks::block.between(ids.first / BLOCK, ids.last / BLOCK))
                .limit(i64::try_from(limit).unwrap_or(i64::MAX))
                .select(audit_blocks::block)
                .into_boxed::<Backend>();
            query = if self.newest_first {
                query.order(audit_blocks::block.desc())
            } else {
                query.order(audit_blocks::block.asc())
            };
            blocks.extend(query.load::<i64>(conn)?);
        }
        let mut blocks: Vec<i64> = if self.newest_first {
            blocks.into_iter().rev().collect()
        } else {
            blocks.into_iter().collect()
        };
        blocks.truncate(limit);
        Ok(blocks)
    }
}

fn admits(filter: &AuditFilter, kind: &AuditKind) -> bool {
    let is =
        |wanted: &Option<String>, has: &str| wanted.as_deref().is_none_or(|wanted| wanted == has);
    is(&filter.actor_kind, &kind.actor_kind)
        && is(&filter.action, &kind.action)
        && is(&filter.provider, &kind.provider)
        && (kind.actor_id == 0 || filter.actor_id.is_none_or(|id| id == kind.actor_id))
}

/// Neighbouring blocks together, as ranges of ids, in the order of `blocks`.
fn runs(blocks: &[i64]) -> Vec<Ids> {
    let mut runs: Vec<Ids> = Vec::new();
    for block in blocks {
        let (first, last) = (block * BLOCK, block * BLOCK + BLOCK - 1);
        match runs.last_mut() {
            Some(run) if run.first == last + 1 => run.first = first,
            Some(run) if run.last + 1 == first => run.last = last,
            _ => runs.push(Ids { first, last }),
        }
    }
    runs
}
