//! What somebody typed into the search box, and what a user is found by.

use deunicode::deunicode;

use super::{ProviderId, Uid, UserId};

/// Shortest text that is looked for inside names and addresses, in characters: search works on groups of three.
pub const SHORTEST_NEEDLE: usize = 3;
/// Longest text that is searched for, in characters. What is longer is taken for an access token.
const LONGEST_QUERY: usize = 120;
/// How access tokens of known providers begin, and how long one is at least.
const TOKEN_BEGINNINGS: &[(&str, usize)] = &[
    ("eyJ", 24),
    ("ya29.", 10),
    ("1//0", 10),
    ("EAA", 24),
    ("IGA", 24),
    ("IGQ", 24),
    ("gho_", 8),
    ("ghp_", 8),
    ("ghu_", 8),
    ("ghs_", 8),
    ("ghr_", 8),
    ("github_pat_", 12),
    ("glpat-", 10),
    ("gloas-", 10),
    ("xoxb-", 8),
    ("xoxp-", 8),
    ("xoxe", 8),
    ("Bearer ", 8),
    ("bearer ", 8),
];

/// The text looks like an access token and is neither searched nor kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text looks like an access token")]
pub struct LooksLikeToken;

/// A search, read every way that it can be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// A user's id.
    pub user_id: Option<UserId>,
    /// An address, in lower case.
    pub email: Option<String>,
    /// A user name, in lower-case ASCII.
    pub username: Option<String>,
    /// A uid, of any provider.
    pub uid: Option<Uid>,
    /// A uid of one provider, where the text is `provider:uid`.
    pub provider_uid: Option<(ProviderId, Uid)>,
    /// What to look for inside names and addresses, in lower case; `None` if the text is too short.
    pub needle: Option<String>,
}

impl Search {
    /// Reads what was typed. `None` if it is blank.
    ///
    /// # Errors
    /// [`LooksLikeToken`], so that no token is ever searched for, logged or shown.
    pub fn parse(typed: &str) -> Result<Option<Self>, LooksLikeToken> {
        let text: String = typed.trim().chars().filter(|c| !c.is_control()).collect();
        if looks_like_token(&text) {
            return Err(LooksLikeToken);
        }
        if text.is_empty() {
            return Ok(None);
        }
        let lower = text.to_lowercase();
        let is_name = text.is_ascii() && !text.contains([' ', '@']);
        Ok(Some(Self {
            user_id: text.parse().ok().filter(|id| *id > 0).map(UserId),
            email: text.contains('@').then(|| lower.clone()),
            username: is_name.then(|| text.to_ascii_lowercase()),
            uid: Uid::parse(&text),
            provider_uid: text.split_once(':').and_then(|(provider, uid)| {
                Some((
                    ProviderId::parse(&provider.trim().to_ascii_lowercase())?,
                    Uid::parse(uid.trim())?,
                ))
            }),
            needle: (lower.chars().count() >= SHORTEST_NEEDLE).then_some(lower),
        }))
    }
}

fn looks_like_token(text: &str) -> bool {
    let is_compact_jws = || {
        let mut parts = text.split('.');
        let are_long = parts.clone().all(|part| part.len() >= 8);
        are_long
            && parts.clone().count() == 3
            && parts.all(|part| {
                part.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            })
            && text.starts_with("ey")
    };
    text.chars().count() > LONGEST_QUERY
        || is_compact_jws()
        || TOKEN_BEGINNINGS
            .iter()
            .any(|(beginning, shortest)| text.starts_with(beginning) && text.len() >= *shortest)
}

/// What a user is found by, in lower case: user name, address, name, and the name in ASCII where it is written otherwise.
#[must_use]
pub fn searchable_text(
    username: &str,
    email: Option<&str>,
    first_name: &str,
    last_name: &str,
) -> String {
    let name = format!("{first_name} {last_name}").to_lowercase();
    let mut text = username.to_lowercase();
    for part in [
        email.unwrap_or_default().to_lowercase(),
        name.trim().to_owned(),
    ] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&part);
        }
    }
    if !name.is_ascii() {
        text.push('\n');
        text.push_str(deunicode(&name).to_lowercase().trim());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> Search {
        Search::parse(typed).unwrap().unwrap()
    }

    #[test]
    fn a_number_can_be_a_user_or_a_uid_or_part_of_a_name() {
        let search = parse(" 48211 ");

        assert_eq!(search.user_id, Some(UserId(48_211)));
        assert_eq!(search.uid.unwrap().as_str(), "48211");
        assert_eq!(search.needle.unwrap(), "48211");
        assert_eq!(search.email, None);
    }

    #[test]
    fn addresses_and_user_names_are_compared_in_lower_case_and_uids_are_not() {
        assert_eq!(parse("Ada@Example.org").email.unwrap(), "ada@example.org");
        assert_eq!(parse("Ada").username.unwrap(), "ada");
        assert_eq!(parse("AbC").uid.unwrap().as_str(), "AbC");
    }

    #[test]
    fn a_provider_before_a_colon_narrows_the_uid() {
        let (provider, uid) = parse("Instagram:17841400").provider_uid.unwrap();

        assert_eq!((provider.as_str(), uid.as_str()), ("instagram", "17841400"));
        assert_eq!(parse("not a provider:1").provider_uid, None);
    }

    #[test]
    fn two_characters_are_too_few_to_look_for() {
        assert_eq!(parse("ad").needle, None);
        assert_eq!(parse("王伟明").needle.unwrap(), "王伟明");
        assert_eq!(Search::parse(" \u{0} ").unwrap(), None);
    }

    #[test]
    fn what_looks_like_an_access_token_is_refused() {
        for token in [
            "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
            "EAAGm0PX4ZCpsBAKZCfakefakefakefake",
            "ya29.a0fakefakefake",
            "gho_fakefakefakefake",
            "Bearer abcdef",
            &"x".repeat(121),
        ] {
            assert_eq!(Search::parse(token), Err(LooksLikeToken), "{token}");
        }
        for name in ["eyJa", "Eaadn", "ghosh", "a.b.c", "eyre.jane.example"] {
            assert!(Search::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_name_in_another_script_is_found_by_its_spelling_in_ascii() {
        let text = searchable_text("ada", Some("Ada@Example.org"), "Søren", "Дмитрий");

        assert!(text.contains("ada@example.org") && text.contains("søren"));
        assert!(text.contains("soren dmitri"), "{text}");
        assert_eq!(searchable_text("Ada", None, "", ""), "ada");
    }
}
