//! How a provider does, in words: for the overview, the list of providers and a provider's own page.

use super::frame::Frame;
use super::marks::Mark;
use super::text::{Message, t};
use super::time::Time;
use super::words;
use crate::app::App;
use crate::domain::provider_health::Health;
use crate::flows::overview::ProviderFigures;

/// A provider is failing.
pub(super) struct Alert {
    pub(super) headline: Message,
    pub(super) since: Time,
    pub(super) href: String,
}

/// One line of a list of providers.
pub(super) struct ProviderLine {
    pub(super) mark: Mark,
    pub(super) href: String,
    /// The class of the status.
    pub(super) tone: &'static str,
    pub(super) status: Message,
    pub(super) detail: Message,
    pub(super) seen: Option<Time>,
    pub(super) latency: Message,
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
        headline: t("provider-is-failing")
            .with("provider", title)
            .with("outages", sums.outages)
            .with("checks", sums.checks)
            .with("happened", words::outage_happened(reason)),
        since: frame.time(since).clock(),
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
            status: off_status(missing.is_some()),
            detail: missing.map_or_else(
                || t("providers-switched-off"),
                |problem| t("providers-is-missing").with("key", &problem.key),
            ),
            seen: None,
            latency: Message::verbatim(""),
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
        detail: t(if seen.is_some() {
            "providers-last-success"
        } else {
            "providers-no-success"
        }),
        seen,
        latency: figures.p95_ms.map_or_else(
            || Message::verbatim(""),
            |ms| t("providers-p95").with("duration", words::duration(ms)),
        ),
    }
}

/// Class and words of a provider's state.
pub(super) const fn status(health: Health) -> (&'static str, Message) {
    let (tone, id) = match health {
        Health::Quiet => ("off", "providers-quiet"),
        Health::Healthy => ("", "providers-healthy"),
        Health::Unsteady => ("warn", "providers-unsteady"),
        Health::Failing { .. } => ("bad", "providers-failing"),
    };
    (tone, t(id))
}

/// The state of a provider that is not on.
pub(super) const fn off_status(lacks_something: bool) -> Message {
    t(if lacks_something {
        "providers-not-set-up"
    } else {
        "providers-off"
    })
}
