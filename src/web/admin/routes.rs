//! Every address of the staff pages, with the role that it needs.

use actix_session::SessionMiddleware;
use actix_session::config::{BrowserSession, CookieContentSecurity};
use actix_web::cookie::{Key, SameSite};
use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{HttpResponse, Route};

use super::error::AdminError;
use super::guard::{finish, guard};
use super::lists::export;
use super::notices::redirect;
use super::store::StaffSessionStore;
use super::text::t;
use super::{
    CookieName, accounts, activity, factor, health, overview, person, preferences, provider,
    provider_sign_in, providers, second_factor, settings, sign_in, staff_accounts, users, webhooks,
    welcome,
};
use crate::app::App;
use crate::domain::Role;
use crate::web::ServerContext;

/// Where all of it lives.
const SCOPE: &str = "/admin";

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, signed in or not.
    Anyone,
    /// All staff, even those who have to set up a second factor first.
    Enrolling,
    /// This role and those above it.
    Least(Role),
}

impl Access {
    /// The least role; `None` where nobody needs to be signed in.
    #[must_use]
    pub const fn least_role(self) -> Option<Role> {
        match self {
            Self::Anyone => None,
            Self::Enrolling => Some(Role::Staff),
            Self::Least(role) => Some(role),
        }
    }
}

/// One line of the table.
pub struct AdminRoute {
    /// `GET` or `POST`.
    pub method: Method,
    /// The pattern, as logs and metrics name it.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    mount: fn(Route) -> Route,
}

const ANYONE: Access = Access::Anyone;
const ENROLLING: Access = Access::Enrolling;
const STAFF: Access = Access::Least(Role::Staff);
const ADMIN: Access = Access::Least(Role::Admin);
const SUPERUSER: Access = Access::Least(Role::Superuser);

macro_rules! table {
    ($($method:ident $path:literal $access:ident $($handler:ident)::+;)+) => {
        &[$(AdminRoute {
            method: Method::$method,
            path: $path,
            access: $access,
            mount: |route| route.to($($handler)::+),
        },)+]
    };
}

/// The table. Where two patterns fit one address, the first in here is meant.
pub static ROUTES: &[AdminRoute] = table! {
    GET "/admin" ENROLLING show_start;
    GET "/admin/sign-in" ANYONE sign_in::show_sign_in;
    POST "/admin/sign-in" ANYONE sign_in::sign_in;
    POST "/admin/sign-in/providers/{provider}" ANYONE provider_sign_in::start_sign_in;
    GET "/admin/sign-in/complete/{provider}" ANYONE provider_sign_in::complete;
    GET "/admin/sign-in/code" ANYONE factor::show_code;
    POST "/admin/sign-in/code" ANYONE factor::send_code;
    POST "/admin/sign-out" ANYONE sign_in::sign_out;
    GET "/admin/welcome" ANYONE welcome::show_welcome;
    POST "/admin/welcome" ANYONE welcome::accept;
    GET "/admin/step-up" ENROLLING factor::show_step_up;
    POST "/admin/step-up" ENROLLING factor::step_up;
    POST "/admin/step-up/providers/{provider}" ENROLLING provider_sign_in::start_step_up;
    GET "/admin/users" STAFF users::list_users;
    GET "/admin/users/export" ADMIN export::export_users;
    GET "/admin/accounts" STAFF accounts::list_accounts;
    GET "/admin/accounts/export" ADMIN export::export_accounts;
    GET "/admin/preferences" STAFF preferences::show_preferences;
    POST "/admin/preferences" ENROLLING preferences::set_preferences;
    GET "/admin/settings" STAFF settings::show_settings;
    GET "/admin/settings/password" STAFF settings::show_password;
    POST "/admin/settings/password" STAFF settings::set_password;
    POST "/admin/settings/sessions/end-others" STAFF settings::end_others;
    POST "/admin/settings/sessions/{id}/end" STAFF settings::end_session;
    GET "/admin/settings/second-factor" ENROLLING second_factor::show_second_factor;
    POST "/admin/settings/second-factor" ENROLLING second_factor::set_up;
    POST "/admin/settings/second-factor/remove" STAFF second_factor::remove;
    POST "/admin/settings/second-factor/recovery-codes" STAFF second_factor::renew_codes;
    GET "/admin/settings/staff/invite" SUPERUSER staff_accounts::show_invite;
    POST "/admin/settings/staff/invite" SUPERUSER staff_accounts::invite;
    GET "/admin/settings/staff/{id}" SUPERUSER staff_accounts::show_account;
    POST "/admin/settings/staff/{id}" SUPERUSER staff_accounts::change;
    POST "/admin/settings/staff/{id}/link" SUPERUSER staff_accounts::issue_link;
    POST "/admin/settings/staff/{id}/second-factor/remove" SUPERUSER staff_accounts::remove_second_factor;
    POST "/admin/settings/staff/{id}/providers/{provider}/remove" SUPERUSER staff_accounts::remove_provider;
    GET "/admin/settings/staff/{id}/deactivate" SUPERUSER staff_accounts::show_deactivate;
    POST "/admin/settings/staff/{id}/deactivate" SUPERUSER staff_accounts::deactivate;
    POST "/admin/settings/staff/{id}/reactivate" SUPERUSER staff_accounts::reactivate;
    GET "/admin/overview" STAFF overview::show_overview;
    GET "/admin/providers" STAFF providers::list_providers;
    GET "/admin/providers/{id}" STAFF provider::show_provider;
    POST "/admin/providers/{id}/test" ADMIN provider::test_provider;
    GET "/admin/activity" STAFF activity::list_activity;
    GET "/admin/activity/export" ADMIN activity::export_activity;
    GET "/admin/activity/{id}" STAFF activity::show_entry;
    GET "/admin/settings/health" STAFF health::show_health;
    GET "/admin/settings/health.json" STAFF health::show_health_json;
    GET "/admin/settings/webhooks" STAFF webhooks::show_webhooks;
    POST "/admin/settings/webhooks/{name}/test" SUPERUSER webhooks::send_test;
    POST "/admin/settings/webhooks/deliveries/{id}/resend" SUPERUSER webhooks::resend;
    GET "/admin/users/{id}" STAFF person::show::show_user;
    GET "/admin/users/{id}/accounts/{account}/unlink" ADMIN person::unlink::show_unlink;
    POST "/admin/users/{id}/accounts/{account}/unlink" ADMIN person::unlink::unlink_account;
    POST "/admin/users/{id}/accounts/{account}/check" STAFF person::check::check;
    POST "/admin/users/{id}/unlinked/{unlinked}/undo" ADMIN person::unlink::undo;
    GET "/admin/users/{id}/unlinked/{unlinked}/ticket" ADMIN person::ticket::show_ticket;
    POST "/admin/users/{id}/unlinked/{unlinked}/ticket" ADMIN person::ticket::issue_ticket;
    GET "/admin/users/{id}/deactivate" ADMIN person::activation::show_deactivate;
    POST "/admin/users/{id}/deactivate" ADMIN person::activation::deactivate;
    GET "/admin/users/{id}/reactivate" ADMIN person::activation::show_reactivate;
    POST "/admin/users/{id}/reactivate" ADMIN person::activation::reactivate;
    GET "/admin/users/{id}/sessions/revoke" ADMIN person::sessions::show_revoke_all;
    POST "/admin/users/{id}/sessions/revoke" ADMIN person::sessions::revoke_all;
    GET "/admin/users/{id}/sessions/{session}/revoke" ADMIN person::sessions::show_revoke_one;
    POST "/admin/users/{id}/sessions/{session}/revoke" ADMIN person::sessions::revoke_one;
};

/// The staff pages.
pub fn admin(app: &Data<App>, context: &ServerContext) -> impl HttpServiceFactory + use<> {
    let mut scope = web::scope(SCOPE)
        .app_data(web::PathConfig::default().error_handler(|_, _| AdminError::NotFound.into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| {
            let sentence = t("error-address-unreadable").with("error", error.to_string());
            AdminError::InvalidRequest(sentence).into()
        }));
    let mut paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(*path));
    for path in paths {
        scope = scope.service(resource(path));
    }
    let session = SessionMiddleware::builder(
        StaffSessionStore::new(app.clone()),
        Key::from(&app.staff_keys.cookie),
    )
    .cookie_name(context.admin.cookie_name(CookieName::Session).to_owned())
    .cookie_secure(context.admin.secure_cookies)
    .cookie_http_only(true)
    .cookie_same_site(SameSite::Strict)
    .cookie_path("/".to_owned())
    .cookie_content_security(CookieContentSecurity::Private)
    .session_lifecycle(BrowserSession::default())
    .build();
    scope
        .default_service(guarded(ANYONE, web::to(not_found)))
        .wrap(session)
        .wrap(from_fn(finish))
}

fn resource(path: &'static str) -> actix_web::Resource {
    let below = path.strip_prefix(SCOPE).unwrap_or(path);
    let mut resource = web::resource(below);
    let mut allow = Vec::new();
    for route in ROUTES.iter().filter(|route| route.path == path) {
        allow.push(route.method.as_str());
        let handler = (route.mount)(web::method(route.method.clone()));
        resource = resource.route(guarded(route.access, handler));
    }
    let allow = allow.join(", ");
    let refuse = move || {
        let allow = allow.clone();
        async move { Err::<HttpResponse, _>(AdminError::MethodNotAllowed { allow }) }
    };
    resource.default_service(guarded(ANYONE, web::to(refuse)))
}

fn guarded(access: Access, route: Route) -> Route {
    route.wrap(from_fn(move |request, next| guard(access, request, next)))
}

/// Any other address below `/admin`.
async fn not_found() -> Result<HttpResponse, AdminError> {
    Err(AdminError::NotFound)
}

/// `GET /admin`
async fn show_start() -> HttpResponse {
    redirect("/admin/overview")
}
