//! `POST /oauth/token` and the public keys.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::client_credentials::ClientCredentials;
use super::social_sign_up::TokenBody;
use crate::app::App;
use crate::domain::api_client::Scopes;
use crate::domain::{RequestContext, Secret};
use crate::flows;
use crate::flows::clients::{ClientToken, issue_client_token};
use crate::web::error::Error;
use crate::web::extract::{Context, Members};
use crate::web::rate_limit::HandInQuota;

/// Longest member, in bytes.
const TEXT_MAX_BYTES: usize = 2048;

/// `POST /oauth/token`: a new access token for a refresh token (RFC 6749 §6), or one for an API client (§4.4).
///
/// # Errors
/// OAuth's shape (RFC 6749 §5.2).
pub async fn create_token(
    app: Data<App>,
    _quota: HandInQuota,
    context: Context,
    request: HttpRequest,
    members: Result<Members, Error>,
) -> Result<HttpResponse, Error> {
    let members = members.map_err(in_oauth_words)?;
    match needed(&members, "grant_type")?.as_str() {
        "refresh_token" => {
            let refresh_token = Secret::new(needed(&members, "refresh_token")?);
            let tokens = flows::refresh_session(&app, &refresh_token, context.0).await?;
            Ok(HttpResponse::Ok().json(TokenBody::from(&tokens)))
        }
        "client_credentials" => {
            let token = issue_to_client(&app, &request, &members, context.0).await?;
            Ok(HttpResponse::Ok().json(ClientTokenBody::from(&token)))
        }
        _ => Err(Error::OAuth {
            code: "unsupported_grant_type",
            sentence: "grant_type must be refresh_token or client_credentials",
        }),
    }
}

fn needed(members: &Members, name: &str) -> Result<String, Error> {
    match members.text(name, TEXT_MAX_BYTES) {
        Ok(Some(text)) => Ok(text),
        Ok(None) | Err(_) => Err(Error::OAuth {
            code: "invalid_request",
            sentence: "grant_type is needed, and with refresh_token that one, too",
        }),
    }
}

async fn issue_to_client(
    app: &App,
    request: &HttpRequest,
    members: &Members,
    context: RequestContext,
) -> Result<ClientToken, Error> {
    let ClientCredentials { client_id, secret } = ClientCredentials::read(request, members)?;
    let scopes = match members.text("scope", TEXT_MAX_BYTES) {
        Ok(None) => None,
        Ok(Some(text)) => Some(Scopes::parse(&text).ok_or(INVALID_SCOPE)?),
        Err(_) => return Err(INVALID_SCOPE),
    };
    Ok(issue_client_token(app, client_id, &secret, scopes, context).await?)
}

/// As for a scope that there is, and that the client has not.
const INVALID_SCOPE: Error = Error::OAuth {
    code: "invalid_scope",
    sentence: INVALID_SCOPE_SENTENCE,
};
/// What is said to that.
pub(in crate::web) const INVALID_SCOPE_SENTENCE: &str =
    "scope names something that this client may not do";

/// RFC 6749 §4.4.3.
#[derive(Serialize)]
struct ClientTokenBody<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
}

impl<'a> From<&'a ClientToken> for ClientTokenBody<'a> {
    fn from(token: &'a ClientToken) -> Self {
        Self {
            access_token: token.access_token.expose(),
            token_type: "Bearer",
            expires_in: token.expires_in_seconds,
            scope: token.scopes.to_string(),
        }
    }
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
