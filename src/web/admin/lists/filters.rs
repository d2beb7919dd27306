//! The filters that both lists have: read from an address, and shown as chips.

use chrono::{DateTime, Days, NaiveDate, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::query::{self, BadQuery, ListQuery};
use super::title;
use crate::app::App;
use crate::domain::ProviderId;
use crate::storage::user_lists::SocialAccounts;
use crate::web::admin::text::{Message, t};
use crate::web::admin::time;

/// A chip: a filter that is set or could be, with its form.
pub(in crate::web::admin) struct Chip {
    pub(in crate::web::admin) label: Message,
    pub(in crate::web::admin) is_on: bool,
    pub(in crate::web::admin) fields: Vec<Field>,
    /// What the form carries along unseen.
    pub(in crate::web::admin) hidden: Vec<(String, String)>,
    /// The list without this filter.
    pub(in crate::web::admin) remove: String,
}

/// An input of a chip's form.
pub(in crate::web::admin) struct Field {
    pub(in crate::web::admin) kind: FieldKind,
    pub(in crate::web::admin) name: &'static str,
    pub(in crate::web::admin) value: String,
    pub(in crate::web::admin) label: Message,
    pub(in crate::web::admin) is_checked: bool,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web::admin) enum FieldKind {
    Radio,
    Checkbox,
    Date,
}

impl FieldKind {
    pub(in crate::web::admin) const fn as_str(self) -> &'static str {
        match self {
            Self::Radio => "radio",
            Self::Checkbox => "checkbox",
            Self::Date => "date",
        }
    }
}

/// The filters that both lists have.
#[derive(Debug, Clone, Default)]
pub(in crate::web::admin) struct Filters {
    pub(in crate::web::admin) providers: Vec<ProviderId>,
    pub(in crate::web::admin) from: Option<NaiveDate>,
    pub(in crate::web::admin) to: Option<NaiveDate>,
    pub(in crate::web::admin) is_active: Option<bool>,
    pub(in crate::web::admin) accounts: Option<SocialAccounts>,
    pub(in crate::web::admin) seen_before: Option<NaiveDate>,
    pub(in crate::web::admin) token_expired: bool,
}

impl Filters {
    /// Reads them from an address.
    pub(in crate::web::admin) fn read(
        query: &ListQuery,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> Result<Self, BadQuery> {
        let providers = query.all("provider").map(|id| {
            ProviderId::parse(id)
                .ok_or_else(|| query::refused("provider", t("query-not-a-provider")))
        });
        let day_of = |name| {
            let text = query.get(name);
            text.map(|text| {
                day(text, now, zone).ok_or_else(|| query::refused(name, t("query-not-a-day")))
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
    pub(in crate::web::admin) fn chips(
        &self,
        query: &ListQuery,
        app: &App,
        span: Span,
        known: &[ProviderId],
    ) -> Vec<Chip> {
        vec![
            self.span_chip(query, span),
            self.provider_chip(query, app, known),
            choice_chip(
                query,
                "list-social-accounts",
                "accounts",
                &[
                    ("", "filter-any-number", ""),
                    ("0", "filter-none", "filter-accounts-none"),
                    ("1", "filter-exactly-one", "filter-accounts-one"),
                    ("2", "filter-two-or-more", "filter-accounts-more"),
                ],
            ),
            choice_chip(
                query,
                "list-status",
                "status",
                &[
                    ("", "filter-any", ""),
                    ("active", "status-active", "filter-status-active"),
                    ("inactive", "status-inactive", "filter-status-inactive"),
                ],
            ),
            self.seen_chip(query),
            choice_chip(
                query,
                "list-access-token",
                "token",
                &[
                    ("", "filter-any-state", ""),
                    ("expired", "token-expired", "filter-token-expired"),
                ],
            ),
        ]
    }

    fn span_chip(&self, query: &ListQuery, span: Span) -> Chip {
        let shown = |name: &str, day: Option<NaiveDate>| match query.get(name) {
            Some("today") => Some(t("filter-today")),
            Some(_) => day.map(|day| time::date(&day)),
            None => None,
        };
        let (begin, end) = (shown("from", self.from), shown("to", self.to));
        let label = match (begin, end) {
            (None, None) => t(span.label()),
            (Some(_), None) if query.get("from") == Some("today") => t(span.today()),
            (Some(from), None) => t(span.since()).with("from", from),
            (None, Some(to)) => t(span.until()).with("to", to),
            (Some(from), Some(to)) => t(span.between()).with("from", from).with("to", to),
        };
        let fields = vec![
            date_field("from", "filter-from", self.from),
            date_field("to", "filter-to", self.to),
        ];
        chip(query, label, &["from", "to"], fields)
    }

    fn seen_chip(&self, query: &ListQuery) -> Chip {
        let label = self.seen_before.map_or_else(
            || t("list-last-sign-in"),
            |day| t("filter-seen-before").with("day", time::date(&day)),
        );
        let field = date_field("seen_before", "filter-before", self.seen_before);
        chip(query, label, &["seen_before"], vec![field])
    }

    fn provider_chip(&self, query: &ListQuery, app: &App, known: &[ProviderId]) -> Chip {
        let titles: Vec<String> = self.providers.iter().map(|id| title(app, id)).collect();
        let label = if titles.is_empty() {
            t("filter-provider")
        } else {
            t("filter-providers").with("providers", titles.join(", "))
        };
        let mut shown: Vec<&ProviderId> = known.iter().collect();
        shown.extend(self.providers.iter().filter(|id| !known.contains(id)));
        let fields = shown.into_iter().map(|id| Field {
            kind: FieldKind::Checkbox,
            name: "provider",
            value: id.to_string(),
            label: Message::verbatim(title(app, id)),
            is_checked: self.providers.contains(id),
        });
        chip(query, label, &["provider"], fields.collect())
    }
}

/// What the days of a list are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web::admin) enum Span {
    /// When users signed up.
    SignedUp,
    /// When social accounts were associated.
    Associated,
}

impl Span {
    const fn label(self) -> &'static str {
        match self {
            Self::SignedUp => "list-signed-up",
            Self::Associated => "list-associated",
        }
    }

    const fn today(self) -> &'static str {
        match self {
            Self::SignedUp => "filter-signed-up-today",
            Self::Associated => "filter-associated-today",
        }
    }

    const fn since(self) -> &'static str {
        match self {
            Self::SignedUp => "filter-signed-up-since",
            Self::Associated => "filter-associated-since",
        }
    }

    const fn until(self) -> &'static str {
        match self {
            Self::SignedUp => "filter-signed-up-until",
            Self::Associated => "filter-associated-until",
        }
    }

    const fn between(self) -> &'static str {
        match self {
            Self::SignedUp => "filter-signed-up-between",
            Self::Associated => "filter-associated-between",
        }
    }
}

fn date_field(name: &'static str, label: &'static str, day: Option<NaiveDate>) -> Field {
    Field {
        kind: FieldKind::Date,
        name,
        value: day
            .map(|day| day.format("%Y-%m-%d").to_string())
            .unwrap_or_default(),
        label: t(label),
        is_checked: false,
    }
}

/// A chip with one choice out of a few: its value, the id of its label, and that of the chip's own label when it is chosen.
fn choice_chip(
    query: &ListQuery,
    label: &'static str,
    name: &'static str,
    choices: &[(&str, &'static str, &'static str)],
) -> Chip {
    let current = query.get(name).unwrap_or_default();
    let chosen = choices
        .iter()
        .find(|(value, _, _)| *value == current && !value.is_empty());
    let label = t(chosen.map_or(label, |(_, _, when_chosen)| *when_chosen));
    let fields = choices.iter().map(|(value, text, _)| Field {
        kind: FieldKind::Radio,
        name,
        value: (*value).to_owned(),
        label: t(text),
        is_checked: *value == current,
    });
    chip(query, label, &[name], fields.collect())
}

fn chip(query: &ListQuery, label: Message, names: &[&str], fields: Vec<Field>) -> Chip {
    Chip {
        label,
        is_on: names.iter().any(|name| query.get(name).is_some()),
        fields,
        hidden: query.carried(names),
        remove: query.without(names),
    }
}

/// The begin of a day in the reader's zone. `days_later` days are added: the end of a span is the begin of the next day.
pub(in crate::web::admin) fn day_begin(
    day: NaiveDate,
    days_later: u64,
    zone: Tz,
) -> Option<DateTime<Utc>> {
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
pub(in crate::web::admin) fn day(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<NaiveDate> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
