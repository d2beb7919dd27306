//! How far the read models go, and who is behind that: read with everything else that a plan needs, in one statement.

use crate::storage::connection::dispatch;
use crate::storage::sql::Sql;
use crate::storage::upkeep::marks;
use crate::storage::{Reader, StorageError};

use super::plan::Plan;
use super::sources::Stream;

/// Users of the tail, at most. Under more load than that the list says that it is behind.
pub(in crate::storage) const MOST: usize = 5_000;
/// Users behind the mark that are counted.
const MOST_COUNTED: i64 = 10_000;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) total: i64,
    pub(super) blocks: Option<(i64, i64)>,
    /// Of the streams that were asked for, in their order; zeros where there is no choice.
    pub(super) estimates: Vec<i64>,
    pub(super) tail: Vec<i64>,
    pub(super) is_behind: bool,
}

const TOTAL: i64 = 0;
const FIRST_BLOCK: i64 = 1;
const LAST_BLOCK: i64 = 2;
const TAIL: i64 = 3;
const ESTIMATES: i64 = 10;

/// The position of a mark, as an expression.
pub(in crate::storage) fn mark(name: &str) -> String {
    format!("coalesce((SELECT position FROM upkeep_marks WHERE name = '{name}'), 0)")
}

/// How many users there are, as an expression: those of the blocks, and those that are in none yet.
fn everybody() -> String {
    format!(
        "CAST(coalesce((SELECT sum(users) FROM user_blocks), 0) AS BIGINT) + (SELECT count(*) FROM (SELECT 1 AS one FROM users WHERE id > {} LIMIT {MOST_COUNTED}) AS new)",
        mark(marks::USERS)
    )
}

pub(super) fn count_everybody(reader: &mut Reader<'_>) -> Result<i64, StorageError> {
    let sql = Sql::new(format!("SELECT CAST({TOTAL} AS BIGINT), {}", everybody()));
    let rows = dispatch!(reader, lists::numbers(&sql))?;
    Ok(rows.first().map(|row| row.1).unwrap_or_default())
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    plan: &Plan<'_>,
    streams: &[Stream],
    needs_tail: bool,
) -> Result<State, StorageError> {
    let mut sql = Sql::new(format!("SELECT CAST({TOTAL} AS BIGINT), {}", everybody()));
    blocks(&mut sql, plan);
    let estimated = if plan.has_choice(streams) {
        streams
    } else {
        &[]
    };
    for (stream, number) in estimated.iter().zip(ESTIMATES..) {
        sql.push(format!(" UNION ALL SELECT {number}, "))
            .append(&plan.estimate(stream));
    }
    if needs_tail {
        sql.push(format!(" UNION ALL SELECT {TAIL}, user_id FROM ("))
            .append(&tail(plan))
            .push(format!(" LIMIT {MOST}) AS tail"));
    }
    let rows = dispatch!(reader, lists::numbers(&sql))?;
    let mut state = State {
        estimates: vec![0; streams.len()],
        ..State::default()
    };
    let (mut first, mut last) = (-1, -1);
    for (what, value) in rows {
        match what {
            TOTAL => state.total = value,
            FIRST_BLOCK => first = value,
            LAST_BLOCK => last = value,
            TAIL => state.tail.push(value),
            estimate => {
                let index = usize::try_from(estimate - ESTIMATES).unwrap_or(usize::MAX);
                if let Some(slot) = state.estimates.get_mut(index) {
                    *slot = value;
                }
            }
        }
    }
    state.blocks = (first >= 0).then_some((first, last));
    state.is_behind = state.tail.len() >= MOST;
    Ok(state)
}

/// The blocks that have a user of the span of sign-ups.
fn blocks(sql: &mut Sql, plan: &Plan<'_>) {
    let Some((from, before)) = plan.span() else {
        return;
    };
    for (what, which) in [(FIRST_BLOCK, "min"), (LAST_BLOCK, "max")] {
        sql.push(format!(
            " UNION ALL SELECT {what}, coalesce((SELECT {which}(block) FROM user_blocks WHERE joined_to >= "
        ))
        .bind(from)
        .push(" AND joined_from < ")
        .bind(before)
        .push("), -1)");
    }
}

/// Whoever may have changed since the read models were written.
fn tail(plan: &Plan<'_>) -> Sql {
    let (users, accounts, changes) = (
        mark(marks::USERS),
        mark(marks::SOCIAL_AUTHS),
        mark(marks::CHANGES),
    );
    let mut sql = Sql::new(format!(
        "SELECT user_id FROM (SELECT id AS user_id FROM users WHERE id > {users} ORDER BY id DESC LIMIT {MOST}) AS a \
         UNION SELECT user_id FROM (SELECT user_id FROM social_auth WHERE id > {accounts} ORDER BY id DESC LIMIT {MOST}) AS b \
         UNION SELECT user_id FROM (SELECT user_id FROM audit_log WHERE id > {changes} ORDER BY id DESC LIMIT {MOST}) AS c WHERE user_id IS NOT NULL"
    ));
    if plan.filter.access_token_expired {
        sql.push(" UNION SELECT user_id FROM (SELECT user_id FROM social_auth_index WHERE NOT is_expired AND expires_at <= ")
            .bind(plan.now.as_str())
            .push(format!(" ORDER BY expires_at LIMIT {MOST}) AS e"));
    }
    sql
}
