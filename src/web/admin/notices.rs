//! What the next page tells of what was just done.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::header;
use serde::{Deserialize, Serialize};

/// Under this name the session has the notices.
const NOTICES: &str = "notices";

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Done.
    Ok,
    /// Done, with something to know.
    Warn,
    /// Not done.
    Bad,
}

impl Tone {
    /// The class of the stylesheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    /// The icon of the sprite.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Ok => "i-ok",
            Self::Warn | Self::Bad => "i-warn",
        }
    }
}

/// A sentence at the top of the next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How it went.
    pub tone: Tone,
    /// The sentence. Never a secret: it is stored with the session until it was shown.
    pub text: String,
    /// A button that posts, such as Undo: label and address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<(String, String)>,
    /// A link: label and address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<(String, String)>,
}

impl Notice {
    /// Something was done.
    #[must_use]
    pub fn ok(text: impl Into<String>) -> Self {
        Self::new(Tone::Ok, text)
    }

    /// Something was done, and something is to be known.
    #[must_use]
    pub fn warn(text: impl Into<String>) -> Self {
        Self::new(Tone::Warn, text)
    }

    /// Something was not done.
    #[must_use]
    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(Tone::Bad, text)
    }

    fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
            action: None,
            link: None,
        }
    }

    /// With a button that posts to `path`.
    #[must_use]
    pub fn with_action(mut self, label: impl Into<String>, path: impl Into<String>) -> Self {
        self.action = Some((label.into(), path.into()));
        self
    }

    /// With a link to `path`.
    #[must_use]
    pub fn with_link(mut self, label: impl Into<String>, path: impl Into<String>) -> Self {
        self.link = Some((label.into(), path.into()));
        self
    }
}

/// Takes the notices that wait; they are shown once.
pub(super) fn take(session: &Session) -> Vec<Notice> {
    if !session.contains_key(NOTICES) {
        return Vec::new();
    }
    match session.remove_as(NOTICES) {
        Some(Ok(notices)) => notices,
        Some(Err(_)) | None => Vec::new(),
    }
}

/// Keeps a notice for the next page.
pub(super) fn put(session: &Session, notice: Notice) {
    let mut notices: Vec<Notice> = session.get(NOTICES).ok().flatten().unwrap_or_default();
    notices.push(notice);
    // Strings always become JSON.
    let _ = session.insert(NOTICES, notices);
}

/// `303 See Other`: after a change the browser reads the next page.
#[must_use]
pub fn redirect(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .finish()
}
