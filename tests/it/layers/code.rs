//! As much of Rust's grammar as the import test needs: tokens without comments and literals, and the paths among them.

/// A token, and the line it stands on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A path as it is written: `use crate::{a::B, c}` is `crate::a` and `crate::c` (the first two names of what follows a brace).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) names: Vec<String>,
    pub(super) line: usize,
}

/// The tokens of `text`: names, `::`, and single characters. Comments, texts and characters are left out.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let end = match skip_literal_or_comment(bytes, at) {
            Some(end) => end,
            None if is_name(bytes[at]) => {
                let end = at
                    + bytes[at..]
                        .iter()
                        .take_while(|byte| is_name(**byte))
                        .count();
                tokens.push(Token {
                    text: String::from_utf8_lossy(&bytes[at..end]).into_owned(),
                    line,
                });
                end
            }
            None => {
                let end = if bytes[at..].starts_with(b"::") {
                    at + 2
                } else {
                    at + 1
                };
                if !bytes[at].is_ascii_whitespace() {
                    tokens.push(Token {
                        text: String::from_utf8_lossy(&bytes[at..end]).into_owned(),
                        line,
                    });
                }
                end
            }
        };
        line += bytes[at..end].split(|byte| *byte == b'\n').count() - 1;
        at = end;
    }
    tokens
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Where the comment, text, character or lifetime that begins at `at` ends.
fn skip_literal_or_comment(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return Some(at + until(rest, b'\n'));
    }
    if rest.starts_with(b"/*") {
        return Some(at + block_comment(rest));
    }
    let prefixed = at > 0 && is_name(bytes[at - 1]);
    match rest[0] {
        b'"' => Some(at + quoted(rest, b'"')),
        b'r' | b'b' | b'c' if !prefixed => raw_text(rest).map(|length| at + length),
        b'\'' => Some(at + character(rest)),
        _ => None,
    }
}

fn until(rest: &[u8], byte: u8) -> usize {
    rest.iter().position(|b| *b == byte).unwrap_or(rest.len())
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The length of a text or character with its quotes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    rest.len().min(at + 1)
}

/// The length of `r"..."`, `br#"..."#` and the like.
fn raw_text(rest: &[u8]) -> Option<usize> {
    let letters = rest.iter().take_while(|byte| b"rbc".contains(byte)).count();
    let hashes = rest[letters..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    let body = letters + hashes;
    if rest.get(body) != Some(&b'"') || !rest[..letters].contains(&b'r') {
        return None;
    }
    let end = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let found = rest[body + 1..]
        .windows(end.len())
        .position(|window| window == end);
    Some(found.map_or(rest.len(), |found| body + 1 + found + end.len()))
}

/// The length of a character, or of the quote of a lifetime.
fn character(rest: &[u8]) -> usize {
    let is_lifetime = rest
        .get(1)
        .is_some_and(|byte| is_name(*byte) && byte.is_ascii())
        && rest.get(2) != Some(&b'\'');
    if is_lifetime { 1 } else { quoted(rest, b'\'') }
}

/// Every path of two names or more, in order.
pub(super) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let follows_path = at > 0 && tokens[at - 1].text == "::";
        let starts = is_path_name(&tokens[at].text) && !follows_path;
        if starts && text(tokens, at + 1) == "::" {
            at = read_path(tokens, at, &[], &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

fn is_path_name(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|byte| is_name(byte) && !byte.is_ascii_digit())
}

fn text(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| &token.text)
}

/// Reads the path at `at` below `prefix`, with the tree behind it. Gives where reading goes on.
fn read_path(tokens: &[Token], mut at: usize, prefix: &[String], paths: &mut Vec<Path>) -> usize {
    let mut names = prefix.to_vec();
    let line = tokens[at].line;
    while is_path_name(text(tokens, at)) {
        names.push(text(tokens, at).to_owned());
        at += 1;
        if text(tokens, at) != "::" {
            break;
        }
        at += 1;
    }
    if text(tokens, at) == "{" && at > 0 && tokens[at - 1].text == "::" {
        return read_tree(tokens, at + 1, &names, paths);
    }
    paths.push(Path { names, line });
    at
}

/// Reads `a, b::c, d::{e}}` below `prefix`.
fn read_tree(tokens: &[Token], mut at: usize, prefix: &[String], paths: &mut Vec<Path>) -> usize {
    while at < tokens.len() && text(tokens, at) != "}" {
        if is_path_name(text(tokens, at)) {
            at = read_path(tokens, at, prefix, paths);
            if text(tokens, at) == "as" {
                at += 2;
            }
        } else {
            at += 1;
        }
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str) -> Vec<String> {
        paths(&tokens(code))
            .iter()
            .map(|path| path.names.join("::"))
            .collect()
    }

    #[test]
    fn trees_are_unfolded() {
        let code =
            "use crate::{app::App, domain::{self, User as Person, ids::UserId}};\nuse super::x;";

        assert_eq!(
            found(code),
            [
                "crate::app::App",
                "crate::domain::self",
                "crate::domain::User",
                "crate::domain::ids::UserId",
                "super::x"
            ]
        );
        assert_eq!(paths(&tokens(code)).last().unwrap().line, 2);
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        let code = r##"
            //! [`crate::web`]
            /* a::b /* nested::comment */ c::d */
            const A: &str = "e::f \" g::h"; const B: &str = r#"i::j " k::l"#; const C: [char; 2] = ['"', '\''];
            fn f<'a>(x: &'a m::N) {}
        "##;

        assert_eq!(found(code), ["m::N"]);
        assert_eq!(paths(&tokens(code))[0].line, 5);
    }
}
