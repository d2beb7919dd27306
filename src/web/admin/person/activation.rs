//! Deactivating a user, and the way back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::super::context::{ContextOf, StaffContext};
use super::super::error::AdminError;
use super::super::forms::{FormErrors, ProtectedForm};
use super::super::frame::{Frame, Nav};
use super::super::notices::Notice;
use super::super::text::{Message, filters, t};
use super::{failed, name_of, reason_of, user_path};
use crate::app::App;
use crate::domain::UserId;
use crate::flows::people::{deactivate_user, plan_session_end, reactivate_user};

/// The page that asks.
#[derive(Template)]
#[template(path = "admin/person/activation.html")]
struct ActivationPage {
    frame: Frame,
    errors: FormErrors,
    back: String,
    name: String,
    deactivates: bool,
    sessions: i64,
    why: String,
}

/// What the page's form sends.
#[derive(Deserialize)]
pub struct ReasonForm {
    #[serde(default)]
    why: String,
}

/// `GET /admin/users/{id}/deactivate`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn show_deactivate(
    app: Data<App>,
    staff: StaffContext,
    path: Path<i64>,
) -> Result<HttpResponse, AdminError> {
    let id = UserId(path.into_inner());
    staff.render(&page(&app, &staff, id, true, "", FormErrors::none()).await?)
}

/// `GET /admin/users/{id}/reactivate`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn show_reactivate(
    app: Data<App>,
    staff: StaffContext,
    path: Path<i64>,
) -> Result<HttpResponse, AdminError> {
    let id = UserId(path.into_inner());
    staff.render(&page(&app, &staff, id, false, "", FormErrors::none()).await?)
}

/// `POST /admin/users/{id}/deactivate`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn deactivate(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    path: Path<i64>,
    ProtectedForm(form): ProtectedForm<ReasonForm>,
) -> Result<HttpResponse, AdminError> {
    let id = UserId(path.into_inner());
    let reason = match reason_of(&form.why) {
        Ok(reason) => reason,
        Err(problem) => return again(&app, &staff, id, true, &form.why, problem).await,
    };
    let done = deactivate_user(&app, staff.by(context), id, reason)
        .await
        .map_err(|error| failed(error, id))?;
    let notice = Notice::ok(if done.was_repeated {
        t("activation-deactivated-before")
    } else {
        t("activation-deactivated").with("count", done.sessions_ended)
    });
    Ok(staff.redirect_with_notice(&user_path(id), notice))
}

/// `POST /admin/users/{id}/reactivate`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn reactivate(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    path: Path<i64>,
    ProtectedForm(form): ProtectedForm<ReasonForm>,
) -> Result<HttpResponse, AdminError> {
    let id = UserId(path.into_inner());
    let reason = match reason_of(&form.why) {
        Ok(reason) => reason,
        Err(problem) => return again(&app, &staff, id, false, &form.why, problem).await,
    };
    let was_done = reactivate_user(&app, staff.by(context), id, reason)
        .await
        .map_err(|error| failed(error, id))?;
    let notice = Notice::ok(t(if was_done {
        "activation-reactivated"
    } else {
        "activation-reactivated-before"
    }));
    Ok(staff.redirect_with_notice(&user_path(id), notice))
}

/// The page once more, with what is wrong and what was typed.
async fn again(
    app: &App,
    staff: &StaffContext,
    id: UserId,
    deactivates: bool,
    why: &str,
    problem: Message,
) -> Result<HttpResponse, AdminError> {
    let errors = FormErrors::one("why", problem);
    let page = page(app, staff, id, deactivates, why, errors).await?;
    staff.render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn page(
    app: &App,
    staff: &StaffContext,
    id: UserId,
    deactivates: bool,
    why: &str,
    errors: FormErrors,
) -> Result<ActivationPage, AdminError> {
    let plan = plan_session_end(app, id)
        .await
        .map_err(|error| failed(error, id))?;
    let name = name_of(&plan.user);
    let title = t(if deactivates {
        "activation-deactivate"
    } else {
        "activation-reactivate"
    });
    let frame = staff.frame(app, title.with("name", &name), Nav::Users);
    Ok(ActivationPage {
        frame: frame.with_errors(!errors.is_empty()),
        errors,
        back: user_path(id),
        name,
        deactivates,
        sessions: plan.sessions,
        why: why.to_owned(),
    })
}
