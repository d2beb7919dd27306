//! Times as pages show them: how long ago, with the exact instant beside it.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;

/// An instant, for the macro `time` of the templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// RFC 3339 in UTC, for machines.
    pub datetime: String,
    /// The exact instant in the reader's zone, which it names.
    pub title: String,
    /// How long ago it was, or the day.
    pub text: String,
}

impl Time {
    /// `at` as seen at `now` in `zone`.
    #[must_use]
    pub fn new(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Self {
        let local = at.with_timezone(&zone);
        Self {
            datetime: at.to_rfc3339_opts(SecondsFormat::Secs, true),
            title: local.format("%-d %b %Y, %H:%M:%S %Z").to_string(),
            text: relative(now - at).unwrap_or_else(|| local.format("%-d %b %Y").to_string()),
        }
    }
}

fn relative(ago: TimeDelta) -> Option<String> {
    if ago < TimeDelta::zero() {
        return relative_ahead(-ago);
    }
    let (minutes, hours, days) = (ago.num_minutes(), ago.num_hours(), ago.num_days());
    Some(match (minutes, hours, days) {
        (0, _, _) => "just now".to_owned(),
        (minutes, 0, _) => format!("{minutes} min ago"),
        (_, hours, 0) => format!("{hours} h ago"),
        (_, _, 1) => "yesterday".to_owned(),
        (_, _, days) if days < 30 => format!("{days} days ago"),
        _ => return None,
    })
}

fn relative_ahead(ahead: TimeDelta) -> Option<String> {
    let (minutes, hours, days) = (ahead.num_minutes(), ahead.num_hours(), ahead.num_days());
    Some(match (minutes, hours, days) {
        (0, _, _) => "in a moment".to_owned(),
        (minutes, 0, _) => format!("in {minutes} min"),
        (_, hours, 0) => format!("in {hours} h"),
        (_, _, 1) => "tomorrow".to_owned(),
        (_, _, days) if days < 60 => format!("in {days} days"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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

        assert_eq!(utc.title, "23 Nov 2026, 11:02:41 UTC");
        assert_eq!(berlin.title, "23 Nov 2026, 12:02:41 CET");
        assert_eq!(utc.datetime, "2026-11-23T11:02:41Z");
        assert_eq!(
            (utc.datetime, utc.text.as_str()),
            (berlin.datetime, "12 min ago")
        );
    }

    #[test]
    fn what_is_long_ago_is_a_day() {
        let text = |at: &str| Time::new(at.parse().unwrap(), now(), Tz::UTC).text;

        assert_eq!(text("2026-11-23T11:14:00Z"), "just now");
        assert_eq!(text("2026-11-23T09:14:00Z"), "2 h ago");
        assert_eq!(text("2026-11-22T09:14:00Z"), "yesterday");
        assert_eq!(text("2026-11-20T09:14:00Z"), "3 days ago");
        assert_eq!(text("2025-03-14T19:44:02Z"), "14 Mar 2025");
        assert_eq!(text("2026-11-28T12:00:00Z"), "in 5 days");
        assert_eq!(text("2026-11-23T11:30:00Z"), "in 15 min");
    }
}
