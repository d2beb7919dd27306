//! Templates: how a request is written.
//!
//! `{access_token}`, `{access_token_secret}`, `{client_id}`, `{client_secret}`, `{uid}` (only in `[revoke]`), `{host}`, `{<param>}`, `{discovery.<member>}`,
//! `{<request>:<path>}` for a value of another answer, `{hmac_sha256_hex(key, text)}` and `{md5_hex(a, b)}`. Filters of the
//! mapping language may follow: `{access_token|before_dot}`. Hosts and params come from the operator and are filled in when the
//! configuration is read; everything else is filled in per request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha2::{Digest, Sha256};

use super::expression::{Cursor, Expr, Filter, Scope, Source, Sources, Value, is_name};
use super::jwks::Discovery;

/// What placeholders mean where a template stands.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Value of `{host}`.
    pub host: Option<&'a str>,
    /// Other values that the operator sets.
    pub params: &'a BTreeMap<String, String>,
    /// The requests whose answers may be used.
    pub scope: Scope<'a>,
}

/// What a template needs when it is rendered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of independent facts, each asked for by name"
)]
pub struct Needs {
    /// The access token.
    pub access_token: bool,
    /// One of our client ids.
    pub client_id: bool,
    /// Its secret.
    pub client_secret: bool,
    /// The secret of a token pair.
    pub access_token_secret: bool,
    /// The discovery document.
    pub discovery: bool,
    /// Whether the caller's input is used.
    pub input: bool,
    /// The provider's id of the person.
    pub uid: bool,
    /// The requests whose answers are used.
    pub requests: Vec<usize>,
}

impl Needs {
    /// Adds what `other` needs.
    pub fn add(&mut self, other: &Self) {
        self.access_token |= other.access_token;
        self.client_id |= other.client_id;
        self.client_secret |= other.client_secret;
        self.access_token_secret |= other.access_token_secret;
        self.discovery |= other.discovery;
        self.input |= other.input;
        self.uid |= other.uid;
        for request in &other.requests {
            if !self.requests.contains(request) {
                self.requests.push(*request);
            }
        }
    }
}

/// A compiled template.
#[derive(Debug, Clone)]
pub struct Template {
    pub(super) parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Literal(String),
    Value(Var),
}

/// What a placeholder stands for at the time of a request.
#[derive(Debug, Clone)]
pub(super) enum Var {
    AccessToken,
    AccessTokenSecret,
    ClientId,
    ClientSecret,
    Uid,
    Discovery(Endpoint),
    Answer(Expr),
    Text(String),
    Filtered(Box<Var>, Vec<Filter>),
    HmacSha256Hex(Box<Var>, Box<Var>),
    Md5Hex(Vec<Var>),
}

/// A member of the discovery document that templates may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Authorization,
    Token,
    Userinfo,
    Introspection,
    Revocation,
}

/// What placeholders stand for in one hand-in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// The access token.
    pub access_token: Option<&'a str>,
    /// The secret of a token pair.
    pub access_token_secret: Option<&'a str>,
    /// The client id that we act as.
    pub client_id: Option<&'a str>,
    /// Its secret.
    pub client_secret: Option<&'a str>,
    /// The provider's id of the person, where it is known already.
    pub uid: Option<&'a str>,
    /// The discovery document.
    pub discovery: Option<&'a Discovery>,
    /// The answers so far.
    pub sources: Sources<'a>,
}

/// What a template lacks at the time of a request, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing(pub &'static str);

impl Template {
    /// Compiles `text`.
    ///
    /// # Errors
    /// A clause for the operator.
    pub fn compile(text: &str, names: &Names<'_>) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once('{') {
            let (inner, after) = tail
                .split_once('}')
                .ok_or_else(|| format!("`{text}`: `{{` without `}}`"))?;
            push_literal(&mut parts, literal);
            match compile_placeholder(inner, names)
                .map_err(|problem| format!("`{text}`: {problem}"))?
            {
                Var::Text(fixed) => push_literal(&mut parts, &fixed),
                var => parts.push(Part::Value(var)),
            }
            rest = after;
        }
        push_literal(&mut parts, rest);
        Ok(Self { parts })
    }

    /// What it needs when it is rendered.
    #[must_use]
    pub fn needs(&self) -> Needs {
        needs_of(&self.parts)
    }

    /// The text, if it is the same for every request.
    #[must_use]
    pub fn fixed(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The text for `values`.
    ///
    /// # Errors
    /// [`Missing`] when a value is not there.
    pub fn render<'a>(&'a self, values: &Values<'a>) -> Result<Cow<'a, str>, Missing> {
        match self.parts.as_slice() {
            [] => Ok(Cow::Borrowed("")),
            [Part::Literal(text)] => Ok(Cow::Borrowed(text)),
            [Part::Value(var)] => var.value(values),
            parts => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        Part::Value(var) => text.push_str(&var.value(values)?),
                    }
                }
                Ok(Cow::Owned(text))
            }
        }
    }
}

impl Var {
    pub(super) fn value<'a>(&'a self, values: &Values<'a>) -> Result<Cow<'a, str>, Missing> {
        let present = |value: Option<&'a str>, name| value.map(Cow::Borrowed).ok_or(Missing(name));
        match self {
            Self::AccessToken => present(values.access_token, "no access token"),
            Self::AccessTokenSecret => {
                present(values.access_token_secret, "no access token secret")
            }
            Self::ClientId => present(values.client_id, "no client id"),
            Self::ClientSecret => present(values.client_secret, "no client secret"),
            Self::Uid => present(values.uid, "no uid"),
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Discovery(endpoint) => {
                let document = values.discovery.ok_or(Missing("no discovery document"))?;
                let url = match endpoint {
                    Endpoint::Authorization => document.authorization_url.as_ref(),
                    Endpoint::Token => document.token_url.as_ref(),
                    Endpoint::Userinfo => document.userinfo_url.as_ref(),
                    Endpoint::Introspection => document.introspection_url.as_ref(),
                    Endpoint::Revocation => document.revocation_url.as_ref(),
                };
                present(
                    url.map(url::Url::as_str),
                    "the discovery document lacks an endpoint",
                )
            }
            Self::Answer(expr) => expr
                .eval(&values.sources)
                .and_then(Value::into_id)
                .filter(|text| !text.is_empty())
                .ok_or(Missing("an answer lacks what the next request needs")),
            Self::Filtered(var, filters) => {
                let value = Some(Value::Text(var.value(values)?));
                filters
                    .iter()
                    .fold(value, |value, filter| filter.apply(value))
                    .and_then(Value::into_text)
                    .ok_or(Missing("a filter left nothing"))
            }
            Self::HmacSha256Hex(key, text) => {
                let mac = hmac_sha256_hex(&key.value(values)?, &text.value(values)?);
                Ok(Cow::Owned(mac.ok_or(Missing("no key"))?))
            }
            Self::Md5Hex(vars) => {
                let mut hash = Md5::new();
                for var in vars {
                    hash.update(var.value(values)?.as_bytes());
                }
                Ok(Cow::Owned(hex::encode(hash.finalize())))
            }
        }
    }

    fn add_needs(&self, needs: &mut Needs) {
        match self {
            Self::Text(_) => {}
            Self::AccessToken => needs.access_token = true,
            Self::AccessTokenSecret => needs.access_token_secret = true,
            Self::ClientId => needs.client_id = true,
            Self::ClientSecret => needs.client_secret = true,
            Self::Uid => needs.uid = true,
            Self::Discovery(_) => needs.discovery = true,
            Self::Answer(expr) => expr.visit_sources(&mut |source| match source {
                Source::Answer(request) if !needs.requests.contains(&request) => {
                    needs.requests.push(request);
                }
                Source::Input => needs.input = true,
                _ => {}
            }),
            Self::Filtered(var, _) => var.add_needs(needs),
            Self::HmacSha256Hex(key, text) => {
                key.add_needs(needs);
                text.add_needs(needs);
            }
            Self::Md5Hex(vars) => vars.iter().for_each(|var| var.add_needs(needs)),
        }
    }
}

/// HMAC-SHA256 in lower-case hex (RFC 2104; Facebook's `appsecret_proof` among others).
#[must_use]
pub fn hmac_sha256_hex(key: &str, text: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// MD5 in lower-case hex, for providers that sign with nothing better.
#[must_use]
pub fn md5_hex(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

pub(super) fn needs_of(parts: &[Part]) -> Needs {
    let mut needs = Needs::default();
    for part in parts {
        if let Part::Value(var) = part {
            var.add_needs(&mut needs);
        }
    }
    needs
}

pub(super) fn push_literal(parts: &mut Vec<Part>, text: &str) {
    if text.is_empty() {
        return;
    }
    match parts.last_mut() {
        Some(Part::Literal(literal)) => literal.push_str(text),
        _ => parts.push(Part::Literal(text.to_owned())),
    }
}

pub(super) fn compile_placeholder(inner: &str, names: &Names<'_>) -> Result<Var, String> {
    let inner = inner.trim();
    for (function, arity) in [("hmac_sha256_hex(", Some(2)), ("md5_hex(", None)] {
        if let Some(arguments) = inner.strip_prefix(function) {
            let arguments = arguments
                .strip_suffix(')')
                .ok_or_else(|| "`(` without `)`".to_owned())?;
            let vars = arguments
                .split(',')
                .map(|argument| compile_placeholder(argument, names))
                .collect::<Result<Vec<_>, _>>()?;
            return call(arity, vars);
        }
    }
    if inner
        .split_once(':')
        .is_some_and(|(source, _)| is_name(source))
    {
        return Expr::compile(inner, &names.scope)
            .map(Var::Answer)
            .map_err(|error| error.to_string());
    }
    let (name, filters) = match inner.find('|') {
        Some(at) => inner.split_at(at),
        None => (inner, ""),
    };
    let filters = Cursor::new(filters)
        .filters()
        .map_err(|error| error.to_string())?;
    let var = compile_name(name, names)?;
    match (var, filters) {
        (var, filters) if filters.is_empty() => Ok(var),
        (Var::Text(text), filters) => filters
            .iter()
            .try_fold(Value::Text(Cow::Owned(text)), |value, filter| {
                filter.apply(Some(value))
            })
            .and_then(Value::into_text)
            .map(|text| Var::Text(text.into_owned()))
            .ok_or_else(|| format!("the filters of `{inner}` leave nothing")),
        (var, filters) => Ok(Var::Filtered(Box::new(var), filters)),
    }
}

fn call(arity: Option<usize>, vars: Vec<Var>) -> Result<Var, String> {
    let Some(_) = arity else {
        return Ok(Var::Md5Hex(vars));
    };
    match <[Var; 2]>::try_from(vars) {
        Ok([key, text]) => Ok(Var::HmacSha256Hex(Box::new(key), Box::new(text))),
        Err(_) => Err("`hmac_sha256_hex` takes a key and a text".to_owned()),
    }
}

fn compile_name(name: &str, names: &Names<'_>) -> Result<Var, String> {
    Ok(match name {
        "access_token" => Var::AccessToken,
        "access_token_secret" => Var::AccessTokenSecret,
        "client_id" => Var::ClientId,
        "client_secret" => Var::ClientSecret,
        "uid" => Var::Uid,
        "host" => Var::Text(checked_host(names.host)?.to_owned()),
        "discovery.authorization_endpoint" => Var::Discovery(Endpoint::Authorization),
        "discovery.token_endpoint" => Var::Discovery(Endpoint::Token),
        "discovery.userinfo_endpoint" => Var::Discovery(Endpoint::Userinfo),
        "discovery.introspection_endpoint" => Var::Discovery(Endpoint::Introspection),
        "discovery.revocation_endpoint" => Var::Discovery(Endpoint::Revocation),
        _ => match names.params.get(name) {
            Some(value) => Var::Text(checked_param(name, value)?.to_owned()),
            None => return Err(format!("nothing is called `{name}` here")),
        },
    })
}

/// `host` if it is a bare host name with or without a port: no scheme, path, user or blank.
pub(super) fn checked_host(host: Option<&str>) -> Result<&str, String> {
    let host = host
        .filter(|host| !host.is_empty())
        .ok_or_else(|| "`host` must be set".to_owned())?;
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let well_formed = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
        && !name.starts_with(['.', '-'])
        && port.parse::<u16>().is_ok();
    if well_formed {
        Ok(host)
    } else {
        Err(format!(
            "`{host}` is no host name; write it without scheme, user and path"
        ))
    }
}

fn checked_param<'a>(name: &str, value: &'a str) -> Result<&'a str, String> {
    if value.is_empty() {
        return Err(format!("`params.{name}` must be set"));
    }
    if value.chars().any(char::is_control) {
        return Err(format!("`params.{name}` contains a control character"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::json::Json;

    fn compile(text: &str) -> Result<Template, String> {
        let params = BTreeMap::from([
            ("tenant".to_owned(), "T1".to_owned()),
            ("empty".to_owned(), String::new()),
        ]);
        let requests = ["me".to_owned()];
        Template::compile(
            text,
            &Names {
                host: Some("id.example"),
                params: &params,
                scope: Scope {
                    requests: &requests,
                    main: Source::Answer(0),
                },
            },
        )
    }

    fn render(text: &str) -> Result<String, Missing> {
        let answers = [Json::parse(br#"{"id": 7, "half": 0.5, "none": null}"#).ok()];
        let values = Values {
            access_token: Some("Jefe.rest"),
            client_id: Some("id"),
            client_secret: Some("Jefe"),
            sources: Sources {
                answers: &answers,
                ..Sources::default()
            },
            ..Values::default()
        };
        compile(text).unwrap().render(&values).map(Cow::into_owned)
    }

    #[test]
    fn every_placeholder_is_filled_in() {
        let table = [
            ("", ""),
            ("plain {host} {tenant|lower}", "plain id.example t1"),
            ("{client_id}|{client_secret}", "id|Jefe"),
            ("{access_token|before_dot}", "Jefe"),
            ("u{me:id}", "u7"),
        ];
        for (text, expected) in table {
            assert_eq!(render(text).as_deref(), Ok(expected), "{text}");
        }
        // RFC 1321 appendix A.5.
        assert_eq!(
            md5_hex("message digest"),
            "f96b697d7cb7938d525a2f31aaf161d0"
        );
        assert_eq!(
            render("{md5_hex(client_secret, tenant)}"),
            Ok(md5_hex("JefeT1"))
        );
        // RFC 4231 §4.3.
        assert_eq!(
            hmac_sha256_hex("Jefe", "what do ya want for nothing?").as_deref(),
            Some("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        );
        assert_eq!(
            render("{hmac_sha256_hex(client_secret, access_token)}").ok(),
            hmac_sha256_hex("Jefe", "Jefe.rest")
        );
    }

    #[test]
    fn what_is_not_there_is_missing_and_never_empty() {
        for text in [
            "{me:none}",
            "{me:half}",
            "{me:absent}",
            "{access_token_secret}",
            "{discovery.token_endpoint}",
        ] {
            assert!(render(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_name_or_an_unset_param_is_refused() {
        for text in [
            "{nobody}",
            "{empty}",
            "{them:id}",
            "{access_token|shout}",
            "{hmac_sha256_hex(client_secret)}",
            "{md5_hex(nobody)}",
            "{md5_hex(client_id}",
            "{discovery.jwks_uri}",
            "{open",
            "{}",
        ] {
            assert!(compile(text).is_err(), "{text}");
        }
    }

    #[test]
    fn needs_are_those_of_every_part() {
        let needs = compile("{client_id}{md5_hex(access_token, client_secret)}{me:id}")
            .unwrap()
            .needs();

        let expected = Needs {
            access_token: true,
            client_id: true,
            client_secret: true,
            requests: vec![0],
            ..Needs::default()
        };
        assert_eq!(needs, expected);
    }
}
