//! The chart of sign-ups: bars in a server-rendered SVG, and the table that holds the same numbers.

use chrono::{DateTime, Datelike, Utc};

use crate::flows::overview::{Period, Series};
use crate::providers::{MarkColor, Providers};
use crate::web::admin::text::{Message, t};
use crate::web::admin::time;

/// Providers that have a colour of their own; the others are drawn together.
const MOST_SERIES: usize = 8;
/// The width and height of the drawing, which is stretched to the page's.
const WIDTH: u32 = 900;
const HEIGHT: u32 = 200;
/// What separates neighbours that have the same colour for some eyes.
const GAP: f64 = 1.6;

/// What the template draws.
pub(super) struct Chart {
    /// Labels of the upright axis, the highest first.
    pub(super) scale: Vec<Message>,
    /// Heights of the lines.
    pub(super) lines: Vec<String>,
    /// One group of bars for each day or hour.
    pub(super) groups: Vec<Group>,
    /// Labels of the level axis.
    pub(super) labels: Vec<Message>,
    /// How the labels are spaced.
    pub(super) labels_class: &'static str,
    pub(super) legend: Vec<LegendEntry>,
    /// From when to when, in words.
    pub(super) range: Message,
    /// Whether a group is an hour, and not a day.
    pub(super) is_hourly: bool,
    /// The rows of the table, the newest first.
    pub(super) rows: Vec<Row>,
    /// The sums of the table's columns, the sum of all last.
    pub(super) totals: Vec<Message>,
}

pub(super) struct Group {
    pub(super) title: Message,
    pub(super) x: String,
    pub(super) width: String,
    pub(super) bars: Vec<Bar>,
}

pub(super) struct Bar {
    pub(super) class: &'static str,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
}

pub(super) struct LegendEntry {
    pub(super) class: &'static str,
    pub(super) title: Message,
    pub(super) total: Message,
}

pub(super) struct Row {
    pub(super) label: Message,
    pub(super) datetime: String,
    /// One number for each legend entry, the sum last.
    pub(super) counts: Vec<Message>,
}

/// A series as it is drawn.
struct Drawn {
    title: Message,
    class: &'static str,
    counts: Vec<u64>,
}

impl Chart {
    pub(super) fn new(
        period: Period,
        columns: &[DateTime<Utc>],
        series: &[Series],
        providers: &Providers,
    ) -> Self {
        let drawn = drawn(columns.len(), series, providers);
        let sums: Vec<u64> = (0..columns.len())
            .map(|index| at(drawn.iter(), index))
            .collect();
        let step = step_of(sums.iter().copied().max().unwrap_or(0));
        let labels = Labels::of(period);
        Self {
            scale: (0..=3).rev().map(|n| Message::number(n * step)).collect(),
            lines: (0..=3)
                .map(|n| number(f64::from(HEIGHT) * f64::from(n) / 3.0))
                .collect(),
            groups: columns
                .iter()
                .enumerate()
                .map(|(index, column)| {
                    group(
                        columns.len(),
                        index,
                        &drawn,
                        step * 3,
                        labels.title(*column),
                    )
                })
                .collect(),
            labels: columns
                .iter()
                .step_by(labels.every)
                .map(|column| labels.short(*column))
                .collect(),
            labels_class: labels.class,
            range: labels.range(columns),
            is_hourly: period.is_hourly(),
            rows: columns
                .iter()
                .enumerate()
                .rev()
                .map(|(index, column)| row(&labels, *column, index, &drawn))
                .collect(),
            totals: drawn
                .iter()
                .map(|series| series.counts.iter().sum())
                .chain([sums.iter().sum()])
                .map(Message::number)
                .collect(),
            legend: drawn
                .into_iter()
                .map(|series| LegendEntry {
                    class: series.class,
                    total: Message::number(series.counts.iter().sum()),
                    title: series.title,
                })
                .collect(),
        }
    }
}

/// How columns are called.
struct Labels {
    every: usize,
    class: &'static str,
    is_hourly: bool,
}

impl Labels {
    const fn of(period: Period) -> Self {
        match period {
            Period::Day => Self {
                every: 4,
                class: "",
                is_hourly: true,
            },
            Period::Week => Self {
                every: 1,
                class: "seven",
                is_hourly: false,
            },
            Period::Month => Self {
                every: 5,
                class: "",
                is_hourly: false,
            },
        }
    }

    fn short(&self, at: DateTime<Utc>) -> Message {
        if self.is_hourly {
            Message::verbatim(at.format("%H:%M").to_string())
        } else {
            time::day(&at)
        }
    }

    fn title(&self, at: DateTime<Utc>) -> Message {
        if self.is_hourly {
            time::day_clock(&at)
        } else {
            time::day(&at)
        }
    }

    fn range(&self, columns: &[DateTime<Utc>]) -> Message {
        let (Some(first), Some(last)) = (columns.first(), columns.last()) else {
            return Message::verbatim("");
        };
        if self.is_hourly {
            return t("chart-hours")
                .with("first", self.title(*first))
                .with("last", self.title(*last));
        }
        t("chart-days")
            .with("first_day", first.day().to_string())
            .with("first_month", time::whole_month(first))
            .with("last_day", last.day().to_string())
            .with("last_month", time::whole_month(last))
            .with("year", last.year().to_string())
    }
}

fn at<'a>(drawn: impl Iterator<Item = &'a Drawn>, index: usize) -> u64 {
    drawn.filter_map(|series| series.counts.get(index)).sum()
}

/// The busiest series with a colour that no busier one has, the rest as one.
fn drawn(columns: usize, series: &[Series], providers: &Providers) -> Vec<Drawn> {
    let mut free: Vec<MarkColor> = MarkColor::ALL.to_vec();
    // The rest is grey.
    free.retain(|color| *color != MarkColor::Gray || series.len() <= MOST_SERIES);
    let mut drawn: Vec<Drawn> = series
        .iter()
        .take(MOST_SERIES)
        .map(|series| {
            let face = providers.face(&series.provider);
            let wanted = free.iter().position(|color| *color == face.mark.color);
            let color = if free.is_empty() {
                MarkColor::Gray
            } else {
                free.remove(wanted.unwrap_or(0))
            };
            Drawn {
                title: Message::verbatim(face.title),
                class: color.class(),
                counts: series.counts.clone(),
            }
        })
        .collect();
    if series.len() > MOST_SERIES {
        let rest = series.iter().skip(MOST_SERIES);
        drawn.push(Drawn {
            title: t("chart-others"),
            class: MarkColor::Gray.class(),
            counts: (0..columns)
                .map(|index| {
                    rest.clone()
                        .filter_map(|series| series.counts.get(index))
                        .sum()
                })
                .collect(),
        });
    }
    drawn
}

/// A third of the scale: 1, 2 or 5 times a power of ten, so that the highest bar fits.
fn step_of(highest: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step.saturating_mul(3) >= highest {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "positions within a drawing of 900 by 200"
)]
fn group(columns: usize, index: usize, drawn: &[Drawn], top: u64, label: Message) -> Group {
    let width = f64::from(WIDTH) / columns.max(1) as f64;
    let x = width * index as f64;
    let mut y = f64::from(HEIGHT);
    let mut bars = Vec::new();
    for series in drawn {
        let count = series.counts.get(index).copied().unwrap_or(0);
        if count == 0 {
            continue;
        }
        let height = f64::from(HEIGHT) * count as f64 / top as f64;
        y -= height;
        // The lowest bar stands on the line.
        let gap = if bars.is_empty() {
            0.0
        } else {
            GAP.min(height / 2.0)
        };
        bars.push(Bar {
            class: series.class,
            x: number(x + width / 6.0),
            y: number(y),
            width: number(width * 2.0 / 3.0),
            height: number(height - gap),
        });
    }
    let sum = at(drawn.iter(), index);
    Group {
        title: t("chart-sign-ups").with("when", label).with("count", sum),
        x: number(x),
        width: number(width),
        bars,
    }
}

fn row(labels: &Labels, column: DateTime<Utc>, index: usize, drawn: &[Drawn]) -> Row {
    let counts = drawn
        .iter()
        .map(|series| series.counts.get(index).copied().unwrap_or(0));
    Row {
        label: labels.title(column),
        datetime: if labels.is_hourly {
            column.format("%Y-%m-%dT%H:%MZ").to_string()
        } else {
            column.format("%Y-%m-%d").to_string()
        },
        counts: counts
            .chain([at(drawn.iter(), index)])
            .map(Message::number)
            .collect(),
    }
}

/// At most one digit behind the point.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::providers::{BuildEnv, Limits, outbound::OutboundSettings};
    use crate::web::admin::text::Language;

    fn providers() -> Providers {
        let env = BuildEnv {
            outbound: OutboundSettings::default(),
            limits: Limits::default(),
            development: true,
        };
        Providers::build(&BTreeMap::new(), &env).unwrap()
    }

    fn now() -> DateTime<Utc> {
        "2026-11-23T10:14:00Z".parse().unwrap()
    }

    fn chart(period: Period, series: &[(&str, u64)]) -> Chart {
        let columns = period.columns(now());
        let series: Vec<Series> = series
            .iter()
            .map(|(provider, each)| Series {
                provider: (*provider).to_owned(),
                counts: columns.iter().map(|_| *each).collect(),
            })
            .collect();
        Chart::new(period, &columns, &series, &providers())
    }

    #[test]
    fn the_scale_is_round_and_the_highest_bar_fits() {
        for (highest, step) in [(0, 1), (3, 1), (4, 2), (7, 5), (51, 20), (60, 20), (61, 50)] {
            assert_eq!(step_of(highest), step, "{highest}");
        }
        assert!(step_of(u64::MAX) > 0);
    }

    #[test]
    fn without_any_sign_up_every_day_is_there_and_empty() {
        for period in Period::ALL {
            let chart = chart(period, &[]);
            assert_eq!(chart.groups.len(), period.columns(now()).len());
            assert!(chart.groups.iter().all(|group| group.bars.is_empty()));
            assert!(chart.groups[0].title.to_string().ends_with(": 0 sign-ups"));
            assert_eq!(chart.totals, [0].map(Message::number));
        }
    }

    #[test]
    fn bars_table_and_legend_have_the_same_numbers() {
        let chart = chart(Period::Week, &[("facebook", 17), ("google", 13)]);

        assert_eq!(chart.rows.len(), 7);
        assert_eq!(chart.rows[0].label.to_string(), "23 Nov");
        assert_eq!(chart.rows[0].counts, [17, 13, 30].map(Message::number));
        assert_eq!(chart.totals, [119, 91, 210].map(Message::number));
        assert_eq!(chart.legend[0].total, Message::number(119));
        assert_eq!(chart.groups[6].title.to_string(), "23 Nov: 30 sign-ups");
        assert_eq!(
            chart.groups[6].title.text(Language::German),
            "23. Nov.: 30 Registrierungen"
        );
        assert_eq!(chart.range.to_string(), "17 November to 23 November 2026");
        assert_eq!(
            chart.range.text(Language::German),
            "17. November bis 23. November 2026"
        );
        // The scale ends at 30.
        let heights: Vec<&str> = chart.groups[0]
            .bars
            .iter()
            .map(|b| b.height.as_str())
            .collect();
        assert_eq!(heights, ["113.3", "85.1"]);
    }

    #[test]
    fn no_two_series_have_one_colour_and_the_rest_is_grey() {
        let many: Vec<(&str, u64)> = [
            "github", "twitch", "discord", "slack", "gitlab", "google", "amazon", "apple", "oidc",
            "line",
        ]
        .map(|id| (id, 1))
        .to_vec();

        let chart = chart(Period::Week, &many);

        let classes: BTreeSet<_> = chart.legend.iter().map(|entry| entry.class).collect();
        assert_eq!(classes.len(), MOST_SERIES + 1);
        let rest = chart.legend.last().unwrap();
        assert_eq!(
            (rest.title.to_string().as_str(), rest.class),
            ("Others", "c-gray")
        );
        assert_eq!(rest.total, Message::number(14));
    }
}
