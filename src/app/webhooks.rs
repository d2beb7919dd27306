//! The webhooks that are told what happens, and sending one delivery.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::domain::webhook::{Attempt, Event, EventType, Problem, WebhookSecret};
use crate::domain::{AuditAction, Secret};
use crate::providers::Outage;
use crate::providers::entry::Method;
use crate::providers::outbound::{Outbound, OutboundRequest, OutboundSettings};
use crate::storage::webhook_deliveries::Subscription;

/// How long a receiver may take to answer. It should take note and do its work afterwards.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// The status with which a receiver says that it wants no more of this (Standard Webhooks, "Status codes").
const GONE: u16 = 410;

/// One webhook as configured: `[webhooks.NAME]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where it is told: `https`, or `http` on this machine.
    pub url: Option<Url>,
    /// What it verifies deliveries with: `whsec_...`.
    pub secret: Option<Secret>,
    /// A file that holds the secret.
    pub secret_file: Option<PathBuf>,
    /// What it is told of; all unless set.
    pub events: Option<Vec<EventType>>,
}

/// One webhook, ready to be told.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is told.
    pub url: Url,
    /// What signs its deliveries.
    pub secret: WebhookSecret,
    /// What it is told of.
    pub events: Vec<EventType>,
}

impl Webhook {
    /// Where it is, without what may be secret: paths and queries of webhooks often are.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn subscription(&self) -> Subscription {
        let actions = self.events.iter().flat_map(|event| event.actions());
        Subscription {
            webhook: self.name.clone(),
            actions: actions.map(|action| action.as_str()).collect(),
            by_name: AuditAction::WebhookTested.as_str(),
        }
    }
}

/// All webhooks, and the client that reaches them.
pub struct Webhooks {
    all: Vec<Webhook>,
    /// None where there is nobody to reach.
    outbound: Option<Outbound>,
}

impl Webhooks {
    /// These webhooks. `connect_timeout` is how long a connection may take.
    ///
    /// # Errors
    /// A sentence for the operator when the client cannot be built.
    pub fn new(all: Vec<Webhook>, connect_timeout: Duration) -> Result<Self, String> {
        let settings = OutboundSettings {
            connect_timeout,
            ..OutboundSettings::default()
        };
        let outbound = (!all.is_empty()).then(|| Outbound::new(settings));
        Ok(Self {
            all,
            outbound: outbound.transpose()?,
        })
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Webhook> {
        self.all.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The webhook of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Webhook> {
        self.iter().find(|webhook| webhook.name == name)
    }

    /// Those that are told of this.
    pub fn told_of(&self, event: EventType) -> impl Iterator<Item = &Webhook> {
        self.iter()
            .filter(move |webhook| webhook.events.contains(&event))
    }

    /// Who wants to know of which audit entries.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.iter().map(Webhook::subscription).collect()
    }

    /// Tells `webhook` of `event`, and says what came of it.
    pub async fn send(&self, webhook: &Webhook, event: &Event, now: DateTime<Utc>) -> Attempt {
        let (Some(outbound), Some(body)) = (&self.outbound, event.body()) else {
            return failed(Problem::Missing);
        };
        let id = event.message_id();
        let signed = webhook.secret.sign(&id, now, &body);
        let request = OutboundRequest {
            headers: vec![
                ("webhook-id".to_owned(), id),
                ("webhook-timestamp".to_owned(), signed.timestamp),
                ("webhook-signature".to_owned(), signed.signature),
            ],
            body: Some(("application/json", body.into_bytes())),
            ..OutboundRequest::new(Method::Post, webhook.url.clone())
        };
        match outbound.send(request, Instant::now() + TIMEOUT).await {
            Ok(answer) if (200..300).contains(&answer.status) => Attempt::Delivered,
            Ok(answer) if answer.status == GONE => Attempt::Gone,
            Ok(answer) => failed(Problem::Status(answer.status)),
            Err(outage) => Attempt::Failed {
                problem: problem_of(outage),
                retry_after_seconds: outage.retry_after_seconds(),
            },
        }
    }
}

const fn failed(problem: Problem) -> Attempt {
    Attempt::Failed {
        problem,
        retry_after_seconds: None,
    }
}

const fn problem_of(outage: Outage) -> Problem {
    match outage {
        Outage::Timeout => Problem::Timeout,
        Outage::Connect => Problem::Connect,
        Outage::Redirect => Problem::Redirect,
        Outage::Status { code, .. } => Problem::Status(code),
        Outage::TooLarge
        | Outage::Malformed(_)
        | Outage::CircuitOpen { .. }
        | Outage::Overloaded => Problem::Malformed,
    }
}
