//! Every address there is, grouped by who calls it. Those of staff have a table of their own, [`super::admin::routes`].

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Responder};

use super::admin::assets;
use super::api::{health, me, nonce, oauth, providers, social_sign_up};
use super::error::Error;
use super::{ServerContext, fake, index};

/// What everyone reaches.
pub fn public(routes: &mut ServiceConfig, context: &ServerContext) {
    // Apps and web clients
    routes
        .service(post(
            // Logs and metrics name the first.
            &["/social_sign_up/", "/social_sign_up"],
            social_sign_up::social_sign_up,
        ))
        .service(get(
            &["/providers", "/providers/"],
            providers::list_providers,
        ))
        .service(post(&["/nonce", "/nonce/"], nonce::create_nonce))
        .service(get(&["/me", "/me/"], me::show_me))
        .service(post(
            &["/oauth/token", "/oauth/token/"],
            oauth::create_token,
        ))
        .service(get(&["/.well-known/jwks.json"], oauth::show_jwks));
    // Operators and load balancers
    routes
        .service(get(&["/healthz"], health::show_health))
        .service(get(&["/readyz"], health::show_readiness));
    if context.metrics_here {
        metrics(routes);
    }
    // People with a browser
    routes
        .service(get(&["/"], index::show_index))
        .service(get(&["/static/latchkey.css"], index::show_stylesheet))
        .service(get(&["/static/{file}"], assets::show_asset));
    // Development
    if context.fake.is_some() {
        routes.service(web::resource(["/fake", "/fake/{path:.*}"]).route(web::to(fake::answer)));
    }
}

/// `/metrics` alone.
pub fn metrics(routes: &mut ServiceConfig) {
    routes.service(get(&["/metrics"], health::show_metrics));
}

/// Any other address.
///
/// # Errors
/// Always [`Error::NotFound`].
pub async fn not_found() -> Result<HttpResponse, Error> {
    Err(Error::NotFound)
}

fn get<F, Args>(paths: &'static [&'static str], handler: F) -> Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource(paths, Method::GET, "GET", handler)
}

fn post<F, Args>(paths: &'static [&'static str], handler: F) -> Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource(paths, Method::POST, "POST", handler)
}

fn resource<F, Args>(
    paths: &'static [&'static str],
    method: Method,
    allow: &'static str,
    handler: F,
) -> Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let refused = move || async move {
        let allow = allow.into();
        Err::<HttpResponse, _>(Error::MethodNotAllowed { allow })
    };
    web::resource(paths.to_vec())
        .route(web::method(method).to(handler))
        .default_service(web::to(refused))
}
