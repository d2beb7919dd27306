//! What the next page tells of what was just done.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::header;
use serde::{Deserialize, Serialize};

use super::text::{Language, Message};

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

/// A sentence at the top of the next page. Never a secret: it is stored with the session until it was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// How it went.
    pub tone: Tone,
    /// The sentence.
    pub text: Message,
    /// A button that posts, such as Undo: label and address.
    pub action: Option<(Message, String)>,
    /// A link: label and address.
    pub link: Option<(Message, String)>,
}

/// A [`Notice`] as the session keeps it, in the language of whoever it is for.
#[derive(Serialize, Deserialize)]
struct Stored {
    tone: Tone,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<(String, String)>,
}

impl Stored {
    fn new(notice: Notice, language: Language) -> Self {
        let labelled = |(label, path): (Message, String)| (label.text(language), path);
        Self {
            tone: notice.tone,
            text: notice.text.text(language),
            action: notice.action.map(labelled),
            link: notice.link.map(labelled),
        }
    }

    fn into_notice(self) -> Notice {
        let labelled = |(label, path): (String, String)| (Message::verbatim(label), path);
        Notice {
            tone: self.tone,
            text: Message::verbatim(self.text),
            action: self.action.map(labelled),
            link: self.link.map(labelled),
        }
    }
}

impl Notice {
    /// Something was done.
    #[must_use]
    pub fn ok(text: Message) -> Self {
        Self::new(Tone::Ok, text)
    }

    /// Something was done, and something is to be known.
    #[must_use]
    pub fn warn(text: Message) -> Self {
        Self::new(Tone::Warn, text)
    }

    /// Something was not done.
    #[must_use]
    pub fn bad(text: Message) -> Self {
        Self::new(Tone::Bad, text)
    }

    fn new(tone: Tone, text: Message) -> Self {
        Self {
            tone,
            text,
            action: None,
            link: None,
        }
    }

    /// With a button that posts to `path`.
    #[must_use]
    pub fn with_action(mut self, label: Message, path: impl Into<String>) -> Self {
        self.action = Some((label, path.into()));
        self
    }

    /// With a link to `path`.
    #[must_use]
    pub fn with_link(mut self, label: Message, path: impl Into<String>) -> Self {
        self.link = Some((label, path.into()));
        self
    }
}

/// Takes the notices that wait; they are shown once.
pub(super) fn take(session: &Session) -> Vec<Notice> {
    if !session.contains_key(NOTICES) {
        return Vec::new();
    }
    match session.remove_as::<Vec<Stored>>(NOTICES) {
        Some(Ok(notices)) => notices.into_iter().map(Stored::into_notice).collect(),
        Some(Err(_)) | None => Vec::new(),
    }
}

/// Keeps a notice for the next page.
pub(super) fn put(session: &Session, notice: Notice, language: Language) {
    let mut notices: Vec<Stored> = session.get(NOTICES).ok().flatten().unwrap_or_default();
    notices.push(Stored::new(notice, language));
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
