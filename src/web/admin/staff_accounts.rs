//! Staff accounts, for superusers. Changes want a factor proven within the last ten minutes.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::context::{ContextOf, StaffContext};
use super::error::AdminError;
use super::forms::{FormErrors, NoFields, ProtectedForm};
use super::frame::{Frame, Nav, initials};
use super::marks::Mark;
use super::notices::Notice;
use super::settings::{AccountStatus, ProviderRow};
use super::text::{Message, filters, t};
use super::time::Time;
use crate::app::App;
use crate::domain::staff::{DisplayName, NewStaff, StaffEmail};
use crate::domain::{ProviderId, Role, Secret, Staff, StaffId};
use crate::flows;
use crate::flows::staff::{
    StaffChange, StaffError, change_staff, deactivate_staff, invite_staff, issue_password_link,
    reactivate_staff, reset_second_factor,
};
use crate::storage::{staff, staff_providers};

/// The page for inviting somebody.
#[derive(Template)]
#[template(path = "admin/staff_accounts/invite.html")]
struct InvitePage {
    frame: Frame,
    form: InviteForm,
    roles: [Role; 3],
    errors: FormErrors,
}

/// Who is invited.
#[derive(Deserialize, Default)]
pub struct InviteForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    role: String,
    must_have_second_factor: Option<String>,
}

impl InvitePage {
    fn new(app: &App, staff: &StaffContext, form: InviteForm, errors: FormErrors) -> Self {
        let frame = staff.frame(app, t("invite-title"), Nav::Settings);
        Self {
            frame: frame.with_errors(!errors.is_empty()),
            form,
            roles: Role::ALL,
            errors,
        }
    }
}

/// `GET /admin/settings/staff/invite`
///
/// # Errors
/// [`AdminError::StepUpNeeded`].
pub async fn show_invite(app: Data<App>, staff: StaffContext) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(INVITE)?;
    let form = InviteForm {
        role: Role::Staff.as_str().to_owned(),
        ..InviteForm::default()
    };
    staff.render(&InvitePage::new(&app, &staff, form, FormErrors::none()))
}

const INVITE: &str = "/admin/settings/staff/invite";

/// The page that shows a one-time link, once.
#[derive(Template)]
#[template(path = "admin/staff_accounts/link.html")]
struct LinkPage {
    frame: Frame,
    account: Staff,
    link: String,
}

impl LinkPage {
    fn new(app: &App, staff: &StaffContext, account: Staff, token: &Secret) -> Self {
        Self {
            frame: staff.frame(app, t("link-title"), Nav::Settings),
            account,
            link: welcome_link(app.access_tokens.issuer(), token),
        }
    }
}

/// The address that a one-time link leads to.
#[must_use]
pub fn welcome_link(public_url: &str, token: &Secret) -> String {
    format!("{public_url}/admin/welcome?token={}", token.expose())
}

/// `POST /admin/settings/staff/invite`: the answer shows the link, so it is no redirect.
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Storage`].
pub async fn invite(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    ProtectedForm(form): ProtectedForm<InviteForm>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(INVITE)?;
    let must = form.must_have_second_factor.is_some();
    let mut errors = FormErrors::none();
    if let Some(new) = new_staff(&form, &mut errors) {
        match invite_staff(&app, staff.actor(), new, must, None, context).await {
            Ok((account, token)) => {
                return staff.render(&LinkPage::new(&app, &staff, account, &token));
            }
            Err(StaffError::EmailTaken) => errors.add("email", t("form-email-taken")),
            Err(error) => return Err(error.into()),
        }
    }
    let page = InvitePage::new(&app, &staff, form, errors);
    staff.render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn new_staff(form: &InviteForm, errors: &mut FormErrors) -> Option<NewStaff> {
    let email = StaffEmail::parse(&form.email);
    let display_name = DisplayName::parse(&form.display_name);
    let role = Role::parse(&form.role);
    if email.is_none() {
        errors.add("email", t("form-email"));
    }
    if display_name.is_none() {
        errors.add("display_name", t("invite-name"));
    }
    if role.is_none() {
        errors.add("role", t("invite-role"));
    }
    Some(NewStaff {
        email: email?,
        display_name: display_name?,
        role: role?,
    })
}

/// The page of one account.
#[derive(Template)]
#[template(path = "admin/staff_accounts/show.html")]
struct AccountPage {
    frame: Frame,
    initials: String,
    status: AccountStatus,
    created: Time,
    last_sign_in: Option<Time>,
    is_self: bool,
    roles: [Role; 3],
    providers: Vec<ProviderRow>,
    account: Staff,
}

/// The account with this id.
async fn get_account(app: &App, id: i64) -> Result<Staff, AdminError> {
    let found = app.db.read(move |reader| staff::find(reader, StaffId(id)));
    found.await?.ok_or(AdminError::NotFound)
}

fn path_of(id: i64) -> String {
    format!("/admin/settings/staff/{id}")
}

/// `GET /admin/settings/staff/{id}`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn show_account(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
) -> Result<HttpResponse, AdminError> {
    let account = get_account(&app, *id).await?;
    let account_id = account.id;
    let bound = app
        .db
        .read(move |reader| staff_providers::list_of_staff(reader, account_id))
        .await?;
    let frame = staff.frame(
        &app,
        Message::verbatim(account.display_name.clone()),
        Nav::Settings,
    );
    staff.render(&AccountPage {
        initials: initials(&account.display_name),
        status: AccountStatus::of(&account, !bound.is_empty()),
        created: frame.time(account.created_at),
        last_sign_in: account.last_sign_in_at.map(|at| frame.time(at)),
        is_self: account.id == staff.staff.id,
        roles: Role::ALL,
        providers: bound
            .iter()
            .map(|bound| ProviderRow::new(&app, &frame, bound))
            .collect(),
        account,
        frame,
    })
}

/// Role and demands.
#[derive(Deserialize)]
pub struct ChangeForm {
    role: String,
    must_have_second_factor: Option<String>,
}

/// `POST /admin/settings/staff/{id}`
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Conflict`] for the last superuser.
pub async fn change(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
    ContextOf(context): ContextOf,
    ProtectedForm(form): ProtectedForm<ChangeForm>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(&path_of(*id))?;
    let role = Role::parse(&form.role);
    let change = StaffChange {
        role: role.ok_or_else(|| AdminError::InvalidRequest(t("staff-no-such-role")))?,
        must_have_second_factor: form.must_have_second_factor.is_some(),
    };
    change_staff(&app, staff.actor(), StaffId(*id), change, context).await?;
    let notice = Notice::ok(t("staff-changed"));
    Ok(staff.redirect_with_notice(&path_of(*id), notice))
}

/// `POST /admin/settings/staff/{id}/link`: the answer shows the link, so it is no redirect.
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Conflict`].
pub async fn issue_link(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(&path_of(*id))?;
    let token = issue_password_link(&app, staff.actor(), StaffId(*id), context).await?;
    let account = get_account(&app, *id).await?;
    staff.render(&LinkPage::new(&app, &staff, account, &token))
}

/// `POST /admin/settings/staff/{id}/second-factor/remove`
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Conflict`].
pub async fn remove_second_factor(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(&path_of(*id))?;
    reset_second_factor(&app, staff.actor(), StaffId(*id), context).await?;
    let notice = Notice::ok(t("staff-factor-removed"));
    Ok(staff.redirect_with_notice(&path_of(*id), notice))
}

/// `POST /admin/settings/staff/{id}/providers/{provider}/remove`
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Conflict`].
pub async fn remove_provider(
    app: Data<App>,
    staff: StaffContext,
    path: Path<(i64, String)>,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    let (id, provider) = path.into_inner();
    staff.require_fresh_factor(&path_of(id))?;
    let provider = ProviderId::parse(&provider).ok_or(AdminError::NotFound)?;
    let title = Mark::of(&app.providers, provider.as_str()).title;
    flows::staff::remove_provider(&app, staff.actor(), StaffId(id), provider, context).await?;
    let notice = Notice::ok(t("staff-provider-removed").with("provider", title));
    Ok(staff.redirect_with_notice(&path_of(id), notice))
}

/// The page that asks before somebody is deactivated.
#[derive(Template)]
#[template(path = "admin/staff_accounts/deactivate.html")]
struct DeactivatePage {
    frame: Frame,
    account: Staff,
}

/// `GET /admin/settings/staff/{id}/deactivate`
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::NotFound`].
pub async fn show_deactivate(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(&staff.path)?;
    let account = get_account(&app, *id).await?;
    let title = t("activation-deactivate").with("name", &account.display_name);
    staff.render(&DeactivatePage {
        frame: staff.frame(&app, title, Nav::Settings),
        account,
    })
}

/// `POST /admin/settings/staff/{id}/deactivate`
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Conflict`] for the last superuser.
pub async fn deactivate(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(&path_of(*id))?;
    deactivate_staff(&app, staff.actor(), StaffId(*id), context).await?;
    let notice = Notice::ok(t("staff-deactivated"))
        .with_action(t("unlink-undo"), format!("{}/reactivate", path_of(*id)));
    Ok(staff.redirect_with_notice(&path_of(*id), notice))
}

/// `POST /admin/settings/staff/{id}/reactivate`
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Conflict`].
pub async fn reactivate(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(&path_of(*id))?;
    reactivate_staff(&app, staff.actor(), StaffId(*id), context).await?;
    let notice = Notice::ok(t("staff-reactivated"));
    Ok(staff.redirect_with_notice(&path_of(*id), notice))
}
