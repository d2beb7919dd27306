//! How wrong tries slow down whoever makes them.

use chrono::{DateTime, TimeDelta, Utc};

/// How long the first delay is; each further wrong try doubles it.
const FIRST_DELAY: TimeDelta = TimeDelta::seconds(30);
/// The longest delay: whoever forgot a password is not locked out for the day.
const LONGEST_DELAY: TimeDelta = TimeDelta::minutes(15);
/// How long after the last wrong try the count is forgotten.
const FORGET_AFTER: TimeDelta = TimeDelta::hours(24);

/// What is counted, and how many wrong tries are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// Passwords for one address of mail, whether or not there is such an account.
    Account,
    /// Passwords and codes from one client address, which an office may share.
    Address,
    /// Codes of one account.
    Code,
}

impl Throttle {
    /// The name that keeps the counters apart.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Code => "code",
        }
    }

    const fn free_tries(self) -> i64 {
        match self {
            Self::Account | Self::Code => 5,
            Self::Address => 20,
        }
    }
}

/// Wrong tries so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tries {
    /// How many.
    pub failures: i64,
    /// Until when no further try is admitted.
    pub blocked_until: Option<DateTime<Utc>>,
    /// When all of this is forgotten.
    pub forget_at: Option<DateTime<Utc>>,
}

impl Tries {
    /// Admits one more try and counts it as wrong at once, so that many at the same time gain nothing; whoever turns out to be
    /// right has the count cleared.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn admit(self, throttle: Throttle, now: DateTime<Utc>) -> Result<Self, u64> {
        if let Some(until) = self.blocked_until.filter(|until| now < *until) {
            let wait = u64::try_from((until - now).num_seconds()).unwrap_or(0);
            return Err(wait + 1);
        }
        let is_forgotten = self.forget_at.is_some_and(|at| at <= now);
        let failures = if is_forgotten { 1 } else { self.failures + 1 };
        let over = failures - throttle.free_tries();
        let blocked_until = (over >= 0).then(|| now + delay(over));
        Ok(Self {
            failures,
            blocked_until,
            forget_at: Some(now + FORGET_AFTER),
        })
    }
}

fn delay(over: i64) -> TimeDelta {
    let doublings = u32::try_from(over.clamp(0, 16)).unwrap_or(16);
    let factor = 1_i32.checked_shl(doublings).unwrap_or(i32::MAX);
    FIRST_DELAY
        .checked_mul(factor)
        .map_or(LONGEST_DELAY, |delay| delay.min(LONGEST_DELAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_sixth_try_waits_and_each_wrong_one_after_it_waits_twice_as_long() {
        let mut tries = Tries::default();
        for _ in 0..5 {
            tries = tries.admit(Throttle::Account, at(0)).unwrap();
        }
        assert_eq!(tries.admit(Throttle::Account, at(0)), Err(31));

        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..7 {
            let wait = tries.admit(Throttle::Account, at(now)).unwrap_err() - 1;
            waits.push(wait);
            now += i64::try_from(wait).unwrap();
            tries = tries.admit(Throttle::Account, at(now)).unwrap();
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
    }

    #[test]
    fn an_address_has_more_free_tries_than_an_account() {
        let mut tries = Tries::default();
        for _ in 0..20 {
            tries = tries.admit(Throttle::Address, at(0)).unwrap();
        }
        assert!(tries.admit(Throttle::Address, at(0)).is_err());
    }

    #[test]
    fn a_day_without_wrong_tries_forgets_them() {
        let mut tries = Tries::default();
        for _ in 0..5 {
            tries = tries.admit(Throttle::Code, at(0)).unwrap();
        }
        let tries = tries.admit(Throttle::Code, at(24 * 3600)).unwrap();
        assert_eq!((tries.failures, tries.blocked_until), (1, None));
    }
}
