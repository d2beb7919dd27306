//! One-time links: whoever has one sets a password and is in.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

use super::context::{BrowserContext, ContextOf};
use super::error::AdminError;
use super::forms::{FormErrors, ProtectedForm};
use super::frame::Frame;
use super::notices::redirect;
use super::sign_in::after_first_factor;
use super::text::{filters, t};
use super::words;
use crate::app::App;
use crate::domain::Secret;
use crate::domain::staff::{DisplayName, StaffEmail};
use crate::flows::staff::{FirstSuperuser, LinkHolder, StaffError, find_link, redeem_link};

/// The page. `token` is that of a usable link, or there is no form.
#[derive(Template)]
#[template(path = "admin/sign_in/welcome.html")]
struct WelcomePage {
    frame: Frame,
    token: String,
    holder: Option<LinkHolder>,
    email: String,
    display_name: String,
    errors: FormErrors,
}

/// The link's token.
#[derive(Deserialize)]
pub struct WelcomeQuery {
    #[serde(default)]
    token: String,
}

/// `GET /admin/welcome`: changes nothing, so that whatever looks at links in advance does not use them up.
///
/// # Errors
/// [`AdminError::Storage`].
pub async fn show_welcome(
    app: Data<App>,
    browser: BrowserContext,
    query: Query<WelcomeQuery>,
) -> Result<HttpResponse, AdminError> {
    let token = query.into_inner().token;
    let holder = find_link(&app, &token).await?;
    let status = if holder.is_some() {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    };
    let page = WelcomePage {
        frame: browser.frame(t("welcome-title")),
        token,
        holder,
        email: String::new(),
        display_name: String::new(),
        errors: FormErrors::none(),
    };
    browser.render_with_status(status, &page)
}

/// What was typed.
#[derive(Deserialize)]
pub struct WelcomeForm {
    token: Secret,
    #[serde(default)]
    email: String,
    #[serde(default)]
    display_name: String,
    password: Option<Secret>,
}

/// `POST /admin/welcome`
///
/// # Errors
/// [`AdminError::Storage`], [`AdminError::Password`].
pub async fn accept(
    app: Data<App>,
    browser: BrowserContext,
    ContextOf(context): ContextOf,
    ProtectedForm(form): ProtectedForm<WelcomeForm>,
) -> Result<HttpResponse, AdminError> {
    let holder = find_link(&app, form.token.expose()).await?;
    let is_first = matches!(holder, Some(LinkHolder::FirstSuperuser));
    let mut errors = FormErrors::none();
    let first = if is_first {
        first_superuser(&form, &mut errors)
    } else {
        None
    };
    let password = form.password.clone().unwrap_or_else(|| Secret::new(""));
    if errors.is_empty() {
        match redeem_link(&app, &form.token, first, password, context).await {
            Ok(redeemed) => {
                browser.hand_over(&redeemed.grant);
                return Ok(redirect(&after_first_factor(
                    redeemed.awaits_code,
                    "/admin",
                )));
            }
            Err(StaffError::WeakPassword(problem)) => {
                errors.add("password", words::password_problem(problem));
            }
            Err(StaffError::EmailTaken) => errors.add("email", t("form-email-taken")),
            Err(StaffError::Gone) => {
                let gone = FormErrors::none();
                return show_again(&browser, form, None, gone, StatusCode::NOT_FOUND);
            }
            Err(error) => return Err(error.into()),
        }
    }
    show_again(
        &browser,
        form,
        holder,
        errors,
        StatusCode::UNPROCESSABLE_ENTITY,
    )
}

/// What is said of the first superuser, as far as it can be taken.
fn first_superuser(form: &WelcomeForm, errors: &mut FormErrors) -> Option<FirstSuperuser> {
    let email = StaffEmail::parse(&form.email);
    let display_name = DisplayName::parse(&form.display_name);
    if email.is_none() {
        errors.add("email", t("form-email"));
    }
    if display_name.is_none() {
        errors.add("display_name", t("welcome-name"));
    }
    Some(FirstSuperuser {
        email: email?,
        display_name: display_name?,
    })
}

fn show_again(
    browser: &BrowserContext,
    form: WelcomeForm,
    holder: Option<LinkHolder>,
    errors: FormErrors,
    status: StatusCode,
) -> Result<HttpResponse, AdminError> {
    let page = WelcomePage {
        frame: browser
            .frame(t("welcome-title"))
            .with_errors(!errors.is_empty()),
        token: form.token.expose().to_owned(),
        holder,
        email: form.email,
        display_name: form.display_name,
        errors,
    };
    browser.render_with_status(status, &page)
}
