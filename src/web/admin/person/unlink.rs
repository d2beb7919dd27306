//! Unlinking a social account, with everything that it does said first, and taking that back.

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
use super::super::text::{Message, filters, t};
use super::super::time::{Time, date};
use super::{failed, name_of, reason_of, title_of, user_path};
use crate::app::App;
use crate::domain::stewardship::{RowVersion, UnlinkedId};
use crate::domain::webhook::EventType;
use crate::domain::{SocialAuthId, UserId};
use crate::flows::people::{
    PersonError, UnlinkPlan, UnlinkRequest, Unlinked, plan_unlink, undo_unlink, unlink,
};
use crate::providers::Revocation;

/// The page that asks.
#[derive(Template)]
#[template(path = "admin/person/unlink.html")]
struct UnlinkPage {
    frame: Frame,
    errors: FormErrors,
    back: String,
    name: String,
    first_name: String,
    mark: Mark,
    title: String,
    uid: String,
    linked: Time,
    used: Time,
    is_last_way_in: bool,
    sessions: i64,
    can_revoke: bool,
    undo_days: u16,
    /// Who is told of it, in words; empty if nobody is.
    webhooks: String,
    refuse_until: Message,
    form: UnlinkForm,
}

/// What the page's form sends.
#[derive(Deserialize)]
pub struct UnlinkForm {
    #[serde(default)]
    version: String,
    #[serde(default)]
    why: String,
    sure: Option<String>,
    block: Option<String>,
}

/// `GET /admin/users/{id}/accounts/{account}/unlink`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Conflict`], [`AdminError::Storage`].
pub async fn show_unlink(
    app: Data<App>,
    staff: StaffContext,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse, AdminError> {
    let (user_id, id) = ids(path);
    let plan = plan_unlink(&app, user_id, id)
        .await
        .map_err(|error| failed(error, user_id))?;
    let version = plan.version.to_string();
    let form = UnlinkForm {
        version,
        why: String::new(),
        sure: None,
        block: None,
    };
    staff.render(&page(&app, &staff, &plan, form, FormErrors::none()))
}

/// `POST /admin/users/{id}/accounts/{account}/unlink`
///
/// # Errors
/// [`AdminError::Conflict`] when the account changed or is gone; then nothing is done.
pub async fn unlink_account(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    path: Path<(i64, i64)>,
    ProtectedForm(form): ProtectedForm<UnlinkForm>,
) -> Result<HttpResponse, AdminError> {
    let (user_id, id) = ids(path);
    let conflict = |error| failed(error, user_id);
    let version = RowVersion::parse(&form.version).ok_or_else(|| conflict(PersonError::Stale))?;
    let reason = match reason_of(&form.why) {
        Ok(reason) => reason,
        Err(problem) => {
            let errors = FormErrors::one("why", problem);
            return again(&app, &staff, (user_id, id), form, errors).await;
        }
    };
    let request = UnlinkRequest {
        user_id,
        social_auth_id: id,
        version,
        reason,
        last_way_in_confirmed: form.sure.is_some(),
        refuse_in_future: form.block.is_some(),
    };
    match unlink(&app, staff.by(context), request).await {
        Ok(unlinked) => {
            let notice = notice(&app, user_id, &unlinked);
            Ok(staff.redirect_with_notice(&user_path(user_id), notice))
        }
        Err(PersonError::LastWayIn) => {
            let errors = FormErrors::one("sure", t("unlink-sure-missing"));
            again(&app, &staff, (user_id, id), form, errors).await
        }
        Err(error) => Err(conflict(error)),
    }
}

/// `POST /admin/users/{id}/unlinked/{unlinked}/undo`
///
/// # Errors
/// [`AdminError::Conflict`] when the time is over or the account is somebody's.
pub async fn undo(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    path: Path<(i64, i64)>,
    ProtectedForm(UndoForm {}): ProtectedForm<UndoForm>,
) -> Result<HttpResponse, AdminError> {
    let (user_id, id) = path.into_inner();
    let user_id = UserId(user_id);
    let restored = undo_unlink(&app, staff.by(context), user_id, UnlinkedId(id), None)
        .await
        .map_err(|error| failed(error, user_id))?;
    let title = title_of(&app, restored.provider.as_str());
    let text = t(if restored.was_repeated {
        "unlink-undone-before"
    } else {
        "unlink-undone"
    });
    let notice = Notice::ok(text.with("provider", title));
    Ok(staff.redirect_with_notice(&user_path(user_id), notice))
}

/// Nothing but the token.
#[derive(Deserialize)]
pub struct UndoForm {}

fn ids(path: Path<(i64, i64)>) -> (UserId, SocialAuthId) {
    let (user_id, id) = path.into_inner();
    (UserId(user_id), SocialAuthId(id))
}

/// The page once more, with what is wrong and what was typed.
async fn again(
    app: &App,
    staff: &StaffContext,
    (user_id, id): (UserId, SocialAuthId),
    form: UnlinkForm,
    errors: FormErrors,
) -> Result<HttpResponse, AdminError> {
    let plan = plan_unlink(app, user_id, id)
        .await
        .map_err(|error| failed(error, user_id))?;
    let page = page(app, staff, &plan, form, errors);
    staff.render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn page(
    app: &App,
    staff: &StaffContext,
    plan: &UnlinkPlan,
    form: UnlinkForm,
    errors: FormErrors,
) -> UnlinkPage {
    let account = &plan.account;
    let name = name_of(&plan.user);
    let title = title_of(app, account.provider.as_str());
    let heading = t("unlink-title")
        .with("provider", &title)
        .with("name", &name);
    let frame = staff
        .frame(app, heading, Nav::Users)
        .with_errors(!errors.is_empty());
    let first_name = match plan.user.first_name.trim() {
        "" => name.clone(),
        first_name => first_name.to_owned(),
    };
    UnlinkPage {
        errors,
        back: user_path(plan.user.id),
        first_name,
        name,
        mark: Mark::of(&app.providers, account.provider.as_str()),
        title,
        uid: account.uid.as_str().to_owned(),
        linked: frame.time(account.created_at),
        used: frame.time(account.modified_at),
        is_last_way_in: plan.is_last_way_in,
        sessions: plan.sessions,
        can_revoke: plan.can_revoke,
        webhooks: app
            .webhooks
            .told_of(EventType::SocialAccountUnlinked)
            .map(|webhook| webhook.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        undo_days: plan.undo_until.map_or(0, |_| app.retention.undo_days),
        refuse_until: date(&plan.refuse_until),
        // With the version that the form had: a change since then is still to be noticed.
        form,
        frame,
    }
}

fn notice(app: &App, user_id: UserId, unlinked: &Unlinked) -> Notice {
    let title = title_of(app, unlinked.provider.as_str());
    let undo = unlinked
        .unlinked_id
        .map(|id| format!("{}/unlinked/{id}/undo", user_path(user_id)));
    let text = t(match unlinked.revocation {
        None => "unlink-repeated",
        Some(Revocation::Revoked) => "unlink-done-revoked",
        Some(Revocation::Refused) => "unlink-done-not-revoked",
        Some(Revocation::NotReached) => "unlink-done-not-reached",
        Some(Revocation::NotOffered) => "unlink-done",
    });
    let text = text
        .with("provider", title)
        .with("count", unlinked.sessions_ended);
    let notice = match unlinked.revocation {
        None | Some(Revocation::Revoked | Revocation::NotOffered) => Notice::ok(text),
        Some(Revocation::Refused | Revocation::NotReached) => Notice::warn(text),
    };
    match undo {
        Some(undo) => notice.with_action(t("unlink-undo"), undo),
        None => notice,
    }
}
