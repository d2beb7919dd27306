//! What the lists share: cursors, sizes of pages, and what stands around the rows.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::paging::{Count, Cursor, Position};
use crate::domain::stewardship::By;
use crate::flows::export::Export;
use crate::storage::user_lists::ListPage;
use crate::web::admin::lists::query::{BadQuery, ListQuery, refused};
use crate::web::admin::text::t;

/// Rows of a page, unless the caller says how many.
const ROWS: u16 = 50;
/// Most rows of a page.
const MOST_ROWS: u16 = 100;

/// How many rows a page is to have.
pub(super) fn rows_of(query: &ListQuery) -> Result<u16, BadQuery> {
    let Some(text) = query.get("rows") else {
        return Ok(ROWS);
    };
    text.parse()
        .ok()
        .filter(|rows| (1..=MOST_ROWS).contains(rows))
        .ok_or_else(|| refused("rows", t("query-not-rows")))
}

/// Where the page begins. A program is not shown the beginning of another list instead.
pub(super) fn cursor_of(query: &ListQuery) -> Result<Option<Cursor>, BadQuery> {
    let cursor = query
        .get("cursor")
        .map(|text| Cursor::decode(text, &query.fingerprint()));
    cursor
        .transpose()
        .map_err(|_foreign| refused("cursor", t("query-foreign-cursor")))
}

/// What stands around the rows of a page.
#[derive(Serialize)]
pub(super) struct Around {
    total: i64,
    count: Option<u32>,
    count_is_exact: Option<bool>,
    previous_cursor: Option<String>,
    next_cursor: Option<String>,
    is_behind: bool,
}

impl Around {
    pub(super) fn new<T>(query: &ListQuery, found: &ListPage<T>, before: Option<&Cursor>) -> Self {
        // Counted for the first page; the cursors carry it on.
        let count = found.count.or(before.and_then(|cursor| cursor.count));
        let cursor = |position: &Position, is_backwards| {
            let cursor = Cursor {
                position: position.clone(),
                is_backwards,
                count,
            };
            cursor.encode(&query.fingerprint())
        };
        let (number, is_exact) = match count {
            Some(Count::Exactly(number)) => (Some(number), Some(true)),
            Some(Count::MoreThan(number)) => (Some(number), Some(false)),
            None => (None, None),
        };
        Self {
            total: found.total,
            count: number,
            count_is_exact: is_exact,
            previous_cursor: found.page.back.as_ref().map(|at| cursor(at, true)),
            next_cursor: found.page.next.as_ref().map(|at| cursor(at, false)),
            is_behind: found.is_behind,
        }
    }
}

/// What the audit log says of a page that is handed out.
pub(super) fn noted(by: By, list: &'static str, query: &ListQuery) -> Export {
    Export {
        list,
        format: "json",
        query: query.for_audit(),
        actor: by.actor,
        context: by.context,
    }
}

/// A row as an object.
pub(super) fn object(row: Vec<(&'static str, Value)>) -> Map<String, Value> {
    row.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
