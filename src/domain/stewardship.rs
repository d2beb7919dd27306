//! What staff may do to a person's account, and the few values that it takes.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Actor, ProviderId, SocialAuth, SocialAuthId, Uid, UserId};

/// How long an association ticket is good, in days.
pub const TICKET_DAYS: i64 = 7;

/// Why somebody changed another person's account: a sentence or the number of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// Why a text is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReasonProblem {
    /// Fewer than [`Reason::MIN_CHARS`].
    #[error("the reason needs at least 3 characters")]
    TooShort,
    /// More than [`Reason::MAX_CHARS`].
    #[error("the reason may have at most 200 characters")]
    TooLong,
}

impl Reason {
    /// Fewest characters.
    pub const MIN_CHARS: usize = 3;
    /// Most characters.
    pub const MAX_CHARS: usize = 200;

    /// The reason in `text`: trimmed, every control character a blank.
    ///
    /// # Errors
    /// [`ReasonProblem`] by the number of characters that are left.
    pub fn parse(text: &str) -> Result<Self, ReasonProblem> {
        let plain: String = text
            .trim()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        match plain.chars().count() {
            count if count < Self::MIN_CHARS => Err(ReasonProblem::TooShort),
            count if count > Self::MAX_CHARS => Err(ReasonProblem::TooLong),
            _ => Ok(Self(plain)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which state of a social account somebody looked at. It changes whenever the account is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowVersion(i64);

impl RowVersion {
    /// The state that `account` is in.
    #[must_use]
    pub const fn of(account: &SocialAuth) -> Self {
        Self(account.modified_at.timestamp_micros())
    }

    /// The version that `text` spells.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl std::fmt::Display for RowVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How long things are kept that staff may take back, and how long a refusal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How long an unlink can be undone, in days. 0 keeps nothing.
    pub undo_days: u16,
    /// How long a social account is refused, in days.
    pub refuse_days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            undo_days: 30,
            refuse_days: 90,
        }
    }
}

impl Retention {
    /// Until when an unlink of `now` can be undone, if it can.
    #[must_use]
    pub fn undo_until(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (self.undo_days > 0).then(|| now + TimeDelta::days(self.undo_days.into()))
    }

    /// Until when a social account is refused.
    #[must_use]
    pub fn refuse_until(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + TimeDelta::days(self.refuse_days.into())
    }
}

/// What is to happen when a social account that nobody has wants a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandingOrder {
    /// It is refused.
    Refuse,
    /// It is associated with this user, once.
    AssociateWith(UserId),
}

/// A row id in `unlinked_accounts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnlinkedId(pub i64);

impl std::fmt::Display for UnlinkedId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An unlinked social account that can be had back.
#[derive(Debug, Clone, PartialEq)]
pub struct UnlinkedAccount {
    /// The row.
    pub id: UnlinkedId,
    /// Whose account it was.
    pub user_id: UserId,
    /// The row that it was.
    pub social_auth_id: SocialAuthId,
    /// At which provider.
    pub provider: ProviderId,
    /// The provider's id of the person.
    pub uid: Uid,
    /// Which of our client ids it came through.
    pub client_id: Option<String>,
    /// The address that the provider gave.
    pub email: Option<String>,
    /// Whether the provider vouched for `email`.
    pub email_verified: bool,
    /// `extra_data` without anything that is about a token.
    pub kept_data: serde_json::Value,
    /// When it was associated.
    pub linked_at: DateTime<Utc>,
    /// The kind of whoever unlinked it, see [`Actor::kind`].
    pub actor_kind: String,
    /// Their row.
    pub actor_id: Option<i64>,
    /// Why.
    pub reason: String,
    /// When.
    pub unlinked_at: DateTime<Utc>,
    /// Until when it can be had back.
    pub expires_at: DateTime<Utc>,
    /// When it was given back.
    pub restored_at: Option<DateTime<Utc>>,
}

/// Who does something, and in which request.
#[derive(Debug, Clone)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// In which request.
    pub context: super::RequestContext,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_three_to_two_hundred_characters_without_its_margins() {
        assert_eq!(Reason::parse(" ab \n"), Err(ReasonProblem::TooShort));
        assert_eq!(Reason::parse("  abc\t").unwrap().as_str(), "abc");
        assert_eq!(Reason::parse("a\r\nb").unwrap().as_str(), "a  b");
        assert!(Reason::parse(&"\u{e9}".repeat(200)).is_ok());
        assert_eq!(
            Reason::parse(&"\u{e9}".repeat(201)),
            Err(ReasonProblem::TooLong)
        );
    }

    #[test]
    fn without_days_nothing_can_be_undone() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let days = |undo_days| Retention {
            undo_days,
            ..Retention::default()
        };

        assert_eq!(days(0).undo_until(now), None);
        assert_eq!(days(1).undo_until(now), Some(now + TimeDelta::days(1)));
    }
}
