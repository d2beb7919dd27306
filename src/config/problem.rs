//! What is wrong with a configuration, written for the person who has to mend it.

use std::fmt;
use std::path::Path;

use figment::error::Kind;
use thiserror::Error;

/// One problem: where, what, and what to do.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    /// File or variable, if known.
    source: Option<String>,
    key: String,
    what: String,
    remedy: String,
}

impl Problem {
    pub(super) fn new(key: &str, what: &str, remedy: &str) -> Self {
        Self {
            source: None,
            key: key.to_owned(),
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

impl Problem {
    /// The same with where its key was set, if it was.
    pub(super) fn located_by(mut self, figment: &figment::Figment) -> Self {
        self.source = figment.find_metadata(&self.key).map(source_of);
        self
    }
}

/// File or variable, for the reader.
fn source_of(metadata: &figment::Metadata) -> String {
    match &metadata.source {
        Some(figment::Source::File(path)) => path.display().to_string(),
        _ => metadata.name.to_string(),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            write!(f, "{source}: ")?;
        }
        writeln!(f, "{} {}", self.key, self.what)?;
        write!(f, "    {}", self.remedy)
    }
}

/// All problems of a configuration.
#[derive(Debug, Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl ConfigError {
    pub(super) fn from_problems(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    pub(super) fn missing_file(path: &Path) -> Self {
        let what = "does not exist";
        let remedy =
            "write one with `latchkey config example > latchkey.toml`, or leave --config out";
        Self::from_problems(vec![Problem::new(
            &path.display().to_string(),
            what,
            remedy,
        )])
    }

    pub(super) fn from_figment(error: &figment::Error) -> Self {
        Self::from_problems(
            error
                .clone()
                .into_iter()
                .map(|error| explain(&error))
                .collect(),
        )
    }
}

fn explain(error: &figment::Error) -> Problem {
    let mut key = error.path.join(".");
    let (what, remedy) = match &error.kind {
        Kind::UnknownField(name, known) => {
            if error.path.last() != Some(name) {
                key = if key.is_empty() {
                    name.clone()
                } else {
                    format!("{key}.{name}")
                };
            }
            ("is not a known key".to_owned(), suggestion(name, known))
        }
        Kind::UnknownVariant(value, known) => {
            (format!("cannot be `{value}`"), suggestion(value, known))
        }
        Kind::MissingField(name) => {
            key = if key.is_empty() {
                name.to_string()
            } else {
                format!("{key}.{name}")
            };
            ("is missing".to_owned(), "add it".to_owned())
        }
        Kind::InvalidType(_, expected)
        | Kind::InvalidValue(_, expected)
        | Kind::InvalidLength(_, expected) => {
            ("has the wrong type".to_owned(), format!("write {expected}"))
        }
        // The value itself stays out: it may be a secret.
        Kind::Message(text) if key.is_empty() => (
            "the file cannot be read as TOML:".to_owned() + " " + text,
            "mend the line".to_owned(),
        ),
        _ => (
            "is not valid".to_owned(),
            "see docs/CONFIGURATION.md".to_owned(),
        ),
    };
    let source = error.metadata.as_ref().map(source_of);
    Problem {
        source,
        key,
        what,
        remedy,
    }
}

/// The nearest known word, and all of them.
fn suggestion(word: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(word, a).total_cmp(&strsim::jaro_winkler(word, b)));
    let all = known.join(", ");
    match nearest {
        Some(nearest) if strsim::jaro_winkler(word, nearest) > 0.7 => {
            format!("did you mean `{nearest}`? Known are: {all}")
        }
        _ => format!("known are: {all}"),
    }
}
