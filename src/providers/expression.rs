//! The closed mapping language: where a value stands in a provider's answers.
//!
//! `[source:]path[|filter...]`. A path is `a.b[0].c`; `[?k]` is the first element whose `k` is truthy, `*` the first value of an
//! object or array, and a member name with odd characters is quoted: `a."b.c"`. `const:TEXT` is a literal, `tpl:..{expr}..` joins
//! values (missing ones are empty), `tpl!:` demands all of them. Everything is parsed once, when the configuration is read;
//! evaluation borrows from the answers.

use std::borrow::Cow;

use thiserror::Error;

pub use super::filter::Filter;
use crate::domain::json::Json;
use parse::compile_parts;
pub(in crate::providers) use parse::{Cursor, is_name};

mod parse;

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}`, at character {at}: {problem}")]
pub struct ExpressionError {
    /// The whole text.
    pub text: String,
    /// Where it goes wrong, counted in bytes from 1.
    pub at: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

/// Which document a path begins in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The answer to the request of this index.
    Answer(usize),
    /// The answer that is being judged.
    This,
    /// The token endpoint's answer.
    Token,
    /// The claims of a verified id token.
    Claims,
    /// What the caller handed in. Never proves anything.
    Input,
}

/// The documents that an expression may read. Absent ones read as empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// Answers by the index of their request.
    pub answers: &'a [Option<Json>],
    /// The answer that is being judged.
    pub this: Option<&'a Json>,
    /// The token endpoint's answer.
    pub token: Option<&'a Json>,
    /// The claims of a verified id token.
    pub claims: Option<&'a Json>,
    /// What the caller handed in.
    pub input: Option<&'a Json>,
}

impl<'a> Sources<'a> {
    fn find(&self, source: Source) -> Option<&'a Json> {
        match source {
            Source::Answer(index) => self.answers.get(index)?.as_ref(),
            Source::This => self.this,
            Source::Token => self.token,
            Source::Claims => self.claims,
            Source::Input => self.input,
        }
    }
}

/// What source names mean where an expression stands.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The names of the entry's requests, in order.
    pub requests: &'a [String],
    /// What a path without a source begins in.
    pub main: Source,
}

impl Scope<'_> {
    fn find(&self, name: &str) -> Option<Source> {
        match name {
            "token" => Some(Source::Token),
            "claim" => Some(Source::Claims),
            "input" => Some(Source::Input),
            _ => self
                .requests
                .iter()
                .position(|request| request == name)
                .map(Source::Answer),
        }
    }
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expr {
    root: Root,
    filters: Box<[Filter]>,
}

#[derive(Debug, Clone)]
enum Root {
    Path(Source, Box<[Step]>),
    Const(String),
    Template { parts: Box<[Part]>, strict: bool },
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Value(Expr),
}

#[derive(Debug, Clone)]
enum Step {
    Member(String),
    Index(usize),
    FirstWith(Box<[String]>),
    First,
}

/// What an expression yields, borrowed from the answers where that is possible.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// A value as it stands in an answer.
    Json(&'a Json),
    /// A text that a filter or a template made.
    Text(Cow<'a, str>),
    /// What `present` and `equals` yield.
    Bool(bool),
}

impl Expr {
    /// Compiles `text`.
    ///
    /// # Errors
    /// [`ExpressionError`] names the place.
    pub fn compile(text: &str, scope: &Scope<'_>) -> Result<Self, ExpressionError> {
        let plain = |root| Self {
            root,
            filters: Box::default(),
        };
        if let Some(literal) = text.strip_prefix("const:") {
            return Ok(plain(Root::Const(literal.to_owned())));
        }
        for (prefix, strict) in [("tpl:", false), ("tpl!:", true)] {
            if let Some(body) = text.strip_prefix(prefix) {
                let parts = compile_parts(text, body, scope)?;
                return Ok(plain(Root::Template { parts, strict }));
            }
        }
        let mut cursor = Cursor::new(text);
        let source = cursor.source(scope)?;
        let steps = cursor.path()?;
        let filters = cursor.filters()?;
        if steps.is_empty() && !text.split_once(':').is_some_and(|(name, _)| is_name(name)) {
            return Err(cursor.fail("a path is missing"));
        }
        Ok(Self {
            root: Root::Path(source, steps.into()),
            filters: filters.into(),
        })
    }

    /// What stands there, or nothing. A null counts as nothing.
    #[must_use]
    pub fn eval<'a>(&'a self, sources: &Sources<'a>) -> Option<Value<'a>> {
        let value = match &self.root {
            Root::Path(source, steps) => walk(sources.find(*source), steps).map(Value::Json),
            Root::Const(text) => Some(Value::Text(Cow::Borrowed(text))),
            Root::Template { parts, strict } => join(parts, *strict, sources),
        };
        self.filters
            .iter()
            .fold(value, |value, filter| filter.apply(value))
    }

    /// The value as a text for people, unless it is missing or empty.
    #[must_use]
    pub fn text<'a>(&'a self, sources: &Sources<'a>) -> Option<Cow<'a, str>> {
        self.eval(sources)?
            .into_text()
            .filter(|text| !text.is_empty())
    }

    /// Calls `visit` with every source that this expression reads.
    pub fn visit_sources(&self, visit: &mut impl FnMut(Source)) {
        match &self.root {
            Root::Path(source, _) => visit(*source),
            Root::Const(_) => {}
            Root::Template { parts, .. } => {
                for part in parts {
                    if let Part::Value(expr) = part {
                        expr.visit_sources(visit);
                    }
                }
            }
        }
    }

    /// Whether this is a literal, or a template that tolerates missing parts: such a thing must never be a uid.
    #[must_use]
    pub fn may_be_incomplete(&self) -> bool {
        matches!(
            self.root,
            Root::Const(_) | Root::Template { strict: false, .. }
        )
    }

    /// The last member name of the path, under which `extra_data` keeps the value.
    #[must_use]
    pub fn last_name(&self) -> Option<&str> {
        match &self.root {
            Root::Path(_, steps) => steps.iter().rev().find_map(|step| match step {
                Step::Member(name) => Some(name.as_str()),
                _ => None,
            }),
            _ => None,
        }
    }
}

impl<'a> Value<'a> {
    /// The value as a text: texts, numbers as written, `true` and `false`.
    #[must_use]
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Json(Json::String(text) | Json::Number(text)) => Some(Cow::Borrowed(text)),
            Self::Json(Json::Bool(true)) | Self::Bool(true) => Some(Cow::Borrowed("true")),
            Self::Json(Json::Bool(false)) | Self::Bool(false) => Some(Cow::Borrowed("false")),
            Self::Json(_) => None,
            Self::Text(text) => Some(text),
        }
    }

    /// The value as an id: texts and integers, with all their digits. A float, a bool or an object is no id.
    #[must_use]
    pub fn into_id(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Json(Json::String(text)) => Some(Cow::Borrowed(text)),
            Self::Json(Json::Number(digits)) if is_integer(digits) => Some(Cow::Borrowed(digits)),
            Self::Text(text) => Some(text),
            Self::Json(_) | Self::Bool(_) => None,
        }
    }

    /// Whether this is exactly `true`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Json(Json::Bool(true)) | Self::Bool(true))
    }

    /// Whether this is `true` or the text `true`.
    #[must_use]
    pub fn is_true_or_says_so(&self) -> bool {
        self.is_true()
            || matches!(self, Self::Json(Json::String(text)) if text == "true")
            || matches!(self, Self::Text(text) if text == "true")
    }

    /// Whether there is something: not null, false, zero or empty.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Json(json) => json.is_truthy(),
            Self::Text(text) => !text.is_empty(),
            Self::Bool(bool) => *bool,
        }
    }

    /// A count of seconds: an integer, or a text of one.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        match self {
            Self::Json(Json::Number(text) | Json::String(text)) => text.parse().ok(),
            Self::Text(text) => text.parse().ok(),
            Self::Json(_) | Self::Bool(_) => None,
        }
    }
}

fn is_integer(digits: &str) -> bool {
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    digits != "-0" && !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit())
}

fn walk<'a>(start: Option<&'a Json>, steps: &[Step]) -> Option<&'a Json> {
    let mut at = start?;
    for step in steps {
        at = match step {
            Step::Member(name) => at.get(name)?,
            Step::Index(index) => match at {
                Json::Array(items) => items.get(*index)?,
                _ => return None,
            },
            Step::FirstWith(names) => match at {
                Json::Array(items) => items.iter().find(|item| {
                    names
                        .iter()
                        .try_fold(*item, |at, name| at.get(name))
                        .is_some_and(Json::is_truthy)
                })?,
                _ => return None,
            },
            Step::First => match at {
                Json::Array(items) => items.first()?,
                Json::Object(members) => members.first().map(|(_, value)| value)?,
                _ => return None,
            },
        };
    }
    (!matches!(at, Json::Null)).then_some(at)
}

fn join<'a>(parts: &'a [Part], strict: bool, sources: &Sources<'a>) -> Option<Value<'a>> {
    let mut joined = String::new();
    for part in parts {
        match part {
            Part::Literal(text) => joined.push_str(text),
            Part::Value(expr) => {
                let text = expr.eval(sources).and_then(Value::into_id);
                // A part of an id that had its blanks cut off would be another id's part.
                let usable = |text: &Cow<'_, str>| {
                    !text.is_empty() && (!strict || text.trim().len() == text.len())
                };
                match text.filter(usable) {
                    Some(text) => joined.push_str(&text),
                    None if strict => return None,
                    None => {}
                }
            }
        }
    }
    let trimmed = joined.trim();
    if trimmed.is_empty() {
        return None;
    }
    Some(Value::Text(Cow::Owned(if trimmed.len() == joined.len() {
        joined
    } else {
        trimmed.to_owned()
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{
        "id": 10158392042917, "big": 123456789012345678901234567890, "half": 1.5, "zero": 0, "no": false, "yes": true,
        "empty": "", "nothing": null, "name": "Ada Okafor", "login": "ada@example.org", "url": "https://x.example/u/ada%20b/",
        "a": {"b": [{"c": "deep"}], "b.c": "dotted", "list": ["x", "y"]},
        "emails": [{"value": "a@x", "primary": false}, {"value": "b@x", "primary": true, "meta": {"ok": 1}}],
        "roles": {"student": {"district": "d7"}, "other": 1},
        "first": {"localized": {"en_US": "Ada", "fr_FR": "Adá"}, "preferredLocale": {"language": "fr", "country": "FR"}},
        "expires": "2026-11-23T10:00:00+00:00", "at": 1700000000, "key": "Émile", "when": "never"
    }"#;

    fn with<T>(read: impl Fn(&Sources<'_>, &Scope<'_>) -> T) -> T {
        let answers = [
            Some(Json::parse(DOCUMENT.as_bytes()).unwrap()),
            Some(Json::parse(br#"[{"nick": "second"}]"#).unwrap()),
            None,
        ];
        let token = Json::parse(br#"{"user": {"uri": "/users/42"}}"#).unwrap();
        let claims = Json::parse(br#"{"sub": "s1"}"#).unwrap();
        let input = Json::parse(br#"{"scope": "email"}"#).unwrap();
        let requests = ["profile", "list", "failed"].map(str::to_owned);
        read(
            &Sources {
                answers: &answers,
                this: None,
                token: Some(&token),
                claims: Some(&claims),
                input: Some(&input),
            },
            &Scope {
                requests: &requests,
                main: Source::Answer(0),
            },
        )
    }

    fn text(expression: &str) -> Option<String> {
        with(|sources, scope| {
            Expr::compile(expression, scope)
                .unwrap()
                .text(sources)
                .map(Cow::into_owned)
        })
    }

    #[test]
    fn every_form_of_the_language_reads_what_it_says() {
        let table = [
            ("name", Some("Ada Okafor")),
            ("profile:name", Some("Ada Okafor")),
            ("id", Some("10158392042917")),
            ("big", Some("123456789012345678901234567890")),
            ("zero", Some("0")),
            ("yes", Some("true")),
            ("empty", None),
            ("nothing", None),
            ("missing.deeper", None),
            ("a", None),
            ("a.b[0].c", Some("deep")),
            ("a.\"b.c\"", Some("dotted")),
            ("a.b[7].c", None),
            ("name[0]", None),
            ("emails[?primary].value", Some("b@x")),
            ("emails[?meta.ok].value", Some("b@x")),
            ("emails[?missing].value", None),
            ("roles.*.district", Some("d7")),
            ("a.list.*", Some("x")),
            ("list:[0].nick", Some("second")),
            ("list:[?nick].nick", Some("second")),
            ("failed:anything", None),
            ("token:user.uri|last_segment", Some("42")),
            ("claim:sub", Some("s1")),
            ("input:scope", Some("email")),
            ("const:fixed: text|lower", Some("fixed: text|lower")),
            ("tpl:{name} ({missing})", Some("Ada Okafor ()")),
            ("tpl:{missing} {nothing}", None),
            ("tpl!:{id}:{a.b[0].c}", Some("10158392042917:deep")),
            ("tpl!:{id}:{missing}", None),
            ("tpl!:{id}:{empty}", None),
            (
                "tpl!:{login|before_at}@{token:user.uri|last_segment}",
                Some("ada@42"),
            ),
            ("tpl:{half}x", Some("x")),
            ("login|before_at", Some("ada")),
            ("name|before_at", Some("Ada Okafor")),
            ("login|after_at", Some("example.org")),
            ("name|after_at", None),
            ("login|after_at|before_dot", Some("example")),
            ("url|last_segment|pct_decode", Some("ada b")),
            ("name|pct_decode", Some("Ada Okafor")),
            ("key|first_char", Some("É")),
            ("key|drop_first_char", Some("mile")),
            ("empty|first_char", None),
            ("id|str", Some("10158392042917")),
            ("login|only_if_at", Some("ada@example.org")),
            ("name|only_if_at", None),
            ("name|remove(Ada )", Some("Okafor")),
            ("url|after(https://x.example/u/)", Some("ada%20b/")),
            ("name|after(https://)", None),
            ("name|before( )", Some("Ada")),
            ("name|before(zzz)", Some("Ada Okafor")),
            ("first|localized", Some("Adá")),
            ("name|localized", None),
            ("key|lower", Some("émile")),
            ("name|present", Some("true")),
            ("empty|present", Some("false")),
            ("missing|present", Some("false")),
            ("zero|present", Some("true")),
            ("name|equals(Ada Okafor)", Some("true")),
            ("id|equals(10158392042917)", Some("true")),
            ("missing|equals()", Some("false")),
            ("expires|unix_time", Some("1795428000")),
            ("at|unix_time", Some("1700000000")),
            ("when|unix_time", None),
        ];
        for (expression, expected) in table {
            assert_eq!(text(expression).as_deref(), expected, "{expression}");
        }
    }

    #[test]
    fn only_texts_and_integers_are_ids() {
        let id = |expression: &str| {
            with(|sources, scope| {
                let expr = Expr::compile(expression, scope).unwrap();
                expr.eval(sources)
                    .and_then(Value::into_id)
                    .map(Cow::into_owned)
            })
        };

        assert_eq!(id("big").as_deref(), Some("123456789012345678901234567890"));
        assert_eq!(id("zero").as_deref(), Some("0"));
        for none in [
            "half",
            "yes",
            "no",
            "nothing",
            "a",
            "emails",
            "name|present",
        ] {
            assert_eq!(id(none), None, "{none}");
        }
    }

    #[test]
    fn a_wrong_expression_names_the_place() {
        let table = [
            ("", 1),
            ("a..b", 3),
            ("a.", 3),
            ("a[", 3),
            ("a[x]", 5),
            ("a[?]", 5),
            ("a]b", 4),
            ("a b", 4),
            ("nobody:id", 1),
            ("a|", 3),
            ("a|shout", 8),
            ("a|before", 9),
            ("a|lower(x)", 11),
            ("a|remove(x", 10),
            ("a.\"b", 4),
            ("a[0]b", 5),
            ("tpl:{a", 5),
        ];
        with(|_, scope| {
            for (expression, at) in table {
                let error = Expr::compile(expression, scope).unwrap_err();
                assert_eq!(error.at, at, "{error}");
            }
        });
    }

    #[test]
    fn evaluation_borrows_from_the_answers() {
        with(|sources, scope| {
            for expression in [
                "name",
                "login|before_at",
                "first|localized",
                "url|last_segment",
            ] {
                let expr = Expr::compile(expression, scope).unwrap();
                assert!(
                    matches!(expr.text(sources), Some(Cow::Borrowed(_))),
                    "{expression}"
                );
            }
        });
    }
}
