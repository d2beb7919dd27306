//! The query of a list's address: known parameters only, each once, and new addresses made from it.

use crate::web::admin::error::AdminError;
use crate::web::admin::text::{Message, t};
use crate::web::error::Error;

/// Parameters that say how a list is shown and not what is in it.
const NOT_FILTERS: &[&str] = &["sort", "dir", "cursor", "rows", "as", "format"];

/// The parameters of an address, in the order in which the list names them.
#[derive(Debug, Clone)]
pub(in crate::web::admin) struct ListQuery {
    pub(in crate::web::admin) path: &'static str,
    names: &'static [&'static str],
    pairs: Vec<(&'static str, String)>,
}

/// What is wrong with a query, as a sentence. It may quote the request, so it is not logged.
#[derive(Debug, PartialEq)]
pub(in crate::web::admin) struct BadQuery(pub(in crate::web::admin) Message);

impl From<BadQuery> for AdminError {
    fn from(bad: BadQuery) -> Self {
        Self::InvalidRequest(bad.0)
    }
}

impl From<BadQuery> for Error {
    fn from(bad: BadQuery) -> Self {
        Self::Quoted(bad.0.to_string())
    }
}

/// A parameter's value does not fit, as the sentence says of it.
pub(in crate::web::admin) fn refused(name: &str, sentence: Message) -> BadQuery {
    BadQuery(sentence.with("name", name))
}

/// A parameter has none of the values that it may have.
pub(in crate::web::admin) fn not_one_of<T>(name: &str, choices: &[(&'static str, T)]) -> BadQuery {
    let values = choices.iter().map(|(value, _)| Message::verbatim(*value));
    let joined = values.reduce(|first, next| t("query-or").with("first", first).with("next", next));
    let sentence = t("query-not-one-of").with("name", name);
    BadQuery(sentence.with("values", joined.unwrap_or_else(|| Message::verbatim(""))))
}

impl ListQuery {
    /// Reads a query string. Empty values count as absent: forms send them.
    pub(in crate::web::admin) fn parse(
        path: &'static str,
        names: &'static [&'static str],
        text: &str,
    ) -> Result<Self, BadQuery> {
        let mut unknown = Vec::new();
        let mut pairs: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let Some(known) = names.iter().find(|known| **known == name) else {
                unknown.push(name.chars().take(40).collect::<String>());
                continue;
            };
            let value = value.trim();
            if value.is_empty()
                || pairs
                    .iter()
                    .any(|(name, old)| name == known && old == value)
            {
                continue;
            }
            if *known != "provider" && pairs.iter().any(|(name, _)| name == known) {
                return Err(refused(known, t("query-twice")));
            }
            pairs.push((known, value.to_owned()));
        }
        if !unknown.is_empty() {
            let id = if names.is_empty() {
                "query-unknown-of-none"
            } else {
                "query-unknown"
            };
            let sentence = t(id)
                .with("unknown", unknown.join(", "))
                .with("known", names.join(", "));
            return Err(BadQuery(sentence));
        }
        let place = |name: &str| names.iter().position(|known| *known == name);
        pairs.sort_by_key(|(name, _)| place(name));
        Ok(Self { path, names, pairs })
    }

    /// The value of a parameter.
    pub(in crate::web::admin) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a parameter.
    pub(in crate::web::admin) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs
            .iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that has one of a few.
    pub(in crate::web::admin) fn one_of<T: Copy>(
        &self,
        name: &str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, BadQuery> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let chosen = choices.iter().find(|(value, _)| *value == text);
        chosen
            .map(|(_, value)| Some(*value))
            .ok_or_else(|| not_one_of(name, choices))
    }

    fn address(path: &str, pairs: &[(&str, &str)]) -> String {
        if pairs.is_empty() {
            return path.to_owned();
        }
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        format!("{path}?{query}")
    }

    fn kept(&self, dropped: &[&str]) -> Vec<(&str, &str)> {
        self.pairs
            .iter()
            .filter(|(name, _)| !dropped.contains(name) && *name != "cursor")
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }

    /// The same list with these parameters set, from its beginning.
    pub(in crate::web::admin) fn with(&self, set: &[(&'static str, &str)]) -> String {
        let names: Vec<&str> = set.iter().map(|(name, _)| *name).collect();
        let mut pairs = self.kept(&names);
        pairs.extend(set.iter().copied());
        let place = |name: &str| self.names.iter().position(|known| *known == name);
        pairs.sort_by_key(|(name, _)| place(name));
        Self::address(self.path, &pairs)
    }

    /// The same list without these parameters.
    pub(in crate::web::admin) fn without(&self, names: &[&str]) -> String {
        Self::address(self.path, &self.kept(names))
    }

    /// The parameters that a form which sets `names` carries along.
    pub(in crate::web::admin) fn carried(&self, names: &[&str]) -> Vec<(String, String)> {
        self.kept(names)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Whether anything is filtered or searched for.
    pub(in crate::web::admin) fn is_filtered(&self) -> bool {
        !self.filters().is_empty()
    }

    /// The filters alone, as a query string: what tells one view from another.
    pub(in crate::web::admin) fn filters(&self) -> String {
        let pairs = self.kept(NOT_FILTERS);
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }

    /// What a cursor belongs to: list, filters and order.
    pub(in crate::web::admin) fn fingerprint(&self) -> String {
        Self::address(self.path, &self.kept(&["cursor", "rows", "as", "format"]))
    }

    /// The forms in which this list can be exported, each in words and with its address.
    pub(in crate::web::admin) fn exports(&self) -> [(Message, String); 2] {
        [
            (t("list-export-csv"), self.export("csv")),
            (t("list-export-ndjson"), self.export("ndjson")),
        ]
    }

    fn export(&self, format: &str) -> String {
        let mut pairs = self.kept(&["cursor", "rows", "as", "format"]);
        pairs.push(("format", format));
        Self::address(&format!("{}/export", self.path), &pairs)
    }

    /// The filters for the audit log. What somebody searched for is not written down.
    pub(in crate::web::admin) fn for_audit(&self) -> serde_json::Value {
        let mut members = serde_json::Map::new();
        for (name, value) in self.kept(&["cursor", "rows", "as", "format"]) {
            let value = if name == "q" { "not recorded" } else { value };
            match members
                .get_mut(name)
                .and_then(serde_json::Value::as_array_mut)
            {
                Some(values) => values.push(value.into()),
                None if name == "provider" => {
                    members.insert(name.to_owned(), vec![value].into());
                }
                None => {
                    members.insert(name.to_owned(), value.into());
                }
            }
        }
        members.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["q", "provider", "status", "sort", "dir", "cursor", "rows"];

    fn parse(text: &str) -> Result<ListQuery, BadQuery> {
        ListQuery::parse("/admin/users", NAMES, text)
    }

    #[test]
    fn an_unknown_parameter_is_refused_by_name() {
        let BadQuery(sentence) = parse("status=active&colour=red").unwrap_err();

        assert_eq!(
            sentence.to_string(),
            "This address does not know the parameter colour. It knows q, provider, status, sort, dir, cursor, rows."
        );
    }

    #[test]
    fn a_link_changes_one_parameter_and_begins_at_the_beginning() {
        let query = parse("rows=25&provider=google&provider=apple&cursor=abc&status=").unwrap();

        assert_eq!(
            query.with(&[("status", "inactive")]),
            "/admin/users?provider=google&provider=apple&status=inactive&rows=25"
        );
        assert_eq!(query.without(&["provider"]), "/admin/users?rows=25");
        assert_eq!(query.filters(), "provider=google&provider=apple");
        assert!(query.is_filtered());
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_with_those_that_do() {
        let query = parse("dir=up").unwrap();
        let refused = query.one_of("dir", &[("asc", ()), ("desc", ()), ("none", ())]);

        let BadQuery(sentence) = refused.unwrap_err();
        assert_eq!(
            sentence.to_string(),
            "The parameter dir is asc or desc or none."
        );
        let BadQuery(sentence) = parse("dir=asc&dir=desc").unwrap_err();
        assert_eq!(sentence.to_string(), "The parameter dir is there twice.");
    }

    #[test]
    fn the_order_of_parameters_does_not_matter_to_a_cursor() {
        let one = parse("status=active&provider=google&sort=email").unwrap();
        let other = parse("rows=100&sort=email&provider=google&status=active").unwrap();

        assert_eq!(one.fingerprint(), other.fingerprint());
        assert_ne!(
            one.fingerprint(),
            parse("provider=google").unwrap().fingerprint()
        );
    }

    #[test]
    fn what_was_searched_for_is_not_for_the_audit_log() {
        let query = parse("q=ada%40example.org&provider=google").unwrap();

        assert_eq!(
            query.for_audit(),
            serde_json::json!({"q": "not recorded", "provider": ["google"]})
        );
        assert!(parse("status=active&status=inactive").is_err());
    }
}
