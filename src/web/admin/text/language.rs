//! The languages of the pages: which one a browser wants, and what each writes in a way of its own.

use std::any::Any;
use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptLanguage, Header};
use askama::Values;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentResource, FluentValue};

/// Under this name a page that is being written finds its language.
const LANGUAGE: &str = "language";

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, in which everything is written first.
    English,
    /// German.
    German,
}

impl Language {
    /// All, each with its own name for itself.
    pub const ALL: [(Self, &'static str); 2] =
        [(Self::English, "English"), (Self::German, "Deutsch")];

    /// The tag for `lang` (BCP 47), the name in forms and in the cookie.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// For `dir`.
    #[must_use]
    pub const fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German => "ltr",
        }
    }

    /// The language with this tag.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter().map(|(language, _)| language);
        all.find(|language| language.as_str() == tag)
    }

    /// The one that the browser prefers among ours (RFC 9110 §12.5.4); English, if it wants none of them.
    #[must_use]
    pub fn wanted_by(request: &HttpRequest) -> Self {
        let wanted = AcceptLanguage::parse(request).map(|accepted| accepted.ranked());
        let mut wanted = wanted.unwrap_or_default().into_iter();
        let known = wanted.find_map(|range| Self::parse(range.item()?.primary_language()));
        known.unwrap_or(Self::English)
    }

    /// What stands between thousands, and before the fraction.
    const fn separators(self) -> (char, char) {
        match self {
            Self::English => (',', '.'),
            Self::German => ('.', ','),
        }
    }

    pub(super) fn catalog(self) -> &'static Catalog {
        static ENGLISH: LazyLock<Catalog> = LazyLock::new(|| {
            let mut catalog = catalog(Language::English, include_str!("en.ftl"));
            catalog.set_formatter(Some(|value, _| grouped(value, Language::English)));
            catalog
        });
        static GERMAN: LazyLock<Catalog> = LazyLock::new(|| {
            let mut catalog = catalog(Language::German, include_str!("de.ftl"));
            catalog.set_formatter(Some(|value, _| grouped(value, Language::German)));
            catalog
        });
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }
}

impl Values for Language {
    fn get_value<'a>(&'a self, key: &str) -> Option<&'a dyn Any> {
        (key == LANGUAGE).then_some(self as &dyn Any)
    }
}

/// The strings of one language.
pub(super) type Catalog = FluentBundle<FluentResource>;

/// The catalogue is part of the binary, and tests hold it to be sound.
fn catalog(language: Language, source: &str) -> Catalog {
    let mut bundle = FluentBundle::new_concurrent(language.as_str().parse().into_iter().collect());
    // Marks around what is put in would only matter where directions mix.
    bundle.set_use_isolating(false);
    let resource = match FluentResource::try_new(source.to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    // What is there twice stays as it was first.
    let _ = bundle.add_resource(resource);
    bundle
}

/// 48,213 or 5.0, with the separators of the language.
pub(super) fn grouped(value: &FluentValue<'_>, language: Language) -> Option<String> {
    let FluentValue::Number(number) = value else {
        return None;
    };
    let (thousands, point) = language.separators();
    let digits = number.as_string();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(thousands);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push(point);
        text.push_str(fraction);
    }
    Some(text)
}

/// The language of the page that is being written.
pub(super) fn language_of(values: &dyn Values) -> askama::Result<Language> {
    askama::get_value(values, LANGUAGE).copied()
}
