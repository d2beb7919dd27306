//! Signing in through a provider, and proving there once more who one is.
//!
//! On the way out and on the way back a page of ours lies between. A form whose answer redirected to the provider would need its
//! address in `form-action` of our policy, and those of all that the provider redirects to; and what another site's redirect leads to
//! gets no `SameSite=Strict` cookie, but what a page of ours leads to does.

use std::future::{Ready, ready};

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path, Query};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::CookieName;
use super::context::{BrowserContext, ContextOf};
use super::error::AdminError;
use super::forms::{ProtectedForm, local_path};
use super::frame::{self, Frame};
use super::marks::Mark;
use super::sign_in::after_first_factor;
use super::text::{Message, filters, t};
use crate::app::App;
use crate::domain::{ProviderId, Secret};
use crate::flows::staff::{
    AUTHORIZATION_LIFETIME, GoToProvider, ProviderAnswer, StaffError, come_back_from_provider,
    go_to_provider,
};
use crate::storage::authorizations::Purpose;
use crate::web::ServerContext;

/// A button that leads to a provider.
pub(super) struct ProviderButton {
    pub(super) id: String,
    pub(super) mark: Mark,
}

impl ProviderButton {
    pub(super) fn of(app: &App, id: &ProviderId) -> Self {
        Self {
            id: id.to_string(),
            mark: Mark::of(&app.providers, id.as_str()),
        }
    }

    /// Those of all providers that staff may come through.
    pub(super) fn all(app: &App) -> Vec<Self> {
        let providers = app.staff_sign_in.providers();
        providers.map(|id| Self::of(app, id)).collect()
    }
}

/// A page that leads on by itself, with a link for browsers that do not.
#[derive(Template)]
#[template(path = "admin/sign_in/forward.html")]
struct ForwardPage {
    frame: Frame,
    sentence: Message,
    label: Message,
    href: String,
}

impl ForwardPage {
    fn answer(&self) -> Result<HttpResponse, AdminError> {
        let mut response = frame::render(self, self.frame.language(), StatusCode::OK)?;
        let refresh = header::HeaderValue::from_str(&format!("0; url={}", self.href));
        // Addresses are ASCII; without the header the link remains.
        if let Ok(refresh) = refresh {
            response.headers_mut().insert(header::REFRESH, refresh);
        }
        Ok(response)
    }
}

/// What a browser holds while it is away at a provider.
pub struct Trip {
    key: Option<Secret>,
    name: &'static str,
    is_secure: bool,
}

impl Trip {
    /// `SameSite=Lax`: it comes along when the provider's site leads back here, and with nothing that another site posts. It opens
    /// nothing by itself.
    fn cookie(&self, key: &Secret) -> Cookie<'static> {
        Cookie::build(self.name, key.expose().to_owned())
            .path("/")
            .secure(self.is_secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(AUTHORIZATION_LIFETIME.num_seconds()))
            .finish()
    }
}

impl FromRequest for Trip {
    type Error = AdminError;
    type Future = Ready<Result<Self, AdminError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(context) = request.app_data::<Data<ServerContext>>() else {
            return ready(Err(AdminError::NotFound));
        };
        let name = context.admin.cookie_name(CookieName::Trip);
        let cookie = request.cookie(name);
        ready(Ok(Self {
            key: cookie.map(|cookie| Secret::new(cookie.value())),
            name,
            is_secure: context.admin.secure_cookies,
        }))
    }
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub struct StartForm {
    #[serde(default)]
    next: String,
}

/// `POST /admin/sign-in/providers/{provider}`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Provider`], [`AdminError::TooMany`], [`AdminError::Storage`].
pub async fn start_sign_in(
    app: Data<App>,
    browser: BrowserContext,
    trip: Trip,
    provider: Path<String>,
    context: ContextOf,
    ProtectedForm(form): ProtectedForm<StartForm>,
) -> Result<HttpResponse, AdminError> {
    start(
        &app,
        &browser,
        &trip,
        provider,
        Purpose::StaffSignIn,
        context,
        form,
    )
    .await
}

/// `POST /admin/step-up/providers/{provider}`
///
/// # Errors
/// As [`start_sign_in`].
pub async fn start_step_up(
    app: Data<App>,
    browser: BrowserContext,
    trip: Trip,
    provider: Path<String>,
    context: ContextOf,
    ProtectedForm(form): ProtectedForm<StartForm>,
) -> Result<HttpResponse, AdminError> {
    start(
        &app,
        &browser,
        &trip,
        provider,
        Purpose::StaffStepUp,
        context,
        form,
    )
    .await
}

async fn start(
    app: &App,
    browser: &BrowserContext,
    trip: &Trip,
    provider: Path<String>,
    purpose: Purpose,
    ContextOf(context): ContextOf,
    form: StartForm,
) -> Result<HttpResponse, AdminError> {
    let request = GoToProvider {
        provider: provider.into_inner(),
        purpose,
        browser_key: trip.key.clone(),
        session_id: browser.signed_in.as_ref().map(|who| who.session.id),
        next: local_path(&form.next).unwrap_or("/admin").to_owned(),
    };
    let sent = match go_to_provider(app, request, context).await {
        Ok(sent) => sent,
        Err(StaffError::Gone) => return Err(AdminError::NotFound),
        Err(error) => return Err(error.into()),
    };
    let page = ForwardPage {
        frame: browser.frame(t("forward-title").with("provider", &sent.title)),
        sentence: t("forward-sentence").with("provider", &sent.title),
        label: t("forward-link").with("provider", &sent.title),
        href: sent.url.into(),
    };
    let mut response = page.answer()?;
    // Built of base64 alone.
    let _ = response.add_cookie(&trip.cookie(&sent.browser_key));
    Ok(response)
}

/// What a provider adds to the address that it sends browsers back to. Whatever else it adds is ignored, and so is what it says about
/// an error.
#[derive(Deserialize)]
pub struct CompleteQuery {
    #[serde(default)]
    state: String,
    code: Option<Secret>,
    iss: Option<String>,
    error: Option<String>,
}

/// `GET /admin/sign-in/complete/{provider}`: changes something all the same, but only for the browser that went out.
///
/// # Errors
/// [`AdminError::SignInRefused`], [`AdminError::StepUpRefused`], [`AdminError::SignInNotCompleted`], [`AdminError::Provider`],
/// [`AdminError::NotFound`], [`AdminError::TooMany`], [`AdminError::Storage`].
pub async fn complete(
    app: Data<App>,
    browser: BrowserContext,
    trip: Trip,
    provider: Path<String>,
    query: Query<CompleteQuery>,
    ContextOf(context): ContextOf,
) -> Result<HttpResponse, AdminError> {
    let query = query.into_inner();
    let answer = ProviderAnswer {
        provider: provider.into_inner(),
        state: query.state,
        browser_key: trip.key,
        code: query.code,
        issuer: query.iss,
        is_error: query.error.is_some(),
    };
    let came = match come_back_from_provider(&app, answer, context).await {
        Ok(came) => came,
        Err(StaffError::Gone) => return Err(AdminError::NotFound),
        Err(StaffError::Refused) => return Err(AdminError::SignInRefused),
        Err(error) => return Err(error.into()),
    };
    browser.hand_over(&came.grant);
    let next = local_path(&came.next).unwrap_or("/admin");
    ForwardPage {
        frame: browser.frame(t("forward-back-title")),
        sentence: t("forward-back"),
        label: t("step-up-submit"),
        href: after_first_factor(came.awaits_code, next),
    }
    .answer()
}
