//! What the made-up people did in the last two years, in the order in which it happened: rows get their ids in that order.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;

use super::person::{Account, Person};
use super::random::Random;
use crate::domain::{Actor, AuditAction, ExtraData, ProviderId, Secret, SocialAuthId, Uid, UserId};
use crate::storage::sealing::{Sealer, SealingError};
use crate::storage::seeding::{
    Batch, FreeIds, SeededAuditEntry, SeededSession, SeededSocialAuth, SeededUser,
};

/// Since when people have signed up.
const DAYS: i64 = 730;
/// How long a session lives.
const SESSION_DAYS: i64 = 90;
/// Sessions that ended longer ago than this were cleared away.
const CLEARED_AFTER_DAYS: i64 = 30;
/// Events of one batch.
const BATCH: usize = 50_000;

const USER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15",
    "ExampleApp/4.2 (Android 16; Pixel 10)",
    "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "ExampleApp/4.1 (iOS 19.0; iPad15,3)",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    SignedUp,
    Associated,
    SignedIn,
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at_micros: i64,
    /// The person, counted from 0.
    person: u32,
    kind: Kind,
    /// Which of the person's accounts.
    account: u8,
}

/// Everything that happened.
pub(super) struct History {
    seed: u64,
    people: u32,
    first: FreeIds,
    now: DateTime<Utc>,
    events: Vec<Event>,
    /// Where a person's accounts begin in `social_auth_ids`.
    offsets: Vec<u32>,
    social_auth_ids: Vec<i64>,
}

impl History {
    /// Draws what `people` persons did until `now`.
    pub(super) fn draw(seed: u64, people: u32, first: FreeIds, now: DateTime<Utc>) -> Self {
        let mut history = Self {
            seed,
            people,
            first,
            now,
            events: Vec::new(),
            offsets: Vec::new(),
            social_auth_ids: Vec::new(),
        };
        let mut accounts = 0;
        for number in 0..people {
            let (joined, person) = history.person(number);
            history.offsets.push(accounts);
            accounts += u32::try_from(person.accounts.len()).unwrap_or_default();
            history.add_events(number, joined, &person);
        }
        history.social_auth_ids = vec![0; usize::try_from(accounts).unwrap_or_default()];
        history.events.sort_unstable();
        history
    }

    pub(super) fn event_count(&self) -> usize {
        self.events.len()
    }

    pub(super) fn account_count(&self) -> usize {
        self.social_auth_ids.len()
    }

    fn add_events(&mut self, number: u32, joined: DateTime<Utc>, person: &Person) {
        let mut add = |at: DateTime<Utc>, kind, account| {
            self.events.push(Event {
                at_micros: at.timestamp_micros(),
                person: number,
                kind,
                account,
            });
        };
        add(joined, Kind::SignedUp, 0);
        for (account, place) in person.accounts.iter().zip(0..).skip(1) {
            add(account.associated_at, Kind::Associated, place);
        }
        for (at, account) in &person.sign_ins {
            add(*at, Kind::SignedIn, *account);
        }
        if let Some(at) = person.refused_at {
            add(at, Kind::Refused, 0);
        }
    }

    /// The person, and when they signed up: the later, the more of them.
    fn person(&self, number: u32) -> (DateTime<Utc>, Person) {
        let fraction = (f64::from(number) + 0.5) / f64::from(self.people);
        let span = TimeDelta::days(DAYS);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "two years in microseconds are exact in a float, and a fraction of them fits"
        )]
        let passed = (span.num_microseconds().unwrap_or_default() as f64 * fraction.sqrt()) as i64;
        let joined = self.now - span + TimeDelta::microseconds(passed);
        let row = self.first.user + i64::from(number);
        (joined, Person::draw(self.seed, row, joined, self.now))
    }

    /// The rows, in batches, each with the number of events that it holds. Ends after the first error.
    pub(super) fn batches(
        mut self,
        sealer: &Sealer,
    ) -> impl Iterator<Item = Result<(Batch, usize), SealingError>> {
        let events = std::mem::take(&mut self.events);
        let mut next_id = self.first.social_auth;
        let mut done = 0;
        std::iter::from_fn(move || {
            let chunk: &[Event] = events.get(done..)?.chunks(BATCH).next()?;
            done += chunk.len();
            let mut batch = Batch::default();
            for event in chunk {
                if let Err(error) = self.happen(*event, &mut batch, &mut next_id, sealer) {
                    return Some(Err(error));
                }
            }
            Some(Ok((batch, chunk.len())))
        })
    }

    fn happen(
        &mut self,
        event: Event,
        batch: &mut Batch,
        next_id: &mut i64,
        sealer: &Sealer,
    ) -> Result<(), SealingError> {
        let (joined, person) = self.person(event.person);
        let user_id = UserId(self.first.user + i64::from(event.person));
        let mut random = Random::new(
            self.seed ^ event.at_micros.unsigned_abs(),
            event.person.into(),
        );
        if event.kind == Kind::SignedUp {
            batch.users.push(user(user_id, joined, &person));
        }
        let place = usize::from(event.account);
        let Some((account, provider, uid)) = person.accounts.get(place).and_then(named) else {
            return Ok(());
        };
        let offset = self
            .offsets
            .get(usize::try_from(event.person).unwrap_or_default());
        let index =
            usize::try_from(offset.copied().unwrap_or_default()).unwrap_or_default() + place;
        let Some(slot) = self.social_auth_ids.get_mut(index) else {
            return Ok(());
        };
        if matches!(event.kind, Kind::SignedUp | Kind::Associated) {
            *slot = *next_id;
            *next_id += 1;
            let last_used_at = last_use(&person, event.account, account.associated_at);
            let extra_data = extra_data(&mut random, account, &person, last_used_at);
            batch.social_auths.push(SeededSocialAuth {
                id: SocialAuthId(*slot),
                user_id,
                email: account.email.clone(),
                extra_data: sealer.seal_extra_data(&extra_data, &provider, &uid)?,
                created_at: account.associated_at,
                modified_at: last_used_at,
                provider: provider.clone(),
                uid: uid.clone(),
            });
        }
        let (social_auth_id, at) = (SocialAuthId(*slot), instant(event.at_micros));
        let address = address(&mut random);
        if matches!(event.kind, Kind::SignedUp | Kind::SignedIn) {
            batch
                .sessions
                .extend(self.session(&mut random, user_id, social_auth_id, at, &address));
        }
        batch.audit.push(SeededAuditEntry {
            at,
            actor_kind: actor(event.kind, user_id).kind(),
            actor_id: actor(event.kind, user_id).id(),
            action: action(event.kind).as_str(),
            reason: (event.kind == Kind::Refused).then(|| reason(&mut random)),
            user_id,
            social_auth_id,
            provider,
            uid,
            request_id: hex::encode(random.bytes::<8>()),
            address,
        });
        Ok(())
    }

    /// The session that a sign-in opened, unless it was cleared away since.
    fn session(
        &self,
        random: &mut Random,
        user_id: UserId,
        social_auth_id: SocialAuthId,
        at: DateTime<Utc>,
        address: &str,
    ) -> Option<SeededSession> {
        let expires_at = at + TimeDelta::days(SESSION_DAYS);
        let is_there = expires_at > self.now - TimeDelta::days(CLEARED_AFTER_DAYS);
        is_there.then(|| SeededSession {
            user_id,
            social_auth_id,
            refresh_hash: random.bytes(),
            created_at: at,
            expires_at,
            address: address.to_owned(),
            user_agent: random.pick(&USER_AGENTS).copied().unwrap_or_default(),
        })
    }
}

fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

fn user(id: UserId, joined: DateTime<Utc>, person: &Person) -> SeededUser {
    SeededUser {
        id,
        username: person.username.clone(),
        email: person.email.clone(),
        email_verified: person.email_verified,
        first_name: person.name.given,
        last_name: person.name.family,
        is_active: person.is_active,
        date_joined: joined,
        social_accounts: i32::try_from(person.accounts.len()).unwrap_or_default(),
        last_sign_in_at: person.last_sign_in_at(joined),
    }
}

fn named(account: &Account) -> Option<(&Account, ProviderId, Uid)> {
    Some((
        account,
        ProviderId::parse(account.provider.id)?,
        Uid::parse(&account.uid)?,
    ))
}

fn last_use(person: &Person, place: u8, associated_at: DateTime<Utc>) -> DateTime<Utc> {
    person
        .sign_ins
        .iter()
        .filter(|(_, account)| *account == place)
        .map(|(at, _)| *at)
        .fold(associated_at, DateTime::max)
}

/// What a provider's hand-in leaves. The tokens are made up and say so.
fn extra_data(
    random: &mut Random,
    account: &Account,
    person: &Person,
    used_at: DateTime<Utc>,
) -> ExtraData {
    let provider = account.provider;
    let token = |random: &mut Random, kind: &str| {
        let text = format!("made-up-{kind}-{}", hex::encode(random.bytes::<24>()));
        Some(Secret::new(text))
    };
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut data = ExtraData::default();
    data.put_secret("access_token", token(random, "access-token"));
    data.put("token_type", "bearer");
    data.put("auth_time", time(used_at));
    data.put("client_id", format!("{}-client.example", provider.id));
    if provider.token_hours > 0 {
        let expires_at = used_at + TimeDelta::hours(provider.token_hours);
        data.put("expires_at", time(expires_at));
    }
    if provider.refreshes {
        data.put_secret("refresh_token", token(random, "refresh-token"));
    }
    data.put(
        "name",
        format!("{} {}", person.name.given, person.name.family),
    );
    data.put("scope", json!(["profile", "email"]));
    data
}

fn address(random: &mut Random) -> String {
    // RFC 5737 and RFC 3849: addresses for documentation.
    match random.below(4) {
        0 => format!("2001:db8::{:x}", random.below(65_536)),
        1 => format!("192.0.2.{}", random.below(256)),
        2 => format!("198.51.100.{}", random.below(256)),
        _ => format!("203.0.113.{}", random.below(256)),
    }
}

const fn action(kind: Kind) -> AuditAction {
    match kind {
        Kind::SignedUp => AuditAction::SignedUp,
        Kind::Associated => AuditAction::Associated,
        Kind::SignedIn => AuditAction::SignedIn,
        Kind::Refused => AuditAction::Refused,
    }
}

const fn actor(kind: Kind, user_id: UserId) -> Actor {
    match kind {
        Kind::Associated => Actor::User(user_id),
        Kind::SignedUp | Kind::SignedIn | Kind::Refused => Actor::Anonymous,
    }
}

fn reason(random: &mut Random) -> &'static str {
    random
        .pick(&["already_in_use", "inactive_user", "nonce_spent"])
        .copied()
        .unwrap_or("social_auth_failed")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn batches(people: u32) -> Vec<Batch> {
        let sealer = Sealer::new([(1, [7; 32])]).unwrap();
        let first = FreeIds {
            user: 11,
            social_auth: 101,
        };
        History::draw(1, people, first, instant(1_795_000_000_000_000))
            .batches(&sealer)
            .map(|made| made.unwrap().0)
            .collect()
    }

    #[test]
    fn ids_follow_time_and_every_row_names_one_that_is_there() {
        let batches = batches(3000);

        let users: Vec<&SeededUser> = batches.iter().flat_map(|batch| &batch.users).collect();
        let accounts: BTreeMap<i64, &SeededSocialAuth> = batches
            .iter()
            .flat_map(|batch| &batch.social_auths)
            .map(|account| (account.id.0, account))
            .collect();

        assert_eq!(users.len(), 3000);
        assert!(users.is_sorted_by_key(|user| (user.id, user.date_joined)));
        assert!(
            accounts
                .values()
                .is_sorted_by_key(|account| account.created_at)
        );
        for entry in batches.iter().flat_map(|batch| &batch.audit) {
            assert_eq!(accounts[&entry.social_auth_id.0].user_id, entry.user_id);
        }
        for user in users {
            let count = accounts
                .values()
                .filter(|account| account.user_id == user.id);
            assert_eq!(
                count.count(),
                usize::try_from(user.social_accounts).unwrap()
            );
        }
    }

    #[test]
    fn made_up_tokens_are_sealed() {
        let batches = batches(50);

        for account in batches.iter().flat_map(|batch| &batch.social_auths) {
            assert!(crate::storage::sealing::is_sealed(
                &account.extra_data["access_token"]
            ));
            assert!(!account.extra_data.to_string().contains("made-up-access"));
        }
    }
}
