//! Who may pass: the scope comes from the table of routes, the client from the database as it is now.

use std::future::{Ready, ready};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error as ActixError, FromRequest, HttpMessage, HttpRequest, HttpResponse};

use super::error::AdminApiError;
use super::routes::ApiRoute;
use crate::app::App;
use crate::domain::Actor;
use crate::domain::stewardship::By;
use crate::domain::tokens::BearerRefused;
use crate::flows::BearerError;
use crate::flows::clients::{KnownClient, recognise_client};
use crate::web::admin::lists::query::ListQuery;
use crate::web::error::Error;
use crate::web::extract::{Context, bearer_token};

/// Wraps each route with what its line in the table asks for.
///
/// # Errors
/// Those of the services inside.
pub(super) async fn guard(
    route: &'static ApiRoute,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    match admit(route, request.request()).await {
        Ok((client, query)) => {
            request.extensions_mut().insert(client);
            request.extensions_mut().insert(query);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(error) => Ok(request.into_response(HttpResponse::from_error(error))),
    }
}

async fn admit(
    route: &'static ApiRoute,
    request: &HttpRequest,
) -> Result<(KnownClient, ListQuery), Error> {
    let app = request.app_data::<Data<App>>().ok_or(Error::NotFound)?;
    let token = bearer_token(request)
        .map_err(|_unusable| AdminApiError::TokenRefused(BearerRefused::Malformed))?
        .ok_or(AdminApiError::TokenMissing)?;
    let client = recognise_client(app, &token).await.map_err(refused)?;
    if !client.scopes.has(route.scope) {
        return Err(AdminApiError::InsufficientScope(route.scope).into());
    }
    let query = ListQuery::parse(route.path, route.parameters, request.query_string())?;
    Ok((client, query))
}

fn refused(error: BearerError) -> Error {
    match error {
        BearerError::Refused(why) => AdminApiError::TokenRefused(why).into(),
        BearerError::Storage(error) => Error::Storage(error),
    }
}

/// The API client that calls, as flows take it.
pub(super) struct Client(pub(super) By);

impl FromRequest for Client {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request
            .extensions()
            .get::<KnownClient>()
            .map(|client| client.id);
        // Absent only where the table of routes has no line.
        let known = known.ok_or_else(|| AdminApiError::TokenMissing.into());
        ready(known.map(|id| {
            Self(By {
                actor: Actor::ApiClient(id),
                context: Context::of(request),
            })
        }))
    }
}

/// The parameters of the address, as the guard read them.
pub(super) struct Asked(pub(super) ListQuery);

impl FromRequest for Asked {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = request.extensions().get::<ListQuery>().cloned();
        ready(query.map(Self).ok_or(Error::NotFound))
    }
}
