//! `GET /admin/providers`: which providers are set up, how they do, and who depends on them.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::context::StaffContext;
use super::dependants::{
    RemovedAlert, accounts_text, count_dependants_of_list, dependants_text, read_removed,
};
use super::error::AdminError;
use super::frame::{Frame, Nav};
use super::marks::Mark;
use super::provider_words::{Alert, alerts, href, off_status, status};
use super::text::{Message, filters, t};
use super::time::Time;
use super::words;
use crate::app::App;
use crate::flows::overview::{ProviderFigures, read_health};
use crate::providers::{Lookup, SetUp};
use crate::storage::provider_users::{Dependants, Removed};

/// The page.
#[derive(Template)]
#[template(path = "admin/providers/list.html")]
struct ProvidersPage {
    frame: Frame,
    alerts: Vec<Alert>,
    removed_alert: Option<RemovedAlert>,
    rows: Vec<Row>,
    off: Vec<OffRow>,
    removed: Vec<RemovedRow>,
    catalog: Vec<CatalogEntry>,
}

/// A provider that is on.
struct Row {
    mark: Mark,
    href: String,
    tone: &'static str,
    status: Message,
    seen: Option<Time>,
    outage: Option<(Message, Time)>,
    latency: Message,
    errors: Message,
    dependants: Message,
    audience: &'static str,
    is_unbound: bool,
}

/// A provider that is off or lacks something.
struct OffRow {
    mark: Mark,
    href: String,
    status: Message,
    missing: Vec<String>,
    dependants: Message,
}

/// A provider that is not configured and has social accounts.
struct RemovedRow {
    mark: Mark,
    href: String,
    accounts: Message,
    dependants: Message,
}

struct CatalogEntry {
    mark: Mark,
    href: String,
}

/// `GET /admin/providers`
///
/// # Errors
/// [`AdminError`] when the database fails.
pub async fn list_providers(
    app: Data<App>,
    staff: StaffContext,
) -> Result<HttpResponse, AdminError> {
    let figures = read_health(&app).await?;
    let ids = figures.iter().map(|figures| figures.provider.clone());
    let off = app.providers.switched_off().map(|(id, _)| id.to_owned());
    let dependants = count_dependants_of_list(&app, ids.chain(off).collect()).await?;
    let removed = read_removed(&app).await?;
    let frame = staff.frame(&app, t("nav-providers"), Nav::Providers);
    staff.render(&ProvidersPage {
        removed_alert: RemovedAlert::of(&app, &removed),
        removed: removed
            .iter()
            .map(|removed| removed_row(&app, removed))
            .collect(),
        ..ProvidersPage::new(&app, frame, &figures, &dependants)
    })
}

impl ProvidersPage {
    /// `dependants`: those of the providers that are on, then of those that are switched off.
    fn new(
        app: &App,
        frame: Frame,
        figures: &[ProviderFigures],
        dependants: &[Dependants],
    ) -> Self {
        let (on, off) = dependants.split_at(figures.len().min(dependants.len()));
        Self {
            alerts: alerts(app, &frame, figures),
            removed_alert: None,
            removed: Vec::new(),
            rows: figures
                .iter()
                .zip(on)
                .filter_map(|(figures, dependants)| row(app, &frame, figures, *dependants))
                .collect(),
            off: app
                .providers
                .switched_off()
                .zip(off)
                .map(|((id, set_up), dependants)| off_row(app, id, set_up, *dependants))
                .collect(),
            catalog: app
                .providers
                .not_configured()
                .map(|(id, _)| CatalogEntry {
                    mark: Mark::of(&app.providers, id),
                    href: href(id),
                })
                .collect(),
            frame,
        }
    }
}

fn row(app: &App, frame: &Frame, figures: &ProviderFigures, dependants: Dependants) -> Option<Row> {
    let Lookup::Enabled(provider) = app.providers.find(&figures.provider) else {
        return None;
    };
    let (tone, status) = status(figures.health);
    let share = |share: Option<f64>| share.map_or_else(|| Message::verbatim("–"), words::percent);
    let (proof, _) = provider.audience();
    Some(Row {
        mark: Mark::of(&app.providers, &figures.provider),
        href: href(&figures.provider),
        tone,
        status,
        seen: figures.accepted_at.map(|at| frame.time(at)),
        outage: figures
            .outage
            .map(|(at, check)| (words::outage(check), frame.time(at))),
        latency: match (figures.p50_ms, figures.p95_ms) {
            (Some(p50), Some(p95)) => both(words::duration(p50), words::duration(p95)),
            _ => Message::verbatim("–"),
        },
        errors: both(
            share(figures.last_hour.share()),
            share(figures.last_day.share()),
        ),
        dependants: dependants_text(dependants),
        audience: proof.as_str(),
        is_unbound: provider.allows_unbound_tokens(),
    })
}

/// Two figures that belong together: 18 ms / 44 ms.
fn both(one: Message, other: Message) -> Message {
    t("providers-both").with("one", one).with("other", other)
}

fn off_row(app: &App, id: &str, set_up: &SetUp, dependants: Dependants) -> OffRow {
    OffRow {
        mark: Mark::of(&app.providers, id),
        href: href(id),
        status: off_status(!set_up.problems.is_empty()),
        missing: set_up
            .problems
            .iter()
            .map(|problem| format!("providers.{id}.{}", problem.key))
            .collect(),
        dependants: dependants_text(dependants),
    }
}

fn removed_row(app: &App, removed: &Removed) -> RemovedRow {
    RemovedRow {
        mark: Mark::of(&app.providers, &removed.provider),
        href: href(&removed.provider),
        accounts: accounts_text(removed.dependants),
        dependants: dependants_text(removed.dependants),
    }
}
