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
use super::notices::redirect;
use super::store::StaffSessionStore;
use super::{CookieName, preferences, sign_in};
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
    POST "/admin/sign-out" ANYONE sign_in::sign_out;
    GET "/admin/preferences" STAFF preferences::show_preferences;
    POST "/admin/preferences" ENROLLING preferences::set_preferences;
};

/// The staff pages.
pub fn admin(app: &Data<App>, context: &ServerContext) -> impl HttpServiceFactory + use<> {
    let mut scope = web::scope(SCOPE)
        .app_data(web::PathConfig::default().error_handler(|_, _| AdminError::NotFound.into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| {
            AdminError::InvalidRequest(format!("The address cannot be read: {error}").into()).into()
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
