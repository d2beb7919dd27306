//! Unlinking a social account, with everything that it does said first, and taking that back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::super::context::{ContextOf, StaffContext};
use super::super::error::AdminError;
use super::super::forms::{FormErrors, ProtectedForm};
use super::super::frame::{Frame, Nav, render, render_with_status};
use super::super::marks::Mark;
use super::super::notices::Notice;
use super::super::time::Time;
use super::{count_of, failed, name_of, reason_of, title_of, user_path};
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
    sessions_words: String,
    can_revoke: bool,
    undo_days: u16,
    /// Who is told of it, in words; empty if nobody is.
    webhooks: String,
    refuse_until: String,
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
    render(&page(&app, &staff, &plan, form, FormErrors::none()))
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
            let errors = FormErrors::one("sure", "Confirm that no way to sign in will be left");
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
    let notice = if restored.was_repeated {
        Notice::ok(format!(
            "{title} had been given back before. Nothing was done now."
        ))
    } else {
        Notice::ok(format!(
            "{title} is linked again. Its access token comes back at the next sign-in."
        ))
    };
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
    render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
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
    let heading = format!("Unlink {title} from {name}");
    let frame = staff
        .frame(app, &heading, Nav::Users)
        .with_errors(!errors.is_empty());
    let sessions = usize::try_from(plan.sessions).unwrap_or_default();
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
        sessions_words: count_of(sessions, "session"),
        can_revoke: plan.can_revoke,
        webhooks: app
            .webhooks
            .told_of(EventType::SocialAccountUnlinked)
            .map(|webhook| webhook.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        undo_days: plan.undo_until.map_or(0, |_| app.retention.undo_days),
        refuse_until: plan.refuse_until.format("%-d %b %Y").to_string(),
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
    let notice = match unlinked.revocation {
        None => Notice::ok(format!(
            "{title} had been unlinked before. Nothing was done now."
        )),
        Some(revocation) => {
            let ended = match unlinked.sessions_ended {
                0 => String::new(),
                count => format!(" Ended {}.", count_of(count, "session")),
            };
            let text = format!("Unlinked {title}.{ended}{}", revoked(&title, revocation));
            match revocation {
                Revocation::Revoked | Revocation::NotOffered => Notice::ok(text),
                Revocation::Refused | Revocation::NotReached => Notice::warn(text),
            }
        }
    };
    match undo {
        Some(undo) => notice.with_action("Undo", undo),
        None => notice,
    }
}

fn revoked(title: &str, revocation: Revocation) -> String {
    match revocation {
        Revocation::Revoked => format!(" {title} revoked the access token."),
        Revocation::Refused => {
            format!(" {title} did not revoke the access token; it may have ended already.")
        }
        Revocation::NotReached => {
            format!(" {title} was not reached, so the access token may live on there.")
        }
        Revocation::NotOffered => String::new(),
    }
}
