//! The filters that both lists have: read from an address, and shown as chips.

use chrono::{DateTime, Days, NaiveDate, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::query::{self, BadQuery, ListQuery};
use super::title;
use crate::app::App;
use crate::domain::ProviderId;
use crate::storage::user_lists::SocialAccounts;

/// A chip: a filter that is set or could be, with its form.
pub(in crate::web::admin) struct Chip {
    pub(in crate::web::admin) label: String,
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
    pub(in crate::web::admin) label: String,
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
    pub(in crate::web::admin) fn chips(
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
