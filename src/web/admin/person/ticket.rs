//! "Associate on next sign-in": a ticket for an unlinked account, to the same user or to another.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::super::context::{ContextOf, StaffContext};
use super::super::error::AdminError;
use super::super::forms::{FormErrors, ProtectedForm};
use super::super::frame::{Frame, Nav};
use super::super::marks::Mark;
use super::super::notices::Notice;
use super::super::text::{filters, t};
use super::super::time::date;
use super::{failed, name_of, reason_of, title_of, user_path};
use crate::app::App;
use crate::domain::UserId;
use crate::domain::stewardship::{TICKET_DAYS, UnlinkedId};
use crate::flows::people::{
    KeptAccount, PersonError, TicketRequest, find_kept_account, issue_association_ticket,
};

/// The page that asks.
#[derive(Template)]
#[template(path = "admin/person/ticket.html")]
struct TicketPage {
    frame: Frame,
    errors: FormErrors,
    back: String,
    name: String,
    mark: Mark,
    title: String,
    uid: String,
    days: i64,
    user: String,
    why: String,
}

/// What the page's form sends.
#[derive(Deserialize)]
pub struct TicketForm {
    #[serde(default)]
    user: String,
    #[serde(default)]
    why: String,
}

/// `GET /admin/users/{id}/unlinked/{unlinked}/ticket`
///
/// # Errors
/// [`AdminError::Conflict`] when the account is not kept any more, [`AdminError::Storage`].
pub async fn show_ticket(
    app: Data<App>,
    staff: StaffContext,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse, AdminError> {
    let (user_id, kept) = kept(&app, path).await?;
    let form = TicketForm {
        user: user_id.to_string(),
        why: String::new(),
    };
    staff.render(&page(&app, &staff, &kept, form, FormErrors::none()))
}

/// `POST /admin/users/{id}/unlinked/{unlinked}/ticket`
///
/// # Errors
/// [`AdminError::Conflict`] when the account is somebody's or not kept any more, [`AdminError::Storage`].
pub async fn issue_ticket(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    path: Path<(i64, i64)>,
    ProtectedForm(form): ProtectedForm<TicketForm>,
) -> Result<HttpResponse, AdminError> {
    let (user_id, kept) = kept(&app, path).await?;
    let mut errors = FormErrors::none();
    let target = form.user.trim().parse().ok().map(UserId);
    if target.is_none() {
        errors.add("user", t("ticket-user-unreadable"));
    }
    let reason = reason_of(&form.why);
    if let Err(problem) = &reason {
        errors.add("why", problem.clone());
    }
    let (Some(target), Ok(reason)) = (target, reason) else {
        return again(&app, &staff, &kept, form, errors);
    };
    let account = &kept.account;
    let request = TicketRequest {
        user_id: target,
        provider: account.provider.clone(),
        uid: account.uid.clone(),
        reason,
    };
    match issue_association_ticket(&app, staff.by(context), request).await {
        Ok(until) => {
            let title = title_of(&app, account.provider.as_str());
            let text = t("ticket-issued")
                .with("provider", title)
                .with("uid", account.uid.as_str())
                .with("user", target.to_string())
                .with("day", date(&until));
            Ok(staff.redirect_with_notice(&user_path(user_id), Notice::ok(text)))
        }
        Err(PersonError::UserNotFound) => {
            let errors = FormErrors::one("user", t("ticket-user-unknown"));
            again(&app, &staff, &kept, form, errors)
        }
        Err(PersonError::Inactive) => {
            let errors = FormErrors::one("user", t("ticket-user-inactive"));
            again(&app, &staff, &kept, form, errors)
        }
        Err(error) => Err(failed(error, user_id)),
    }
}

async fn kept(app: &App, path: Path<(i64, i64)>) -> Result<(UserId, KeptAccount), AdminError> {
    let (user_id, id) = path.into_inner();
    let user_id = UserId(user_id);
    let kept = find_kept_account(app, user_id, UnlinkedId(id))
        .await
        .map_err(|error| failed(error, user_id))?;
    Ok((user_id, kept))
}

fn again(
    app: &App,
    staff: &StaffContext,
    kept: &KeptAccount,
    form: TicketForm,
    errors: FormErrors,
) -> Result<HttpResponse, AdminError> {
    let page = page(app, staff, kept, form, errors);
    staff.render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn page(
    app: &App,
    staff: &StaffContext,
    kept: &KeptAccount,
    form: TicketForm,
    errors: FormErrors,
) -> TicketPage {
    let account = &kept.account;
    let title = title_of(app, account.provider.as_str());
    let heading = t("ticket-title").with("provider", &title);
    let frame = staff.frame(app, heading, Nav::Users);
    TicketPage {
        frame: frame.with_errors(!errors.is_empty()),
        errors,
        back: user_path(kept.user.id),
        name: name_of(&kept.user),
        mark: Mark::of(&app.providers, account.provider.as_str()),
        title,
        uid: account.uid.as_str().to_owned(),
        days: TICKET_DAYS,
        user: form.user,
        why: form.why,
    }
}
