//! Templates of addresses: the host is the operator's alone, every other value is percent-encoded.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

use super::jwks::Discovery;
use super::template::{
    Missing, Names, Needs, Part, Values, Var, compile_placeholder, needs_of, push_literal,
};

/// Everything but the unreserved characters (RFC 3986 §2.3).
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A compiled template of an address: `https`, or `http` on a loopback host.
#[derive(Debug, Clone)]
pub enum UrlTemplate {
    /// The same for every request.
    Fixed(Url),
    /// Put together per request; scheme and host stand in the first literal.
    Parts(UrlParts),
}

/// The pieces of an address that differs between requests.
#[derive(Debug, Clone)]
pub struct UrlParts {
    parts: Vec<Part>,
}

impl UrlTemplate {
    /// Compiles `text`.
    ///
    /// # Errors
    /// A clause for the operator: not `https`, a host that would come from an answer or a caller, an unknown name.
    pub fn compile(text: &str, names: &Names<'_>) -> Result<Self, String> {
        let parts = compile_parts(text, names)?;
        match parts.as_slice() {
            [Part::Literal(whole)] => Ok(Self::Fixed(checked_url(text, whole)?)),
            [Part::Value(Var::Discovery(_))] => Ok(Self::Parts(UrlParts { parts })),
            [Part::Literal(origin), ..] if authority_ended(origin) => {
                let sample: String = parts
                    .iter()
                    .map(|part| match part {
                        Part::Literal(literal) => literal.as_str(),
                        Part::Value(_) => "x",
                    })
                    .collect();
                checked_url(text, &sample)?;
                Ok(Self::Parts(UrlParts { parts }))
            }
            _ => Err(format!(
                "`{text}`: scheme and host may only hold `{{host}}` and params"
            )),
        }
    }

    /// What it needs when it is rendered.
    #[must_use]
    pub fn needs(&self) -> Needs {
        match self {
            Self::Fixed(_) => Needs::default(),
            Self::Parts(template) => needs_of(&template.parts),
        }
    }

    /// Whether `discovery` names the endpoint, where the address is a discovered one.
    #[must_use]
    pub fn is_discovered(&self, discovery: Option<&Discovery>) -> bool {
        let values = Values {
            discovery,
            ..Values::default()
        };
        match self {
            Self::Parts(template) => match template.parts.as_slice() {
                [Part::Value(var @ Var::Discovery(_))] => var.value(&values).is_ok(),
                _ => true,
            },
            Self::Fixed(_) => true,
        }
    }

    /// Scheme and host, with nothing behind them. `None` where only `discovery` could tell and does not.
    #[must_use]
    pub fn origin(&self, discovery: Option<&Discovery>) -> Option<Url> {
        let mut url = match self {
            Self::Fixed(url) => url.clone(),
            Self::Parts(template) => match template.parts.first()? {
                Part::Literal(origin) => Url::parse(origin).ok()?,
                Part::Value(var) => {
                    let values = Values {
                        discovery,
                        ..Values::default()
                    };
                    Url::parse(&var.value(&values).ok()?).ok()?
                }
            },
        };
        url.set_path("/");
        url.set_query(None);
        Some(url)
    }

    /// The address for `values`.
    ///
    /// # Errors
    /// [`Missing`] when a value is not there, or would lead to another path than the entry means.
    pub fn render(&self, values: &Values<'_>) -> Result<Url, Missing> {
        let parts = match self {
            Self::Fixed(url) => return Ok(url.clone()),
            Self::Parts(template) => template.parts.as_slice(),
        };
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Value(var @ Var::Discovery(_)) => text.push_str(&var.value(values)?),
                Part::Value(var) => text.extend(utf8_percent_encode(&var.value(values)?, VALUE)),
            }
        }
        if has_dot_segment(&text) {
            return Err(Missing("a value would change the path of a request"));
        }
        Url::parse(&text)
            .ok()
            .filter(is_safe)
            .ok_or(Missing("an address cannot be built"))
    }
}

fn compile_parts(text: &str, names: &Names<'_>) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (inner, after) = tail
            .split_once('}')
            .ok_or_else(|| format!("`{text}`: `{{` without `}}`"))?;
        push_literal(&mut parts, literal);
        let in_authority = match parts.as_slice() {
            [] => true,
            [Part::Literal(origin)] => !authority_ended(origin),
            _ => false,
        };
        let var =
            compile_placeholder(inner, names).map_err(|problem| format!("`{text}`: {problem}"))?;
        match var {
            Var::Text(origin) if parts.is_empty() && origin.contains("://") => {
                push_literal(&mut parts, origin.trim_end_matches('/'));
            }
            Var::Text(value) if in_authority => push_literal(&mut parts, host_part(text, &value)?),
            Var::Text(value) => {
                let encoded: Cow<'_, str> = utf8_percent_encode(&value, VALUE).into();
                push_literal(&mut parts, &encoded);
            }
            Var::Discovery(_) if !parts.is_empty() || !after.is_empty() => {
                return Err(format!(
                    "`{text}`: a discovered endpoint is the whole address"
                ));
            }
            var => parts.push(Part::Value(var)),
        }
        rest = after;
    }
    push_literal(&mut parts, rest);
    Ok(parts)
}

/// A value that may stand in the host: host name characters and a port, nothing that ends or splits the authority.
fn host_part<'v>(text: &str, value: &'v str) -> Result<&'v str, String> {
    let well_formed = value
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-' || b == b':');
    if well_formed {
        Ok(value)
    } else {
        Err(format!("`{text}`: `{value}` cannot stand in a host name"))
    }
}

/// Whether scheme and host are complete in `origin`.
fn authority_ended(origin: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .find_map(|scheme| origin.strip_prefix(scheme))
        .is_some_and(|rest| rest.contains(['/', '?']))
}

fn checked_url(text: &str, url: &str) -> Result<Url, String> {
    Url::parse(url)
        .ok()
        .filter(is_safe)
        .filter(|_| !has_dot_segment(url))
        .ok_or_else(|| format!("`{text}` is no `https://` address"))
}

/// `https`, or a developer's own server on this very machine.
fn is_safe(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
}

/// Whether the path has a segment `.` or `..`, which parsers resolve (RFC 3986 §5.2.4).
fn has_dot_segment(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.split(['/', '\\'])
        .any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::expression::{Scope, Source, Sources};
    use super::*;
    use crate::domain::json::Json;

    fn compile(text: &str, host: Option<&str>, tenant: &str) -> Result<UrlTemplate, String> {
        let params = BTreeMap::from([("tenant".to_owned(), tenant.to_owned())]);
        let requests = ["profile".to_owned()];
        UrlTemplate::compile(
            text,
            &Names {
                host,
                params: &params,
                scope: Scope {
                    requests: &requests,
                    main: Source::Answer(0),
                },
            },
        )
    }

    fn render(text: &str, token: &str) -> Result<String, Missing> {
        let answers = [Some(Json::Object(vec![(
            "id".to_owned(),
            Json::String(token.to_owned()),
        )]))];
        let values = Values {
            access_token: Some(token),
            sources: Sources {
                answers: &answers,
                ..Sources::default()
            },
            ..Values::default()
        };
        compile(text, None, "x")
            .unwrap()
            .render(&values)
            .map(|url| url.to_string())
    }

    #[test]
    fn hosts_and_params_are_filled_in_at_compile_time() {
        let url = compile(
            "https://{host}/realms/{tenant}/me",
            Some("id.example:8443"),
            "a b/c",
        );

        assert!(
            matches!(&url, Ok(UrlTemplate::Fixed(url)) if url.as_str() == "https://id.example:8443/realms/a%20b%2Fc/me"),
            "{url:?}"
        );
    }

    #[test]
    fn a_host_that_is_more_than_a_host_is_refused() {
        for host in [
            "",
            "evil@good",
            "good/evil",
            "a b",
            "good?x",
            "good#x",
            "http://good",
            "good:x",
            "gооd.example",
            "good\r\nX: y",
            "good\\evil",
            "-x",
        ] {
            assert!(
                compile("https://{host}/me", Some(host), "x").is_err(),
                "{host:?}"
            );
        }
        assert!(compile("https://{host}/me", None, "x").is_err());
        for tenant in ["a/b", "a@b", "a?b", "a%2fb", ""] {
            assert!(
                compile("https://{tenant}.example/me", None, tenant).is_err(),
                "{tenant:?}"
            );
        }
    }

    #[test]
    fn no_answer_or_caller_ever_chooses_the_host() {
        for text in [
            "https://{access_token}/me",
            "https://{profile:id}/me",
            "https://{profile:id}.example/me",
            "{profile:id}",
            "https://api{access_token}.example/me",
            "https://api.example{access_token}/me",
            "http://api.example/me",
            "https://user@api.example/me",
            "https://api.example/a/../{profile:id}",
            "{discovery.userinfo_endpoint}/x",
            "https://x/{discovery.userinfo_endpoint}",
            "{scheme}://x/",
        ] {
            assert!(compile(text, None, "x").is_err(), "{text}");
        }
    }

    #[test]
    fn values_cannot_leave_their_place_in_the_path_or_query() {
        let path = "https://api.example/users/{profile:id}/mail?t={access_token}";

        assert_eq!(
            render(path, "a/../b?c#d&e=\r\nf").unwrap(),
            "https://api.example/users/a%2F..%2Fb%3Fc%23d%26e%3D%0D%0Af/mail?t=a%2F..%2Fb%3Fc%23d%26e%3D%0D%0Af"
        );
        assert!(
            render(path, "%2e%2e%2f")
                .unwrap()
                .contains("%252e%252e%252f")
        );
        for dots in [".", ".."] {
            assert!(render(path, dots).is_err(), "{dots}");
        }
        assert!(render(path, "").is_err());
    }
}
