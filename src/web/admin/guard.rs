//! Who may pass: the role comes from the table of routes, the session from the database as it is now.

use actix_session::SessionExt as _;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error as ActixError, HttpMessage, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::context::{Found, StaffContext};
use super::error::{AdminError, AdminFailure};
use super::forms::FormHolder;
use super::frame::Frame;
use super::preferences::Preferences;
use super::routes::Access;
use super::store::{SESSION_ID, UNAVAILABLE};
use super::{AdminContext, CookieName};
use crate::app::App;
use crate::domain::StaffSessionId;
use crate::flows::staff::{SignedInStaff, recognise_staff};
use crate::web::ServerContext;
use crate::web::observe::{LoggedCode, RequestId};

/// The policy of every staff page: our own stylesheet, script and mark, forms to ourselves, nothing else.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer below `/admin`.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    ),
];

/// Wraps each route with what its line in the table asks for.
///
/// # Errors
/// Those of the services inside.
pub async fn guard(
    access: Access,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    match admit(access, &request).await {
        Ok(new_cookie) => {
            let mut response = next.call(request).await?.map_into_boxed_body();
            if let Some(cookie) = new_cookie {
                // Built of base64 alone.
                let _ = response.response_mut().add_cookie(&cookie);
            }
            Ok(response)
        }
        Err(error) => Ok(request.into_response(HttpResponse::from_error(error))),
    }
}

/// Puts into the request what handlers and forms will ask for. Gives the cookie that a browser without session needs for forms.
async fn admit(
    access: Access,
    request: &ServiceRequest,
) -> Result<Option<Cookie<'static>>, AdminError> {
    let (Some(app), Some(context)) = (
        request.app_data::<Data<App>>(),
        request.app_data::<Data<ServerContext>>(),
    ) else {
        return Err(AdminError::NotFound);
    };
    let browser = request.get_session();
    if browser.contains_key(UNAVAILABLE) {
        return Err(AdminError::SessionUnavailable);
    }
    let id = browser.get::<i64>(SESSION_ID).ok().flatten();
    let signed_in = match id {
        Some(id) => recognise_staff(app, StaffSessionId(id)).await?,
        None => None,
    };
    let (holder, new_cookie) = match &signed_in {
        Some(who) => (Some(format!("session {}", who.session.id)), None),
        None => form_holder(request, app, &context.admin),
    };
    let csrf = holder
        .as_deref()
        .map(|holder| app.staff_keys.forms.token(holder));
    let csrf = csrf.unwrap_or_default();
    // A form that comes without cookie was not shown to this browser, whatever cookie it gets now.
    let known_holder = holder.filter(|_| new_cookie.is_none());
    let found = Found {
        csrf: csrf.clone(),
        now: app.clock.now(),
        signed_in: signed_in.clone(),
        browser: browser.clone(),
    };
    let staff = signed_in
        .clone()
        .filter(|who| !who.session.awaits_code)
        .map(|who| StaffContext::new(who, csrf, app, request.request(), browser));
    {
        let mut extensions = request.extensions_mut();
        extensions.insert(FormHolder(known_holder));
        extensions.insert(found);
        if let Some(staff) = staff {
            extensions.insert(staff);
        }
    }
    check(access, signed_in.as_ref(), app, request)?;
    Ok(new_cookie)
}

fn check(
    access: Access,
    signed_in: Option<&SignedInStaff>,
    app: &App,
    request: &ServiceRequest,
) -> Result<(), AdminError> {
    let Some(least) = access.least_role() else {
        return Ok(());
    };
    let who = signed_in.ok_or_else(|| AdminError::sign_in_needed(request.request()))?;
    if who.session.awaits_code {
        return Err(AdminError::CodeNeeded);
    }
    if app.staff_policy.lacks_second_factor(&who.staff) && access != Access::Enrolling {
        return Err(AdminError::SecondFactorNeeded);
    }
    if who.staff.role < least {
        return Err(AdminError::Forbidden(least));
    }
    Ok(())
}

/// What ties forms to a browser without session: a random cookie.
fn form_holder(
    request: &ServiceRequest,
    app: &App,
    context: &AdminContext,
) -> (Option<String>, Option<Cookie<'static>>) {
    let name = context.cookie_name(CookieName::Form);
    if let Some(cookie) = request
        .cookie(name)
        .filter(|cookie| cookie.value().len() == 22)
    {
        return (Some(format!("browser {}", cookie.value())), None);
    }
    let value = URL_SAFE_NO_PAD.encode(app.random::<16>());
    let holder = format!("browser {value}");
    let cookie = Cookie::build(name, value)
        .path("/")
        .secure(context.secure_cookies)
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish();
    (Some(holder), Some(cookie))
}

/// The outermost layer of the staff pages: makes pages of failures, and sets the headers.
///
/// # Errors
/// Those of the services inside.
pub async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let failure = response
        .response_mut()
        .extensions_mut()
        .remove::<AdminFailure>();
    if let Some(failure) = failure {
        response = with_page(response, failure);
    }
    set_headers(response.headers_mut());
    Ok(response)
}

fn set_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn with_page(
    mut response: ServiceResponse<BoxBody>,
    failure: AdminFailure,
) -> ServiceResponse<BoxBody> {
    let code = failure.code;
    let page = {
        let request = response.request();
        let (request_id, staff) = {
            let extensions = request.extensions();
            let request_id = extensions.get::<RequestId>().map(|id| id.0.clone());
            (request_id, extensions.get::<StaffContext>().cloned())
        };
        let app = request.app_data::<Data<App>>();
        let frame = match (staff, app) {
            (Some(staff), Some(app)) => staff.frame(app, failure.heading().clone(), None),
            _ => Frame::new(
                failure.heading().clone(),
                Preferences::of(request),
                app.map(|app| app.clock.now()).unwrap_or_default(),
                String::new(),
            ),
        };
        failure.render(frame, request_id.unwrap_or_default())
    };
    let html = page.unwrap_or_else(|error| {
        tracing::error!(error = %error, "Could not render an error page");
        code.to_owned()
    });
    response
        .response_mut()
        .extensions_mut()
        .insert(LoggedCode(code));
    response.map_body(|head, _| {
        head.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        BoxBody::new(html)
    })
}
