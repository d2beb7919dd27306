//! Staff accounts and what signing in makes of them.

use chrono::{DateTime, TimeDelta, Utc};

use super::Role;
use crate::domain::{ProviderId, StaffId, StaffSessionId};

/// Longest e-mail address, in bytes (RFC 5321 §4.5.3.1.3 leaves 254 for the address itself).
pub const EMAIL_MAX_BYTES: usize = 254;
/// Longest name that is shown, in characters.
pub const DISPLAY_NAME_MAX: usize = 80;

/// Somebody who looks after the service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column of its own, and all sixteen states may occur"
)]
pub struct Staff {
    /// The row.
    pub id: StaffId,
    /// The address to sign in with, as it was written.
    pub email: String,
    /// The name that pages and the audit log show.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// Whether a password is set; there is none before the first link was used.
    pub has_password: bool,
    /// Whether an authenticator app is set up.
    pub has_second_factor: bool,
    /// Whether a superuser demands a second factor of this account, whatever the setting says.
    pub must_have_second_factor: bool,
    /// Whether they may sign in.
    pub is_active: bool,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When they last signed in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// What proves that somebody is that staff member. `Debug` shows nothing of it.
pub struct StaffCredentials {
    /// The password's hash in PHC form; none before the first link was used.
    pub password_hash: Option<String>,
    /// The authenticator's secret, sealed.
    pub totp_secret: Option<String>,
    /// The last time step whose code was used (RFC 6238 §5.2: a code is accepted once).
    pub totp_last_step: Option<i64>,
}

impl StaffCredentials {
    /// Whether password and authenticator are the same in `now`, whatever codes were used since.
    #[must_use]
    pub fn are_still(&self, now: &Self) -> bool {
        self.password_hash == now.password_hash && self.totp_secret == now.totp_secret
    }
}

/// An account about to be made.
#[derive(Debug, Clone)]
pub struct NewStaff {
    /// The address to sign in with.
    pub email: StaffEmail,
    /// The name to show.
    pub display_name: DisplayName,
    /// What they may do.
    pub role: Role,
}

/// An address of mail that staff sign in with, checked for its form only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffEmail {
    text: String,
    folded: String,
}

impl StaffEmail {
    /// The address in `text`, blanks at its ends apart, if it has the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let is_well_formed = text.len() <= EMAIL_MAX_BYTES
            && !local.is_empty()
            && !domain.is_empty()
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        is_well_formed.then(|| Self {
            text: text.to_owned(),
            folded: text.to_lowercase(),
        })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As it is compared.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

/// A name to show, one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// The name in `text`, blanks at its ends apart, unless it is empty, too long or has a control character.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_well_formed = !text.is_empty()
            && text.chars().count() <= DISPLAY_NAME_MAX
            && !text.chars().any(char::is_control);
        is_well_formed.then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How long staff stay signed in, and what is asked of them.
#[derive(Debug, Clone, Copy)]
pub struct StaffPolicy {
    /// Whether everybody needs a second factor.
    pub require_second_factor: bool,
    /// How long a session lasts whatever happens.
    pub session_lifetime: TimeDelta,
    /// How long a session lasts without a request.
    pub session_idle: TimeDelta,
}

impl StaffPolicy {
    /// Whether this account still has to set up a second factor before anything else.
    #[must_use]
    pub const fn lacks_second_factor(&self, staff: &Staff) -> bool {
        (self.require_second_factor || staff.must_have_second_factor) && !staff.has_second_factor
    }
}

/// How long a proof of identity counts as fresh, for what is dangerous.
pub const FRESH_FACTOR: TimeDelta = TimeDelta::minutes(10);

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffSession {
    /// The row.
    pub id: StaffSessionId,
    /// Whose session it is.
    pub staff_id: StaffId,
    /// Whether the password was right and the second factor is still owed.
    pub awaits_code: bool,
    /// When a factor was last proven.
    pub authenticated_at: DateTime<Utc>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// The last request, to the minute.
    pub last_used_at: DateTime<Utc>,
    /// When it ends whatever happens.
    pub expires_at: DateTime<Utc>,
    /// Where it began.
    pub address: Option<String>,
    /// What the browser called itself then.
    pub user_agent: Option<String>,
    /// When it was ended early.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The provider that it was opened through; `None` for a password or a link.
    pub provider: Option<ProviderId>,
}

impl StaffSession {
    /// Whether the session may still be used at `now`.
    #[must_use]
    pub fn is_live(&self, policy: &StaffPolicy, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none()
            && now < self.expires_at
            && now < self.last_used_at + policy.session_idle
    }

    /// Whether it began within [`FRESH_FACTOR`].
    #[must_use]
    pub fn is_new(&self, now: DateTime<Utc>) -> bool {
        !self.awaits_code && now < self.created_at + FRESH_FACTOR
    }

    /// Whether a factor was proven within [`FRESH_FACTOR`].
    #[must_use]
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        !self.awaits_code && now < self.authenticated_at + FRESH_FACTOR
    }
}

/// A session about to begin.
#[derive(Debug, Clone)]
pub struct NewStaffSession {
    /// Whose session it is.
    pub staff_id: StaffId,
    /// Whether the second factor is still owed.
    pub awaits_code: bool,
    /// When they last proved who they are, as far as we know.
    pub authenticated_at: DateTime<Utc>,
    /// The provider that they came through; `None` for a password or a link.
    pub provider: Option<ProviderId>,
    /// When it ends whatever happens.
    pub expires_at: DateTime<Utc>,
    /// Where it begins.
    pub address: Option<String>,
    /// What the browser calls itself, cut to what is worth showing.
    pub user_agent: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_without_regard_to_case_and_blanks() {
        let email = StaffEmail::parse(" Jo.Meyer@Example.org ").unwrap();

        assert_eq!(
            (email.as_str(), email.folded()),
            ("Jo.Meyer@Example.org", "jo.meyer@example.org")
        );
        for bad in [
            "",
            "jo",
            "@example.org",
            "jo@",
            "j o@example.org",
            "jo@.org",
            "a\0@b.c",
        ] {
            assert!(StaffEmail::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_one_line_and_not_empty() {
        assert_eq!(
            DisplayName::parse(" Jo Meyer ").unwrap().as_str(),
            "Jo Meyer"
        );
        for bad in ["", "  ", "a\nb", &"x".repeat(81)] {
            assert!(DisplayName::parse(bad).is_none(), "{bad:?}");
        }
    }
}
