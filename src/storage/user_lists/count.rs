//! What leads to the rows of a list, and how many there are.

use super::UserOrder;
use super::plan::Plan;
use super::sources::{Stream, Way};
use crate::domain::paging::Count;
use crate::storage::connection::dispatch;
use crate::storage::sql::Sql;
use crate::storage::{Reader, StorageError};

/// Up to how many rows are counted.
pub(in crate::storage) const COUNTED: i64 = 10_000;

/// What leads to the rows.
#[derive(Debug, PartialEq)]
pub(super) enum Lead {
    /// A stream, in the order of ids.
    Stream(Stream),
    /// All of a stream that has few, sorted.
    Gathered(Stream),
    /// The list's own index.
    Walk,
}

impl Plan<'_> {
    /// What leads: the rarest stream if it is in the order of the list or has few users, else the list's own index.
    pub(super) fn lead(&self, streams: &[Stream], estimates: &[i64]) -> Lead {
        if self.order == UserOrder::SignedUp {
            return Lead::Stream(self.lead_by_id(streams, estimates));
        }
        let sizes = streams.iter().zip(estimates.iter().copied());
        // Each of these is joined and sorted.
        let most = |stream| self.few_of(stream).min(self.limits.few / 2);
        sizes
            .chain([(&Stream::Everyone, self.width())])
            .filter(|(stream, size)| *size <= most(stream))
            .min_by_key(|(_, size)| *size)
            .map_or(Lead::Walk, |(stream, _)| Lead::Gathered(stream.clone()))
    }

    /// The rarest stream of which the next ids can be taken. Ids of few users can be, whatever order they come in.
    pub(super) fn lead_by_id(&self, streams: &[Stream], estimates: &[i64]) -> Stream {
        let sizes = streams.iter().zip(estimates.iter().copied());
        sizes
            .filter(|(stream, size)| self.is_in_order(stream) || *size <= self.few_of(stream))
            .chain([(&Stream::Everyone, self.width())])
            .min_by_key(|(_, size)| *size)
            .map_or(Stream::Everyone, |(stream, _)| stream.clone())
    }

    /// Whether it depends on how many each stream has what leads. Else nobody needs to know.
    pub(super) fn has_choice(&self, streams: &[Stream]) -> bool {
        match streams {
            [only] => {
                let leads_anyway = self.is_in_order(only) && self.span().is_none();
                self.order != UserOrder::SignedUp || !leads_anyway
            }
            _ => true,
        }
    }

    /// Up to how many of a stream are counted. PostgreSQL finds texts in rows all over their table, and of several providers as many
    /// as are counted are merged of each.
    fn counted(&self, stream: &Stream) -> i64 {
        match stream {
            Stream::Needle(_) if !self.is_sqlite() => COUNTED / 2,
            Stream::Providers(ids) => match ids.len() {
                0 | 1 => COUNTED,
                2 => COUNTED / 2,
                _ => COUNTED / 10,
            },
            _ => COUNTED,
        }
    }

    /// Users of the span of sign-ups, at most.
    fn width(&self) -> i64 {
        self.hull.map_or(i64::MAX, |(from, to)| to - from + 1)
    }
}

/// How many match, as far as they are counted, from the newest on.
pub(super) fn count(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    stream: &Stream,
    of_tail: usize,
) -> Result<Count, StorageError> {
    let most = plan.counted(stream);
    let (found, is_all) = if !plan.covers_models() {
        (0, true)
    } else if plan.asks_more_than(stream) {
        count_matching(reader, plan, stream)?
    } else {
        (second(reader, &count_alone(plan, stream, most + 1))?, true)
    };
    let found = found + i64::try_from(of_tail).unwrap_or_default();
    let shown = u32::try_from(found.min(most)).unwrap_or_default();
    Ok(if found > most || !is_all {
        Count::MoreThan(shown)
    } else {
        Count::Exactly(shown)
    })
}

/// How many candidates match, and whether these were all candidates there are.
fn count_matching(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    stream: &Stream,
) -> Result<(i64, bool), StorageError> {
    let budget = plan.budget();
    let candidates = plan.next_of(stream, &Way::NEWEST, budget);
    let and_one_more = plan.next_of(stream, &Way::NEWEST, budget + 1);
    let sql = Sql::new("SELECT (SELECT count(*) FROM (")
        .joined(&and_one_more)
        .with(") AS candidates), (SELECT count(*) FROM ")
        .with("(")
        .joined(&plan.first_of(&candidates, Some(stream), "1 AS one", budget))
        .with(") AS matching)");
    let rows = dispatch!(reader, lists::numbers(&sql))?;
    let (candidates, found) = rows.first().copied().unwrap_or_default();
    Ok((found, candidates <= budget))
}

/// How many a stream has of which nothing more is asked. Texts are taken as PostgreSQL finds them, not in the order of ids.
fn count_alone(plan: &Plan<'_>, stream: &Stream, most: i64) -> Sql {
    let ids = match stream {
        Stream::Needle(_) if !plan.is_sqlite() => plan.any_of(stream, most),
        _ => plan.next_of(stream, &Way::NEWEST, most),
    };
    Sql::new("SELECT CAST(0 AS BIGINT), count(*) FROM (")
        .joined(&ids)
        .with(") AS counted")
}

fn second(reader: &mut Reader<'_>, sql: &Sql) -> Result<i64, StorageError> {
    let rows = dispatch!(reader, lists::numbers(sql))?;
    Ok(rows.first().map(|row| row.1).unwrap_or_default())
}
