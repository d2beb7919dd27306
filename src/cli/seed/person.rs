//! One made-up person: who they are, what they signed up with, and how often they came back. The same for the same seed and number.

use chrono::{DateTime, TimeDelta, Utc};

use super::names::{self, Name};
use super::random::Random;

/// A provider as the made-up world knows it.
#[derive(Debug)]
pub(super) struct ProviderShare {
    pub(super) id: &'static str,
    /// Among a hundred thousand social accounts.
    share: u64,
    /// How long its access tokens live; 0 if they do not expire.
    pub(super) token_hours: i64,
    /// Whether it gives a refresh token.
    pub(super) refreshes: bool,
    /// How its uids look.
    uid: UidForm,
    /// Whether it tells an address.
    tells_email: bool,
}

#[derive(Debug, Clone, Copy)]
enum UidForm {
    Digits(u32),
    Hex(usize),
    /// Letters of an opaque subject with this beginning.
    Prefixed(&'static str),
}

const fn provider(
    id: &'static str,
    share: u64,
    token_hours: i64,
    refreshes: bool,
    uid: UidForm,
    tells_email: bool,
) -> ProviderShare {
    ProviderShare {
        id,
        share,
        token_hours,
        refreshes,
        uid,
        tells_email,
    }
}

/// Entries of the catalogue. The last one is rare: one account in five thousand.
#[rustfmt::skip]
pub(super) const PROVIDERS: &[ProviderShare] = &[
    provider("google", 34_000, 1, true, UidForm::Digits(21), true),
    provider("apple", 17_000, 0, true, UidForm::Prefixed("00"), true),
    provider("facebook", 16_000, 24 * 60, false, UidForm::Digits(17), true),
    provider("github", 9_000, 0, false, UidForm::Digits(8), true),
    provider("microsoft", 6_000, 1, true, UidForm::Hex(32), true),
    provider("x", 5_000, 2, true, UidForm::Digits(19), false),
    provider("instagram", 4_500, 24 * 60, false, UidForm::Digits(17), false),
    provider("discord", 3_000, 24 * 7, true, UidForm::Digits(18), true),
    provider("linkedin", 2_480, 24 * 60, false, UidForm::Prefixed("l"), true),
    provider("twitch", 1_500, 4, true, UidForm::Digits(9), true),
    provider("spotify", 1_000, 1, true, UidForm::Prefixed("s"), true),
    provider("gitlab", 500, 2, true, UidForm::Digits(7), true),
    provider("yandex", 20, 24 * 365, true, UidForm::Digits(10), true),
];

/// One social account, by its place among the person's.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) provider: &'static ProviderShare,
    pub(super) uid: String,
    pub(super) associated_at: DateTime<Utc>,
    pub(super) email: Option<String>,
}

/// A person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: Name,
    pub(super) username: String,
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    pub(super) is_active: bool,
    pub(super) accounts: Vec<Account>,
    /// Later sign-ins: when, and with which account.
    pub(super) sign_ins: Vec<(DateTime<Utc>, u8)>,
    /// A refused attempt, if there was one.
    pub(super) refused_at: Option<DateTime<Utc>>,
}

impl Person {
    /// The person with this row, who signed up at `joined`.
    pub(super) fn draw(seed: u64, row: i64, joined: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let mut random = Random::new(seed, row.unsigned_abs());
        let name = names::draw(&mut random);
        let username = username(&mut random, &name, row);
        let email = (!random.chance(60)).then(|| email(&mut random, &name, row));
        let accounts = accounts(&mut random, row, joined, now, email.as_deref());
        let is_active = !random.chance(15);
        let mut sign_ins = Vec::new();
        if !accounts.is_empty() {
            for _ in 0..random.below(3) {
                let with = random.below(accounts.len() as u64);
                let since = accounts
                    .get(usize::try_from(with).unwrap_or_default())
                    .map_or(joined, |account| account.associated_at);
                let at = between(&mut random, since, now);
                sign_ins.push((at, u8::try_from(with).unwrap_or_default()));
            }
        }
        let refused_at =
            (!accounts.is_empty() && random.chance(80)).then(|| between(&mut random, joined, now));
        Self {
            name,
            username,
            email_verified: email.is_some() && !random.chance(150),
            email,
            is_active,
            accounts,
            sign_ins,
            refused_at,
        }
    }

    /// The latest sign-in: signing up is one as well. Nobody without an account has ever signed in.
    pub(super) fn last_sign_in_at(&self, joined: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first = (!self.accounts.is_empty()).then_some(joined)?;
        Some(
            self.sign_ins
                .iter()
                .map(|(at, _)| *at)
                .fold(first, DateTime::max),
        )
    }
}

/// An instant in between, more often a late one.
fn between(random: &mut Random, from: DateTime<Utc>, to: DateTime<Utc>) -> DateTime<Utc> {
    let span = (to - from).num_seconds().max(1).unsigned_abs();
    let seconds = random.below(span).max(random.below(span));
    from + TimeDelta::seconds(i64::try_from(seconds).unwrap_or_default())
}

fn username(random: &mut Random, name: &Name, row: i64) -> String {
    let (first, second) = &name.ascii;
    let initial = second.get(..1).unwrap_or_default();
    match random.below(4) {
        0 => format!("{first}{row}"),
        1 => format!("{first}.{second}{row}"),
        2 => format!("{first}-{initial}{row}"),
        _ => format!("{second}_{row}"),
    }
}

fn email(random: &mut Random, name: &Name, row: i64) -> String {
    let (first, second) = &name.ascii;
    let host = match random.below(4) {
        0 => "example.com",
        1 => "example.net",
        _ => "example.org",
    };
    match random.below(3) {
        0 => format!("{first}.{second}.{row}@{host}"),
        1 => format!("{first}{row}@{host}"),
        // As people type it.
        _ => format!("{}{}{row}@{host}", capitalised(first), capitalised(second)),
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn accounts(
    random: &mut Random,
    row: i64,
    joined: DateTime<Utc>,
    now: DateTime<Utc>,
    email: Option<&str>,
) -> Vec<Account> {
    // On average 1.4.
    let count = match random.below(100) {
        0..=1 => 0,
        2..=67 => 1,
        68..=90 => 2,
        91..=97 => 3,
        _ => 4,
    };
    let mut accounts: Vec<Account> = Vec::new();
    for number in 0..count {
        let provider = draw_provider(random);
        let has_it = accounts
            .iter()
            .any(|account| account.provider.id == provider.id);
        // Somebody with two accounts at one provider is possible, and rare.
        let provider = if has_it && !random.chance(20) {
            draw_provider(random)
        } else {
            provider
        };
        accounts.push(Account {
            uid: uid(random, provider.uid, row, number),
            associated_at: if number == 0 {
                joined
            } else {
                between(random, joined, now)
            },
            email: email
                .filter(|_| provider.tells_email)
                .map(ToOwned::to_owned),
            provider,
        });
    }
    accounts
}

fn draw_provider(random: &mut Random) -> &'static ProviderShare {
    let all: u64 = PROVIDERS.iter().map(|provider| provider.share).sum();
    let mut drawn = random.below(all);
    #[expect(clippy::indexing_slicing, reason = "checked when it is compiled")]
    let first = const { &PROVIDERS[0] };
    for provider in PROVIDERS {
        if drawn < provider.share {
            return provider;
        }
        drawn -= provider.share;
    }
    first
}

/// Unique by the row and the number in it; the rest is for the looks.
fn uid(random: &mut Random, form: UidForm, row: i64, number: i64) -> String {
    let unique = row * 4 + number;
    match form {
        UidForm::Digits(digits) => {
            // The leading digits are scattered, so that a provider's uids do not lie in the order of sign-ups.
            let scattered = random.below(9) + 1;
            let width = usize::try_from(digits)
                .unwrap_or_default()
                .saturating_sub(1);
            let middle = random.below(1000);
            format!(
                "{scattered}{middle:03}{unique:0width$}",
                width = width.saturating_sub(3)
            )
        }
        UidForm::Hex(length) => {
            let width = length.saturating_sub(16);
            format!("{:016x}{unique:0width$x}", random.next())
        }
        UidForm::Prefixed(prefix) => {
            format!("{prefix}{:010x}.{unique:07x}", random.next() >> 24)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn people(seed: u64) -> Vec<Person> {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let joined = now - TimeDelta::days(400);
        (1..=5000)
            .map(|row| Person::draw(seed, row, joined, now))
            .collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_people_and_another_makes_others() {
        let text = |seed| format!("{:?}", people(seed));

        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn people_have_one_and_a_half_accounts_and_nothing_of_theirs_is_there_twice() {
        let people = people(1);

        let accounts: usize = people.iter().map(|person| person.accounts.len()).sum();
        let uids: BTreeSet<(&str, &str)> = people
            .iter()
            .flat_map(|person| &person.accounts)
            .map(|account| (account.provider.id, account.uid.as_str()))
            .collect();
        let usernames: BTreeSet<&str> = people.iter().map(|p| p.username.as_str()).collect();

        assert!((6800..7400).contains(&accounts), "{accounts}");
        assert_eq!(uids.len(), accounts);
        assert_eq!(usernames.len(), people.len());
        assert!(people.iter().any(|person| person.accounts.is_empty()));
        assert!(people.iter().any(|person| !person.is_active));
        assert!(people.iter().any(|person| person.email.is_none()));
    }

    #[test]
    fn the_shares_of_the_providers_add_up() {
        let all: u64 = PROVIDERS.iter().map(|provider| provider.share).sum();

        assert_eq!(all, 100_000);
        for provider in PROVIDERS {
            assert!(crate::providers::catalog::find(provider.id).is_some());
        }
    }
}
