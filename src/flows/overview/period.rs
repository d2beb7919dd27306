//! The periods that the overview offers. Days are UTC's, and the one under way is the last.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

use crate::storage::counts::{Span, hour_of};

/// Which stretch of time the overview covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Period {
    /// The last 24 hours, by the hour.
    Day,
    /// The last 7 days.
    Week,
    /// The last 30 days.
    #[default]
    Month,
}

impl Period {
    /// Every one, the shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The name in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// The period of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == name)
    }

    /// Whether its columns are hours.
    #[must_use]
    pub const fn is_hourly(self) -> bool {
        matches!(self, Self::Day)
    }

    const fn days(self) -> u64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// What it covers at `now`.
    pub(super) fn span(self, now: DateTime<Utc>) -> Span {
        match self {
            Self::Day => {
                let before = hour_of(now) + TimeDelta::hours(1);
                Span::Hours(before - TimeDelta::hours(24), before)
            }
            Self::Week | Self::Month => {
                let today = now.date_naive();
                let before = today + Days::new(1);
                Span::Days(before - Days::new(self.days()), before)
            }
        }
    }

    /// The stretch of the same length before it.
    pub(super) fn span_before(self, now: DateTime<Utc>) -> Span {
        match self.span(now) {
            Span::Days(from, before) => Span::Days(from - (before - from), from),
            Span::Hours(from, before) => Span::Hours(from - (before - from), from),
        }
    }

    /// The beginnings of its days or hours, oldest first.
    #[must_use]
    pub fn columns(self, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        match self.span(now) {
            Span::Days(from, before) => from
                .iter_days()
                .take_while(|day| *day < before)
                .map(|day| day.and_time(NaiveTime::MIN).and_utc())
                .collect(),
            Span::Hours(from, before) => (0..24)
                .map(|hour| from + TimeDelta::hours(hour))
                .take_while(|hour| *hour < before)
                .collect(),
        }
    }

    /// The beginning of the day or hour that `at` lies in.
    #[must_use]
    pub fn column_of(self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Day => hour_of(at),
            Self::Week | Self::Month => at.date_naive().and_time(NaiveTime::MIN).and_utc(),
        }
    }
}

/// Whether `at` lies within `span`.
pub(super) fn contains(span: Span, at: DateTime<Utc>) -> bool {
    match span {
        Span::Days(from, before) => (from..before).contains(&at.date_naive()),
        Span::Hours(from, before) => (from..before).contains(&at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn thirty_days_end_with_today() {
        let columns = Period::Month.columns(at("2026-11-23T10:14:00Z"));

        assert_eq!(columns.len(), 30);
        assert_eq!(columns[0], at("2026-10-25T00:00:00Z"));
        assert_eq!(columns[29], at("2026-11-23T00:00:00Z"));
    }

    #[test]
    fn twenty_four_hours_end_with_the_hour_under_way() {
        let columns = Period::Day.columns(at("2026-11-23T10:14:00Z"));

        assert_eq!(columns.len(), 24);
        assert_eq!(columns[0], at("2026-11-22T11:00:00Z"));
        assert_eq!(columns[23], at("2026-11-23T10:00:00Z"));
    }

    #[test]
    fn the_stretch_before_touches_the_period_and_is_as_long() {
        for period in Period::ALL {
            let now = at("2026-11-23T10:14:00Z");
            let first = period.columns(now)[0];

            let just_before = first - TimeDelta::microseconds(1);
            assert!(contains(period.span(now), first));
            assert!(contains(period.span_before(now), just_before));
            assert!(!contains(period.span(now), just_before));
            assert!(!contains(period.span_before(now), first));
        }
        assert_eq!(
            Period::Week.span_before(at("2026-11-23T10:14:00Z")),
            Span::Days("2026-11-10".parse().unwrap(), "2026-11-17".parse().unwrap())
        );
    }

    #[test]
    fn a_period_is_read_back_from_its_name() {
        for period in Period::ALL {
            assert_eq!(Period::parse(period.as_str()), Some(period));
        }
        assert_eq!(Period::parse("1y"), None);
    }
}
