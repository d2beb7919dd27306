//! Switching a user off and on.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;

use super::body::Body;
use super::guard::Client;
use crate::app::App;
use crate::domain::UserId;
use crate::flows::people::{deactivate_user, reactivate_user};
use crate::web::error::Error;

#[derive(Serialize)]
struct DeactivatedBody {
    sessions_ended: i64,
    was_repeated: bool,
}

/// `POST /admin/api/users/{id}/deactivate`
///
/// # Errors
/// [`Error::InvalidRequest`], and those of the flow.
pub(super) async fn deactivate(
    app: Data<App>,
    Client(by): Client,
    id: Path<i64>,
    body: Body,
) -> Result<HttpResponse, Error> {
    let reason = body.of(&["reason"])?.reason()?;
    let done = deactivate_user(&app.into_inner(), by, UserId(*id), reason).await?;
    Ok(HttpResponse::Ok().json(DeactivatedBody {
        sessions_ended: done.sessions_ended,
        was_repeated: done.was_repeated,
    }))
}

#[derive(Serialize)]
struct ReactivatedBody {
    was_repeated: bool,
}

/// `POST /admin/api/users/{id}/reactivate`
///
/// # Errors
/// [`Error::InvalidRequest`], and those of the flow.
pub(super) async fn reactivate(
    app: Data<App>,
    Client(by): Client,
    id: Path<i64>,
    body: Body,
) -> Result<HttpResponse, Error> {
    let reason = body.of(&["reason"])?.reason()?;
    let is_new = reactivate_user(&app.into_inner(), by, UserId(*id), reason).await?;
    Ok(HttpResponse::Ok().json(ReactivatedBody {
        was_repeated: !is_new,
    }))
}
