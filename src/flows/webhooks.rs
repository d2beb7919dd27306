//! Telling webhooks what happens: deliveries are queued from the audit log, tried, and tried again.
//!
//! A delivery may come twice, and not in order: receivers go by `webhook-id` and by what the admin API says now. Each webhook has a
//! task of its own, so that one that is down delays no other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::json;
use thiserror::Error;

use crate::app::App;
use crate::app::webhooks::Webhook;
use crate::domain::stewardship::By;
use crate::domain::webhook::{Attempt, Problem, retry_at};
use crate::domain::{AuditAction, AuditEntry};
use crate::storage::upkeep::{self, Done, Round};
use crate::storage::webhook_deliveries::{self as deliveries, Claimed, Delivery, Ended, MARK};
use crate::storage::{StorageError, Tx, audit, storage_failure};

/// How often there is a look for something to tell.
const EVERY: Duration = Duration::from_secs(1);
/// Audit entries of one transaction.
const BATCH: u32 = 2_000;
/// Deliveries to one webhook that are under way at once.
const AT_ONCE: i64 = 8;

/// Why nothing was sent.
#[derive(Debug, Error)]
pub enum WebhookError {
    /// There is no webhook of this name.
    #[error("there is no such webhook")]
    Unknown,
    /// The delivery has arrived, is still being tried, or is there no more.
    #[error("the delivery was not given up")]
    NotGivenUp,
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

storage_failure!(WebhookError);

/// Tells what happens until the service stops.
pub async fn run(app: &Arc<App>) {
    if app.webhooks.is_empty() {
        // Whoever is set up later is not told of what happened until then.
        let forgotten = app.db.write(deliveries::forget).await;
        if let Err(error) = forgotten {
            tracing::warn!(error = %error, "How far webhooks were told is still noted: {error}");
        }
        return;
    }
    let telling = app.webhooks.iter().map(|webhook| tell(app, webhook));
    join(queue_all(app), join_all(telling)).await;
}

/// Queues what happens, for all webhooks.
async fn queue_all(app: &App) {
    let mut failing = false;
    while !app.readiness.is_draining() {
        match queue(app).await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(error = %error, "Webhooks have to wait: {error}");
            }
            Err(_) => {}
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Queues deliveries for what has happened since the last time.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn queue(app: &App) -> Result<(), StorageError> {
    while let Some(done) = queue_batch(app).await?
        && done.rows >= BATCH
    {}
    Ok(())
}

async fn queue_batch(app: &App) -> Result<Option<Done>, StorageError> {
    let now = app.clock.now();
    let at = move |position| Round {
        now,
        position,
        batch: BATCH,
        number: 0,
    };
    let subscriptions = Arc::new(app.webhooks.subscriptions());
    let wanted = Arc::clone(&subscriptions);
    let due = app
        .db
        .read(move |reader| {
            let Some(position) = upkeep::find_position(reader, MARK)? else {
                return Ok(None);
            };
            let is_due = deliveries::is_due(reader, &at(position), &wanted)?;
            Ok::<_, StorageError>(Some(is_due))
        })
        .await?;
    match due {
        None => {
            app.db.write(deliveries::begin).await?;
            Ok(None)
        }
        Some(false) => Ok(None),
        Some(true) => {
            let queue = move |tx: &mut Tx<'_>| {
                let Some(position) = upkeep::lock_existing(tx, MARK)? else {
                    return Ok(None);
                };
                let done = deliveries::queue(tx, &at(position), &subscriptions)?;
                if done.position != position {
                    upkeep::set_position(tx, MARK, done.position)?;
                }
                Ok::<_, StorageError>(Some(done))
            };
            app.db.write(queue).await
        }
    }
}

/// Tells one webhook what is queued for it.
async fn tell(app: &App, webhook: &Webhook) {
    let mut failing = false;
    while !app.readiness.is_draining() {
        let told = deliver(app, webhook).await;
        match &told {
            Ok(Told {
                failed: None,
                tried,
            }) if *tried > 0 => {
                if failing {
                    tracing::info!(
                        webhook = webhook.name,
                        "Webhook {} is reached again",
                        webhook.name
                    );
                }
                failing = false;
            }
            Ok(Told {
                failed: Some(problem),
                ..
            }) if !failing => {
                failing = true;
                let code = problem.code();
                tracing::warn!(
                    webhook = webhook.name,
                    problem = code,
                    "Webhook {} is not reached ({code}); deliveries are tried again for three days",
                    webhook.name
                );
            }
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(webhook = webhook.name, error = %error, "Webhook {} has to wait: {error}", webhook.name);
            }
            _ => {}
        }
        let goes_on = told.is_ok_and(|told| told.failed.is_none() && told.tried >= AT_ONCE);
        if !goes_on {
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// What one round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// How many deliveries were tried.
    pub tried: i64,
    /// Why one of them failed, if one did.
    pub failed: Option<Problem>,
}

/// Tries the deliveries to `webhook` that are due, some at once.
///
/// # Errors
/// [`StorageError`] when the database fails; what was sent already is then sent again.
pub async fn deliver(app: &App, webhook: &Webhook) -> Result<Told, StorageError> {
    let now = app.clock.now();
    let name = webhook.name.clone();
    let is_due = app
        .db
        .read(move |reader| deliveries::any_due(reader, &name, now))
        .await?;
    if !is_due {
        return Ok(Told {
            tried: 0,
            failed: None,
        });
    }
    let name = webhook.name.clone();
    let claimed = app
        .db
        .write(move |tx| deliveries::claim(tx, &name, AT_ONCE, now))
        .await?;
    let attempts = join_all(claimed.iter().map(|one| try_one(app, webhook, one))).await;
    let mut told = Told {
        tried: i64::try_from(attempts.len()).unwrap_or(AT_ONCE),
        failed: None,
    };
    let now = app.clock.now();
    let mut ended: HashMap<Ended, Vec<i64>> = HashMap::new();
    for (one, attempt) in claimed.iter().zip(attempts) {
        let outcome = match attempt {
            Attempt::Delivered => Ended::Delivered,
            Attempt::Gone => Ended::Failed {
                problem: Problem::Status(410).code(),
                next_attempt_at: None,
            },
            Attempt::Failed {
                problem,
                retry_after_seconds,
            } => {
                told.failed = Some(problem);
                let again = retry_at(one.attempts, retry_after_seconds, now);
                Ended::Failed {
                    problem: problem.code(),
                    next_attempt_at: again.filter(|_| problem != Problem::Missing),
                }
            }
        };
        app.metrics.count_webhook(&webhook.name, attempt.as_str());
        ended.entry(outcome).or_default().push(one.id);
    }
    app.db
        .write(move |tx| {
            ended
                .iter()
                .try_for_each(|(ended, ids)| deliveries::end(tx, ids, ended, now))
        })
        .await?;
    Ok(told)
}

async fn try_one(app: &App, webhook: &Webhook, claimed: &Claimed) -> Attempt {
    match &claimed.event {
        Some(event) => app.webhooks.send(webhook, event, app.clock.now()).await,
        None => Attempt::Failed {
            problem: Problem::Missing,
            retry_after_seconds: None,
        },
    }
}

/// Sends a test to the webhook of this name, behind what waits for it.
///
/// # Errors
/// [`WebhookError::Unknown`], or the database's failure.
pub async fn test_webhook(app: &App, by: By, name: &str) -> Result<(), WebhookError> {
    let webhook = app.webhooks.find(name).ok_or(WebhookError::Unknown)?;
    let mut entry = entry(by, AuditAction::WebhookTested);
    entry.reason = Some(webhook.name.clone().into());
    let now = app.clock.now();
    let insert = move |tx: &mut Tx<'_>| audit::insert(tx, &entry, now);
    Ok(app.db.write(insert).await?)
}

/// Begins the tries of a delivery anew that was given up, and gives the delivery.
///
/// # Errors
/// [`WebhookError::NotGivenUp`], or the database's failure.
pub async fn resend_delivery(app: &App, by: By, id: i64) -> Result<Delivery, WebhookError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            let delivery = deliveries::resend(tx, id, now)?.ok_or(WebhookError::NotGivenUp)?;
            let mut entry = entry(by.clone(), AuditAction::WebhookResent);
            entry.reason = Some(delivery.webhook.clone().into());
            entry.detail = Some(json!({
                "event": delivery.event,
                "event_id": delivery.event_id,
            }));
            audit::insert(tx, &entry, now)?;
            Ok(delivery)
        })
        .await
}

fn entry(by: By, action: AuditAction) -> AuditEntry {
    AuditEntry {
        actor: by.actor,
        action,
        reason: None,
        detail: None,
        user_id: None,
        social_auth_id: None,
        provider: None,
        uid: None,
        context: by.context,
    }
}
