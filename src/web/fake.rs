//! Serves the built-in fake provider under `/fake/`, in development only.

use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use super::ServerContext;
use super::error::Error;
use crate::app::App;
use crate::providers::fake::FakeRequest;

/// Longest delay that a request may ask the fake provider for.
const DELAY_MAX: Duration = Duration::from_secs(30);

/// Anything below `/fake/`.
///
/// # Errors
/// 404 when the fake provider is off.
pub async fn answer(
    app: Data<App>,
    context: Data<ServerContext>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let fake = context.fake.as_ref().ok_or(Error::NotFound)?;
    let path = format!("/{}", request.match_info().query("path"));
    let fake_request = FakeRequest {
        method: request.method().as_str(),
        path: &path,
        query: request.query_string(),
        authorization: request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()),
        body: &body,
    };
    let answer = fake.handle(&fake_request, app.clock.now());
    if let Some(delay) = answer.delay {
        tokio::time::sleep(delay.min(DELAY_MAX)).await;
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type(answer.content_type);
    if let Some(location) = answer.location {
        response.insert_header((header::LOCATION, location));
    }
    if let Some(seconds) = answer.retry_after_seconds {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    Ok(response.body(answer.body))
}
