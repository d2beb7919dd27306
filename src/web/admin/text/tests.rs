//! What holds the catalogue and its users together.
#![expect(
    clippy::string_slice,
    reason = "sources are cut at quotes and brackets"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fluent_bundle::FluentResource;

use super::*;

const ENGLISH: &str = include_str!("en.ftl");
const GERMAN: &str = include_str!("de.ftl");

/// The strings of a catalogue in its order: id and everything that belongs to it.
fn strings(source: &str) -> Vec<(String, String)> {
    let mut strings: Vec<(String, String)> = Vec::new();
    for line in source.lines() {
        let starts = line.starts_with(|first: char| first.is_ascii_lowercase());
        match line.split_once('=') {
            Some((id, text)) if starts => strings.push((id.trim().to_owned(), text.to_owned())),
            _ if line.starts_with(' ') => {
                let (_, text) = strings.last_mut().expect("a line that goes on");
                text.push_str(line);
            }
            _ => {}
        }
    }
    strings
}

/// What stands between `open` and `close`, each once.
fn between<'a>(text: &'a str, open: &str, close: char) -> BTreeSet<&'a str> {
    let pieces = text.split(open).skip(1);
    pieces
        .filter_map(|piece| piece.split(close).next())
        .map(str::trim)
        .collect()
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    let names = text.split('$').skip(1);
    names
        .filter_map(|rest| {
            rest.split(|next: char| !next.is_ascii_alphanumeric())
                .next()
        })
        .collect()
}

/// The files with this ending below a folder of the project.
fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path.extension().is_some_and(|has| has == ending) {
                found.push((path.clone(), fs::read_to_string(path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    walk(&folder, ending, &mut found);
    assert!(!found.is_empty(), "{}", folder.display());
    found
}

/// The code of the pages without comments and tests.
fn code() -> Vec<(PathBuf, String)> {
    let files = files("src/web/admin", "rs").into_iter();
    files
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .map(|(path, source)| {
            let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            (path, lines.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

/// The string literals of Rust code, each with what stands before it on its line and the line before.
fn literals(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = code;
    let mut before = String::new();
    while let Some(at) = rest.find(['"', '\'']) {
        let (head, tail) = rest.split_at(at);
        before.push_str(head);
        let quote = tail.as_bytes()[0];
        if quote == b'\'' {
            // A character such as '"', or a lifetime.
            let length = match tail.as_bytes() {
                [_, b'\\', _, b'\'', ..] => 4,
                [_, _, b'\'', ..] => 3,
                _ => 1,
            };
            before.push_str(&tail[..length]);
            rest = &tail[length..];
            continue;
        }
        let raw = before.ends_with("r#");
        let end = if raw {
            tail[1..].find("\"#").unwrap() + 1
        } else {
            let bytes = tail.as_bytes();
            let mut end = 1;
            while bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            end
        };
        let start = before.len().saturating_sub(160);
        let start = (start..before.len()).find(|at| before.is_char_boundary(*at));
        let context = before[start.unwrap_or(before.len())..].to_owned();
        found.push((context, tail[1..end].to_owned()));
        before.push_str(&tail[..=end]);
        rest = &tail[end + 1..];
    }
    found
}

#[test]
fn every_language_has_the_same_strings_with_the_same_places_and_tags() {
    let german = strings(GERMAN);
    let ids = |of: &[(String, String)]| of.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    let english = strings(ENGLISH);
    assert_eq!(ids(&english), ids(&german));
    assert_eq!(
        ids(&english).into_iter().collect::<BTreeSet<_>>().len(),
        english.len(),
        "an id is there twice"
    );
    for ((id, english), (_, german)) in english.iter().zip(&german) {
        assert_eq!(placeholders(english), placeholders(german), "{id}");
        assert_eq!(
            between(english, "<", '>'),
            between(german, "<", '>'),
            "{id}"
        );
    }
}

#[test]
fn every_string_can_be_read() {
    for (language, source) in [(Language::English, ENGLISH), (Language::German, GERMAN)] {
        assert!(
            FluentResource::try_new(source.to_owned()).is_ok(),
            "{language:?}"
        );
        for (id, _) in strings(source) {
            let message = language.catalog().get_message(&id);
            assert!(
                message.is_some_and(|message| message.value().is_some()),
                "{id}"
            );
        }
    }
}

fn is_kebab_case(text: &str) -> bool {
    let mut letters = text.chars();
    letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}

#[test]
fn every_string_that_is_named_is_there_and_every_other_one_is_gone() {
    let known: BTreeMap<String, String> = strings(ENGLISH).into_iter().collect();
    let areas: BTreeSet<&str> = known.keys().filter_map(|id| id.split('-').next()).collect();
    let mut named = BTreeSet::new();
    for (path, source) in files("templates/admin", "html")
        .into_iter()
        .chain(files("templates/components", "html"))
    {
        for piece in source
            .split("\"|t")
            .collect::<Vec<_>>()
            .split_last()
            .unwrap()
            .1
        {
            let id = piece.rsplit('"').next().unwrap();
            assert!(
                id.is_empty() || known.contains_key(id),
                "{}: {id}",
                path.display()
            );
            named.insert(id.to_owned());
        }
    }
    for (path, code) in code() {
        for (before, literal) in literals(&code) {
            let is_named = before.ends_with(" t(") || before.ends_with("(t(");
            // Ids stand in tables, too.
            let is_like_one = literal
                .split_once('-')
                .is_some_and(|(area, rest)| areas.contains(area) && is_kebab_case(rest));
            assert!(
                literal.is_empty() || known.contains_key(&literal) || !(is_named || is_like_one),
                "{}: {literal}",
                path.display()
            );
            named.insert(literal);
        }
    }
    let unused: Vec<&String> = known.keys().filter(|id| !named.contains(*id)).collect();
    assert!(
        unused.is_empty(),
        "in the catalogue, and on no page: {unused:?}"
    );
}

#[test]
fn strings_with_markup_are_written_as_such() {
    let with_markup: BTreeSet<String> = strings(ENGLISH)
        .into_iter()
        .filter(|(_, text)| text.contains('<'))
        .map(|(id, _)| id)
        .collect();
    for (path, source) in files("templates/admin", "html") {
        for expression in between(&source, "{{", '}') {
            let id = expression.split('"').nth(1).unwrap_or_default();
            assert!(
                !with_markup.contains(id) || expression.ends_with("|html"),
                "{}: {id}",
                path.display()
            );
        }
    }
}

/// What a template says by itself, without the catalogue.
fn own_words(template: &str) -> Vec<String> {
    let mut text = template.to_owned();
    for (open, close) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}")] {
        while let Some(start) = text.find(open) {
            let end = text[start..].find(close).unwrap() + start + close.len();
            // Strings that a macro is called with are words, unless the catalogue has them.
            let tag = &text[start..end];
            let mut words = String::new();
            if tag.contains(" call ") {
                let strings: Vec<&str> = tag.split('"').collect();
                for (index, piece) in strings.iter().enumerate() {
                    let is_string = index % 2 == 1;
                    let is_id = strings
                        .get(index + 1)
                        .is_some_and(|next| next.starts_with("|t"));
                    if is_string && !is_id && piece.starts_with(|c: char| c.is_uppercase()) {
                        words.push_str(piece);
                    }
                }
            }
            text.replace_range(start..end, &words);
        }
    }
    let mut found = Vec::new();
    for attribute in [
        "aria-label",
        "title",
        "placeholder",
        "alt",
        "data-l",
        "data-copy",
        "data-sort",
        "data-words",
    ] {
        for value in between(&text, &format!("{attribute}=\""), '"') {
            found.push(value.to_owned());
        }
    }
    while let Some(start) = text.find('<') {
        let end = text[start..].find('>').unwrap() + start + 1;
        text.replace_range(start..end, "\n");
    }
    found.extend(text.lines().map(|line| line.trim().to_owned()));
    found.retain(|words| words.contains(|c: char| c.is_alphabetic()));
    found
}

#[test]
fn no_words_stand_in_a_template() {
    assert_eq!(
        own_words("<p title=\"Hi\">{{ x }} and {% call ui::tag(\"warn\", \"Not set\") %}</p>"),
        ["Hi", "and Not set"]
    );
    // Names: of the product, of keys, of a file, of a setting.
    let allowed = [
        "Latchkey",
        "· Latchkey",
        "j",
        "k",
        "docs/PROVIDERS.md ·",
        "providers..",
    ];
    for (path, source) in files("templates/admin", "html")
        .into_iter()
        .chain(files("templates/components", "html"))
    {
        let mut words = own_words(&source);
        words.retain(|words| !allowed.contains(&words.as_str()));
        assert!(words.is_empty(), "{}: {words:?}", path.display());
    }
}

#[test]
fn no_words_stand_in_the_stylesheet() {
    let contents = between(
        include_str!("../../../../static/admin.css"),
        "content: \"",
        '"',
    );
    let words: Vec<&&str> = contents
        .iter()
        .filter(|content| content.contains(|c: char| c.is_alphabetic()))
        .collect();
    assert!(words.is_empty(), "{words:?}");
}

#[test]
fn no_sentence_stands_in_the_code_of_the_pages() {
    let mut found = Vec::new();
    // The JSON API speaks English.
    let pages = code().into_iter();
    for (path, code) in pages.filter(|(path, _)| !path.iter().any(|folder| folder == "api")) {
        for (before, literal) in literals(&code) {
            let line = before.rsplit('\n').next().unwrap();
            let is_for_others = ["#[error(", "tracing::", "reason =", "assert!(", "expect("]
                .iter()
                .any(|other| before.contains(other));
            let mut later_words = literal.split(' ').skip(1);
            let is_sentence = literal.starts_with(|first: char| first.is_uppercase())
                && later_words.any(|word| word.starts_with(|c: char| c.is_alphabetic()));
            let is_name = literal == "Mac OS X";
            if is_sentence && !is_for_others && !is_name {
                found.push(format!("{}: {line}\"{literal}\"", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_is_put_into_markup_is_escaped_and_the_markup_is_not() {
    let message = t("welcome-choose").with("email", "<i>&\"'");
    let mut html = String::new();
    message
        .write(&mut html, Language::English, Target::Html)
        .unwrap();

    assert_eq!(
        html,
        "Choose a password for <b>&#60;i&#62;&#38;&#34;&#39;</b>."
    );
    let nested = t("forward-title").with("provider", Message::verbatim("<Acme>"));
    let mut html = String::new();
    nested
        .write(&mut html, Language::English, Target::Html)
        .unwrap();
    assert_eq!(html, "On to &#60;Acme&#62;");
}

#[test]
fn a_language_has_its_own_plurals_and_separators() {
    let sessions = |count: u64, language| {
        t("settings-sessions-ended")
            .with("count", count)
            .text(language)
    };

    assert_eq!(
        sessions(0, Language::English),
        "There was no other session."
    );
    assert_eq!(
        sessions(1, Language::German),
        "Die andere Sitzung ist beendet."
    );
    assert_eq!(
        sessions(48_213, Language::English),
        "48,213 other sessions have ended."
    );
    assert_eq!(
        sessions(48_213, Language::German),
        "48.213 andere Sitzungen sind beendet."
    );
    for (number, english, german) in [
        (0, "0", "0"),
        (999, "999", "999"),
        (1_000, "1,000", "1.000"),
        (1_000_601, "1,000,601", "1.000.601"),
    ] {
        assert_eq!(Message::number(number).text(Language::English), english);
        assert_eq!(Message::number(number).text(Language::German), german);
    }
}

#[test]
fn a_browser_gets_the_language_that_it_wants_most() {
    let wanted = |accepted: &str| {
        let request = actix_web::test::TestRequest::default();
        let request = request.insert_header(("accept-language", accepted));
        Language::wanted_by(&request.to_http_request())
    };

    assert_eq!(wanted("de-AT,de;q=0.9,en;q=0.8"), Language::German);
    assert_eq!(wanted("fr,en;q=0.5,de;q=0.9"), Language::German);
    assert_eq!(wanted("en-GB,de;q=0.9"), Language::English);
    assert_eq!(wanted("fr, *;q=0.5"), Language::English);
    assert_eq!(wanted("not a language at all;;"), Language::English);
    let none = actix_web::test::TestRequest::default().to_http_request();
    assert_eq!(Language::wanted_by(&none), Language::English);
}
