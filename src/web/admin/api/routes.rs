//! Every address of the admin API, with the scope that it needs.

use std::collections::HashSet;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, PathConfig};
use actix_web::{HttpResponse, Resource, Route};

use super::guard::guard;
use super::{accounts, activation, activity, sessions, ticket, unlink, users};
use crate::domain::api_client::Scope;
use crate::web::error::Error;
use crate::web::routes::not_found;

/// Where all of it lives.
const SCOPE: &str = "/admin/api";

/// One line of the table.
pub struct ApiRoute {
    /// `GET` or `POST`.
    pub method: Method,
    /// The pattern, as logs and metrics name it.
    pub path: &'static str,
    /// What an access token has to be good for.
    pub scope: Scope,
    /// The parameters that its address may have.
    pub parameters: &'static [&'static str],
    mount: fn(Route) -> Route,
}

const READ: Scope = Scope::AdminRead;
const WRITE: Scope = Scope::AdminWrite;
/// No parameters.
const NONE: &[&str] = &[];

macro_rules! table {
    ($($method:ident $path:literal $scope:ident $parameters:path => $($handler:ident)::+;)+) => {
        &[$(ApiRoute {
            method: Method::$method,
            path: $path,
            scope: $scope,
            parameters: $parameters,
            mount: |route| route.to($($handler)::+),
        },)+]
    };
}

/// The table.
pub static ROUTES: &[ApiRoute] = table! {
    GET "/admin/api/users" READ users::PARAMETERS => users::list_users;
    GET "/admin/api/users/{id}" READ NONE => users::show_user;
    POST "/admin/api/users/{id}/accounts" WRITE NONE => accounts::associate_account;
    GET "/admin/api/users/{id}/accounts/{account}" READ NONE => users::show_account;
    GET "/admin/api/users/{id}/accounts/{account}/unlink" READ NONE => unlink::show_unlink;
    POST "/admin/api/users/{id}/accounts/{account}/unlink" WRITE NONE => unlink::unlink_account;
    POST "/admin/api/users/{id}/accounts/{account}/check" WRITE NONE => accounts::check_account;
    POST "/admin/api/users/{id}/unlinked/{unlinked}/undo" WRITE NONE => unlink::undo;
    POST "/admin/api/users/{id}/ticket" WRITE NONE => ticket::issue_ticket;
    POST "/admin/api/users/{id}/deactivate" WRITE NONE => activation::deactivate;
    POST "/admin/api/users/{id}/reactivate" WRITE NONE => activation::reactivate;
    POST "/admin/api/users/{id}/sessions/revoke" WRITE NONE => sessions::revoke_all;
    POST "/admin/api/users/{id}/sessions/{session}/revoke" WRITE NONE => sessions::revoke_one;
    GET "/admin/api/accounts" READ accounts::PARAMETERS => accounts::list_accounts;
    GET "/admin/api/activity" READ activity::PARAMETERS => activity::list_activity;
};

/// The admin API.
pub fn admin_api() -> impl HttpServiceFactory {
    let mut seen = HashSet::new();
    let paths = ROUTES.iter().map(|route| route.path);
    let mut scope = web::scope(SCOPE)
        .app_data(PathConfig::default().error_handler(|_, _| Error::NotFound.into()));
    for path in paths.filter(|path| seen.insert(*path)) {
        scope = scope.service(resource(path));
    }
    scope.default_service(web::to(not_found))
}

fn resource(path: &'static str) -> Resource {
    let below = path.strip_prefix(SCOPE).unwrap_or(path);
    let mut resource = web::resource(below);
    let mut allow = Vec::new();
    for route in ROUTES.iter().filter(|route| route.path == path) {
        allow.push(route.method.as_str());
        let handler = (route.mount)(web::method(route.method.clone()));
        let guarded = handler.wrap(from_fn(move |request, next| guard(route, request, next)));
        resource = resource.route(guarded);
    }
    let allow = allow.join(", ");
    let refuse = move || {
        let allow = allow.clone().into();
        async move { Err::<HttpResponse, _>(Error::MethodNotAllowed { allow }) }
    };
    resource.default_service(web::to(refuse))
}
