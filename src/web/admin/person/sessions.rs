//! Ending one session of a user, or all of them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::super::context::{ContextOf, StaffContext};
use super::super::error::AdminError;
use super::super::forms::ProtectedForm;
use super::super::frame::{Frame, Nav, render};
use super::super::notices::Notice;
use super::{count_of, failed, name_of, user_path};
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
    sessions_words: String,
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
    let title = if all {
        format!("End all sessions of {name}")
    } else {
        format!("End a session of {name}")
    };
    render(&SessionsPage {
        frame: staff.frame(app, &title, Nav::Users),
        action,
        back: user_path(id),
        name,
        all,
        sessions_words: count_of(
            usize::try_from(plan.sessions).unwrap_or_default(),
            "session",
        ),
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
    let notice = match usize::try_from(ended).unwrap_or_default() {
        0 => Notice::ok("There was no session left to end."),
        count => Notice::ok(format!("Ended {}.", count_of(count, "session"))),
    };
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
    let notice = if ended {
        Notice::ok("Ended the session.")
    } else {
        Notice::ok("The session had ended before. Nothing was done now.")
    };
    Ok(staff.redirect_with_notice(&user_path(id), notice))
}
