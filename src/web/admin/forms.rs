//! Forms, which are read only once it is proven that they are ours.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::AdminError;
use super::text::{Message, t};
use crate::app::App;
use crate::web::ServerContext;
use crate::web::error::Error;
use crate::web::extract::{BODY_MAX_BYTES, read_body};

/// How long a form may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whom the token of this request's form must be for; the guard knows. `None`: no form was shown to this browser.
#[derive(Clone)]
pub(super) struct FormHolder(pub(super) Option<String>);

/// A form of ours. Extracting it checks the request's origin and the token `csrf` before anything else is read from it, so that no
/// handler can forget to.
pub struct ProtectedForm<T>(pub T);

/// A form that has nothing but its token.
#[derive(Deserialize)]
pub struct NoFields {}

#[derive(Deserialize)]
struct Token {
    csrf: Option<String>,
}

impl<T: DeserializeOwned + 'static> FromRequest for ProtectedForm<T> {
    type Error = AdminError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AdminError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            check_origin(&request)?;
            if request.content_type() != "application/x-www-form-urlencoded" {
                return Err(AdminError::FormRefused("content type"));
            }
            let body = read(payload).await?;
            check_token(&request, &body)?;
            serde_urlencoded::from_bytes(&body)
                .map(Self)
                .map_err(|error| {
                    AdminError::InvalidRequest(
                        t("form-unreadable").with("error", error.to_string()),
                    )
                })
        })
    }
}

async fn read(payload: Payload) -> Result<Vec<u8>, AdminError> {
    let Ok(body) = tokio::time::timeout(BODY_TIMEOUT, read_body(payload, BODY_MAX_BYTES)).await
    else {
        return Err(AdminError::BodyTooSlow);
    };
    match body {
        Ok(body) => Ok(body.to_vec()),
        Err(Error::BodyTooLarge) => Err(AdminError::BodyTooLarge),
        Err(_) => Err(AdminError::InvalidRequest(t("form-broke-off"))),
    }
}

fn check_token(request: &HttpRequest, body: &[u8]) -> Result<(), AdminError> {
    const REFUSED: AdminError = AdminError::FormRefused("token");
    let app = request
        .app_data::<Data<App>>()
        .ok_or(AdminError::NotFound)?;
    let holder = request.extensions().get::<FormHolder>().cloned();
    let holder = holder.and_then(|holder| holder.0).ok_or(REFUSED)?;
    let Ok(Token { csrf: Some(token) }) = serde_urlencoded::from_bytes(body) else {
        return Err(REFUSED);
    };
    if app.staff_keys.forms.matches(&holder, &token) {
        Ok(())
    } else {
        Err(REFUSED)
    }
}

/// Refuses what another site's page sends.
///
/// Browsers tell by `Sec-Fetch-Site` (to trustworthy addresses) and by `Origin`, which is `null` where `Referrer-Policy` keeps
/// it (Fetch Standard §3.2, checked 2026-11-26), as on our own pages: then the token decides, and the cookie's `SameSite=Strict`.
fn check_origin(request: &HttpRequest) -> Result<(), AdminError> {
    let headers = request.headers();
    if let Some(site) = headers.get("sec-fetch-site")
        && site != "same-origin"
    {
        return Err(AdminError::FormRefused("fetch site"));
    }
    let foreign = headers
        .get_all(header::ORIGIN)
        .any(|origin| origin != "null" && !is_ours(origin.as_bytes(), headers, request));
    if foreign {
        return Err(AdminError::FormRefused("origin"));
    }
    Ok(())
}

/// Whether this is the origin that clients are told to use, or the host that this very request was sent to.
fn is_ours(origin: &[u8], headers: &HeaderMap, request: &HttpRequest) -> bool {
    let context = request.app_data::<Data<ServerContext>>();
    if context.is_some_and(|context| context.admin.origin.as_bytes() == origin) {
        return true;
    }
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    let authority = origin
        .strip_prefix(b"https://")
        .or_else(|| origin.strip_prefix(b"http://"));
    host.is_some() && host == authority
}

/// `path` if it is an address of a staff page, to go to after something; nothing that leads elsewhere passes.
#[must_use]
pub fn local_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/admin")?;
    let is_ours = rest.is_empty() || rest.starts_with(['/', '?']);
    let is_plain = path.len() <= 2048
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_ours && is_plain && !path.contains("//")).then_some(path)
}

/// What is wrong with a form, field by field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FormErrors(Vec<(&'static str, Message)>);

impl FormErrors {
    /// Nothing is wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// One thing is wrong.
    #[must_use]
    pub fn one(field: &'static str, sentence: Message) -> Self {
        let mut errors = Self::none();
        errors.add(field, sentence);
        errors
    }

    /// Adds what is wrong with the field of this name, which is its `id` as well.
    pub fn add(&mut self, field: &'static str, sentence: Message) {
        self.0.push((field, sentence));
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with the field, for the macro `field`.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&Message> {
        let found = self.0.iter().find(|(name, _)| *name == field);
        found.map(|(_, sentence)| sentence)
    }

    /// All of it, for the macro `error_summary`.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Message)> {
        self.0.iter().map(|(name, sentence)| (*name, sentence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_staff_pages_are_gone_to() {
        for good in [
            "/admin",
            "/admin?x=1",
            "/admin/users?q=a%20b",
            "/admin/users/7",
        ] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/admin",
            "/adminx",
            "/admin//evil",
            "/admin\\evil",
            "/admin\n",
            "/admin/ü",
            "admin",
        ] {
            assert_eq!(local_path(bad), None, "{bad:?}");
        }
    }
}
