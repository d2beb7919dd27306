//! What webhooks are told: queued from the audit log, claimed, tried again, kept for a while.

use super::*;
use crate::domain::{Actor, AuditAction, AuditEntry, RequestContext};
use crate::storage::audit;
use crate::storage::upkeep::{Done, Round};
use crate::storage::webhook_deliveries::{
    self as deliveries, Claimed, DELIVERED_KEPT, Ended, Subscription, UNDELIVERED_KEPT,
};

on_both! {
    what_happens_is_queued_once_for_those_who_want_it
    entries_that_may_get_others_before_them_are_told_of_and_gone_through_again
    whoever_begins_is_not_told_of_the_past
    a_claim_holds_for_a_minute
    a_delivery_is_tried_again_when_it_was_said_and_given_up_when_not
    what_arrived_stays_so
    a_test_is_for_the_webhook_that_it_names
    deliveries_go_when_they_had_their_time
}

const UNLINKED: &str = "unlinked";

fn subscription(webhook: &str, actions: &[&'static str]) -> Subscription {
    Subscription {
        webhook: webhook.to_owned(),
        actions: actions.to_vec(),
        by_name: "webhook_tested",
    }
}

fn subscriptions() -> Vec<Subscription> {
    vec![
        subscription("billing", &[UNLINKED]),
        subscription("crm", &["signed_up", UNLINKED]),
    ]
}

async fn happens(db: &Db, action: AuditAction, reason: Option<&'static str>) {
    let entry = AuditEntry {
        actor: Actor::System,
        action,
        reason: reason.map(Into::into),
        detail: None,
        user_id: Some(UserId(1)),
        social_auth_id: None,
        provider: Some(provider("github")),
        uid: Some(uid("42")),
        context: RequestContext {
            request_id: "r".to_owned(),
            address: None,
            user_agent: None,
        },
    };
    db.write(move |tx| audit::insert(tx, &entry, now()))
        .await
        .unwrap();
}

fn round(position: i64, at: DateTime<Utc>) -> Round {
    Round {
        now: at,
        position,
        batch: 100,
        number: 0,
    }
}

async fn queue(db: &Db, position: i64, at: DateTime<Utc>) -> Done {
    db.write(move |tx| deliveries::queue(tx, &round(position, at), &subscriptions()))
        .await
        .unwrap()
}

async fn is_due(db: &Db, position: i64, at: DateTime<Utc>) -> bool {
    db.read(move |r| deliveries::is_due(r, &round(position, at), &subscriptions()))
        .await
        .unwrap()
}

async fn claim(db: &Db, webhook: &'static str, at: DateTime<Utc>) -> Vec<Claimed> {
    let is_due = db
        .read(move |r| deliveries::any_due(r, webhook, at))
        .await
        .unwrap();
    let claimed = db
        .write(move |tx| deliveries::claim(tx, webhook, 10, at))
        .await
        .unwrap();
    assert_eq!(is_due, !claimed.is_empty());
    claimed
}

async fn end(db: &Db, id: i64, ended: Ended, at: DateTime<Utc>) {
    db.write(move |tx| deliveries::end(tx, &[id], &ended, at))
        .await
        .unwrap();
}

fn failed(next_attempt_at: Option<DateTime<Utc>>) -> Ended {
    Ended::Failed {
        problem: "timeout".to_owned(),
        next_attempt_at,
    }
}

async fn queued(db: &Db) -> Vec<(String, i64, String)> {
    let all = db.read(|r| deliveries::list(r, false, 100)).await.unwrap();
    let mut all: Vec<_> = all
        .into_iter()
        .map(|delivery| (delivery.webhook, delivery.event_id, delivery.event))
        .collect();
    all.sort();
    all
}

fn delivery(webhook: &str, event_id: i64, event: &str) -> (String, i64, String) {
    (webhook.to_owned(), event_id, event.to_owned())
}

async fn what_happens_is_queued_once_for_those_who_want_it(db: Db) {
    happens(&db, AuditAction::SignedUp, None).await;
    happens(&db, AuditAction::SignedIn, None).await;
    happens(&db, AuditAction::Unlinked, None).await;

    let done = queue(&db, 0, later(60)).await;
    let again = queue(&db, 0, later(60)).await;

    assert_eq!((done.position, done.rows), (3, 3));
    assert_eq!(again, done);
    assert_eq!(
        queued(&db).await,
        [
            delivery("billing", 3, "social_account.unlinked"),
            delivery("crm", 1, "user.signed_up"),
            delivery("crm", 3, "social_account.unlinked"),
        ]
    );
    assert!(!is_due(&db, 3, later(60)).await);
}

async fn entries_that_may_get_others_before_them_are_told_of_and_gone_through_again(db: Db) {
    let reorders = db.backend() == crate::storage::Backend::Postgres;
    happens(&db, AuditAction::Unlinked, None).await;
    assert!(is_due(&db, 0, later(1)).await);

    let early = queue(&db, 0, later(1)).await;

    assert_eq!(early.position, i64::from(!reorders));
    assert_eq!(queued(&db).await.len(), 2);
    // Told of already, and the mark has to wait: nothing to do.
    assert!(!is_due(&db, early.position, later(1)).await);
    assert_eq!(is_due(&db, early.position, later(60)).await, reorders);
    let late = queue(&db, 0, later(60)).await;
    assert_eq!(late.position, 1);
    assert_eq!(queued(&db).await.len(), 2);
}

async fn whoever_begins_is_not_told_of_the_past(db: Db) {
    use crate::storage::upkeep;
    happens(&db, AuditAction::Unlinked, None).await;
    let position = || db.read(|r| upkeep::find_position(r, deliveries::MARK));
    assert_eq!(position().await.unwrap(), None);

    db.write(deliveries::begin).await.unwrap();
    assert_eq!(position().await.unwrap(), Some(1));
    happens(&db, AuditAction::Unlinked, None).await;
    db.write(deliveries::begin).await.unwrap();
    assert_eq!(position().await.unwrap(), Some(1));

    db.write(deliveries::forget).await.unwrap();
    assert_eq!(position().await.unwrap(), None);
    let locked = db
        .write(|tx| upkeep::lock_existing(tx, deliveries::MARK))
        .await;
    assert_eq!(locked.unwrap(), None);
    assert_eq!(position().await.unwrap(), None);
}

async fn a_claim_holds_for_a_minute(db: Db) {
    happens(&db, AuditAction::Unlinked, None).await;
    queue(&db, 0, later(60)).await;

    let first = claim(&db, "crm", later(60)).await;
    let meanwhile = claim(&db, "crm", later(119)).await;
    let after = claim(&db, "crm", later(120)).await;

    assert_eq!(first.len(), 1);
    let event = first[0].event.clone().unwrap();
    assert_eq!(
        (event.id, event.action.as_str(), event.user_id, event.at),
        (1, UNLINKED, Some(1), now())
    );
    assert_eq!(meanwhile, []);
    assert_eq!((after[0].id, after[0].attempts), (first[0].id, 2));
    assert_eq!(claim(&db, "billing", later(120)).await[0].attempts, 1);
}

async fn a_delivery_is_tried_again_when_it_was_said_and_given_up_when_not(db: Db) {
    happens(&db, AuditAction::Unlinked, None).await;
    queue(&db, 0, later(60)).await;
    let id = claim(&db, "crm", later(60)).await[0].id;

    end(&db, id, failed(Some(later(100))), later(61)).await;

    assert_eq!(claim(&db, "crm", later(99)).await, []);
    assert_eq!(claim(&db, "crm", later(100)).await[0].id, id);
    let resend = |at| db.write(move |tx| deliveries::resend(tx, id, at));
    assert_eq!(resend(later(101)).await.unwrap(), None);

    end(&db, id, failed(None), later(101)).await;

    assert_eq!(claim(&db, "crm", later(1_000_000)).await, []);
    let again = resend(later(102)).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempts), (id, 0));
    assert_eq!(claim(&db, "crm", later(102)).await[0].attempts, 1);
}

async fn what_arrived_stays_so(db: Db) {
    happens(&db, AuditAction::Unlinked, None).await;
    queue(&db, 0, later(60)).await;
    let id = claim(&db, "crm", later(60)).await[0].id;

    end(&db, id, Ended::Delivered, later(61)).await;
    // Another instance took it over, and was answered late.
    end(&db, id, failed(Some(later(62))), later(61)).await;

    assert_eq!(claim(&db, "crm", later(1_000)).await, []);
    let undelivered = db.read(|r| deliveries::list(r, true, 10)).await.unwrap();
    assert_eq!(undelivered.len(), 1);
    assert_eq!(undelivered[0].webhook, "billing");
    assert_eq!(
        db.write(move |tx| deliveries::resend(tx, id, later(70)))
            .await
            .unwrap(),
        None
    );
}

async fn a_test_is_for_the_webhook_that_it_names(db: Db) {
    happens(&db, AuditAction::WebhookTested, Some("billing")).await;
    happens(&db, AuditAction::WebhookTested, Some("nobody")).await;

    queue(&db, 0, later(60)).await;

    assert_eq!(queued(&db).await, [delivery("billing", 1, "test")]);
}

async fn deliveries_go_when_they_had_their_time(db: Db) {
    happens(&db, AuditAction::Unlinked, None).await;
    queue(&db, 0, now()).await;
    let id = claim(&db, "crm", now()).await[0].id;
    end(&db, id, Ended::Delivered, now()).await;
    let delete = |at| {
        let db = db.clone();
        async move {
            let any = db.read(move |r| deliveries::any_old(r, at)).await.unwrap();
            let gone = db.write(move |tx| deliveries::delete_old(tx, at, 10));
            let gone = gone.await.unwrap();
            assert_eq!(any, gone > 0);
            gone
        }
    };

    assert_eq!(
        delete(now() + DELIVERED_KEPT - TimeDelta::seconds(1)).await,
        0
    );
    assert_eq!(delete(now() + DELIVERED_KEPT).await, 1);
    assert_eq!(
        delete(now() + UNDELIVERED_KEPT - TimeDelta::seconds(1)).await,
        0
    );
    assert_eq!(delete(now() + UNDELIVERED_KEPT).await, 1);
}
