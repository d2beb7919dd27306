//! What the lists share: their addresses, filters as chips, saved views, pages and exports.

pub mod export;
pub mod filters;
pub mod format;
pub mod query;
pub mod stream;

use super::marks::Mark;
use super::text::{Message, t};
use crate::app::App;
use crate::domain::paging::{Count, Cursor, Direction, Page, PageSize, Position};
use crate::domain::{ProviderId, search};
use query::ListQuery;

/// What a list says that has nothing in it, and where to go.
pub(super) struct Empty {
    pub(super) heading: Message,
    pub(super) sentence: Message,
    pub(super) label: Message,
    pub(super) href: &'static str,
}

impl Empty {
    /// For a filter or search.
    pub(super) fn nothing_matches(sentence: Message, path: &'static str) -> Self {
        Self {
            heading: t("list-nothing-matches"),
            sentence,
            label: t("list-clear-filters"),
            href: path,
        }
    }
}

/// A saved view.
pub(super) struct View {
    pub(super) label: Message,
    pub(super) href: String,
    pub(super) is_current: bool,
}

/// The views of a list, from their labels' ids and queries.
pub(super) fn views(query: &ListQuery, views: &[(&'static str, &str)]) -> Vec<View> {
    let filters = query.filters();
    views
        .iter()
        .map(|(label, of_view)| View {
            label: t(label),
            href: if of_view.is_empty() {
                query.path.to_owned()
            } else {
                format!("{}?{of_view}", query.path)
            },
            is_current: filters == *of_view,
        })
        .collect()
}

/// A column by which the list can be sorted.
pub(super) struct Column {
    pub(super) label: Message,
    /// Where a click leads; `None` where there is no order by it.
    pub(super) href: Option<String>,
    /// `aria-sort`, where the list is in this order.
    pub(super) sorted: Option<&'static str>,
    pub(super) arrow: &'static str,
}

/// The head of a column. A click on the current order turns it round.
pub(super) fn column(
    query: &ListQuery,
    label: &'static str,
    sort: Option<(&'static str, Direction)>,
    current: (&str, Direction),
) -> Column {
    let is_current = sort.is_some_and(|(name, _)| name == current.0);
    let href = sort.map(|(name, first)| {
        let direction = if is_current {
            current.1.reversed()
        } else {
            first
        };
        query.with(&[("sort", name), ("dir", direction_name(direction))])
    });
    let (sorted, arrow) = match (is_current, current.1) {
        (false, _) => (None, ""),
        (true, Direction::Ascending) => (Some("ascending"), "↑"),
        (true, Direction::Descending) => (Some("descending"), "↓"),
    };
    Column {
        label: t(label),
        href,
        sorted,
        arrow,
    }
}

pub(super) const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "asc",
        Direction::Descending => "desc",
    }
}

/// Back and Next, how many are shown, and the sizes of pages.
pub(super) struct Pages {
    pub(super) summary: Message,
    pub(super) back: Option<String>,
    pub(super) next: Option<String>,
    /// Rows, address, whether it is the current one.
    pub(super) sizes: Vec<(u16, String, bool)>,
}

/// The addresses around a page.
pub(super) fn pages<T>(
    query: &ListQuery,
    page: &Page<T>,
    count: Option<Count>,
    size: PageSize,
    extra_rows: usize,
) -> Pages {
    let cursor = |position: &Position, is_backwards| {
        let cursor = Cursor {
            position: position.clone(),
            is_backwards,
            count,
        };
        query.with(&[("cursor", &cursor.encode(&query.fingerprint()))])
    };
    let shown = page.rows.len() + extra_rows;
    let summary = match count {
        Some(Count::Exactly(all)) => t("list-shown-of").with("all", all),
        Some(Count::MoreThan(all)) => t("list-shown-of-more").with("all", all),
        None => t("list-shown"),
    };
    let summary = summary.with("shown", shown);
    let sizes = PageSize::ALL.map(|other| {
        let rows = other.rows();
        (
            rows,
            query.with(&[("rows", &rows.to_string())]),
            other == size,
        )
    });
    Pages {
        summary,
        back: page.back.as_ref().map(|at| cursor(at, true)),
        next: page.next.as_ref().map(|at| cursor(at, false)),
        sizes: sizes.into(),
    }
}

/// Where a list begins: at the cursor of the address, or, with `true`, at the beginning because the cursor is of another list.
pub(super) fn cursor_of(query: &ListQuery) -> (Option<Cursor>, bool) {
    match query.get("cursor") {
        None => (None, false),
        Some(text) => match Cursor::decode(text, &query.fingerprint()) {
            Ok(cursor) => (Some(cursor), false),
            Err(_foreign) => (None, true),
        },
    }
}

/// The provider's title, whether it is on, off or known no more.
pub(super) fn title(app: &App, id: &ProviderId) -> String {
    app.providers.face(id.as_str()).title
}

/// The provider's mark.
pub(super) fn mark(app: &App, id: &ProviderId) -> Mark {
    Mark::of(&app.providers, id.as_str())
}

/// Whether a search box text in this query string looks like an access token. Such a query string is repeated nowhere.
pub(super) fn holds_token(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes())
        .any(|(_, value)| search::Search::parse(&value).is_err())
}

/// The name that a list shows: the person's, else the user name.
pub(super) fn shown_name(first_name: &str, last_name: &str, username: &str) -> String {
    let name = format!("{first_name} {last_name}");
    let name = name.trim();
    if name.is_empty() { username } else { name }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_with_an_access_token_is_known_as_such() {
        assert!(holds_token("q=gho_0123456789abcdef"));
        assert!(holds_token("x=1&q=Bearer%20abcdef"));
        assert!(!holds_token("q=ada%40example.org&sort=email"));
    }
}
