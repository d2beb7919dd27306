//! `GET /`: what a person sees who opens the address in a browser.

use actix_web::HttpResponse;
use actix_web::http::header::{self, ContentType};
use actix_web::web::Data;
use askama::Template;

use crate::app::App;

/// The page's policy: nothing but our own stylesheet.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage<'a> {
    version: &'static str,
    providers: Vec<ProviderRow<'a>>,
}

/// A provider that is on.
struct ProviderRow<'a> {
    id: &'a str,
    title: &'a str,
    proofs: String,
}

/// `GET /`: the service, its version, the providers that are on and where to read on.
pub async fn show_index(app: Data<App>) -> HttpResponse {
    let providers = app
        .providers
        .iter()
        .map(|provider| ProviderRow {
            id: provider.id().as_str(),
            title: provider.title(),
            proofs: provider
                .proofs()
                .into_iter()
                .map(super::super::domain::hand_in::ProofKind::as_str)
                .collect::<Vec<_>>()
                .join(", "),
        })
        .collect();
    let page = IndexPage {
        version: env!("CARGO_PKG_VERSION"),
        providers,
    };
    match page.render() {
        Ok(html) => HttpResponse::Ok()
            .content_type(ContentType::html())
            .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .body(html),
        Err(error) => {
            tracing::error!(error = %error, "Could not render the index page");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// `GET /static/latchkey.css`
pub async fn show_stylesheet() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(include_str!("../../static/latchkey.css"))
}
