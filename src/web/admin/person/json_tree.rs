//! Provider data as a tree: keys sorted, kinds coloured, and nothing of a secret but its length.

use serde_json::{Map, Value};

use super::super::text::{Message, t};
use crate::domain::extra_data::is_secret_name;
use crate::storage::sealing::sealed_chars;

/// How deep a tree is shown; deeper ones are cut, and no provider has them.
const DEPTH: usize = 16;

/// A piece of the text; the template escapes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// What is stored.
    Data {
        /// The class of the stylesheet: key, number, or "" for the rest.
        class: &'static str,
        /// The text.
        text: String,
    },
    /// What stands in place of a value that is not shown.
    Note(Message),
}

/// The tree of a stored object.
#[must_use]
pub fn tree(value: &Value) -> Vec<Token> {
    let mut tokens = Vec::new();
    write(&mut tokens, value, 0);
    tokens
}

fn push(tokens: &mut Vec<Token>, class: &'static str, text: impl Into<String>) {
    let text = text.into();
    match tokens.last_mut() {
        Some(Token::Data {
            class: last,
            text: before,
        }) if *last == class => before.push_str(&text),
        _ => tokens.push(Token::Data { class, text }),
    }
}

fn write(tokens: &mut Vec<Token>, value: &Value, depth: usize) {
    if depth > DEPTH {
        return tokens.push(Token::Note(t("person-data-too-deep")));
    }
    match value {
        Value::Object(members) if !members.is_empty() => write_object(tokens, members, depth),
        Value::Array(items) if !items.is_empty() => {
            push(tokens, "", "[");
            for (index, item) in items.iter().enumerate() {
                new_line(tokens, depth + 1, index > 0);
                write(tokens, item, depth + 1);
            }
            new_line(tokens, depth, false);
            push(tokens, "", "]");
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => push(tokens, "n", value.to_string()),
        Value::String(_) | Value::Object(_) | Value::Array(_) => {
            push(tokens, "", value.to_string());
        }
    }
}

fn write_object(tokens: &mut Vec<Token>, members: &Map<String, Value>, depth: usize) {
    push(tokens, "", "{");
    let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        new_line(tokens, depth + 1, index > 0);
        push(tokens, "k", Value::from(name.as_str()).to_string());
        push(tokens, "", ": ");
        if let Some(chars) = sealed_chars(value) {
            tokens.push(Token::Note(
                t("person-data-sealed-value").with("count", chars),
            ));
        } else if is_secret_name(name) {
            tokens.push(Token::Note(hidden(value)));
        } else {
            write(tokens, value, depth + 1);
        }
    }
    new_line(tokens, depth, false);
    push(tokens, "", "}");
}

/// What may be a secret and is not sealed, such as an import from elsewhere.
fn hidden(value: &Value) -> Message {
    match value {
        Value::Null => Message::verbatim("null"),
        Value::String(text) => t("person-data-hidden-text").with("count", text.chars().count()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            t("person-data-hidden")
        }
    }
}

fn new_line(tokens: &mut Vec<Token>, depth: usize, after_another: bool) {
    let comma = if after_another { "," } else { "" };
    push(tokens, "", format!("{comma}\n{}", "  ".repeat(depth)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{ExtraData, ProviderId, Secret, Uid};
    use crate::storage::sealing::Sealer;

    fn text(value: &Value) -> String {
        let tokens = tree(value).into_iter();
        let texts = tokens.map(|token| match token {
            Token::Data { text, .. } => text,
            Token::Note(note) => note.to_string(),
        });
        texts.collect()
    }

    #[test]
    fn keys_are_sorted_and_kinds_have_their_class() {
        let value = json!({ "b": [1, true], "a": "x<y", "c": {}, "d": null });

        assert_eq!(
            text(&value),
            "{\n  \"a\": \"x<y\",\n  \"b\": [\n    1,\n    true\n  ],\n  \"c\": {},\n  \"d\": null\n}"
        );
        let has = |wanted| {
            let mut tokens = tree(&value).into_iter();
            tokens.any(|token| matches!(token, Token::Data { class, .. } if class == wanted))
        };
        assert!(has("k") && has("n"));
    }

    #[test]
    fn a_secret_shows_its_length_and_no_character() {
        let mut extra_data = ExtraData::default();
        extra_data.put_secret("access_token", Some(Secret::new("canary-0123456789")));
        extra_data.put("login", "ada");
        let sealed = Sealer::new([(1, [7; 32])])
            .unwrap()
            .seal_extra_data(
                &extra_data,
                &ProviderId::parse("github").unwrap(),
                &Uid::parse("1").unwrap(),
            )
            .unwrap();

        let shown = text(&sealed);

        assert_eq!(
            shown,
            "{\n  \"access_token\": sealed, 17 characters,\n  \"login\": \"ada\"\n}"
        );
    }

    #[test]
    fn what_may_be_a_secret_is_hidden_wherever_it_stands() {
        let value = json!({ "nested": [{ "id_token": "canary-0", "Client_Secret": ["canary-1"], "token_type": "bearer" }] });

        let shown = text(&value);

        assert!(!shown.contains("canary"), "{shown}");
        assert!(
            shown.contains("hidden, 8 characters") && shown.contains("\"bearer\""),
            "{shown}"
        );
    }
}
