//! The outermost middleware: request id, head limit, error bodies, safe headers, access log, metrics.

use std::borrow::Cow;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};
use tracing::{Instrument, error, info, info_span};

use actix_web::ResponseError as _;

use super::error::{Error, PublicError};
use crate::app::App;

/// Largest request line and headers together, in bytes.
const HEAD_MAX_BYTES: usize = 16 * 1024;

/// The id that answers, logs and audit entries of one request share.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The stable code of a failure whose answer is written already, for the access log.
#[derive(Debug, Clone, Copy)]
pub struct LoggedCode(pub &'static str);

/// Wraps every request.
///
/// # Errors
/// None of its own: every error of an inner service has become a response.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let Some(app) = request.app_data::<Data<App>>().cloned() else {
        return Ok(request.into_response(Error::NotFound.error_response()));
    };
    let request_id = hex::encode(app.random::<12>());
    request
        .extensions_mut()
        .insert(RequestId(request_id.clone()));
    let span = info_span!("request", request.id = %request_id);

    let mut response = if head_bytes(&request) > HEAD_MAX_BYTES {
        request.into_response(Error::HeadTooLarge.error_response())
    } else {
        // Handlers and extractors have turned their errors into responses; there is no middleware inside that could fail.
        next.call(request)
            .instrument(span.clone())
            .await?
            .map_into_boxed_body()
    };
    let public_error = response
        .response_mut()
        .extensions_mut()
        .remove::<PublicError>();
    if let Some(public_error) = &public_error {
        let (content_type, body) = public_error.render(response.request(), &request_id);
        response = response.map_body(|head, _| {
            head.headers_mut()
                .insert(header::CONTENT_TYPE, content_type);
            BoxBody::new(body)
        });
    }
    set_headers(&mut response, &request_id);
    let logged = response
        .response()
        .extensions()
        .get::<LoggedCode>()
        .copied();
    let code = public_error
        .as_ref()
        .map(PublicError::code)
        .or(logged.map(|logged| logged.0))
        .unwrap_or_default();
    span.in_scope(|| record(&app, &response, code, started));
    Ok(response)
}

fn head_bytes(request: &ServiceRequest) -> usize {
    let head = request.head();
    let uri = head
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    head.headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum::<usize>()
        + uri
        + head.method.as_str().len()
}

fn set_headers(response: &mut ServiceResponse<BoxBody>, request_id: &str) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The access log's line and the request's metrics.
fn record(app: &App, response: &ServiceResponse<BoxBody>, code: &str, started: Instant) {
    let took = started.elapsed();
    let status = response.status();
    let method = known_method(response.request().method());
    let route = route_of(response.request());
    let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if status.is_server_error() {
        let cause = response
            .response()
            .error()
            .map(ToString::to_string)
            .unwrap_or_default();
        // Staff pages ask nobody else: whatever fails there is ours.
        let ours = response
            .response()
            .error()
            .and_then(|error| error.as_error::<Error>())
            .is_none_or(Error::is_ours);
        if ours {
            error!(http.method = method, http.route = %route, http.status = status.as_u16(), duration_us, code, cause, "{method} {route} failed");
        } else {
            info!(http.method = method, http.route = %route, http.status = status.as_u16(), duration_us, code, cause, "{method} {route} {}", status.as_u16());
        }
    } else {
        let cause = response.response().error().map(ToString::to_string);
        info!(http.method = method, http.route = %route, http.status = status.as_u16(), duration_us, code, cause, "{method} {route} {}", status.as_u16());
    }
    app.metrics
        .count_request(method, route.into_owned(), status.as_u16(), took);
}

/// The route as a bounded label: its name, or else its pattern.
fn route_of(request: &HttpRequest) -> Cow<'_, str> {
    match request.match_name() {
        Some(name) => name.into(),
        None => request
            .match_pattern()
            .map_or(Cow::Borrowed("(none)"), Cow::Owned),
    }
}

/// The method as a bounded label: a client may send any word.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
