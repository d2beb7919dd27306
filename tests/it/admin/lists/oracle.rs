//! Every filter in every order, walked page by page in both directions, against the same filter written plainly.

use std::cmp::Ordering;

use chrono::{DateTime, TimeDelta, Utc};
use latchkey::domain::ProviderId;
use latchkey::domain::paging::{Count, Direction, Position};
use latchkey::flows::upkeep;
use latchkey::storage::social_auth_lists::{self, AssociatedOrder, SocialAuthFilter};
use latchkey::storage::user_lists::{
    self, Limits, ListRequest, SocialAccounts, UserFilter, UserOrder,
};

use super::people::{Person, store};
use crate::support::{TestApp, on_both};

const ORDERS: [UserOrder; 4] = [
    UserOrder::SignedUp,
    UserOrder::LastSignIn,
    UserOrder::Username,
    UserOrder::Email,
];

/// Draws what a filter may have, one thing after the other.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn maybe<T>(&mut self, one_in: u64, value: T) -> Option<T> {
        (self.roll(one_in) == 0).then_some(value)
    }
}

fn draw(dice: &mut Dice, now: DateTime<Utc>) -> UserFilter {
    let providers = ["google", "github", "apple", "kakao", "nobody-has-it"];
    let providers: Vec<ProviderId> = providers
        .iter()
        .filter(|_| dice.roll(8) == 0)
        .map(|id| ProviderId::parse(id).unwrap())
        .collect();
    let hours = |dice: &mut Dice| now - TimeDelta::hours(i64::try_from(dice.roll(2_200)).unwrap());
    let [from, before, last] = [hours(dice), hours(dice), hours(dice)];
    let count = [
        SocialAccounts::None,
        SocialAccounts::One,
        SocialAccounts::Several,
    ][usize::try_from(dice.roll(3)).unwrap()];
    let needle = [
        "ada",
        "søren",
        "soren",
        "example.org",
        "秀英",
        "user1",
        "okafor",
        "zzz",
        "%_%",
        "ольга",
    ];
    let needle = needle[usize::try_from(dice.roll(10)).unwrap()].to_owned();
    UserFilter {
        providers,
        joined_from: dice.maybe(5, from),
        joined_before: dice.maybe(5, before),
        is_active: dice.roll(4).checked_sub(2).map(|active| active == 1),
        social_accounts: dice.maybe(4, count),
        last_sign_in_before: dice.maybe(6, last),
        access_token_expired: dice.roll(5) == 0,
        needle: dice
            .maybe(5, needle)
            .filter(|needle| needle.chars().count() >= 3),
    }
}

/// The usual limits, or tight ones: then pages break off, rare filters count as common, and all the same nothing is missed.
fn limits(dice: &mut Dice) -> Limits {
    match dice.roll(3) {
        0 => Limits::default(),
        1 => Limits { budget: 10, few: 4 },
        _ => Limits {
            budget: 40,
            few: 1_000,
        },
    }
}

/// Whether what was counted says so many, or at least does not say more.
fn fits(count: Option<Count>, expected: usize, limits: Limits) -> bool {
    let expected = u32::try_from(expected).unwrap();
    match count.unwrap() {
        Count::Exactly(counted) => counted == expected,
        Count::MoreThan(counted) => counted <= expected && limits != Limits::default(),
    }
}

fn matches(filter: &UserFilter, person: &Person, now: DateTime<Utc>) -> bool {
    let has = |id: &ProviderId| {
        person
            .accounts
            .iter()
            .any(|(_, provider, _)| *provider == id.as_str())
    };
    let expired = || {
        person
            .accounts
            .iter()
            .any(|(_, _, at)| at.is_some_and(|at| at <= now))
    };
    let count = match person.accounts.len() {
        0 => SocialAccounts::None,
        1 => SocialAccounts::One,
        _ => SocialAccounts::Several,
    };
    let text = latchkey::domain::search::searchable_text(
        &person.username,
        person.email.as_deref(),
        person.first_name,
        "Okafor",
    );
    (filter.providers.is_empty() || filter.providers.iter().any(has))
        && filter.joined_from.is_none_or(|from| person.joined >= from)
        && filter
            .joined_before
            .is_none_or(|before| person.joined < before)
        && filter
            .is_active
            .is_none_or(|active| person.is_active == active)
        && filter.social_accounts.is_none_or(|wanted| wanted == count)
        && filter
            .last_sign_in_before
            .is_none_or(|before| person.last_sign_in_at.is_some_and(|at| at < before))
        && (!filter.access_token_expired || expired())
        && filter
            .needle
            .as_ref()
            .is_none_or(|needle| text.contains(needle))
}

/// What is missing comes last, whichever way the list runs.
fn order(by: UserOrder, direction: Direction, a: &Person, b: &Person) -> Ordering {
    fn with_missing_last<T: Ord>(
        direction: Direction,
        a: &(Option<T>, i64),
        b: &(Option<T>, i64),
    ) -> Ordering {
        let within = a.cmp(b);
        let within = if direction == Direction::Descending {
            within.reverse()
        } else {
            within
        };
        a.0.is_none().cmp(&b.0.is_none()).then(within)
    }
    match by {
        UserOrder::SignedUp => with_missing_last(direction, &(Some(()), a.id), &(Some(()), b.id)),
        UserOrder::LastSignIn => with_missing_last(
            direction,
            &(a.last_sign_in_at, a.id),
            &(b.last_sign_in_at, b.id),
        ),
        UserOrder::Username => with_missing_last(
            direction,
            &(Some(a.username.to_lowercase()), a.id),
            &(Some(b.username.to_lowercase()), b.id),
        ),
        UserOrder::Email => with_missing_last(
            direction,
            &(a.email.as_ref().map(|email| email.to_lowercase()), a.id),
            &(b.email.as_ref().map(|email| email.to_lowercase()), b.id),
        ),
    }
}

/// Walks to the end and back again; the ids in the order of the list, both ways, and what was counted.
async fn walk(
    app: &TestApp,
    request: ListRequest<UserFilter, UserOrder>,
) -> (Vec<i64>, Vec<i64>, Option<Count>) {
    let mut forth = Vec::new();
    let mut back = Vec::new();
    let mut count = None;
    let mut at: Option<Position> = None;
    let mut is_backwards = false;
    for _ in 0..1_000 {
        let request = ListRequest {
            from: at.clone(),
            is_backwards,
            ..request.clone()
        };
        let found = app
            .app
            .db
            .read(move |reader| user_lists::list(reader, &request))
            .await
            .unwrap();
        assert!(!found.is_behind);
        count = count.or(found.count);
        let ids: Vec<i64> = found.page.rows.iter().map(|row| row.user.id.0).collect();
        if is_backwards {
            back.splice(0..0, ids.clone());
        } else {
            forth.extend(&ids);
        }
        let page = found.page;
        let (onward, other) = if is_backwards {
            (page.back, page.next)
        } else {
            (page.next, page.back)
        };
        match onward {
            Some(next) => at = Some(next),
            None if is_backwards => return (forth, back, count),
            None => {
                // The last page again, then back.
                back.clone_from(&ids);
                let Some(first) = other else {
                    return (forth, back, count);
                };
                is_backwards = true;
                at = Some(first);
            }
        }
    }
    panic!("the walk does not end");
}

async fn check(app: &TestApp, people: &[Person], rounds: u64, seed: u64) {
    let now = app.app.clock.now();
    let mut dice = Dice(seed);
    for round in 0..rounds {
        let filter = if round < 8 {
            UserFilter::default()
        } else {
            draw(&mut dice, now)
        };
        let by = ORDERS[usize::try_from(round % 4).unwrap()];
        let direction = if dice.roll(2) == 0 {
            Direction::Ascending
        } else {
            Direction::Descending
        };
        let mut expected: Vec<&Person> = people
            .iter()
            .filter(|person| matches(&filter, person, now))
            .collect();
        expected.sort_by(|a, b| order(by, direction, a, b));
        let expected: Vec<i64> = expected.into_iter().map(|person| person.id).collect();
        let request = ListRequest {
            filter,
            order: by,
            direction,
            from: None,
            is_backwards: false,
            rows: 7,
            now,
            limits: limits(&mut dice),
        };
        let what = format!("{request:?}");
        let limits = request.limits;

        let (forth, back, count) = walk(app, request).await;

        assert_eq!(forth, expected, "{what}");
        assert_eq!(back, expected, "backwards: {what}");
        assert!(fits(count, expected.len(), limits), "{count:?}: {what}");
    }
}

on_both!(
    every_filter_in_every_order_gives_exactly_the_users_that_match,
    "",
    |app| {
        let mut account = 0;
        let mut people = store(app, 1, 150, &mut account).await;
        check(app, &people, 40, 1).await;

        upkeep::settle(&app.app.db, &app.app.clock, |_| {})
            .await
            .unwrap();
        check(app, &people, 100, 2).await;

        // Some whom the upkeep has not seen yet, and some who have changed since.
        people.extend(store(app, 150, 210, &mut account).await);
        for person in people.iter_mut().filter(|person| person.id % 13 == 0) {
            person.first_name = "Renamed";
            person.is_active = !person.is_active;
            let active = person.is_active;
            app.execute(&format!(
                "UPDATE users SET first_name = 'Renamed', is_active = {active} WHERE id = {id}; \
                 INSERT INTO audit_log (at, actor_kind, action, user_id, request_id) VALUES ('2026-11-26 10:00:00+00:00', 'system', 'deactivated', {id}, 'test')",
                id = person.id
            ));
        }
        for person in people.iter_mut().filter(|person| person.id % 17 == 0) {
            let Some((gone, _, _)) = person.accounts.pop() else {
                continue;
            };
            app.execute(&format!(
                "DELETE FROM social_auth WHERE id = {gone}; UPDATE users SET social_accounts = social_accounts - 1 WHERE id = {id}; \
                 INSERT INTO audit_log (at, actor_kind, action, user_id, social_auth_id, request_id) VALUES ('2026-11-26 10:00:00+00:00', 'system', 'unlinked', {id}, {gone}, 'test')",
                id = person.id
            ));
        }
        check(app, &people, 100, 3).await;

        upkeep::settle(&app.app.db, &app.app.clock, |_| {})
            .await
            .unwrap();
        check(app, &people, 60, 4).await;
    }
);

on_both!(
    every_filter_of_social_accounts_gives_exactly_those_that_match,
    "",
    |app| {
        let mut account = 0;
        let mut people = store(app, 1, 120, &mut account).await;
        upkeep::settle(&app.app.db, &app.app.clock, |_| {})
            .await
            .unwrap();
        people.extend(store(app, 120, 160, &mut account).await);
        let now = app.app.clock.now();
        let mut dice = Dice(7);

        for round in 0..150 {
            let drawn = if round == 0 {
                UserFilter::default()
            } else {
                draw(&mut dice, now)
            };
            let filter = SocialAuthFilter {
                providers: drawn.providers.clone(),
                associated_from: drawn.joined_from,
                associated_before: drawn.joined_before,
                is_active: drawn.is_active,
                social_accounts: drawn.social_accounts,
                last_sign_in_before: drawn.last_sign_in_before,
                access_token_expired: drawn.access_token_expired,
            };
            let direction = if dice.roll(2) == 0 {
                Direction::Ascending
            } else {
                Direction::Descending
            };
            let of_users = UserFilter {
                providers: Vec::new(),
                access_token_expired: false,
                needle: None,
                ..drawn
            };
            let mut expected: Vec<i64> = people
                .iter()
                .filter(|person| matches(&of_users, person, now))
                .flat_map(|person| &person.accounts)
                .filter(|(_, provider, _)| {
                    filter.providers.is_empty()
                        || filter.providers.iter().any(|id| id.as_str() == *provider)
                })
                .filter(|(_, _, expires)| {
                    !filter.access_token_expired || expires.is_some_and(|at| at <= now)
                })
                .map(|(id, _, _)| *id)
                .collect();
            expected.sort_unstable();
            if direction == Direction::Descending {
                expected.reverse();
            }
            let tight = limits(&mut dice);
            let mut found = Vec::new();
            let mut from = None;
            let mut count = None;
            loop {
                let request = ListRequest {
                    filter: filter.clone(),
                    order: AssociatedOrder,
                    direction,
                    from: from.clone(),
                    is_backwards: false,
                    rows: 9,
                    now,
                    limits: tight,
                };
                let page = app
                    .app
                    .db
                    .read(move |reader| social_auth_lists::list(reader, &request))
                    .await
                    .unwrap();
                found.extend(page.page.rows.iter().map(|row| row.id.0));
                count = count.or(page.count);
                from = page.page.next;
                if from.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{filter:?} {direction:?}");
            assert!(fits(count, expected.len(), tight), "{count:?}: {filter:?}");
        }
    }
);
