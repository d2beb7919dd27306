//! What leads to the rows of a list, and how many there are.

use super::UserOrder;
use super::plan::{COUNTED, Plan, Stream};
use crate::domain::paging::Count;
use crate::storage::connection::dispatch;
use crate::storage::sql::Sql;
use crate::storage::{Reader, StorageError};

/// What leads to the rows.
#[derive(Debug, PartialEq)]
pub(super) enum Lead {
    Stream(Stream),
    Gathered(Stream),
    Walk,
}

/// What leads: the rarest filter if it is in the right order or rare, else the list's own index.
pub(super) fn lead(order: UserOrder, streams: &[Stream], estimates: &[i64], few: i64) -> Lead {
    let mut by_size: Vec<(&Stream, i64)> = streams.iter().zip(estimates.iter().copied()).collect();
    by_size.sort_by_key(|(_, size)| *size);
    match by_size.first() {
        Some((stream, _)) if order == UserOrder::SignedUp && stream.is_ordered() => {
            Lead::Stream((*stream).clone())
        }
        Some((stream, size)) if *size <= few => Lead::Gathered((*stream).clone()),
        _ if order == UserOrder::SignedUp => {
            let ordered = by_size.iter().find(|(stream, _)| stream.is_ordered());
            Lead::Stream(ordered.map_or(Stream::Everyone, |(stream, _)| (*stream).clone()))
        }
        _ => Lead::Walk,
    }
}

/// What is counted along.
pub(super) fn counter(lead: &Lead, streams: &[Stream], estimates: &[i64], few: i64) -> Lead {
    match lead {
        Lead::Stream(stream) => Lead::Stream(stream.clone()),
        Lead::Gathered(stream) => Lead::Gathered(stream.clone()),
        Lead::Walk => self::lead(UserOrder::SignedUp, streams, estimates, few),
    }
}

/// How many match, as far as they are counted.
pub(super) fn count(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    counter: &Lead,
    of_tail: usize,
) -> Result<Count, StorageError> {
    let mut sql = Sql::new("SELECT (SELECT count(*) FROM (SELECT ");
    let mut stop = Sql::new("CAST(0 AS BIGINT)");
    match counter {
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
