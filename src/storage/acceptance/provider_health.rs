//! What is stored of the providers' checks.

use super::*;
use crate::domain::provider_health::{Check, PeriodChecks, period_of};
use crate::storage::counts::{self, OUTAGE, Span};
use crate::storage::provider_health::{self, PeriodReport};

on_both! {
    a_report_that_is_stored_twice_counts_once
    instances_add_up_and_the_last_checks_never_move_back
    old_periods_are_forgotten
}

fn report(check: Check, count: u64, seconds: i64) -> PeriodReport {
    PeriodReport {
        provider: provider("github"),
        period_at: period_of(now()),
        checks: vec![PeriodChecks {
            period_at: period_of(now()),
            check,
            count,
            first_at: later(0),
            last_at: later(seconds),
        }],
        latencies: vec![(3, count)],
    }
}

async fn record(db: &Db, instance: &'static str, report: PeriodReport) {
    db.write(move |tx| provider_health::record(tx, instance, std::slice::from_ref(&report)))
        .await
        .unwrap();
}

async fn outages_today(db: &Db) -> u64 {
    let today = now().date_naive();
    let span = Span::Days(today, today.succ_opt().unwrap());
    let sums = db.read(move |r| counts::sum(r, span)).await.unwrap();
    sums.into_iter()
        .filter(|(key, _)| key.action == OUTAGE && key.reason == "timeout")
        .map(|(_, count)| count)
        .sum()
}

async fn a_report_that_is_stored_twice_counts_once(db: Db) {
    record(&db, "a", report(Check::Timeout, 3, 1)).await;
    record(&db, "a", report(Check::Timeout, 3, 1)).await;
    record(&db, "a", report(Check::Timeout, 5, 2)).await;

    let since = period_of(now());
    let checks = db
        .read(move |r| provider_health::list_checks(r, since))
        .await
        .unwrap();
    assert_eq!(checks.len(), 1);
    assert_eq!((checks[0].0.as_str(), checks[0].1.count), ("github", 5));
    assert_eq!(outages_today(&db).await, 5);
}

async fn instances_add_up_and_the_last_checks_never_move_back(db: Db) {
    record(&db, "a", report(Check::Timeout, 3, 9)).await;
    record(&db, "b", report(Check::Timeout, 4, 5)).await;
    record(&db, "b", report(Check::Accepted, 2, 7)).await;

    let since = period_of(now());
    let (checks, latencies, last) = db
        .read(move |r| {
            Ok::<_, StorageError>((
                provider_health::list_checks_of(r, "github", since)?,
                provider_health::list_latencies(r, since)?,
                provider_health::list_last(r)?,
            ))
        })
        .await
        .unwrap();

    let timeouts = checks.iter().find(|c| c.check == Check::Timeout).unwrap();
    assert_eq!(timeouts.count, 7);
    assert_eq!((timeouts.first_at, timeouts.last_at), (later(0), later(9)));
    // The last report of `b` is all that `b` has counted in its period.
    assert_eq!((latencies[0].bucket, latencies[0].count), (3, 5));
    assert_eq!(last[0].accepted_at, Some(later(7)));
    assert_eq!(last[0].outage, Some((later(9), Check::Timeout)));
    assert_eq!(outages_today(&db).await, 7);
}

async fn old_periods_are_forgotten(db: Db) {
    record(&db, "a", report(Check::Timeout, 3, 1)).await;

    db.write(|tx| provider_health::delete_before(tx, later(3600)))
        .await
        .unwrap();

    let checks = db
        .read(|r| provider_health::list_checks(r, later(-90_000)))
        .await
        .unwrap();
    assert!(checks.is_empty());
    assert_eq!(
        db.read(provider_health::list_last).await.unwrap()[0].outage,
        Some((later(1), Check::Timeout))
    );
    assert_eq!(outages_today(&db).await, 3);
}
