//! `GET /providers`

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use crate::app::App;
use crate::providers::Provider;

/// `GET /providers`: what is on, and which proofs it takes.
pub async fn list_providers(app: Data<App>) -> HttpResponse {
    let providers: Vec<_> = app
        .providers
        .iter()
        .map(|provider| ProviderBody::from(&**provider))
        .collect();
    HttpResponse::Ok().json(ProvidersBody { providers })
}

#[derive(Serialize)]
struct ProvidersBody<'a> {
    providers: Vec<ProviderBody<'a>>,
}

#[derive(Serialize)]
struct ProviderBody<'a> {
    id: &'a str,
    title: &'a str,
    aliases: &'a [String],
    status: &'static str,
    proofs: Vec<&'static str>,
    clients: Vec<ClientBody<'a>>,
}

#[derive(Serialize)]
struct ClientBody<'a> {
    client_id: &'a str,
    platform: Option<&'a str>,
    label: Option<&'a str>,
}

impl<'a> From<&'a Provider> for ProviderBody<'a> {
    fn from(provider: &'a Provider) -> Self {
        Self {
            id: provider.id().as_str(),
            title: provider.title(),
            aliases: provider.aliases(),
            status: provider.status().as_str(),
            proofs: provider
                .proofs()
                .into_iter()
                .map(crate::domain::hand_in::ProofKind::as_str)
                .collect(),
            clients: provider
                .clients()
                .iter()
                .map(|client| ClientBody {
                    client_id: &client.id,
                    platform: client.platform.as_deref(),
                    label: client.label.as_deref(),
                })
                .collect(),
        }
    }
}
