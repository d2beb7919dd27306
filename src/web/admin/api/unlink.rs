//! Unlinking a social account: what it would do, doing it, and taking it back.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;

use super::body::{Body, Fields};
use super::guard::Client;
use crate::app::App;
use crate::domain::stewardship::{RowVersion, UnlinkedId};
use crate::domain::{SocialAuthId, UserId};
use crate::flows::people::{UnlinkPlan, UnlinkRequest, Unlinked, plan_unlink, undo_unlink, unlink};
use crate::providers::Revocation;
use crate::web::error::Error;
use crate::web::rfc3339;

/// What an unlink would do. Nothing of the person beyond that: a look at them is another call, which is audited.
#[derive(Serialize)]
struct PlanBody<'a> {
    provider: &'a str,
    version: String,
    last_way_in: bool,
    sessions: i64,
    can_revoke: bool,
    undo_until: Option<String>,
    refuse_until: String,
}

impl<'a> From<&'a UnlinkPlan> for PlanBody<'a> {
    fn from(plan: &'a UnlinkPlan) -> Self {
        Self {
            provider: plan.account.provider.as_str(),
            version: plan.version.to_string(),
            last_way_in: plan.is_last_way_in,
            sessions: plan.sessions,
            can_revoke: plan.can_revoke,
            undo_until: plan.undo_until.map(rfc3339),
            refuse_until: rfc3339(plan.refuse_until),
        }
    }
}

/// `GET /admin/api/users/{id}/accounts/{account}/unlink`
///
/// # Errors
/// Those of the flow.
pub(super) async fn show_unlink(
    app: Data<App>,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse, Error> {
    let (user_id, id) = ids(path);
    let plan = plan_unlink(&app, user_id, id).await?;
    Ok(HttpResponse::Ok().json(PlanBody::from(&plan)))
}

/// What was done.
#[derive(Serialize)]
struct UnlinkedBody<'a> {
    provider: &'a str,
    unlinked_id: Option<i64>,
    sessions_ended: usize,
    revocation: Option<&'static str>,
    was_repeated: bool,
}

impl<'a> From<&'a Unlinked> for UnlinkedBody<'a> {
    fn from(done: &'a Unlinked) -> Self {
        Self {
            provider: done.provider.as_str(),
            unlinked_id: done.unlinked_id.map(|id| id.0),
            sessions_ended: done.sessions_ended,
            revocation: done.revocation.map(Revocation::as_str),
            was_repeated: done.was_repeated(),
        }
    }
}

/// `POST /admin/api/users/{id}/accounts/{account}/unlink`
///
/// # Errors
/// [`Error::InvalidRequest`], and those of the flow; then nothing is done.
pub(super) async fn unlink_account(
    app: Data<App>,
    Client(by): Client,
    path: Path<(i64, i64)>,
    body: Body,
) -> Result<HttpResponse, Error> {
    let (user_id, social_auth_id) = ids(path);
    let fields = body.of(&["version", "reason", "last_way_in", "refuse_in_future"])?;
    let request = UnlinkRequest {
        user_id,
        social_auth_id,
        version: version_of(&fields)?,
        reason: fields.reason()?,
        last_way_in_confirmed: fields.flag("last_way_in")?,
        refuse_in_future: fields.flag("refuse_in_future")?,
    };
    let done = unlink(&app.into_inner(), by, request).await?;
    Ok(HttpResponse::Ok().json(UnlinkedBody::from(&done)))
}

fn version_of(fields: &Fields) -> Result<RowVersion, Error> {
    RowVersion::parse(&fields.text("version")?)
        .ok_or_else(|| Error::member("version", "is that of an earlier answer"))
}

/// What was given back.
#[derive(Serialize)]
struct RestoredBody<'a> {
    provider: &'a str,
    was_repeated: bool,
}

/// `POST /admin/api/users/{id}/unlinked/{unlinked}/undo`
///
/// # Errors
/// Those of the flow.
pub(super) async fn undo(
    app: Data<App>,
    Client(by): Client,
    path: Path<(i64, i64)>,
    body: Body,
) -> Result<HttpResponse, Error> {
    let (user_id, id) = path.into_inner();
    let reason = body.of(&["reason"])?.reason_if_any()?;
    let (user_id, id) = (UserId(user_id), UnlinkedId(id));
    let restored = undo_unlink(&app.into_inner(), by, user_id, id, reason).await?;
    Ok(HttpResponse::Ok().json(RestoredBody {
        provider: restored.provider.as_str(),
        was_repeated: restored.was_repeated,
    }))
}

fn ids(path: Path<(i64, i64)>) -> (UserId, SocialAuthId) {
    let (user_id, id) = path.into_inner();
    (UserId(user_id), SocialAuthId(id))
}
