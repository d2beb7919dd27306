//! Ending one session of a user, or all of them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::super::context::{ContextOf, StaffContext};
use super::super::error::AdminError;
use super::super::forms::ProtectedForm;
use super::super::frame::{Frame, Nav};
use super::super::notices::Notice;
use super::super::text::{filters, t};
use super::{failed, name_of, user_path};
use crate::app::App;
use crate::domain::{SessionId, UserId};
use crate::flows::people::{plan_session_end, revoke_session, revoke_sessions};

/// The page that asks.
#[derive(Template)]
#[template(path = "admin/person/sessions.html")]
struct SessionsPage {
    frame: Frame,
    action: String,
    back: String,
    name: String,
    /// Whether it is about all of them.
    all: bool,
    sessions: i64,
}

/// Nothing but the token.
#[derive(Deserialize)]
pub struct EmptyForm {}

/// `GET /admin/users/{id}/sessions/revoke`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn show_revoke_all(
    app: Data<App>,
    staff: StaffContext,
    path: Path<i64>,
) -> Result<HttpResponse, AdminError> {
    let id = UserId(path.into_inner());
    let action = format!("{}/sessions/revoke", user_path(id));
    page(&app, &staff, id, action, true).await
}

/// `GET /admin/users/{id}/sessions/{session}/revoke`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn show_revoke_one(
    app: Data<App>,
    staff: StaffContext,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse, AdminError> {
    let (user_id, session_id) = path.into_inner();
    let id = UserId(user_id);
    let action = format!("{}/sessions/{session_id}/revoke", user_path(id));
    page(&app, &staff, id, action, false).await
}

async fn page(
    app: &App,
    staff: &StaffContext,
    id: UserId,
    action: String,
    all: bool,
) -> Result<HttpResponse, AdminError> {
    let plan = plan_session_end(app, id)
        .await
        .map_err(|error| failed(error, id))?;
    let name = name_of(&plan.user);
    let title = t(if all {
        "sessions-end-all"
    } else {
        "sessions-end-one"
    });
    staff.render(&SessionsPage {
        frame: staff.frame(app, title.with("name", &name), Nav::Users),
        action,
        back: user_path(id),
        name,
        all,
        sessions: plan.sessions,
    })
}

/// `POST /admin/users/{id}/sessions/revoke`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn revoke_all(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    path: Path<i64>,
    ProtectedForm(EmptyForm {}): ProtectedForm<EmptyForm>,
) -> Result<HttpResponse, AdminError> {
    let id = UserId(path.into_inner());
    let ended = revoke_sessions(&app, staff.by(context), id, None)
        .await
        .map_err(|error| failed(error, id))?;
    let notice = Notice::ok(t("sessions-ended").with("count", ended));
    Ok(staff.redirect_with_notice(&user_path(id), notice))
}

/// `POST /admin/users/{id}/sessions/{session}/revoke`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn revoke_one(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    path: Path<(i64, i64)>,
    ProtectedForm(EmptyForm {}): ProtectedForm<EmptyForm>,
) -> Result<HttpResponse, AdminError> {
    let (user_id, session_id) = path.into_inner();
    let id = UserId(user_id);
    let ended = revoke_session(&app, staff.by(context), id, SessionId(session_id), None)
        .await
        .map_err(|error| failed(error, id))?;
    let notice = Notice::ok(t(if ended {
        "sessions-ended-one"
    } else {
        "sessions-ended-before"
    }));
    Ok(staff.redirect_with_notice(&user_path(id), notice))
}
