//! What all pages share: title, menu, who is signed in, notices, the token for forms; and how a page becomes an answer.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use askama::Template;
use chrono::{DateTime, Utc};

use super::assets;
use super::context::StaffContext;
use super::error::AdminError;
use super::notices::Notice;
use super::preferences::{Preferences, Theme};
use super::text::{Language, Message, t};
use super::time::Time;
use crate::app::App;
use crate::domain::Role;

/// The entries of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nav {
    /// Key figures.
    Overview,
    /// Users.
    Users,
    /// Social accounts.
    Accounts,
    /// The audit log.
    Activity,
    /// Providers.
    Providers,
    /// One's own account, staff accounts, health.
    Settings,
}

impl Nav {
    /// Every entry in order: itself, label, address, icon.
    const ALL: [(Self, &'static str, &'static str, &'static str); 6] = [
        (Self::Overview, "nav-overview", "/admin/overview", "i-over"),
        (Self::Users, "nav-users", "/admin/users", "i-user"),
        (Self::Accounts, "nav-accounts", "/admin/accounts", "i-link"),
        (Self::Activity, "nav-activity", "/admin/activity", "i-act"),
        (
            Self::Providers,
            "nav-providers",
            "/admin/providers",
            "i-prov",
        ),
        (Self::Settings, "nav-settings", "/admin/settings", "i-set"),
    ];
}

/// Somebody signed in, as the top bar shows them.
pub(super) struct Me {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: Role,
    pub(super) initials: String,
    pub(super) back: String,
    pub(super) menu: Vec<MenuEntry>,
}

/// One line of the menu.
pub(super) struct MenuEntry {
    pub(super) label: Message,
    pub(super) href: &'static str,
    pub(super) icon: &'static str,
    pub(super) is_current: bool,
    /// How many things behind it need attention.
    pub(super) attention: usize,
}

/// What the layout needs. Every page struct has one, called `frame`.
pub struct Frame {
    /// The page's name, for the window's title.
    pub title: Message,
    /// Whether a form on the page has errors: the title says so first.
    pub has_errors: bool,
    /// What was searched for.
    pub query: String,
    /// The token that every form that posts carries as `csrf`.
    pub csrf: String,
    pub(super) preferences: Preferences,
    now: DateTime<Utc>,
    pub(super) notices: Vec<Notice>,
    pub(super) me: Option<Me>,
    pub(super) themes: [(Theme, Message); 3],
    pub(super) stylesheet: &'static str,
    pub(super) script: &'static str,
    pub(super) icon: &'static str,
    pub(super) version: &'static str,
}

impl Frame {
    pub(super) fn new(
        title: Message,
        preferences: Preferences,
        now: DateTime<Utc>,
        csrf: String,
    ) -> Self {
        Self {
            title,
            has_errors: false,
            query: String::new(),
            csrf,
            preferences,
            now,
            notices: Vec::new(),
            me: None,
            themes: Theme::ALL.map(|(theme, label)| (theme, t(label))),
            stylesheet: assets::stylesheet(),
            script: assets::script(),
            icon: assets::icon(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    pub(super) fn show_staff(
        &mut self,
        context: &StaffContext,
        app: &App,
        nav: Option<Nav>,
        notices: Vec<Notice>,
    ) {
        let staff = &context.staff;
        let failing = app.provider_ledger.failing();
        let menu = Nav::ALL.map(|(entry, label, href, icon)| MenuEntry {
            label: t(label),
            href,
            icon,
            is_current: Some(entry) == nav,
            attention: if entry == Nav::Providers { failing } else { 0 },
        });
        self.me = Some(Me {
            name: staff.display_name.clone(),
            email: staff.email.clone(),
            role: staff.role,
            initials: initials(&staff.display_name),
            back: context.path.clone(),
            menu: menu.into(),
        });
        self.notices = notices;
    }

    /// The same with what was searched for in the search box.
    #[must_use]
    pub fn with_query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    /// The same with "Error:" before the title, if there are any.
    #[must_use]
    pub const fn with_errors(mut self, has_errors: bool) -> Self {
        self.has_errors = has_errors;
        self
    }

    /// An instant, which a template writes as it is.
    #[must_use]
    pub fn time(&self, at: DateTime<Utc>) -> Time {
        Time::new(at, self.now, self.preferences.zone)
    }

    /// Whether keys do something by themselves: only where somebody is signed in, and has not switched them off.
    pub(super) const fn has_keys(&self) -> bool {
        self.me.is_some() && self.preferences.has_keys
    }

    /// In which the page is written.
    pub(super) const fn language(&self) -> Language {
        self.preferences.language
    }

    /// When the page was made.
    #[must_use]
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The zone in which times are shown.
    #[must_use]
    pub fn zone(&self) -> &'static str {
        self.preferences.zone.name()
    }

    /// Whether the signed-in role is at least `role`: buttons that it cannot use are left out.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.me.as_ref().is_some_and(|me| me.role >= role)
    }

    /// Whether an admin looks at the page.
    #[must_use]
    pub fn may_change(&self) -> bool {
        self.may(Role::Admin)
    }
}

/// The first letters of the first and the last word, for an avatar. Pictures of providers are never loaded.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.last().and_then(|word| word.chars().next());
    let letters: String = first.into_iter().chain(last).collect();
    letters.to_uppercase()
}

/// The page as an answer in a language, with another status for a form with errors.
pub(super) fn render(
    page: &impl Template,
    language: Language,
    status: StatusCode,
) -> Result<HttpResponse, AdminError> {
    let html = page.render_with_values(&language)?;
    Ok(HttpResponse::build(status)
        .content_type(ContentType::html())
        .body(html))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Ada Okafor"), "AO");
        assert_eq!(initials("ada"), "A");
        assert_eq!(initials("Ada Maria van Okafor"), "AO");
        assert_eq!(initials(" "), "");
    }
}
