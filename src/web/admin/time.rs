//! Times as pages show them: how long ago, with the exact instant beside it.

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use super::text::{Message, t};

/// An instant; a template writes it as a `<time>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    zone: Tz,
    shows: Shows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// How long ago it was.
    Ago,
    /// The time of day.
    Clock,
    /// All of it.
    Exact,
}

impl Time {
    /// `at` as seen at `now` in `zone`.
    #[must_use]
    pub const fn new(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Self {
        Self {
            at,
            now,
            zone,
            shows: Shows::Ago,
        }
    }

    /// The same, showing the time of day.
    #[must_use]
    pub const fn clock(mut self) -> Self {
        self.shows = Shows::Clock;
        self
    }

    /// The same, showing all of it.
    #[must_use]
    pub const fn exact(mut self) -> Self {
        self.shows = Shows::Exact;
        self
    }

    /// RFC 3339 in UTC, for machines.
    #[must_use]
    pub fn datetime(&self) -> String {
        self.at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The exact instant in the reader's zone, which it names.
    #[must_use]
    pub fn title(&self) -> Message {
        let local = self.local();
        t("time-exact")
            .with("date", date(&local))
            .with("time", local.format("%H:%M:%S").to_string())
            .with("zone", local.format("%Z").to_string())
    }

    /// What it shows: how long ago it was, or the day if that is long ago, unless it was told otherwise.
    #[must_use]
    pub fn text(&self) -> Message {
        match self.shows {
            Shows::Ago => relative(self.now - self.at).unwrap_or_else(|| date(&self.local())),
            Shows::Clock => clock(self.at, self.now, self.zone),
            Shows::Exact => self.title(),
        }
    }

    fn local(&self) -> DateTime<Tz> {
        self.at.with_timezone(&self.zone)
    }
}

/// A day of the calendar: 14 Mar 2025.
#[must_use]
pub fn date(day: &impl Datelike) -> Message {
    t("time-date")
        .with("day", day.day().to_string())
        .with("month", month(day))
        .with("year", day.year().to_string())
}

/// A day of the calendar without its year: 14 Mar.
#[must_use]
pub fn day(day: &impl Datelike) -> Message {
    t("time-day")
        .with("day", day.day().to_string())
        .with("month", month(day))
}

fn month(day: &impl Datelike) -> Message {
    named(day, MONTHS)
}

/// The time of day in `zone`; with the day, if it is another one than that of `now`.
#[must_use]
pub fn clock(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Message {
    let (local, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    if local.date_naive() == now.date_naive() {
        return Message::verbatim(local.format("%H:%M").to_string());
    }
    day_clock(&local)
}

/// A day with the time of day: 14 Mar, 19:44.
#[must_use]
pub fn day_clock(at: &(impl Datelike + Timelike)) -> Message {
    t("time-day-clock")
        .with("day", day(at))
        .with("time", format!("{:02}:{:02}", at.hour(), at.minute()))
}

/// The month of a day, in full.
#[must_use]
pub fn whole_month(day: &impl Datelike) -> Message {
    named(day, MONTHS_IN_FULL)
}

/// The month's name out of twelve.
fn named(day: &impl Datelike, names: [&'static str; 12]) -> Message {
    let name = names.get(day.month0() as usize);
    t(name.copied().unwrap_or_default())
}

/// The months, short.
const MONTHS: [&str; 12] = [
    "month-jan",
    "month-feb",
    "month-mar",
    "month-apr",
    "month-may",
    "month-jun",
    "month-jul",
    "month-aug",
    "month-sep",
    "month-oct",
    "month-nov",
    "month-dec",
];

/// The months in full.
const MONTHS_IN_FULL: [&str; 12] = [
    "month-january",
    "month-february",
    "month-march",
    "month-april",
    "month-may-whole",
    "month-june",
    "month-july",
    "month-august",
    "month-september",
    "month-october",
    "month-november",
    "month-december",
];

fn relative(ago: TimeDelta) -> Option<Message> {
    if ago < TimeDelta::zero() {
        return relative_ahead(-ago);
    }
    let (minutes, hours, days) = (ago.num_minutes(), ago.num_hours(), ago.num_days());
    Some(match (minutes, hours, days) {
        (0, _, _) => t("time-just-now"),
        (minutes, 0, _) => t("time-minutes-ago").with("count", minutes),
        (_, hours, 0) => t("time-hours-ago").with("count", hours),
        (_, _, 1) => t("time-yesterday"),
        (_, _, days) if days < 30 => t("time-days-ago").with("count", days),
        _ => return None,
    })
}

fn relative_ahead(ahead: TimeDelta) -> Option<Message> {
    let (minutes, hours, days) = (ahead.num_minutes(), ahead.num_hours(), ahead.num_days());
    Some(match (minutes, hours, days) {
        (0, _, _) => t("time-in-a-moment"),
        (minutes, 0, _) => t("time-in-minutes").with("count", minutes),
        (_, hours, 0) => t("time-in-hours").with("count", hours),
        (_, _, 1) => t("time-tomorrow"),
        (_, _, days) if days < 60 => t("time-in-days").with("count", days),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::admin::text::Language;

    fn now() -> DateTime<Utc> {
        "2026-11-23T11:14:41Z".parse().unwrap()
    }

    #[test]
    fn the_zone_changes_the_title_and_not_the_instant() {
        let at = "2026-11-23T11:02:41Z".parse().unwrap();
        let (utc, berlin) = (
            Time::new(at, now(), Tz::UTC),
            Time::new(at, now(), Tz::Europe__Berlin),
        );

        assert_eq!(utc.title().to_string(), "23 Nov 2026, 11:02:41 UTC");
        assert_eq!(berlin.title().to_string(), "23 Nov 2026, 12:02:41 CET");
        assert_eq!(
            berlin.title().text(Language::German),
            "23. Nov. 2026, 12:02:41 CET"
        );
        assert_eq!(utc.datetime(), "2026-11-23T11:02:41Z");
        assert_eq!(utc.datetime(), berlin.datetime());
        assert_eq!(berlin.text().to_string(), "12 min ago");
        assert_eq!(berlin.text().text(Language::German), "vor 12 Min.");
    }

    #[test]
    fn what_is_long_ago_is_a_day() {
        let text = |at: &str| {
            Time::new(at.parse().unwrap(), now(), Tz::UTC)
                .text()
                .to_string()
        };

        assert_eq!(text("2026-11-23T11:14:00Z"), "just now");
        assert_eq!(text("2026-11-23T09:14:00Z"), "2 h ago");
        assert_eq!(text("2026-11-22T09:14:00Z"), "yesterday");
        assert_eq!(text("2026-11-20T09:14:00Z"), "3 days ago");
        assert_eq!(text("2025-03-14T19:44:02Z"), "14 Mar 2025");
        assert_eq!(text("2026-11-28T12:00:00Z"), "in 5 days");
        assert_eq!(text("2026-11-23T11:30:00Z"), "in 15 min");
    }
}
