//! Ending a user's sessions.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;

use super::body::Body;
use super::guard::Client;
use crate::app::App;
use crate::domain::{SessionId, UserId};
use crate::flows::people::{revoke_session, revoke_sessions};
use crate::web::error::Error;

#[derive(Serialize)]
struct EndedBody {
    sessions_ended: i64,
}

/// `POST /admin/api/users/{id}/sessions/revoke`
///
/// # Errors
/// [`Error::InvalidRequest`], and those of the flow.
pub(super) async fn revoke_all(
    app: Data<App>,
    Client(by): Client,
    id: Path<i64>,
    body: Body,
) -> Result<HttpResponse, Error> {
    let reason = body.of(&["reason"])?.reason_if_any()?;
    let sessions_ended = revoke_sessions(&app.into_inner(), by, UserId(*id), reason).await?;
    Ok(HttpResponse::Ok().json(EndedBody { sessions_ended }))
}

/// `POST /admin/api/users/{id}/sessions/{session}/revoke`. Ends none if it had ended before.
///
/// # Errors
/// [`Error::InvalidRequest`], and those of the flow.
pub(super) async fn revoke_one(
    app: Data<App>,
    Client(by): Client,
    path: Path<(i64, i64)>,
    body: Body,
) -> Result<HttpResponse, Error> {
    let (user_id, session_id) = path.into_inner();
    let reason = body.of(&["reason"])?.reason_if_any()?;
    let (user_id, id) = (UserId(user_id), SessionId(session_id));
    let ended = revoke_session(&app.into_inner(), by, user_id, id, reason).await?;
    Ok(HttpResponse::Ok().json(EndedBody {
        sessions_ended: i64::from(ended),
    }))
}
