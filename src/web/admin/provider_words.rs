//! How a provider does, in words: for the overview, the list of providers and a provider's own page.

use super::frame::Frame;
use super::marks::Mark;
use super::time::Time;
use super::words;
use crate::app::App;
use crate::domain::provider_health::Health;
use crate::flows::overview::ProviderFigures;

/// A provider is failing.
pub(super) struct Alert {
    pub(super) headline: String,
    pub(super) since: ClockTime,
    pub(super) href: String,
}

/// The time of day, for the macro `clock`.
pub(super) struct ClockTime {
    pub(super) text: String,
    pub(super) time: Time,
}

/// One line of a list of providers.
pub(super) struct ProviderLine {
    pub(super) mark: Mark,
    pub(super) href: String,
    /// The class of the status.
    pub(super) tone: &'static str,
    pub(super) status: &'static str,
    pub(super) detail: String,
    pub(super) seen: Option<Time>,
    pub(super) latency: String,
}

/// The address of a provider's page. Ids are slugs, so that nothing needs escaping.
pub(super) fn href(id: &str) -> String {
    format!("/admin/providers/{id}")
}

/// Those that are failing.
pub(super) fn alerts(app: &App, frame: &Frame, figures: &[ProviderFigures]) -> Vec<Alert> {
    figures
        .iter()
        .filter_map(|provider| alert(app, frame, provider))
        .collect()
}

pub(super) fn alert(app: &App, frame: &Frame, figures: &ProviderFigures) -> Option<Alert> {
    let Health::Failing { since, reason } = figures.health else {
        return None;
    };
    let title = app.providers.face(&figures.provider).title;
    let sums = figures.last_hour;
    let reason = figures.last_hour_reason.unwrap_or(reason);
    Some(Alert {
        headline: format!(
            "{title} is failing: {} of {} checks in the last hour {}",
            words::number(sums.outages),
            words::number(sums.checks),
            words::outage_happened(reason)
        ),
        since: ClockTime {
            text: words::clock(since, frame.now(), frame.preferences.zone),
            time: frame.time(since),
        },
        href: href(&figures.provider),
    })
}

/// Every provider that is on, and those that are switched off behind them.
pub(super) fn lines(app: &App, frame: &Frame, figures: &[ProviderFigures]) -> Vec<ProviderLine> {
    let off = app.providers.switched_off().map(|(id, set_up)| {
        let missing = set_up.problems.first();
        ProviderLine {
            mark: Mark::of(&app.providers, id),
            href: href(id),
            tone: "off",
            status: if missing.is_some() {
                "Not set up"
            } else {
                "Off"
            },
            detail: missing.map_or_else(
                || "Switched off".to_owned(),
                |problem| format!("{} is missing", problem.key),
            ),
            seen: None,
            latency: String::new(),
        }
    });
    figures
        .iter()
        .map(|figures| line(app, frame, figures))
        .chain(off)
        .collect()
}

fn line(app: &App, frame: &Frame, figures: &ProviderFigures) -> ProviderLine {
    let (tone, status) = status(figures.health);
    let seen = figures.accepted_at.map(|at| frame.time(at));
    ProviderLine {
        mark: Mark::of(&app.providers, &figures.provider),
        href: href(&figures.provider),
        tone,
        status,
        detail: if seen.is_some() {
            "Last success"
        } else {
            "No success yet"
        }
        .to_owned(),
        seen,
        latency: figures
            .p95_ms
            .map(|ms| format!("p95 {}", words::duration(ms)))
            .unwrap_or_default(),
    }
}

/// Class and words of a provider's state.
pub(super) const fn status(health: Health) -> (&'static str, &'static str) {
    match health {
        Health::Quiet => ("off", "Quiet"),
        Health::Healthy => ("", "Healthy"),
        Health::Unsteady => ("warn", "Unsteady"),
        Health::Failing { .. } => ("bad", "Failing"),
    }
}
