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
use super::frame::{Frame, Nav, render};
use super::marks::Mark;
use super::provider_words::{Alert, ProviderLine, alerts, lines};
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
    period_name: &'static str,
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
    label: &'static str,
    href: String,
    is_current: bool,
}

/// A key figure and how it has changed.
struct Figure {
    name: &'static str,
    value: String,
    /// "up", "down" or "".
    tone: &'static str,
    change: String,
    note: String,
}

struct FailureRow {
    mark: Mark,
    reason: String,
    /// Of the most frequent one, in percent.
    width: u64,
    count: String,
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
        Some(name) => Period::parse(name).ok_or_else(|| {
            AdminError::InvalidRequest("There is no such period. Take 24h, 7d or 30d.".into())
        })?,
    };
    let overview = read_overview(&app, period).await?;
    let users = read_user_totals(&app).await?;
    let frame = staff.frame(&app, "Overview", Nav::Overview);
    let removed = read_removed(&app).await?;
    render(&OverviewPage {
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
            period_name: period_label(period),
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

const fn period_label(period: Period) -> &'static str {
    match period {
        Period::Day => "24 hours",
        Period::Week => "7 days",
        Period::Month => "30 days",
    }
}

fn figures(period: Period, now: &Totals, before: &Totals, users: &UserTotals) -> Vec<Figure> {
    let note = format!("on the {} before", period_label(period));
    let (failed, failed_before) = (now.failed_share(), before.failed_share());
    vec![
        counted("Sign-ups", now.sign_ups, before.sign_ups, &note),
        counted("Sign-ins", now.sign_ins, before.sign_ins, ""),
        Figure {
            name: "Failed",
            value: failed.map_or_else(|| "–".to_owned(), words::percent),
            ..points(failed, failed_before)
        },
        Figure {
            name: "Users",
            value: words::number(users.users),
            tone: "",
            change: String::new(),
            // "10,000+" where nobody counted on.
            note: format!(
                "{}{} inactive",
                words::number(users.inactive),
                if users.has_more_inactive { "+" } else { "" }
            ),
        },
    ]
}

/// More is better.
fn counted(name: &'static str, now: u64, before: u64, note: &str) -> Figure {
    let (tone, change) = match (now, before) {
        (0, 0) => ("", String::new()),
        (_, 0) => ("", "none before".to_owned()),
        _ => change(now, before),
    };
    Figure {
        name,
        value: words::number(now),
        tone,
        note: if tone.is_empty() {
            String::new()
        } else {
            note.to_owned()
        },
        change,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "whole percents"
)]
fn change(now: u64, before: u64) -> (&'static str, String) {
    let percent = ((now as f64 / before as f64 - 1.0) * 100.0).round() as i64;
    match percent {
        0 => ("", "as many as before".to_owned()),
        1.. => (
            "up",
            format!("▲ {} %", words::number(percent.unsigned_abs())),
        ),
        _ => ("down", format!("▼ {} %", percent.unsigned_abs())),
    }
}

/// Less is better.
fn points(now: Option<f64>, before: Option<f64>) -> Figure {
    let difference = now.zip(before).map(|(now, before)| (now - before) * 100.0);
    let (tone, change, note) = match difference {
        Some(up) if up >= 0.05 => ("down", format!("▲ {up:.1}"), "points"),
        Some(down) if down <= -0.05 => ("up", format!("▼ {:.1}", down.abs()), "points"),
        Some(_) => ("", "as before".to_owned(), ""),
        None => ("", String::new(), ""),
    };
    Figure {
        name: "",
        value: String::new(),
        tone,
        change,
        note: note.to_owned(),
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
            count: words::number(failure.count),
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
            let figure = counted("Sign-ups", now, before, "");
            assert_eq!((figure.tone, figure.change.as_str()), (tone, text));
        }
    }

    #[test]
    fn a_larger_share_of_failures_is_worse() {
        let figure = points(Some(0.009), Some(0.005));
        assert_eq!((figure.tone, figure.change.as_str()), ("down", "▲ 0.4"));
        let figure = points(Some(0.005), Some(0.009));
        assert_eq!((figure.tone, figure.change.as_str()), ("up", "▼ 0.4"));
        assert_eq!(points(None, Some(0.1)).change, "");
    }
}
