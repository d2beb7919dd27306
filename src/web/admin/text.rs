//! What staff read, in their language. Every string of the pages is in the catalogue (`text/en.ftl`, `text/de.ftl`, Project Fluent's
//! format); code and templates name it by its id, and the language is known only where a page is written.
//!
//! A template says `{{ "users-no-email"|t }}` or `{{ "list-in-all"|t|with("count", count) }}`; code says `t("list-in-all").with("count",
//! count)`. A string with markup in it is written by the filter `html`, which escapes what is put into it.

#[expect(
    clippy::inline_always,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    unreachable_pub,
    reason = "what askama makes of its filters"
)]
pub(super) mod filters;
mod language;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::{self, Write};

use askama::filters::{Escaper, HtmlSafe};
use askama::{FastWritable, Values};
use fluent_bundle::types::{FluentNumber, FluentNumberOptions};
use fluent_bundle::{FluentArgs, FluentValue};

pub use self::language::Language;
use self::language::{grouped, language_of};
use super::time::Time;

/// A string for staff: one of the catalogue with what is put into it. It becomes text only in a language.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    what: What,
    args: Vec<(&'static str, Arg)>,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    /// A string of the catalogue.
    Id(&'static str),
    /// The same in every language: a name, an address, a code.
    Verbatim(Cow<'static, str>),
    /// A number alone.
    Number(u64),
}

/// What is put into a string.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// As it is.
    Text(String),
    /// A number, which also decides between one and many.
    Number(u64),
    /// A number with one digit behind the point, in tenths.
    Tenths(u64),
    /// Another string of the catalogue.
    Message(Message),
    /// An instant.
    Time(Time),
}

/// What can be put into a string.
pub trait ToArg {
    /// As an argument.
    fn to_arg(&self) -> Arg;
}

impl<T: ToArg + ?Sized> ToArg for &T {
    fn to_arg(&self) -> Arg {
        T::to_arg(self)
    }
}

impl ToArg for str {
    fn to_arg(&self) -> Arg {
        Arg::Text(self.to_owned())
    }
}

impl ToArg for String {
    fn to_arg(&self) -> Arg {
        Arg::Text(self.clone())
    }
}

impl ToArg for Arg {
    fn to_arg(&self) -> Arg {
        self.clone()
    }
}

impl ToArg for Message {
    fn to_arg(&self) -> Arg {
        Arg::Message(self.clone())
    }
}

impl ToArg for Time {
    fn to_arg(&self) -> Arg {
        Arg::Time(*self)
    }
}

/// Whole numbers; what is negative counts as none.
macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl ToArg for $number {
            fn to_arg(&self) -> Arg {
                Arg::Number(u64::try_from(*self).unwrap_or(0))
            }
        }
    )*};
}
whole_numbers!(u16, u32, u64, usize, i32, i64);

/// The string of the catalogue with this id.
#[must_use]
pub const fn t(id: &'static str) -> Message {
    Message {
        what: What::Id(id),
        args: Vec::new(),
    }
}

impl Message {
    /// What is the same in every language.
    #[must_use]
    pub fn verbatim(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            what: What::Verbatim(text.into()),
            args: Vec::new(),
        }
    }

    /// A number with the separators of the language: 48,213.
    #[must_use]
    pub const fn number(number: u64) -> Self {
        Self {
            what: What::Number(number),
            args: Vec::new(),
        }
    }

    /// With `value` in place of `{ $name }`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToArg) -> Self {
        self.args.push((name, value.to_arg()));
        self
    }

    /// Whether it says nothing in any language.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.what, What::Id(""))
            || matches!(&self.what, What::Verbatim(text) if text.is_empty())
    }

    /// The text in a language.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = self.write(&mut text, language, Target::Text);
        text
    }

    fn write(&self, dest: &mut dyn Write, language: Language, target: Target) -> fmt::Result {
        let id = match &self.what {
            What::Id("") => return Ok(()),
            What::Id(id) => *id,
            What::Verbatim(text) => return dest.write_str(&target.of(text)),
            What::Number(number) => {
                let number = grouped(&FluentValue::from(*number), language);
                return dest.write_str(&number.unwrap_or_default());
            }
        };
        let catalog = language.catalog();
        let pattern = catalog.get_message(id).and_then(|message| message.value());
        debug_assert!(pattern.is_some(), "the catalogue has no {id}");
        let Some(pattern) = pattern else {
            // The tests hold that every id is there; the other strings of the page are worth more than none.
            return dest.write_str(id);
        };
        let mut args = FluentArgs::with_capacity(self.args.len());
        for (name, arg) in &self.args {
            args.set(*name, arg.value(language, target)?);
        }
        let mut errors = Vec::new();
        let text = catalog.format_pattern(pattern, Some(&args), &mut errors);
        debug_assert!(errors.is_empty(), "{id}: {errors:?}");
        dest.write_str(&text)
    }
}

/// Where a string goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// To where markup has no meaning, or is escaped later.
    Text,
    /// Between tags.
    Html,
}

impl Target {
    /// `text`, so that it stays what it is there.
    fn of(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Text => text.into(),
            Self::Html => {
                let mut escaped = String::with_capacity(text.len());
                // Writing into a string does not fail.
                let _ = askama::filters::Html.write_escaped_str(&mut escaped, text);
                escaped.into()
            }
        }
    }
}

impl Arg {
    fn value(&self, language: Language, target: Target) -> Result<FluentValue<'_>, fmt::Error> {
        Ok(match self {
            Self::Text(text) => FluentValue::String(target.of(text)),
            Self::Number(number) => FluentValue::from(*number),
            Self::Tenths(tenths) => FluentValue::Number(FluentNumber::new(
                FluentNumber::from(*tenths).value / 10.0,
                FluentNumberOptions {
                    minimum_fraction_digits: Some(1),
                    ..FluentNumberOptions::default()
                },
            )),
            Self::Message(message) => {
                let mut text = String::new();
                message.write(&mut text, language, Target::Text)?;
                FluentValue::String(target.of(&text).into_owned().into())
            }
            Self::Time(time) => {
                let mut text = String::new();
                match target {
                    Target::Text => time.text().write(&mut text, language, target)?,
                    Target::Html => time.write(&mut text, language)?,
                }
                FluentValue::String(text.into())
            }
        })
    }
}

/// In English, for the JSON API, for files, and for logs.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Language::English, Target::Text)
    }
}

impl FastWritable for Message {
    fn write_into(&self, dest: &mut dyn Write, values: &dyn Values) -> askama::Result<()> {
        Ok(self.write(dest, language_of(values)?, Target::Text)?)
    }
}

/// A string with markup in it: what is put into it is escaped, it itself is not.
#[derive(Debug, Clone)]
pub struct Html(Message);

impl HtmlSafe for Html {}

/// In English; [`HtmlSafe`] wants it.
impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, Language::English, Target::Html)
    }
}

impl FastWritable for Html {
    fn write_into(&self, dest: &mut dyn Write, values: &dyn Values) -> askama::Result<()> {
        Ok(self.0.write(dest, language_of(values)?, Target::Html)?)
    }
}

impl HtmlSafe for Time {}

/// In English; [`HtmlSafe`] wants it.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Language::English)
    }
}

impl FastWritable for Time {
    fn write_into(&self, dest: &mut dyn Write, values: &dyn Values) -> askama::Result<()> {
        Ok(self.write(dest, language_of(values)?)?)
    }
}

impl Time {
    /// As an element, with the exact instant for machines and for whoever hovers.
    fn write(&self, dest: &mut dyn Write, language: Language) -> fmt::Result {
        let (title, text) = (self.title().text(language), self.text().text(language));
        let datetime = self.datetime();
        write!(
            dest,
            r#"<time datetime="{datetime}" title="{title}">{text}</time>"#
        )
    }
}
