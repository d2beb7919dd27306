//! `GET /admin/overview`: how sign-ups go, what fails, and which provider needs somebody.

mod chart;
mod checklist;

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

use self::chart::Chart;
use self::checklist::Step;
use super::context::StaffContext;
use super::dependants::{RemovedAlert, read_removed};
use super::error::AdminError;
use super::frame::{Frame, Nav};
use super::marks::Mark;
use super::provider_words::{Alert, ProviderLine, alerts, lines};
use super::text::{Arg, Message, filters, t};
use super::words;
use crate::app::App;
use crate::flows::overview::{
    Overview, Period, Totals, UserTotals, read_overview, read_user_totals,
};

/// Reasons that the table of failures names.
const MOST_FAILURES: usize = 10;

/// What the address may say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverviewQuery {
    period: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "admin/overview/show.html")]
struct OverviewPage {
    frame: Frame,
    periods: Vec<PeriodLink>,
    period: Period,
    alerts: Vec<Alert>,
    removed_alert: Option<RemovedAlert>,
    figures: Vec<Figure>,
    /// In place of everything below while nobody has signed up.
    checklist: Option<Vec<Step>>,
    chart: Chart,
    failures: Vec<FailureRow>,
    providers: Vec<ProviderLine>,
}

struct PeriodLink {
    label: Message,
    href: String,
    is_current: bool,
}

/// A key figure and how it has changed.
struct Figure {
    name: Message,
    value: Message,
    /// "up", "down" or "".
    tone: &'static str,
    change: Message,
    note: Message,
}

struct FailureRow {
    mark: Mark,
    reason: Message,
    /// Of the most frequent one, in percent.
    width: u64,
    count: Message,
}

/// `GET /admin/overview`
///
/// # Errors
/// [`AdminError`] when the database fails, or for a period that does not exist.
pub async fn show_overview(
    app: Data<App>,
    staff: StaffContext,
    Query(query): Query<OverviewQuery>,
) -> Result<HttpResponse, AdminError> {
    let period = match query.period.as_deref() {
        None => Period::default(),
        Some(name) => Period::parse(name)
            .ok_or_else(|| AdminError::InvalidRequest(t("overview-no-such-period")))?,
    };
    let overview = read_overview(&app, period).await?;
    let users = read_user_totals(&app).await?;
    let frame = staff.frame(&app, t("nav-overview"), Nav::Overview);
    let removed = read_removed(&app).await?;
    staff.render(&OverviewPage {
        removed_alert: RemovedAlert::of(&app, &removed),
        ..OverviewPage::new(&app, frame, period, &overview, &users)
    })
}

impl OverviewPage {
    fn new(
        app: &App,
        frame: Frame,
        period: Period,
        overview: &Overview,
        users: &UserTotals,
    ) -> Self {
        let is_empty = overview.is_empty && users.users == 0;
        Self {
            periods: Period::ALL
                .map(|offered| PeriodLink {
                    label: period_label(offered),
                    href: format!("/admin/overview?period={}", offered.as_str()),
                    is_current: offered == period,
                })
                .into(),
            period,
            alerts: alerts(app, &frame, &overview.providers),
            removed_alert: None,
            figures: figures(period, &overview.totals, &overview.totals_before, users),
            checklist: is_empty.then(|| checklist::steps(app)),
            chart: Chart::new(
                period,
                &overview.columns,
                &overview.sign_ups,
                &app.providers,
            ),
            failures: failures(app, overview),
            providers: lines(app, &frame, &overview.providers),
            frame,
        }
    }
}

const fn period_label(period: Period) -> Message {
    t(match period {
        Period::Day => "overview-day",
        Period::Week => "overview-week",
        Period::Month => "overview-month",
    })
}

/// The figures' name, for whoever does not see them.
const fn figures_label(period: Period) -> Message {
    t(match period {
        Period::Day => "overview-last-day",
        Period::Week => "overview-last-week",
        Period::Month => "overview-last-month",
    })
}

/// Where there is no failure.
const fn nothing_failed(period: Period) -> Message {
    t(match period {
        Period::Day => "overview-nothing-failed-day",
        Period::Week => "overview-nothing-failed-week",
        Period::Month => "overview-nothing-failed-month",
    })
}

fn figures(period: Period, now: &Totals, before: &Totals, users: &UserTotals) -> Vec<Figure> {
    let note = t(match period {
        Period::Day => "overview-on-the-day",
        Period::Week => "overview-on-the-week",
        Period::Month => "overview-on-the-month",
    });
    let (failed, failed_before) = (now.failed_share(), before.failed_share());
    vec![
        counted(t("overview-sign-ups"), now.sign_ups, before.sign_ups, note),
        counted(t("overview-sign-ins"), now.sign_ins, before.sign_ins, t("")),
        Figure {
            name: t("overview-failed"),
            value: failed.map_or_else(|| Message::verbatim("–"), words::percent),
            ..points(failed, failed_before)
        },
        Figure {
            name: t("nav-users"),
            value: Message::number(users.users),
            tone: "",
            change: t(""),
            // "10,000+" where nobody counted on.
            note: t(if users.has_more_inactive {
                "overview-inactive-more"
            } else {
                "overview-inactive"
            })
            .with("count", users.inactive),
        },
    ]
}

/// More is better.
fn counted(name: Message, now: u64, before: u64, note: Message) -> Figure {
    let (tone, change) = match (now, before) {
        (0, 0) => ("", t("")),
        (_, 0) => ("", t("overview-none-before")),
        _ => change(now, before),
    };
    Figure {
        name,
        value: Message::number(now),
        tone,
        note: if tone.is_empty() { t("") } else { note },
        change,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "whole percents"
)]
fn change(now: u64, before: u64) -> (&'static str, Message) {
    let percent = ((now as f64 / before as f64 - 1.0) * 100.0).round() as i64;
    let (tone, id) = match percent {
        0 => return ("", t("overview-as-many")),
        1.. => ("up", "overview-more"),
        _ => ("down", "overview-fewer"),
    };
    (tone, t(id).with("percent", percent.unsigned_abs()))
}

/// Less is better.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tenths of points"
)]
fn points(now: Option<f64>, before: Option<f64>) -> Figure {
    let difference = now.zip(before).map(|(now, before)| (now - before) * 100.0);
    let tenths = |points: f64| Arg::Tenths((points.abs() * 10.0).round() as u64);
    let (tone, change, note) = match difference {
        Some(up) if up >= 0.05 => (
            "down",
            t("overview-points-more").with("points", tenths(up)),
            t("overview-points"),
        ),
        Some(down) if down <= -0.05 => (
            "up",
            t("overview-points-fewer").with("points", tenths(down)),
            t("overview-points"),
        ),
        Some(_) => ("", t("overview-as-before"), t("")),
        None => ("", t(""), t("")),
    };
    Figure {
        name: t(""),
        value: Message::verbatim(""),
        tone,
        change,
        note,
    }
}

fn failures(app: &App, overview: &Overview) -> Vec<FailureRow> {
    let most = overview
        .failures
        .first()
        .map_or(1, |failure| failure.count.max(1));
    overview
        .failures
        .iter()
        .take(MOST_FAILURES)
        .map(|failure| FailureRow {
            mark: Mark::of(&app.providers, &failure.provider),
            reason: words::reason(&failure.reason),
            width: (failure.count.saturating_mul(100) / most).max(1),
            count: Message::number(failure.count),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_whole_percents() {
        for (now, before, tone, text) in [
            (112, 100, "up", "▲ 12 %"),
            (50, 100, "down", "▼ 50 %"),
            (100, 100, "", "as many as before"),
            (3, 0, "", "none before"),
            (0, 0, "", ""),
            (0, 9, "down", "▼ 100 %"),
        ] {
            let figure = counted(t("overview-sign-ups"), now, before, t(""));
            assert_eq!(
                (figure.tone, figure.change.to_string().as_str()),
                (tone, text)
            );
        }
    }

    #[test]
    fn a_larger_share_of_failures_is_worse() {
        let figure = points(Some(0.009), Some(0.005));
        assert_eq!(
            (figure.tone, figure.change.to_string().as_str()),
            ("down", "▲ 0.4")
        );
        let figure = points(Some(0.005), Some(0.009));
        assert_eq!(
            (figure.tone, figure.change.to_string().as_str()),
            ("up", "▼ 0.4")
        );
        assert!(points(None, Some(0.1)).change.is_empty());
    }
}
