//! "Associate on next sign-in".

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;

use super::accounts::{provider_of, uid_of};
use super::body::Body;
use super::guard::Client;
use crate::app::App;
use crate::domain::UserId;
use crate::flows::people::{TicketRequest, issue_association_ticket};
use crate::web::error::Error;
use crate::web::rfc3339;

/// A ticket; it is redeemed by signing in.
#[derive(Serialize)]
struct TicketBody {
    expires_at: String,
}

/// `POST /admin/api/users/{id}/ticket`
///
/// # Errors
/// [`Error::InvalidRequest`], [`Error::UnknownProvider`], [`Error::ProviderDisabled`], and those of the flow.
pub(super) async fn issue_ticket(
    app: Data<App>,
    Client(by): Client,
    id: Path<i64>,
    body: Body,
) -> Result<HttpResponse, Error> {
    let fields = body.of(&["provider", "uid", "reason"])?;
    let request = TicketRequest {
        user_id: UserId(*id),
        provider: provider_of(&app, &fields.text("provider")?)?,
        uid: uid_of(&fields.text("uid")?)?,
        reason: fields.reason()?,
    };
    let expires_at = issue_association_ticket(&app.into_inner(), by, request).await?;
    Ok(HttpResponse::Created().json(TicketBody {
        expires_at: rfc3339(expires_at),
    }))
}
