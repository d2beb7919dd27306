//! `POST /oauth/token` and the public keys.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

use super::social_sign_up::TokenBody;
use crate::app::App;
use crate::domain::Secret;
use crate::flows;
use crate::web::error::Error;
use crate::web::extract::{Context, Members};
use crate::web::rate_limit::HandInQuota;

/// Longest member, in bytes.
const TEXT_MAX_BYTES: usize = 2048;

/// `POST /oauth/token`: a new access token for a refresh token (RFC 6749 §6).
///
/// # Errors
/// OAuth's shape (RFC 6749 §5.2).
pub async fn create_token(
    app: Data<App>,
    _quota: HandInQuota,
    context: Context,
    members: Result<Members, Error>,
) -> Result<HttpResponse, Error> {
    let members = members.map_err(in_oauth_words)?;
    let text = |name| match members.text(name, TEXT_MAX_BYTES) {
        Ok(Some(text)) => Ok(text),
        Ok(None) | Err(_) => Err(Error::OAuth {
            code: "invalid_request",
            sentence: "grant_type and refresh_token are needed",
        }),
    };
    if text("grant_type")? != "refresh_token" {
        return Err(Error::OAuth {
            code: "unsupported_grant_type",
            sentence: "grant_type must be refresh_token",
        });
    }
    let refresh_token = Secret::new(text("refresh_token")?);
    let tokens = flows::refresh_session(&app, &refresh_token, context.0).await?;
    Ok(HttpResponse::Ok().json(TokenBody::from(&tokens)))
}

/// RFC 6749 §5.2: what is wrong with the body is an `invalid_request`, too. Where the status says more, it stays.
fn in_oauth_words(error: Error) -> Error {
    match error {
        Error::InvalidRequest(_) | Error::UnsupportedMediaType => Error::OAuth {
            code: "invalid_request",
            sentence: "The body must be a form that names no parameter twice",
        },
        other => other,
    }
}

/// `GET /.well-known/jwks.json`: the keys that verify our access tokens (RFC 7517 §5).
pub async fn show_jwks(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(app.access_tokens.jwks())
}
