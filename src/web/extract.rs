//! Extractors: who calls, from where, and a body whose every failure has our shape.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{BytesMut, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;

use super::ServerContext;
use super::error::Error;
use super::observe::RequestId;
use crate::app::App;
use crate::domain::json::Json;
use crate::domain::tokens::BearerRefused;
use crate::domain::{RequestContext, plain_user_agent};
use crate::flows::{Bearer, recognise_bearer};

/// Largest body, in bytes.
pub(super) const BODY_MAX_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Error>>>>;

/// The caller: anonymous, or a user with a live session. An `Authorization` header that is unusable in any way is refused, since
/// an expired session must never turn into a second user.
pub struct Caller(pub Option<Bearer>);

impl FromRequest for Caller {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>().cloned();
        let token = bearer_token(request);
        Box::pin(async move {
            let app = app.ok_or(Error::NotFound)?;
            match token? {
                None => Ok(Self(None)),
                Some(token) => Ok(Self(Some(recognise_bearer(&app, &token).await?))),
            }
        })
    }
}

/// A caller who must be a user.
pub struct SignedIn(pub Bearer);

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload);
        Box::pin(async move { caller.await?.0.map(Self).ok_or(Error::BearerMissing) })
    }
}

/// The token of the only `Authorization: Bearer` header (RFC 6750 §2.1), if there is any such header.
pub(super) fn bearer_token(request: &HttpRequest) -> Result<Option<String>, Error> {
    const REFUSED: Error = Error::InvalidBearer(BearerRefused::Malformed);
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(REFUSED);
    }
    let Ok(value) = value.to_str() else {
        return Err(REFUSED);
    };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            Ok(Some(token.to_owned()))
        }
        _ => Err(REFUSED),
    }
}

/// Where a request came from.
pub struct Context(pub RequestContext);

impl FromRequest for Context {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Self(Self::of(request))))
    }
}

impl Context {
    /// Where this request came from.
    #[must_use]
    pub fn of(request: &HttpRequest) -> RequestContext {
        let request_id = request
            .extensions()
            .get::<RequestId>()
            .map(|id| id.0.clone());
        RequestContext {
            request_id: request_id.unwrap_or_default(),
            address: client_address(request),
            user_agent: request
                .headers()
                .get(header::USER_AGENT)
                .and_then(|value| plain_user_agent(value.as_bytes())),
        }
    }
}

/// The client's address: the peer, or what the outermost of the trusted proxies saw.
///
/// With `trusted_proxies = n` the n-th entry of `X-Forwarded-For` from the right counts; whatever stands left of it was written by
/// the client and means nothing.
#[must_use]
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|address| address.ip());
    let trusted_proxies = request
        .app_data::<Data<ServerContext>>()
        .map_or(0, |context| context.trusted_proxies);
    let forwarded = (trusted_proxies > 0).then(|| {
        let entries: Vec<&str> = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        entries
            .iter()
            .rev()
            .nth(trusted_proxies - 1)
            .and_then(|entry| entry.parse().ok())
    });
    forwarded
        .flatten()
        .or(peer)
        .map(|address| address.to_canonical())
}

/// The members of a JSON object or a form.
pub struct Members(Json);

impl FromRequest for Members {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let content_type = request.content_type().to_ascii_lowercase();
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let payload = payload.take();
        Box::pin(async move {
            let is_form = match content_type.as_str() {
                "application/json" => false,
                "application/x-www-form-urlencoded" => true,
                _ => return Err(Error::UnsupportedMediaType),
            };
            if announced.is_some_and(|length| length > BODY_MAX_BYTES) {
                return Err(Error::BodyTooLarge);
            }
            let Ok(body) =
                tokio::time::timeout(BODY_TIMEOUT, read_body(payload, BODY_MAX_BYTES)).await
            else {
                return Err(Error::BodyTooSlow);
            };
            if is_form {
                Self::from_form(&body?)
            } else {
                Self::from_json(&body?)
            }
        })
    }
}

pub(super) async fn read_body(mut payload: Payload, max_bytes: usize) -> Result<BytesMut, Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let Ok(chunk) = chunk else {
            return Err(Error::InvalidRequest("The body broke off".into()));
        };
        if body.len() + chunk.len() > max_bytes {
            return Err(Error::BodyTooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl Members {
    fn from_json(body: &[u8]) -> Result<Self, Error> {
        match Json::parse(body) {
            Ok(object @ Json::Object(_)) => Ok(Self(object)),
            Ok(_) => Err(Error::InvalidRequest(
                "The body must be a JSON object".into(),
            )),
            Err(why) => Err(Error::InvalidRequest(
                format!("The body is not usable JSON: {why}").into(),
            )),
        }
    }

    /// A form's pairs; `profile[first_name]=Ada` stands for a member of a member.
    fn from_form(body: &[u8]) -> Result<Self, Error> {
        if std::str::from_utf8(body).is_err() {
            return Err(Error::InvalidRequest("The form is not UTF-8".into()));
        }
        let mut members: Vec<(String, Json)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            if value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(Error::InvalidRequest("The form is not UTF-8".into()));
            }
            let value = Json::String(value.into_owned());
            let (outer, inner) = match name.strip_suffix(']').and_then(|name| name.split_once('['))
            {
                Some((outer, inner)) => (outer.to_owned(), Some(inner.to_owned())),
                None => (name.into_owned(), None),
            };
            let at = members.iter().position(|(name, _)| *name == outer);
            match (at.and_then(|at| members.get_mut(at)), inner) {
                (None, None) => members.push((outer, value)),
                (None, Some(inner)) => members.push((outer, Json::Object(vec![(inner, value)]))),
                (Some((_, Json::Object(object))), Some(inner))
                    if object.iter().all(|(name, _)| *name != inner) =>
                {
                    object.push((inner, value));
                }
                (Some(_), _) => {
                    return Err(Error::InvalidRequest(
                        "The form names a member twice".into(),
                    ));
                }
            }
        }
        Ok(Self(Json::Object(members)))
    }

    /// No members at all.
    #[must_use]
    pub const fn none() -> Self {
        Self(Json::Object(Vec::new()))
    }

    /// Refuses members that are not among `names`.
    ///
    /// # Errors
    /// When there is one; the sentence names it and those that there are.
    pub fn refuse_others(&self, names: &[&str]) -> Result<(), Error> {
        let Json::Object(members) = &self.0 else {
            return Ok(());
        };
        let is_known = |name: &str| names.contains(&name);
        let Some((name, _)) = members.iter().find(|(name, _)| !is_known(name)) else {
            return Ok(());
        };
        let name: String = name.chars().take(40).collect();
        let known = if names.is_empty() {
            "there are none".to_owned()
        } else {
            format!("there are: {}", names.join(", "))
        };
        Err(Error::Quoted(format!("{name}: is not known here; {known}")))
    }

    /// The truth value called `name`, `true` or `false`, which forms write as a text; false when it is absent or null.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.0.get(name) {
            None | Some(Json::Null | Json::Bool(false)) => Ok(false),
            Some(Json::Bool(true)) => Ok(true),
            Some(Json::String(text)) if text == "true" => Ok(true),
            Some(Json::String(text)) if text == "false" => Ok(false),
            Some(_) => Err(Error::member(name, "must be true or false")),
        }
    }

    /// Whether there is anything but null under this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        !matches!(self.0.get(name), None | Some(Json::Null))
    }

    /// The text called `name`; `None` when it is absent or null.
    ///
    /// # Errors
    /// When it is not a text, is empty, has a control character or is longer than `max_bytes`.
    pub fn text(&self, name: &str, max_bytes: usize) -> Result<Option<String>, Error> {
        text_of(self.0.get(name), name, max_bytes)
    }

    /// The text `inner` of the object `outer`.
    ///
    /// # Errors
    /// As [`Members::text`], and when `outer` is not an object.
    pub fn inner_text(
        &self,
        outer: &str,
        inner: &str,
        max_bytes: usize,
    ) -> Result<Option<String>, Error> {
        match self.0.get(outer) {
            None | Some(Json::Null) => Ok(None),
            Some(object @ Json::Object(_)) => {
                text_of(object.get(inner), &format!("{outer}.{inner}"), max_bytes)
            }
            Some(_) => Err(Error::member(outer, "must be an object")),
        }
    }

    /// The whole number called `name`, written as a number or as digits in a text, as forms do.
    ///
    /// # Errors
    /// When it is anything else or out of range.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Error> {
        let digits = match self.0.get(name) {
            None | Some(Json::Null) => return Ok(None),
            Some(Json::Number(digits) | Json::String(digits)) => digits,
            Some(_) => return Err(Error::member(name, "must be a whole number")),
        };
        // The parser would take a plus sign, too.
        match digits.parse::<u64>() {
            Ok(number) if !digits.starts_with('+') => Ok(Some(number)),
            _ => Err(Error::member(name, "must be a whole number")),
        }
    }
}

fn text_of(value: Option<&Json>, name: &str, max_bytes: usize) -> Result<Option<String>, Error> {
    match value {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.is_empty() => {
            Err(Error::member(name, "must not be empty"))
        }
        Some(Json::String(text)) if text.len() > max_bytes => {
            Err(Error::member(name, "is too long"))
        }
        Some(Json::String(text)) if text.chars().any(char::is_control) => {
            Err(Error::member(name, "must not have control characters"))
        }
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Error::member(name, "must be a text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_a_json_object_say_the_same() {
        let form =
            b"provider=google&expires_in=60&profile%5Bfirst_name%5D=Ada&profile[last_name]=O";
        let json = br#"{"provider":"google","expires_in":60,"profile":{"first_name":"Ada","last_name":"O"}}"#;
        for members in [
            Members::from_form(form).unwrap(),
            Members::from_json(json).unwrap(),
        ] {
            assert_eq!(
                members.text("provider", 32).unwrap().as_deref(),
                Some("google")
            );
            assert_eq!(members.number("expires_in").unwrap(), Some(60));
            let name = |inner| members.inner_text("profile", inner, 99).unwrap();
            assert_eq!(
                (name("first_name").as_deref(), name("last_name").as_deref()),
                (Some("Ada"), Some("O"))
            );
        }
    }

    #[test]
    fn a_member_that_does_not_fit_is_refused_by_name() {
        let members = Members::from_json(
            br#"{"a":1,"b":"","c":"x\u0000y","d":"toolong","e":null,"f":"1.5"}"#,
        )
        .unwrap();

        for name in ["a", "b", "c", "d"] {
            let error = members.text(name, 3).unwrap_err().to_string();
            assert!(error.contains(&format!("{name}: ")), "{error}");
        }
        assert_eq!(members.text("e", 3).unwrap(), None);
        assert!(members.number("f").is_err());
    }

    #[test]
    fn a_truth_value_is_one_in_json_and_in_a_form_and_others_are_refused_by_name() {
        let json = Members::from_json(br#"{"a":true,"b":false,"c":1}"#).unwrap();
        let form = Members::from_form(b"a=true&b=false&c=yes").unwrap();

        for members in [json, form] {
            assert!(members.flag("a").unwrap());
            assert!(!members.flag("b").unwrap() && !members.flag("absent").unwrap());
            assert!(members.flag("c").unwrap_err().to_string().contains("c: "));
            assert!(members.refuse_others(&["a", "b", "c"]).is_ok());
            let Err(Error::Quoted(refused)) = members.refuse_others(&["a", "b"]) else {
                panic!("not refused");
            };
            assert_eq!(refused, "c: is not known here; there are: a, b");
        }
        assert!(Members::none().refuse_others(&[]).is_ok());
    }

    #[test]
    fn a_form_that_names_a_member_twice_is_refused() {
        for form in [
            "a=1&a=2",
            "a=1&a[b]=2",
            "a[b]=1&a[b]=2",
            "a[b]=1&a=2",
            "a=%ff",
        ] {
            assert!(Members::from_form(form.as_bytes()).is_err(), "{form}");
        }
    }
}
