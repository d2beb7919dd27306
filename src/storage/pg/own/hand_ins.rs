//! See [`crate::storage::hand_ins`]: whole hand-ins by one statement, as many as wait, since a round trip, a transaction and the start
//! of a statement cost more than what they store.
//!
//! The parts of such a statement see the same snapshot, and foreign keys are checked at its end, so that a row may refer to one
//! that is inserted beside it. No part waits for a row that somebody else has in hand: such a hand-in is passed over, so that it
//! holds up no other. Rows are inserted in one order, so that two statements that wait for each other's names never do so in a circle.
//!
//! `(SELECT ..)` around an array keeps its length from the planner, which would otherwise plan anew for each.

mod associate;
mod sign_in;
mod sign_up;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::super::types::Tstz;
use crate::domain::{Association, NewSession, SocialAuthId, User, UserId};
use crate::storage::gatherer::Key;
use crate::storage::hand_ins::HandIn;
use crate::storage::social_auths::NewSocialAuth;
use crate::storage::{StorageError, micros};

/// A user's row, as the statements return it.
type UserColumns = (BigInt, Text, Nullable<Text>, Bool, Text, Text, Tstz);
type UserRow = (
    i64,
    String,
    Option<String>,
    bool,
    String,
    String,
    DateTime<Utc>,
);

fn active_user(row: UserRow) -> User {
    let (id, username, email, email_verified, first_name, last_name, date_joined) = row;
    User {
        id: UserId(id),
        username,
        email,
        email_verified,
        first_name,
        last_name,
        is_active: true,
        date_joined,
    }
}

fn association(
    id: i64,
    account: &NewSocialAuth<'_>,
    created_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Association {
    Association {
        id: SocialAuthId(id),
        provider: account.provider.clone(),
        uid: account.uid.clone(),
        created_at,
        modified_at: now,
    }
}

/// The job at a place, which counts from 1.
fn job_at<J>(jobs: &[J], place: i64) -> Result<(usize, &J), StorageError> {
    let index = usize::try_from(place - 1).unwrap_or(usize::MAX);
    let job = jobs.get(index).ok_or(StorageError::Corrupt("place"))?;
    Ok((index, job))
}

fn account_key(hand_in: &dyn HandIn) -> Key {
    let account = hand_in.social_auth();
    Key::Account(account.provider.clone(), account.uid.clone())
}

/// What all kinds of hand-ins have, in columns.
struct Columns<'a> {
    accounts: Vec<NewSocialAuth<'a>>,
    sessions: Vec<&'a NewSession>,
    now: Vec<DateTime<Utc>>,
    request_ids: Vec<&'a str>,
    addresses: Vec<Option<String>>,
}

impl<'a> Columns<'a> {
    fn of(hand_ins: impl Iterator<Item = &'a dyn HandIn> + Clone) -> Self {
        let contexts = hand_ins.clone().map(HandIn::context);
        Self {
            accounts: hand_ins.clone().map(HandIn::social_auth).collect(),
            sessions: hand_ins.clone().map(HandIn::session).collect(),
            now: hand_ins.map(|hand_in| micros(hand_in.now())).collect(),
            request_ids: contexts
                .clone()
                .map(|context| context.request_id.as_str())
                .collect(),
            addresses: contexts
                .map(|context| context.address.map(|address| address.to_string()))
                .collect(),
        }
    }

    fn account<T>(&self, of: impl Fn(&NewSocialAuth<'a>) -> T) -> Vec<T> {
        self.accounts.iter().map(of).collect()
    }

    fn session<T>(&self, of: impl Fn(&'a NewSession) -> T) -> Vec<T> {
        self.sessions.iter().copied().map(of).collect()
    }
}
