//! Every address there is, grouped by who calls it. Those of staff have a table of their own, [`super::admin::routes`].

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};

use super::admin::assets;
use super::api::{health, me, nonce, oauth, providers, social_sign_up};
use super::error::Error;
use super::{ServerContext, fake, index};

/// What everyone reaches.
pub fn public(routes: &mut ServiceConfig, context: &ServerContext) {
    // Apps and web clients
    post(
        routes,
        &["/social_sign_up/", "/social_sign_up"],
        &social_sign_up::social_sign_up,
    );
    get(
        routes,
        &["/providers", "/providers/"],
        &providers::list_providers,
    );
    post(routes, &["/nonce", "/nonce/"], &nonce::create_nonce);
    get(routes, &["/me", "/me/"], &me::show_me);
    post(
        routes,
        &["/oauth/token", "/oauth/token/"],
        &oauth::create_token,
    );
    get(routes, &["/.well-known/jwks.json"], &oauth::show_jwks);
    // Operators and load balancers
    get(routes, &["/healthz"], &health::show_health);
    get(routes, &["/readyz"], &health::show_readiness);
    if context.metrics_here {
        metrics(routes);
    }
    // People with a browser
    get(routes, &["/"], &index::show_index);
    get(routes, &["/static/latchkey.css"], &index::show_stylesheet);
    get(routes, &["/static/{file}"], &assets::show_asset);
    // Development
    if context.fake.is_some() {
        routes.service(web::resource(["/fake", "/fake/{path:.*}"]).route(web::to(fake::answer)));
    }
}

/// `/metrics` alone.
pub fn metrics(routes: &mut ServiceConfig) {
    get(routes, &["/metrics"], &health::show_metrics);
}

/// Any other address.
///
/// # Errors
/// Always [`Error::NotFound`].
pub async fn not_found() -> Result<HttpResponse, Error> {
    Err(Error::NotFound)
}

fn get<F, Args>(routes: &mut ServiceConfig, paths: &[&'static str], handler: &F)
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    add(routes, paths, (Method::GET, "GET"), handler);
}

fn post<F, Args>(routes: &mut ServiceConfig, paths: &[&'static str], handler: &F)
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    add(routes, paths, (Method::POST, "POST"), handler);
}

/// The same at several paths; logs and metrics name the first. A resource each, since one of several paths is found by regular
/// expressions and one without parameters by comparison.
fn add<F, Args>(
    routes: &mut ServiceConfig,
    paths: &[&'static str],
    (method, allow): (Method, &'static str),
    handler: &F,
) where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let refused = move || async move {
        let allow = allow.into();
        Err::<HttpResponse, _>(Error::MethodNotAllowed { allow })
    };
    for path in paths {
        let mut resource = web::resource(*path)
            .route(web::method(method.clone()).to(handler.clone()))
            .default_service(web::to(refused));
        if let Some(first) = paths.first() {
            resource = resource.name(first);
        }
        routes.service(resource);
    }
}
