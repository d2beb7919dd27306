//! Proving a factor: the second one that a sign-in owes, or any once more before something dangerous.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

use super::context::{BrowserContext, ContextOf, StaffContext};
use super::error::AdminError;
use super::forms::{FormErrors, ProtectedForm, local_path};
use super::frame::{Frame, Nav};
use super::notices::redirect;
use super::provider_sign_in::ProviderButton;
use super::text::{filters, t};
use crate::app::App;
use crate::domain::{ProviderId, Secret, StaffId};
use crate::flows::staff::{Factor, SignedInStaff, StaffError, prove_factor};
use crate::providers::Lookup;
use crate::storage::staff_providers;

/// Where to go afterwards.
#[derive(Deserialize)]
pub struct NextQuery {
    #[serde(default)]
    next: String,
}

/// The page that asks for the code of a sign-in.
#[derive(Template)]
#[template(path = "admin/sign_in/code.html")]
struct CodePage {
    frame: Frame,
    next: String,
    errors: FormErrors,
}

/// Whoever owes the code; everybody else has nothing to do here.
fn owing(browser: &BrowserContext) -> Option<&SignedInStaff> {
    browser
        .signed_in
        .as_ref()
        .filter(|who| who.session.awaits_code)
}

/// `GET /admin/sign-in/code`
///
/// # Errors
/// [`AdminError::Render`].
pub async fn show_code(
    browser: BrowserContext,
    query: Query<NextQuery>,
) -> Result<HttpResponse, AdminError> {
    if owing(&browser).is_none() {
        return Ok(redirect("/admin/sign-in"));
    }
    browser.render(&CodePage {
        frame: browser.frame(t("code-title")),
        next: query.into_inner().next,
        errors: FormErrors::none(),
    })
}

/// A code, and where to go with it.
#[derive(Deserialize)]
pub struct CodeForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `POST /admin/sign-in/code`
///
/// # Errors
/// [`AdminError::TooMany`], [`AdminError::Storage`].
pub async fn send_code(
    app: Data<App>,
    browser: BrowserContext,
    ContextOf(context): ContextOf,
    ProtectedForm(form): ProtectedForm<CodeForm>,
) -> Result<HttpResponse, AdminError> {
    let Some(who) = owing(&browser) else {
        return Ok(redirect("/admin/sign-in"));
    };
    match prove_factor(&app, who, Factor::Code(form.code), context).await {
        Ok(grant) => {
            browser.hand_over(&grant);
            Ok(redirect(local_path(&form.next).unwrap_or("/admin")))
        }
        Err(StaffError::Refused) => browser.render_with_status(
            StatusCode::UNPROCESSABLE_ENTITY,
            &CodePage {
                frame: browser.frame(t("code-title")).with_errors(true),
                next: form.next,
                errors: FormErrors::one("code", t("factor-refused")),
            },
        ),
        Err(error) => Err(error.into()),
    }
}

/// The page that asks for a proof before something dangerous.
#[derive(Template)]
#[template(path = "admin/step_up/show.html")]
struct StepUpPage {
    frame: Frame,
    email: String,
    asks_for_code: bool,
    has_password: bool,
    /// Those that can say that one has signed in there anew, for whoever has neither password nor second factor.
    providers: Vec<ProviderButton>,
    next: String,
    errors: FormErrors,
}

impl StepUpPage {
    async fn new(
        app: &App,
        staff: &StaffContext,
        next: &str,
        errors: FormErrors,
    ) -> Result<Self, AdminError> {
        let (asks_for_code, has_password) =
            (staff.staff.has_second_factor, staff.staff.has_password);
        let providers = if asks_for_code || has_password {
            Vec::new()
        } else {
            confirming_providers(app, staff.staff.id).await?
        };
        Ok(Self {
            frame: staff
                .frame(app, t("step-up-title"), Nav::Settings)
                .with_errors(!errors.is_empty()),
            email: staff.staff.email.clone(),
            asks_for_code,
            has_password,
            providers,
            next: local_path(next).unwrap_or_default().to_owned(),
            errors,
        })
    }
}

/// The providers that the account signs in through and that can tell when that was.
async fn confirming_providers(app: &App, id: StaffId) -> Result<Vec<ProviderButton>, AdminError> {
    let bound = app
        .db
        .read(move |reader| staff_providers::list_of_staff(reader, id))
        .await?;
    let confirms = |id: &ProviderId| match app.providers.find(id.as_str()) {
        Lookup::Enabled(provider) => provider.binds_nonces(),
        Lookup::Disabled | Lookup::Unknown => false,
    };
    let ids = bound.iter().map(|bound| &bound.provider);
    let ids = ids.filter(|id| app.staff_sign_in.find(id.as_str()).is_some() && confirms(id));
    Ok(ids.map(|id| ProviderButton::of(app, id)).collect())
}

/// `GET /admin/step-up`
///
/// # Errors
/// [`AdminError::Render`].
pub async fn show_step_up(
    app: Data<App>,
    staff: StaffContext,
    query: Query<NextQuery>,
) -> Result<HttpResponse, AdminError> {
    let page = StepUpPage::new(&app, &staff, &query.next, FormErrors::none());
    staff.render(&page.await?)
}

/// A code or a password, and where to go with it.
#[derive(Deserialize)]
pub struct StepUpForm {
    code: Option<String>,
    password: Option<Secret>,
    #[serde(default)]
    next: String,
}

/// `POST /admin/step-up`
///
/// # Errors
/// [`AdminError::TooMany`], [`AdminError::Storage`].
pub async fn step_up(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    ProtectedForm(form): ProtectedForm<StepUpForm>,
) -> Result<HttpResponse, AdminError> {
    let (factor, field, sentence) = if staff.staff.has_second_factor {
        let code = form.code.unwrap_or_default();
        (Factor::Code(code), "code", t("factor-refused"))
    } else {
        let password = form.password.unwrap_or_else(|| Secret::new(""));
        (Factor::Password(password), "password", t("password-wrong"))
    };
    match prove_factor(&app, &staff.signed_in(), factor, context).await {
        Ok(grant) => {
            staff.hand_over(&grant);
            Ok(redirect(local_path(&form.next).unwrap_or("/admin")))
        }
        Err(StaffError::Refused) => {
            let errors = FormErrors::one(field, sentence);
            let page = StepUpPage::new(&app, &staff, &form.next, errors).await?;
            staff.render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}
