//! `GET /admin/settings/webhooks`: who is told what happens, and whether it arrives.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::context::{ContextOf, StaffContext};
use super::error::AdminError;
use super::forms::{NoFields, ProtectedForm};
use super::frame::{Frame, Nav};
use super::notices::Notice;
use super::text::{Message, filters, t};
use super::time::Time;
use super::words;
use crate::app::App;
use crate::app::webhooks::Webhook;
use crate::domain::Role;
use crate::domain::webhook::EventType;
use crate::flows::webhooks::{WebhookError, resend_delivery, test_webhook};
use crate::storage::webhook_deliveries::{self, Delivery};
use crate::storage::{Reader, StorageError};

const PATH: &str = "/admin/settings/webhooks";
/// Deliveries that the page shows.
const SHOWN: i64 = 50;
/// Deliveries that have not arrived and are counted at most.
const COUNTED: i64 = 1_000;

/// The page.
#[derive(Template)]
#[template(path = "admin/webhooks/list.html")]
struct WebhooksPage {
    frame: Frame,
    webhooks: Vec<WebhookRow>,
    undelivered_only: bool,
    deliveries: Vec<DeliveryRow>,
}

/// One webhook.
struct WebhookRow {
    name: String,
    host: String,
    events: Message,
    tone: &'static str,
    status: Message,
}

/// One delivery.
struct DeliveryRow {
    id: i64,
    event: String,
    href: String,
    webhook: String,
    tone: &'static str,
    status: Message,
    queued: Time,
    /// Why the last try failed, and how many there were.
    problem: Option<Message>,
    next: Option<Time>,
    is_given_up: bool,
}

/// What the address says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksQuery {
    show: Option<Show>,
}

/// Which deliveries.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Show {
    Undelivered,
}

/// `GET /admin/settings/webhooks`
///
/// # Errors
/// [`AdminError::Storage`].
pub async fn show_webhooks(
    app: Data<App>,
    staff: StaffContext,
    query: Query<WebhooksQuery>,
) -> Result<HttpResponse, AdminError> {
    let undelivered_only = query.show == Some(Show::Undelivered);
    let (undelivered, shown) = app
        .db
        .read(move |reader: &mut Reader<'_>| {
            let undelivered = webhook_deliveries::list(reader, true, COUNTED)?;
            let shown = webhook_deliveries::list(reader, undelivered_only, SHOWN)?;
            Ok::<_, StorageError>((undelivered, shown))
        })
        .await?;
    let frame = staff.frame(&app, t("settings-webhooks"), Nav::Settings);
    let webhooks = app.webhooks.iter();
    let page = WebhooksPage {
        webhooks: webhooks
            .map(|webhook| webhook_row(webhook, &undelivered))
            .collect(),
        undelivered_only,
        deliveries: shown
            .into_iter()
            .map(|delivery| delivery_row(&frame, delivery))
            .collect(),
        frame,
    };
    staff.render(&page)
}

fn webhook_row(webhook: &Webhook, undelivered: &[Delivery]) -> WebhookRow {
    let own = undelivered
        .iter()
        .filter(|delivery| delivery.webhook == webhook.name);
    let (waiting, given_up): (Vec<_>, Vec<_>) =
        own.partition(|delivery| delivery.next_attempt_at.is_some());
    let is_failing = waiting.iter().any(|delivery| delivery.problem.is_some());
    let (tone, status) = match (is_failing, given_up.len(), waiting.len()) {
        (true, _, waiting) => ("bad", t("webhooks-not-reached").with("count", waiting)),
        (false, 0, 0) => ("", t("webhooks-has-everything")),
        (false, 0, waiting) => ("", t("webhooks-waiting").with("count", waiting)),
        (false, given_up, _) => ("warn", t("webhooks-given-up").with("count", given_up)),
    };
    let events = if webhook.events.len() == EventType::ALL.len() {
        t("webhooks-all-events")
    } else {
        let names: Vec<&str> = webhook.events.iter().map(|event| event.as_str()).collect();
        Message::verbatim(names.join(", "))
    };
    WebhookRow {
        name: webhook.name.clone(),
        host: webhook.host().to_owned(),
        events,
        tone,
        status,
    }
}

fn delivery_row(frame: &Frame, delivery: Delivery) -> DeliveryRow {
    let is_given_up = delivery.delivered_at.is_none() && delivery.next_attempt_at.is_none();
    let (tone, status) = match (delivery.delivered_at, is_given_up, &delivery.problem) {
        (Some(_), ..) => ("", "delivery-delivered"),
        (None, true, _) => ("warn", "delivery-given-up"),
        (None, false, Some(_)) => ("bad", "delivery-tried-again"),
        (None, false, None) => ("off", "delivery-waiting"),
    };
    DeliveryRow {
        id: delivery.id,
        href: format!("/admin/activity/{}", delivery.event_id),
        event: delivery.event,
        webhook: delivery.webhook,
        tone,
        status: t(status),
        queued: frame.time(delivery.created_at),
        problem: delivery.problem.map(|code| {
            t("delivery-problem")
                .with("problem", words::webhook_problem(&code))
                .with("tries", delivery.attempts)
        }),
        next: delivery.next_attempt_at.map(|at| frame.time(at)),
        is_given_up,
    }
}

/// `POST /admin/settings/webhooks/{name}/test`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn send_test(
    app: Data<App>,
    staff: StaffContext,
    name: Path<String>,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    test_webhook(&app, staff.by(context), &name)
        .await
        .map_err(failed)?;
    let notice = Notice::ok(t("webhooks-tested").with("name", name.as_str()));
    Ok(staff.redirect_with_notice(PATH, notice))
}

/// `POST /admin/settings/webhooks/deliveries/{id}/resend`
///
/// # Errors
/// [`AdminError::Conflict`] when the delivery was not given up, [`AdminError::Storage`].
pub async fn resend(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    let delivery = resend_delivery(&app, staff.by(context), id.into_inner())
        .await
        .map_err(failed)?;
    let notice = Notice::ok(
        t("webhooks-resent")
            .with("event", &delivery.event)
            .with("webhook", &delivery.webhook),
    );
    Ok(staff.redirect_with_notice(PATH, notice))
}

fn failed(error: WebhookError) -> AdminError {
    match error {
        WebhookError::Unknown => AdminError::NotFound,
        WebhookError::NotGivenUp => AdminError::Conflict {
            sentence: t("webhooks-not-given-up"),
            onward: (t("webhooks-show-deliveries"), PATH.to_owned()),
        },
        WebhookError::Storage(error) => AdminError::Storage(error),
    }
}
