//! Signing in and out.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

use super::context::{BrowserContext, ContextOf};
use super::error::AdminError;
use super::forms::{FormErrors, NoFields, ProtectedForm, local_path};
use super::frame::Frame;
use super::notices::redirect;
use super::provider_sign_in::ProviderButton;
use super::text::{filters, t};
use crate::app::App;
use crate::domain::Secret;
use crate::flows::staff::{SignInStaff, StaffError, sign_in_staff, sign_out_staff};

/// The page.
#[derive(Template)]
#[template(path = "admin/sign_in/show.html")]
struct SignInPage {
    frame: Frame,
    email: String,
    next: String,
    signed_out: bool,
    providers: Vec<ProviderButton>,
    errors: FormErrors,
}

/// Where to go after signing in, and why the page is shown.
#[derive(Deserialize)]
pub struct SignInQuery {
    #[serde(default)]
    next: String,
    signed_out: Option<String>,
}

/// `GET /admin/sign-in`
///
/// # Errors
/// [`AdminError::Render`].
pub async fn show_sign_in(
    app: Data<App>,
    browser: BrowserContext,
    query: Query<SignInQuery>,
) -> Result<HttpResponse, AdminError> {
    let next = local_path(&query.next).unwrap_or_default();
    match &browser.signed_in {
        Some(who) if who.session.awaits_code => return Ok(redirect("/admin/sign-in/code")),
        Some(_) => return Ok(redirect(if next.is_empty() { "/admin" } else { next })),
        None => {}
    }
    browser.render(&SignInPage {
        frame: browser.frame(t("sign-in-title")),
        email: String::new(),
        next: next.to_owned(),
        signed_out: query.signed_out.is_some(),
        providers: ProviderButton::all(&app),
        errors: FormErrors::none(),
    })
}

/// What was typed.
#[derive(Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    email: String,
    password: Option<Secret>,
    #[serde(default)]
    next: String,
}

/// `POST /admin/sign-in`
///
/// # Errors
/// [`AdminError::TooMany`], [`AdminError::Storage`].
pub async fn sign_in(
    app: Data<App>,
    browser: BrowserContext,
    ContextOf(context): ContextOf,
    ProtectedForm(form): ProtectedForm<SignInForm>,
) -> Result<HttpResponse, AdminError> {
    let next = local_path(&form.next).unwrap_or("/admin");
    let request = SignInStaff {
        email: form.email.clone(),
        password: form.password.unwrap_or_else(|| Secret::new("")),
        replaces: browser.signed_in.as_ref().map(|who| who.session.id),
    };
    match sign_in_staff(&app, request, context).await {
        Ok(signed_in) => {
            browser.hand_over(&signed_in.grant);
            Ok(redirect(&after_first_factor(signed_in.awaits_code, next)))
        }
        Err(StaffError::Refused) => browser.render_with_status(
            StatusCode::UNPROCESSABLE_ENTITY,
            &SignInPage {
                frame: browser.frame(t("sign-in-title")).with_errors(true),
                email: form.email,
                next: form.next,
                signed_out: false,
                providers: ProviderButton::all(&app),
                errors: FormErrors::one("password", t("sign-in-refused")),
            },
        ),
        Err(error) => Err(error.into()),
    }
}

/// Where the first factor leads.
pub(super) fn after_first_factor(awaits_code: bool, next: &str) -> String {
    if awaits_code {
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        format!("/admin/sign-in/code?next={next}")
    } else {
        next.to_owned()
    }
}

/// `POST /admin/sign-out`
///
/// # Errors
/// [`AdminError::Storage`]; then the session goes on.
pub async fn sign_out(
    app: Data<App>,
    browser: BrowserContext,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    if let Some(who) = &browser.signed_in {
        sign_out_staff(&app, who, context).await?;
        browser.forget();
    }
    Ok(redirect("/admin/sign-in?signed_out=1"))
}
