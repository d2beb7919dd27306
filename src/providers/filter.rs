//! The filters of the mapping language.

use std::borrow::Cow;

use chrono::DateTime;
use percent_encoding::percent_decode_str;

use super::expression::Value;
use crate::domain::json::Json;

/// What is done with a value before it is used. Unless said otherwise a missing value stays missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The text before the first `@`, or all of it.
    BeforeAt,
    /// The text after the last `@`; missing without one.
    AfterAt,
    /// The text before the first `.`, or all of it.
    BeforeDot,
    /// The last segment of a path, without a slash at its end.
    LastSegment,
    /// The percent-decoded text; missing if that is not UTF-8.
    PctDecode,
    /// The first character.
    FirstChar,
    /// All but the first character.
    DropFirstChar,
    /// The value as a text.
    Str,
    /// The text if it has an `@`, else missing.
    OnlyIfAt,
    /// The text without any occurrence of another.
    Remove(String),
    /// The text after the first occurrence of another; missing without one.
    After(String),
    /// The text before the first occurrence of another, or all of it.
    Before(String),
    /// The text of a locale-keyed object in its preferred locale (`LinkedIn` v2, "`MultiLocaleString`").
    Localized,
    /// The text in lower case.
    Lower,
    /// Whether there is a value that is not empty; never missing.
    Present,
    /// Whether the value, as text, is exactly this; never missing.
    Equals(String),
    /// RFC 3339 as seconds since 1970; an integer stays as it is.
    UnixTime,
    /// The text, unless it is `0`.
    UnlessZero,
}

impl Filter {
    /// The filter that `name(argument)` stands for.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn named(name: &str, argument: Option<&str>) -> Result<Self, &'static str> {
        let filter = match (name, argument) {
            ("remove", Some(text)) => Self::Remove(text.to_owned()),
            ("after", Some(text)) => Self::After(text.to_owned()),
            ("before", Some(text)) => Self::Before(text.to_owned()),
            ("equals", Some(text)) => return Ok(Self::Equals(text.to_owned())),
            ("remove" | "after" | "before" | "equals", None) => {
                return Err("this filter takes an argument in brackets");
            }
            (_, Some(_)) => return Err("unknown filter, or one that takes no argument"),
            ("before_at", None) => Self::BeforeAt,
            ("after_at", None) => Self::AfterAt,
            ("before_dot", None) => Self::BeforeDot,
            ("last_segment", None) => Self::LastSegment,
            ("pct_decode", None) => Self::PctDecode,
            ("first_char", None) => Self::FirstChar,
            ("drop_first_char", None) => Self::DropFirstChar,
            ("str", None) => Self::Str,
            ("only_if_at", None) => Self::OnlyIfAt,
            ("localized", None) => Self::Localized,
            ("lower", None) => Self::Lower,
            ("present", None) => Self::Present,
            ("unix_time", None) => Self::UnixTime,
            ("unless_zero", None) => Self::UnlessZero,
            _ => return Err("unknown filter"),
        };
        if argument == Some("") {
            return Err("the argument is empty");
        }
        Ok(filter)
    }

    /// What becomes of `value`.
    #[must_use]
    pub fn apply<'a>(&'a self, value: Option<Value<'a>>) -> Option<Value<'a>> {
        match self {
            Self::Present => return Some(Value::Bool(is_present(value.as_ref()))),
            Self::Equals(expected) => {
                let equal = value
                    .and_then(Value::into_text)
                    .is_some_and(|text| text == expected.as_str());
                return Some(Value::Bool(equal));
            }
            _ => {}
        }
        let value = value?;
        if *self == Self::Localized {
            return match value {
                Value::Json(json) => localized(json).map(|text| Value::Text(Cow::Borrowed(text))),
                _ => None,
            };
        }
        self.of_text(value.into_text()?).map(Value::Text)
    }

    fn of_text<'a>(&self, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
        match self {
            Self::BeforeAt => cut(text, |t| Some(before(t, "@"))),
            Self::AfterAt => cut(text, |t| t.rsplit_once('@').map(|(_, after)| after)),
            Self::BeforeDot => cut(text, |t| Some(before(t, "."))),
            Self::LastSegment => cut(text, |t| t.trim_end_matches('/').rsplit('/').next()),
            Self::FirstChar => cut(text, |t| {
                t.split_at_checked(t.chars().next()?.len_utf8())
                    .map(|(first, _)| first)
            }),
            Self::DropFirstChar => cut(text, |t| {
                let mut chars = t.chars();
                chars.next()?;
                Some(chars.as_str())
            }),
            Self::OnlyIfAt => text.contains('@').then_some(text),
            Self::After(mark) => cut(text, |t| {
                t.split_once(mark.as_str()).map(|(_, after)| after)
            }),
            Self::Before(mark) => cut(text, |t| Some(before(t, mark))),
            Self::Remove(mark) if text.contains(mark.as_str()) => {
                Some(Cow::Owned(text.replace(mark.as_str(), "")))
            }
            Self::PctDecode if text.contains('%') => percent_decode_str(&text)
                .decode_utf8()
                .ok()
                .map(|decoded| Cow::Owned(decoded.into_owned())),
            Self::Lower => Some(Cow::Owned(text.to_lowercase())),
            Self::UnixTime => unix_time(text),
            Self::UnlessZero => (text != "0").then_some(text),
            _ => Some(text),
        }
    }
}

fn is_present(value: Option<&Value<'_>>) -> bool {
    match value {
        None | Some(Value::Json(Json::Null)) => false,
        Some(Value::Json(Json::String(text))) => !text.is_empty(),
        Some(Value::Json(Json::Array(items))) => !items.is_empty(),
        Some(Value::Json(Json::Object(members))) => !members.is_empty(),
        Some(Value::Text(text)) => !text.is_empty(),
        Some(Value::Json(_) | Value::Bool(_)) => true,
    }
}

/// A part of `text`, borrowed for as long as `text` is.
fn cut<'a>(
    text: Cow<'a, str>,
    part: impl for<'x> Fn(&'x str) -> Option<&'x str>,
) -> Option<Cow<'a, str>> {
    match text {
        Cow::Borrowed(text) => part(text).map(Cow::Borrowed),
        Cow::Owned(text) => part(&text).map(|part| Cow::Owned(part.to_owned())),
    }
}

fn before<'x>(text: &'x str, mark: &str) -> &'x str {
    text.split_once(mark).map_or(text, |(before, _)| before)
}

/// `{"localized": {"en_US": "Ada"}, "preferredLocale": {"language": "en", "country": "US"}}`; without a preference the first.
fn localized(json: &Json) -> Option<&str> {
    let texts = json.get("localized")?;
    let preferred = json.get("preferredLocale").and_then(|locale| {
        let language = locale.get("language")?.as_str()?;
        let country = locale.get("country")?.as_str()?;
        texts.get(&format!("{language}_{country}"))?.as_str()
    });
    preferred.or_else(|| match texts {
        Json::Object(members) => members.first()?.1.as_str(),
        _ => None,
    })
}

fn unix_time(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if text.parse::<i64>().is_ok() {
        return Some(text);
    }
    DateTime::parse_from_rfc3339(&text)
        .ok()
        .map(|at| Cow::Owned(at.timestamp().to_string()))
}
