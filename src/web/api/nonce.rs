//! `POST /nonce`

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use crate::app::App;
use crate::domain::tokens::NONCE_SECONDS;
use crate::flows;
use crate::web::error::Error;
use crate::web::rate_limit::HandInQuota;

/// `POST /nonce`: a nonce that binds one id token, in the raw form and the hashed forms that SDKs want.
///
/// # Errors
/// 429 and 503.
pub async fn create_nonce(app: Data<App>, _quota: HandInQuota) -> Result<HttpResponse, Error> {
    let nonce = flows::issue_nonce(&app).await?;
    Ok(HttpResponse::Created().json(NonceBody {
        sha256: nonce.sha256_hex(),
        sha256_base64url: nonce.sha256_base64url(),
        nonce: nonce.raw,
        expires_in: NONCE_SECONDS,
    }))
}

/// `201 Created`
#[derive(Serialize)]
struct NonceBody {
    nonce: String,
    sha256: String,
    sha256_base64url: String,
    expires_in: i64,
}
