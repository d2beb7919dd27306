//! Settings: one's own account, and for superusers the list of all.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::context::{ContextOf, StaffContext};
use super::device::device_name;
use super::error::AdminError;
use super::forms::{FormErrors, NoFields, ProtectedForm};
use super::frame::{Frame, Nav, initials};
use super::marks::Mark;
use super::notices::Notice;
use super::text::{Message, filters, t};
use super::time::Time;
use super::words;
use crate::app::App;
use crate::domain::{Role, Secret, Staff, StaffSession, StaffSessionId};
use crate::flows::staff::{
    StaffError, change_password, end_other_sessions, end_own_session, view_own_account,
};
use crate::storage::staff_providers::{self, StaffProvider};
use crate::storage::{StorageError, staff};

/// How many accounts the list shows. A service that has more staff than that has other worries.
const ACCOUNTS: u32 = 500;
/// How many of those who sign in through providers are looked up for it.
const PROVIDERS: u32 = 2000;

/// A session as the page shows it.
struct SessionRow {
    id: i64,
    is_current: bool,
    device: Message,
    /// The title of the provider that it was opened through.
    provider: Option<String>,
    address: String,
    started: Time,
    used: Time,
}

/// Somebody at a provider who signs in as an account, as pages show it.
pub(super) struct ProviderRow {
    pub(super) id: String,
    pub(super) mark: Mark,
    pub(super) uid: String,
    pub(super) since: Time,
    pub(super) used: Time,
}

impl ProviderRow {
    pub(super) fn new(app: &App, frame: &Frame, bound: &StaffProvider) -> Self {
        Self {
            id: bound.provider.to_string(),
            mark: Mark::of(&app.providers, bound.provider.as_str()),
            uid: bound.uid.to_string(),
            since: frame.time(bound.created_at),
            used: frame.time(bound.last_used_at),
        }
    }
}

/// A staff account as the list shows it.
struct AccountRow {
    id: i64,
    initials: String,
    name: String,
    email: String,
    role: Role,
    second_factor: bool,
    providers: Vec<Mark>,
    status: AccountStatus,
    last_sign_in: Option<Time>,
}

/// Whether somebody can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AccountStatus {
    Active,
    Invited,
    Inactive,
}

impl AccountStatus {
    pub(super) const fn of(staff: &Staff, has_provider: bool) -> Self {
        match (staff.is_active, staff.has_password || has_provider) {
            (false, _) => Self::Inactive,
            (true, false) => Self::Invited,
            (true, true) => Self::Active,
        }
    }

    pub(super) const fn label(self) -> Message {
        t(match self {
            Self::Active => "status-active",
            Self::Invited => "status-invited",
            Self::Inactive => "status-inactive",
        })
    }

    /// The tone of the macro `status`.
    pub(super) const fn tone(self) -> &'static str {
        match self {
            Self::Active => "",
            Self::Invited => "warn",
            Self::Inactive => "off",
        }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "admin/settings/show.html")]
struct SettingsPage {
    frame: Frame,
    staff: Staff,
    recovery_codes: i64,
    providers: Vec<ProviderRow>,
    sessions: Vec<SessionRow>,
    accounts: Vec<AccountRow>,
}

/// `GET /admin/settings`
///
/// # Errors
/// [`AdminError::Storage`].
pub async fn show_settings(
    app: Data<App>,
    staff: StaffContext,
) -> Result<HttpResponse, AdminError> {
    let frame = staff.frame(&app, t("settings-title"), Nav::Settings);
    let own = view_own_account(&app, staff.staff.id).await?;
    let accounts = if staff.role() >= Role::Superuser {
        list_accounts(&app).await?
    } else {
        Vec::new()
    };
    let sessions = own.sessions.iter();
    let page = SettingsPage {
        staff: staff.staff.clone(),
        recovery_codes: own.recovery_codes,
        sessions: sessions
            .map(|session| session_row(&app, &frame, &staff, session))
            .collect(),
        accounts: accounts
            .iter()
            .map(|(account, bound)| account_row(&app, &frame, account, bound))
            .collect(),
        providers: own
            .providers
            .iter()
            .map(|bound| ProviderRow::new(&app, &frame, bound))
            .collect(),
        frame,
    };
    staff.render(&page)
}

/// The accounts, each with what it signs in through.
async fn list_accounts(app: &App) -> Result<Vec<(Staff, Vec<StaffProvider>)>, StorageError> {
    let (accounts, bound) = app
        .db
        .read(|reader| {
            let accounts = staff::list(reader, ACCOUNTS)?;
            Ok::<_, StorageError>((accounts, staff_providers::list(reader, PROVIDERS)?))
        })
        .await?;
    let of = |id| {
        let bound = bound.iter().filter(|bound| bound.staff_id == id);
        bound.cloned().collect()
    };
    let with_bound = accounts.into_iter().map(|account| {
        let bound = of(account.id);
        (account, bound)
    });
    Ok(with_bound.collect())
}

fn session_row(
    app: &App,
    frame: &Frame,
    staff: &StaffContext,
    session: &StaffSession,
) -> SessionRow {
    let provider = session.provider.as_ref();
    SessionRow {
        id: session.id.0,
        is_current: session.id == staff.session.id,
        device: device_name(session.user_agent.as_deref()),
        provider: provider.map(|id| Mark::of(&app.providers, id.as_str()).title),
        address: session.address.clone().unwrap_or_default(),
        started: frame.time(session.created_at),
        used: frame.time(session.last_used_at),
    }
}

fn account_row(app: &App, frame: &Frame, account: &Staff, bound: &[StaffProvider]) -> AccountRow {
    let mark = |bound: &StaffProvider| Mark::of(&app.providers, bound.provider.as_str());
    AccountRow {
        id: account.id.0,
        initials: initials(&account.display_name),
        name: account.display_name.clone(),
        email: account.email.clone(),
        role: account.role,
        second_factor: account.has_second_factor,
        status: AccountStatus::of(account, !bound.is_empty()),
        providers: bound.iter().map(mark).collect(),
        last_sign_in: account.last_sign_in_at.map(|at| frame.time(at)),
    }
}

/// The page for changing one's password.
#[derive(Template)]
#[template(path = "admin/settings/password.html")]
struct PasswordPage {
    frame: Frame,
    email: String,
    errors: FormErrors,
}

impl PasswordPage {
    fn new(app: &App, staff: &StaffContext, errors: FormErrors) -> Self {
        let frame = staff.frame(app, t("password-title"), Nav::Settings);
        Self {
            frame: frame.with_errors(!errors.is_empty()),
            email: staff.staff.email.clone(),
            errors,
        }
    }
}

/// `GET /admin/settings/password`
///
/// # Errors
/// [`AdminError::Render`].
pub async fn show_password(
    app: Data<App>,
    staff: StaffContext,
) -> Result<HttpResponse, AdminError> {
    staff.render(&PasswordPage::new(&app, &staff, FormErrors::none()))
}

/// The old password and the new one.
#[derive(Deserialize)]
pub struct PasswordForm {
    current_password: Secret,
    new_password: Secret,
}

/// `POST /admin/settings/password`
///
/// # Errors
/// [`AdminError::TooMany`], [`AdminError::Storage`].
pub async fn set_password(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    ProtectedForm(form): ProtectedForm<PasswordForm>,
) -> Result<HttpResponse, AdminError> {
    let who = staff.signed_in();
    let changed = change_password(
        &app,
        &who,
        form.current_password,
        form.new_password,
        context,
    )
    .await;
    let errors = match changed {
        Ok(()) => {
            let notice = Notice::ok(t("password-changed"));
            return Ok(staff.redirect_with_notice("/admin/settings", notice));
        }
        Err(StaffError::Refused) => FormErrors::one("current_password", t("password-wrong")),
        Err(StaffError::WeakPassword(problem)) => {
            FormErrors::one("new_password", words::password_problem(problem))
        }
        Err(error) => return Err(error.into()),
    };
    let page = PasswordPage::new(&app, &staff, errors);
    staff.render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /admin/settings/sessions/{id}/end`
///
/// # Errors
/// [`AdminError::Conflict`] when the session has ended already.
pub async fn end_session(
    app: Data<App>,
    staff: StaffContext,
    id: Path<i64>,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    let id = StaffSessionId(id.into_inner());
    end_own_session(&app, &staff.signed_in(), id, context).await?;
    let notice = Notice::ok(t("settings-session-ended"));
    Ok(staff.redirect_with_notice("/admin/settings", notice))
}

/// `POST /admin/settings/sessions/end-others`
///
/// # Errors
/// [`AdminError::Storage`].
pub async fn end_others(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    let ended = end_other_sessions(&app, &staff.signed_in(), context).await?;
    let sentence = t("settings-sessions-ended").with("count", ended);
    Ok(staff.redirect_with_notice("/admin/settings", Notice::ok(sentence)))
}
