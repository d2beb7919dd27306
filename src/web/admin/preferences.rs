//! Language, theme, zone, page size and keys: of the browser, in a cookie, so that the page for signing in has them too.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono_tz::{TZ_VARIANTS, Tz};
use serde::Deserialize;

use super::context::StaffContext;
use super::error::AdminError;
use super::forms::{ProtectedForm, local_path};
use super::frame::{Frame, Nav};
use super::notices::redirect;
use super::text::{Language, filters, t};
use super::{AdminContext, CookieName};
use crate::app::App;
use crate::domain::paging::PageSize;
use crate::web::ServerContext;

/// How long the browser keeps them.
const KEEP: Duration = Duration::days(365);
/// How many rows a list shows.
const PAGE_SIZES: [u32; 3] = [25, 50, 100];

/// What somebody likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// In which pages are written.
    pub language: Language,
    /// Whether somebody chose it. Otherwise it is one that the browser prefers, and may be another one next time.
    has_chosen_language: bool,
    /// Light, dark, or as the system is.
    pub theme: Theme,
    /// In which zone times are shown.
    pub zone: Tz,
    /// How many rows a list shows: 25, 50 or 100.
    pub page_size: u32,
    /// Whether single characters are shortcuts, where there is script.
    pub has_keys: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: Language::English,
            has_chosen_language: false,
            theme: Theme::System,
            zone: Tz::UTC,
            page_size: 50,
            has_keys: true,
        }
    }
}

/// The colours of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the system is.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All, with the ids of their labels.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::System, "preferences-theme-system"),
        (Self::Light, "preferences-theme-light"),
        (Self::Dark, "preferences-theme-dark"),
    ];

    /// The name in forms and in the cookie.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .map(|(theme, _)| theme)
            .find(|theme| theme.as_str() == name)
    }

    /// `data-theme`, unless the system decides.
    #[must_use]
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light | Self::Dark => Some(self.as_str()),
        }
    }
}

impl Preferences {
    /// What the browser's cookie says, as far as it can be understood; the language, if it says none, is one that the browser prefers.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let context = request.app_data::<Data<ServerContext>>();
        let cookie = context
            .and_then(|context| request.cookie(context.admin.cookie_name(CookieName::Preferences)));
        let mut preferences = Self {
            language: Language::wanted_by(request),
            ..Self::default()
        };
        if let Some(cookie) = cookie {
            for (name, value) in url::form_urlencoded::parse(cookie.value().as_bytes()) {
                preferences.set(&name, &value);
            }
        }
        preferences
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "language" => {
                if let Some(language) = Language::parse(value) {
                    self.language = language;
                    self.has_chosen_language = true;
                }
            }
            "theme" => self.theme = Theme::parse(value).unwrap_or(self.theme),
            "zone" => self.zone = value.parse().unwrap_or(self.zone),
            "page_size" => {
                let size = value.parse().ok().filter(|size| PAGE_SIZES.contains(size));
                self.page_size = size.unwrap_or(self.page_size);
            }
            "keys" => match value {
                "on" => self.has_keys = true,
                "off" => self.has_keys = false,
                _ => {}
            },
            _ => {}
        }
    }

    fn cookie(self, context: &AdminContext) -> Cookie<'static> {
        let mut value = url::form_urlencoded::Serializer::new(String::new());
        if self.has_chosen_language {
            value.append_pair("language", self.language.as_str());
        }
        let value = value
            .append_pair("theme", self.theme.as_str())
            .append_pair("zone", self.zone.name())
            .append_pair("page_size", &self.page_size.to_string())
            .append_pair("keys", if self.has_keys { "on" } else { "off" })
            .finish();
        Cookie::build(context.cookie_name(CookieName::Preferences), value)
            .path("/")
            .secure(context.secure_cookies)
            .http_only(true)
            .same_site(SameSite::Strict)
            .max_age(KEEP)
            .finish()
    }
}

/// Remembers in the browser how many rows its lists show.
pub(super) fn remember_page_size(
    response: &mut HttpResponse,
    context: &ServerContext,
    staff: &StaffContext,
    size: PageSize,
) {
    let preferences = Preferences {
        page_size: size.rows().into(),
        ..staff.preferences
    };
    if preferences != staff.preferences {
        // The cookie is made of our own names and numbers, so it fits into a header.
        let _ = response.add_cookie(&preferences.cookie(&context.admin));
    }
}

/// The page.
#[derive(Template)]
#[template(path = "admin/preferences/show.html")]
struct PreferencesPage {
    frame: Frame,
    preferences: Preferences,
    zones: Vec<&'static str>,
    page_sizes: [u32; 3],
    languages: [(Language, &'static str); 2],
}

/// `GET /admin/preferences`
///
/// # Errors
/// [`AdminError::Render`].
pub async fn show_preferences(
    app: Data<App>,
    staff: StaffContext,
) -> Result<HttpResponse, AdminError> {
    staff.render(&PreferencesPage {
        frame: staff.frame(&app, t("preferences-title"), Nav::Settings),
        preferences: staff.preferences,
        zones: TZ_VARIANTS.iter().map(|zone| zone.name()).collect(),
        page_sizes: PAGE_SIZES,
        languages: Language::ALL,
    })
}

/// What is to change, and where to go then.
#[derive(Deserialize)]
pub struct PreferencesForm {
    language: Option<String>,
    theme: Option<String>,
    zone: Option<String>,
    page_size: Option<String>,
    keys: Option<String>,
    back: Option<String>,
}

/// `POST /admin/preferences`
///
/// # Errors
/// None of its own: what is not understood stays as it was.
pub async fn set_preferences(
    context: Data<ServerContext>,
    staff: StaffContext,
    ProtectedForm(form): ProtectedForm<PreferencesForm>,
) -> Result<HttpResponse, AdminError> {
    let mut preferences = staff.preferences;
    for (name, value) in [
        ("language", &form.language),
        ("theme", &form.theme),
        ("zone", &form.zone),
        ("page_size", &form.page_size),
        ("keys", &form.keys),
    ] {
        if let Some(value) = value {
            preferences.set(name, value);
        }
    }
    let back = form.back.as_deref().and_then(local_path);
    let mut response = redirect(back.unwrap_or("/admin/preferences"));
    response
        .add_cookie(&preferences.cookie(&context.admin))
        .map_err(|_bad_cookie| AdminError::Render(askama::Error::Fmt))?;
    Ok(response)
}
