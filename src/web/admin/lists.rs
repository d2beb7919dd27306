//! What the lists share: their addresses, filters as chips, saved views, pages and exports.

pub mod export;
pub mod query;

use chrono::{DateTime, Days, NaiveDate, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::error::AdminError;
use super::marks::Mark;
use crate::app::App;
use crate::domain::paging::{Count, Cursor, Direction, Page, PageSize, Position};
use crate::domain::{ProviderId, search};
use crate::storage::user_lists::SocialAccounts;
use query::ListQuery;

/// A chip: a filter that is set or could be, with its form.
pub(super) struct Chip {
    pub(super) label: String,
    pub(super) is_on: bool,
    pub(super) fields: Vec<Field>,
    /// What the form carries along unseen.
    pub(super) hidden: Vec<(String, String)>,
    /// The list without this filter.
    pub(super) remove: String,
}

/// An input of a chip's form.
pub(super) struct Field {
    pub(super) kind: FieldKind,
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_checked: bool,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Radio,
    Checkbox,
    Date,
}

impl FieldKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Radio => "radio",
            Self::Checkbox => "checkbox",
            Self::Date => "date",
        }
    }
}

/// What a list says that has nothing in it, and where to go.
pub(super) struct Empty {
    pub(super) heading: &'static str,
    pub(super) sentence: String,
    pub(super) label: &'static str,
    pub(super) href: &'static str,
}

impl Empty {
    /// For a filter or search.
    pub(super) fn nothing_matches(sentence: impl Into<String>, path: &'static str) -> Self {
        Self {
            heading: "Nothing matches",
            sentence: sentence.into(),
            label: "Clear filters",
            href: path,
        }
    }
}

/// A saved view.
pub(super) struct View {
    pub(super) label: &'static str,
    pub(super) href: String,
    pub(super) is_current: bool,
}

/// The views of a list, from their labels and queries.
pub(super) fn views(query: &ListQuery, views: &[(&'static str, &str)]) -> Vec<View> {
    let filters = query.filters();
    views
        .iter()
        .map(|(label, of_view)| View {
            label,
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
    pub(super) label: &'static str,
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
        label,
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
    pub(super) summary: String,
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
        Some(Count::Exactly(all)) => format!("Showing {} of {}", grouped(shown), grouped(all)),
        Some(Count::MoreThan(all)) => {
            format!("Showing {} of more than {}", grouped(shown), grouped(all))
        }
        None => format!("Showing {}", grouped(shown)),
    };
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

/// A number with commas: `48,213`.
pub(super) fn grouped(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or_default().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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

/// The begin of a day in the reader's zone. `days_later` days are added: the end of a span is the begin of the next day.
pub(super) fn day_begin(day: NaiveDate, days_later: u64, zone: Tz) -> Option<DateTime<Utc>> {
    let midnight = day
        .checked_add_days(Days::new(days_later))?
        .and_hms_opt(0, 0, 0)?;
    // Where the clocks skip midnight, the day begins an hour later.
    let local = zone.from_local_datetime(&midnight).earliest().or_else(|| {
        zone.from_local_datetime(&(midnight + chrono::TimeDelta::hours(1)))
            .earliest()
    })?;
    Some(local.with_timezone(&Utc))
}

/// A day as an address has it: a date, `today`, or so many days ago, such as `30d`.
pub(super) fn day(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<NaiveDate> {
    let today = now.with_timezone(&zone).date_naive();
    let day = match text {
        "today" => today,
        _ => match text.strip_suffix('d') {
            Some(days) => today
                .checked_sub_days(Days::new(days.parse().ok().filter(|days| *days <= 36_500)?))?,
            None => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?,
        },
    };
    // What databases and people can read.
    (NaiveDate::from_ymd_opt(1970, 1, 1)? <= day && day <= NaiveDate::from_ymd_opt(9998, 12, 31)?)
        .then_some(day)
}

/// The filters that both lists have.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters {
    pub(super) providers: Vec<ProviderId>,
    pub(super) from: Option<NaiveDate>,
    pub(super) to: Option<NaiveDate>,
    pub(super) is_active: Option<bool>,
    pub(super) accounts: Option<SocialAccounts>,
    pub(super) seen_before: Option<NaiveDate>,
    pub(super) token_expired: bool,
}

impl Filters {
    /// Reads them from an address.
    pub(super) fn read(
        query: &ListQuery,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Result<Self, AdminError> {
        let providers = query.all("provider").map(|id| {
            ProviderId::parse(id).ok_or_else(|| {
                query::refused("provider", "is the id of a provider, such as google")
            })
        });
        let day_of = |name| {
            let text = query.get(name);
            text.map(|text| {
                day(text, now, zone)
                    .ok_or_else(|| query::refused(name, "is a date such as 2026-11-23, or today"))
            })
            .transpose()
        };
        Ok(Self {
            providers: providers.collect::<Result<_, _>>()?,
            from: day_of("from")?,
            to: day_of("to")?,
            is_active: query.one_of("status", &[("active", true), ("inactive", false)])?,
            accounts: query.one_of(
                "accounts",
                &[
                    ("0", SocialAccounts::None),
                    ("1", SocialAccounts::One),
                    ("2", SocialAccounts::Several),
                ],
            )?,
            seen_before: day_of("seen_before")?,
            token_expired: query
                .one_of("token", &[("expired", true)])?
                .unwrap_or_default(),
        })
    }

    /// The chips, with `span` for what `from` and `to` are about.
    pub(super) fn chips(
        &self,
        query: &ListQuery,
        app: &App,
        span: &str,
        known: &[ProviderId],
    ) -> Vec<Chip> {
        vec![
            self.span_chip(query, span),
            self.provider_chip(query, app, known),
            choice_chip(
                query,
                "Social accounts",
                "accounts",
                &[
                    ("", "Any number"),
                    ("0", "None"),
                    ("1", "Exactly one"),
                    ("2", "Two or more"),
                ],
            ),
            choice_chip(
                query,
                "Status",
                "status",
                &[("", "Any"), ("active", "Active"), ("inactive", "Inactive")],
            ),
            self.seen_chip(query),
            choice_chip(
                query,
                "Access token",
                "token",
                &[("", "Any state"), ("expired", "Expired")],
            ),
        ]
    }

    fn span_chip(&self, query: &ListQuery, label: &str) -> Chip {
        let text = |name| query.get(name).unwrap_or_default();
        let shown = |name: &str, day: Option<NaiveDate>| match query.get(name) {
            Some("today") => Some("today".to_owned()),
            Some(_) => day.map(|day| day.format("%-d %b %Y").to_string()),
            None => None,
        };
        let label = match (shown("from", self.from), shown("to", self.to)) {
            (None, None) => label.to_owned(),
            (Some(from), None) if text("from") == "today" => format!("{label}: {from}"),
            (Some(from), None) => format!("{label}: since {from}"),
            (None, Some(to)) => format!("{label}: until {to}"),
            (Some(from), Some(to)) => format!("{label}: {from} to {to}"),
        };
        let date = |name, label: &str, day: Option<NaiveDate>| Field {
            kind: FieldKind::Date,
            name,
            value: day
                .map(|day| day.format("%Y-%m-%d").to_string())
                .unwrap_or_default(),
            label: label.to_owned(),
            is_checked: false,
        };
        chip(
            query,
            label,
            &["from", "to"],
            vec![date("from", "From", self.from), date("to", "To", self.to)],
        )
    }

    fn seen_chip(&self, query: &ListQuery) -> Chip {
        let day = self.seen_before;
        let label = day.map_or_else(
            || "Last sign-in".to_owned(),
            |day| format!("Last sign-in: before {}", day.format("%-d %b %Y")),
        );
        let field = Field {
            kind: FieldKind::Date,
            name: "seen_before",
            value: day
                .map(|day| day.format("%Y-%m-%d").to_string())
                .unwrap_or_default(),
            label: "Before".to_owned(),
            is_checked: false,
        };
        chip(query, label, &["seen_before"], vec![field])
    }

    fn provider_chip(&self, query: &ListQuery, app: &App, known: &[ProviderId]) -> Chip {
        let titles: Vec<String> = self.providers.iter().map(|id| title(app, id)).collect();
        let label = if titles.is_empty() {
            "Provider".to_owned()
        } else {
            format!("Provider: {}", titles.join(", "))
        };
        let mut shown: Vec<&ProviderId> = known.iter().collect();
        shown.extend(self.providers.iter().filter(|id| !known.contains(id)));
        let fields = shown.into_iter().map(|id| Field {
            kind: FieldKind::Checkbox,
            name: "provider",
            value: id.to_string(),
            label: title(app, id),
            is_checked: self.providers.contains(id),
        });
        chip(query, label, &["provider"], fields.collect())
    }
}

fn choice_chip(
    query: &ListQuery,
    label: &str,
    name: &'static str,
    choices: &[(&str, &str)],
) -> Chip {
    let current = query.get(name).unwrap_or_default();
    let chosen = choices
        .iter()
        .find(|(value, _)| *value == current && !value.is_empty());
    let label = chosen.map_or_else(
        || label.to_owned(),
        |(_, text)| format!("{label}: {}", text.to_lowercase()),
    );
    let fields = choices.iter().map(|(value, text)| Field {
        kind: FieldKind::Radio,
        name,
        value: (*value).to_owned(),
        label: (*text).to_owned(),
        is_checked: *value == current,
    });
    chip(query, label, &[name], fields.collect())
}

fn chip(query: &ListQuery, label: String, names: &[&str], fields: Vec<Field>) -> Chip {
    Chip {
        label,
        is_on: names.iter().any(|name| query.get(name).is_some()),
        fields,
        hidden: query.carried(names),
        remove: query.without(names),
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
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(0_u32), "0");
        assert_eq!(grouped(999_u32), "999");
        assert_eq!(grouped(48_213_u32), "48,213");
        assert_eq!(grouped(1_000_000_u64), "1,000,000");
    }

    #[test]
    fn a_day_begins_where_the_reader_is() {
        let now = "2026-11-23T23:30:00Z".parse().unwrap();
        let today = day("today", now, Tz::Asia__Tokyo).unwrap();

        assert_eq!(today.to_string(), "2026-11-24");
        assert_eq!(
            day_begin(today, 0, Tz::Asia__Tokyo).unwrap().to_rfc3339(),
            "2026-11-23T15:00:00+00:00"
        );
        assert_eq!(day("30d", now, Tz::UTC).unwrap().to_string(), "2026-10-24");
        for bad in [
            "",
            "yesterday",
            "2026-13-01",
            "-1d",
            "99999d",
            "0001-01-01",
            "d",
        ] {
            assert_eq!(day(bad, now, Tz::UTC), None, "{bad}");
        }
    }

    #[test]
    fn a_query_with_an_access_token_is_known_as_such() {
        assert!(holds_token("q=gho_0123456789abcdef"));
        assert!(holds_token("x=1&q=Bearer%20abcdef"));
        assert!(!holds_token("q=ada%40example.org&sort=email"));
    }
}
