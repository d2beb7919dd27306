//! The roll-up, and the search that its index serves.

use chrono::NaiveDate;

use super::*;
use crate::domain::{Actor, AuditAction, AuditEntry, RequestContext, StaffId};
use crate::storage::audit::{self, AuditRecord};
use crate::storage::audit_search::{AuditFilter, AuditPage, AuditPosition, search};
use crate::storage::counts::{self, CountKey, Span};
use crate::storage::roll_up;
use crate::storage::upkeep::{self, Round, marks};

on_both! {
    every_entry_is_counted_once_however_often_the_roll_up_runs
    hours_and_days_are_counted_apart
    an_entry_is_found_by_each_of_its_traits_before_and_after_it_is_rolled_up
    pages_of_a_search_lead_to_each_entry_once_and_back
    a_rare_entry_is_found_in_its_block
    dates_leave_out_what_is_older_and_newer
}

/// Late enough for what was written at `now()` to be settled.
const LATER: i64 = 3600;

fn entry(action: AuditAction, slug: Option<&str>, reason: Option<&'static str>) -> AuditEntry {
    AuditEntry {
        actor: Actor::Anonymous,
        action,
        reason: reason.map(Into::into),
        detail: None,
        user_id: None,
        social_auth_id: None,
        provider: slug.map(provider),
        uid: None,
        context: RequestContext {
            request_id: "r".into(),
            address: None,
            user_agent: None,
        },
    }
}

async fn insert(db: &Db, entry: AuditEntry, seconds: i64) {
    db.write(move |tx| audit::insert(tx, &entry, later(seconds)))
        .await
        .unwrap();
}

async fn roll_up_all(db: &Db, batch: u32) -> u32 {
    let mut entries = 0;
    loop {
        let moved = db
            .write(move |tx| {
                let position = upkeep::position(tx, marks::ROLL_UP)?;
                let round = Round {
                    now: later(LATER),
                    position,
                    batch,
                    number: 0,
                };
                let done = roll_up::advance(tx, &round)?;
                upkeep::lock(tx, marks::ROLL_UP)?;
                upkeep::set_position(tx, marks::ROLL_UP, done.position)?;
                Ok::<_, StorageError>(done.rows)
            })
            .await
            .unwrap();
        entries += moved;
        if moved == 0 {
            return entries;
        }
    }
}

fn today() -> NaiveDate {
    now().date_naive()
}

async fn sums(db: &Db, span: Span) -> counts::Sums {
    db.read(move |r| counts::sum(r, span)).await.unwrap()
}

fn key(provider: &str, action: &str, reason: &str) -> CountKey {
    CountKey {
        provider: provider.into(),
        action: action.into(),
        reason: reason.into(),
    }
}

async fn every_entry_is_counted_once_however_often_the_roll_up_runs(db: Db) {
    for second in 0..5 {
        insert(
            &db,
            entry(AuditAction::SignedUp, Some("github"), None),
            second,
        )
        .await;
    }
    let refused = entry(AuditAction::Refused, Some("github"), Some("wrong_audience"));
    insert(&db, refused, 5).await;
    let mut told = entry(AuditAction::Unlinked, Some("github"), Some("Asked by mail"));
    told.actor = Actor::Staff(StaffId(1));
    insert(&db, told, 6).await;

    let tail = db.read(|r| roll_up::digest(r, 0, 100)).await.unwrap();
    let moved = roll_up_all(&db, 2).await;
    let again = roll_up_all(&db, 2).await;

    assert_eq!((tail.entries, moved, again), (7, 7, 0));
    let days = sums(&db, Span::Days(today(), today().succ_opt().unwrap())).await;
    assert_eq!(
        days.into_iter().collect::<Vec<_>>(),
        [
            (key("github", "refused", "wrong_audience"), 1),
            (key("github", "signed_up", ""), 5),
            // What an admin wrote is no code.
            (key("github", "unlinked", ""), 1),
        ]
    );
    let mark = db
        .read(|r| upkeep::position(r, marks::ROLL_UP))
        .await
        .unwrap();
    let rest = db
        .read(move |r| roll_up::digest(r, mark, 100))
        .await
        .unwrap();
    assert_eq!(rest.entries, 0);
}

async fn hours_and_days_are_counted_apart(db: Db) {
    let hour = counts::hour_of(now());
    for seconds in [-86_400 * 3, -7200, -3600, 0] {
        insert(
            &db,
            entry(AuditAction::SignedUp, Some("google"), None),
            seconds,
        )
        .await;
    }

    roll_up_all(&db, 100).await;

    let two_hours = Span::Hours(hour - TimeDelta::hours(1), hour + TimeDelta::hours(1));
    let listed = db
        .read(move |r| counts::list(r, two_hours, "signed_up"))
        .await
        .unwrap();
    assert_eq!(
        listed.iter().map(|c| (c.at, c.count)).collect::<Vec<_>>(),
        [(hour - TimeDelta::hours(1), 1), (hour, 1)]
    );
    let all_days = Span::Days(today() - TimeDelta::days(5), today().succ_opt().unwrap());
    let total: u64 = sums(&db, all_days).await.values().sum();
    assert_eq!(total, 4);
    // Three days ago is kept by the day only.
    let all_hours = Span::Hours(hour - TimeDelta::days(5), hour + TimeDelta::hours(1));
    let total: u64 = sums(&db, all_hours).await.values().sum();
    assert_eq!(total, 3);
}

async fn find(db: &Db, filter: AuditFilter, position: AuditPosition, limit: usize) -> AuditPage {
    db.read(move |r| search(r, &filter, position, limit))
        .await
        .unwrap()
}

fn ids(entries: &[AuditRecord]) -> Vec<i64> {
    entries.iter().map(|entry| entry.id).collect()
}

async fn an_entry_is_found_by_each_of_its_traits_before_and_after_it_is_rolled_up(db: Db) {
    insert(&db, entry(AuditAction::SignedUp, Some("github"), None), 0).await;
    let mut wanted = entry(AuditAction::Unlinked, Some("google"), Some("Asked"));
    wanted.actor = Actor::Staff(StaffId(7));
    wanted.user_id = Some(UserId(42));
    insert(&db, wanted, 1).await;
    let mut other = entry(AuditAction::UserViewed, None, None);
    other.actor = Actor::Staff(StaffId(8));
    insert(&db, other, 2).await;
    let filters = [
        AuditFilter {
            actor_kind: Some("staff".into()),
            actor_id: Some(7),
            ..AuditFilter::default()
        },
        AuditFilter {
            action: Some("unlinked".into()),
            ..AuditFilter::default()
        },
        AuditFilter {
            user_id: Some(UserId(42)),
            ..AuditFilter::default()
        },
        AuditFilter {
            provider: Some("google".into()),
            action: Some("unlinked".into()),
            actor_kind: Some("staff".into()),
            ..AuditFilter::default()
        },
        AuditFilter {
            from: Some(later(1)),
            before: Some(later(2)),
            ..AuditFilter::default()
        },
    ];

    for _ in 0..2 {
        for filter in &filters {
            let page = find(&db, filter.clone(), AuditPosition::Newest, 10).await;
            assert_eq!(ids(&page.entries), [2], "{filter:?}");
            assert!(!page.has_newer && !page.has_older);
        }
        let nothing = AuditFilter {
            provider: Some("github".into()),
            action: Some("unlinked".into()),
            ..AuditFilter::default()
        };
        let page = find(&db, nothing, AuditPosition::Newest, 10).await;
        assert_eq!(ids(&page.entries), [0_i64; 0]);
        roll_up_all(&db, 2).await;
    }
}

/// Fills the log behind everybody's back with `count` sign-ins, so that blocks are full.
async fn fill(db: &Db, count: i64) {
    let sql = match db.backend() {
        crate::storage::Backend::Sqlite => format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             INSERT INTO audit_log (at, actor_kind, action, provider, request_id) \
             SELECT '2026-11-18 11:06:40.123456+00:00', 'anonymous', 'signed_in', 'github', 'r' FROM n"
        ),
        crate::storage::Backend::Postgres => format!(
            "INSERT INTO audit_log (at, actor_kind, action, provider, request_id) \
             SELECT '2026-11-18 11:06:40.123456+00', 'anonymous', 'signed_in', 'github', 'r' FROM generate_series(1, {count})"
        ),
    };
    db.write(move |tx| super::database::execute(tx, &sql))
        .await
        .unwrap();
}

async fn a_rare_entry_is_found_in_its_block(db: Db) {
    let rare = || entry(AuditAction::Refused, Some("spotify"), Some("expired_token"));
    insert(&db, rare(), 0).await;
    fill(&db, 5000).await;
    insert(&db, rare(), 1).await;
    fill(&db, 3000).await;
    roll_up_all(&db, 2048).await;
    let spotify = AuditFilter {
        provider: Some("spotify".into()),
        ..AuditFilter::default()
    };

    let newest = find(&db, spotify.clone(), AuditPosition::Newest, 1).await;
    let older = find(&db, spotify.clone(), AuditPosition::OlderThan(5002), 1).await;
    let newer = find(&db, spotify.clone(), AuditPosition::NewerThan(1), 5).await;

    assert_eq!((ids(&newest.entries), newest.has_older), (vec![5002], true));
    assert_eq!((ids(&older.entries), older.has_older), (vec![1], false));
    assert_eq!((ids(&newer.entries), newer.has_newer), (vec![5002], false));
    let blocks = db
        .read(|r| super::database::count(r, "audit_blocks"))
        .await
        .unwrap();
    // Nine blocks of sign-ins, two of which hold a refusal.
    assert_eq!(blocks, 8 + 2);
}

async fn pages_of_a_search_lead_to_each_entry_once_and_back(db: Db) {
    for n in 0..30 {
        let slug = if n % 3 == 0 { "google" } else { "github" };
        insert(&db, entry(AuditAction::SignedUp, Some(slug), None), n).await;
        if n == 20 {
            roll_up_all(&db, 100).await;
        }
    }
    let google = AuditFilter {
        provider: Some("google".into()),
        ..AuditFilter::default()
    };
    let mut seen = Vec::new();
    let mut position = AuditPosition::Newest;
    loop {
        let page = find(&db, google.clone(), position, 4).await;
        seen.extend(ids(&page.entries));
        if !page.has_older {
            break;
        }
        position = AuditPosition::OlderThan(*seen.last().unwrap());
    }

    assert_eq!(seen, [28, 25, 22, 19, 16, 13, 10, 7, 4, 1]);
    let back = find(&db, google, AuditPosition::NewerThan(10), 4).await;
    assert_eq!(ids(&back.entries), [22, 19, 16, 13]);
    assert!(back.has_newer && back.has_older);
}

async fn dates_leave_out_what_is_older_and_newer(db: Db) {
    for day in -3..=0 {
        insert(
            &db,
            entry(AuditAction::SignedUp, Some("google"), None),
            day * 86_400,
        )
        .await;
    }
    let midnight = |days: i64| {
        (today() + TimeDelta::days(days))
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
    };
    let filter = AuditFilter {
        from: Some(midnight(-2)),
        before: Some(midnight(0)),
        ..AuditFilter::default()
    };

    let before = find(&db, filter.clone(), AuditPosition::Newest, 10).await;
    roll_up_all(&db, 100).await;
    let after = find(&db, filter, AuditPosition::Newest, 10).await;

    assert_eq!(ids(&before.entries), [3, 2]);
    assert_eq!(before, after);
}
