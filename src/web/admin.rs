//! Pages for staff. `routes` has every address with the role it needs, `guard` keeps it; `frame` is what all pages share.

pub mod accounts;
pub mod activity;
pub mod api;
pub mod assets;
pub mod context;
mod dependants;
pub mod device;
pub mod error;
pub mod factor;
pub mod forms;
pub mod frame;
pub mod guard;
pub mod health;
pub mod lists;
pub mod marks;
pub mod notices;
pub mod overview;
pub mod person;
pub mod preferences;
pub mod provider;
pub mod provider_sign_in;
mod provider_words;
pub mod providers;
pub mod routes;
pub mod second_factor;
pub mod settings;
pub mod sign_in;
pub mod staff_accounts;
pub mod store;
pub mod text;
pub mod time;
pub mod users;
pub mod webhooks;
pub mod welcome;
pub mod words;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Deserialize;

use crate::domain::StaffPolicy;
use crate::domain::stewardship::Retention;

/// Settings of the staff pages.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether all staff need a second factor. In production they do, unless set.
    pub require_second_factor: Option<bool>,
    /// How long a sign-in lasts at most, in hours.
    pub session_hours: u32,
    /// How long a sign-in lasts without a request, in minutes.
    pub idle_minutes: u32,
    /// How long an unlink can be undone, in days. 0 keeps nothing.
    pub undo_days: u16,
    /// How long a social account is refused, in days.
    pub refuse_days: u16,
    /// Providers through which staff may sign in, by id.
    pub sign_in: BTreeMap<String, SignInSettings>,
}

/// Who may sign in through one provider.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInSettings {
    /// Which of our client ids at the provider; the one with the platform `web`, or the only one, unless set.
    pub client_id: Option<String>,
    /// Domains of verified addresses.
    pub allowed_domains: Vec<String>,
    /// The provider's ids of single people.
    pub allowed_uids: Vec<String>,
    /// `staff` or `admin`: what people get who are admitted and have no account. They are kept out unless set.
    pub new_account_role: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            require_second_factor: None,
            session_hours: 12,
            idle_minutes: 30,
            undo_days: Retention::default().undo_days,
            refuse_days: Retention::default().refuse_days,
            sign_in: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// How long things are kept that staff may take back.
    #[must_use]
    pub const fn retention(&self) -> Retention {
        Retention {
            undo_days: self.undo_days,
            refuse_days: self.refuse_days,
        }
    }

    /// The settings as flows use them.
    #[must_use]
    pub fn to_policy(&self, is_production: bool) -> StaffPolicy {
        StaffPolicy {
            require_second_factor: self.require_second_factor.unwrap_or(is_production),
            session_lifetime: TimeDelta::hours(self.session_hours.into()),
            session_idle: TimeDelta::minutes(self.idle_minutes.into()),
        }
    }
}

/// What the staff pages need to know of the server.
#[derive(Debug, Clone)]
pub struct AdminContext {
    /// Whether cookies are for `https` alone. They are, unless a development server is reached by plain `http`: browsers differ in
    /// whether they keep such cookies of a loopback address, and keep them for no other.
    pub secure_cookies: bool,
    /// Scheme, host and port of the public URL, as browsers write them in `Origin`.
    pub origin: String,
}

impl AdminContext {
    /// The cookie's full name. `__Host-` makes browsers refuse it without `Secure`, with a domain or from a subdomain.
    #[must_use]
    pub fn cookie_name(&self, name: CookieName) -> &'static str {
        match (name, self.secure_cookies) {
            (CookieName::Session, true) => "__Host-latchkey-staff",
            (CookieName::Session, false) => "latchkey-staff",
            (CookieName::Form, true) => "__Host-latchkey-form",
            (CookieName::Form, false) => "latchkey-form",
            (CookieName::Trip, true) => "__Host-latchkey-trip",
            (CookieName::Trip, false) => "latchkey-trip",
            (CookieName::Preferences, true) => "__Host-latchkey-preferences",
            (CookieName::Preferences, false) => "latchkey-preferences",
        }
    }
}

/// The cookies that staff pages set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieName {
    /// The session's key.
    Session,
    /// Ties the forms of somebody who is not signed in to their browser.
    Form,
    /// Tells the browser that was sent to a provider. Not `SameSite=Strict` as the others are: it has to come along when the provider's
    /// site sends the browser back.
    Trip,
    /// Theme, zone and page size.
    Preferences,
}
