//! What pages load: one stylesheet, one script and the mark, embedded, under names that change with their content.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Path;
use sha2::{Digest as _, Sha256};

use crate::web::error::Error;

/// A year: a changed file has another name.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// A file in the binary.
struct Asset {
    path: String,
    content_type: &'static str,
    body: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, content_type: &'static str, body: &'static str) -> Self {
        let hash = hex::encode(Sha256::digest(body).get(..6).unwrap_or_default());
        Self {
            path: format!("/static/{stem}.{hash}.{ending}"),
            content_type,
            body,
        }
    }
}

static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_str!("../../../static/admin.css");
    Asset::new("admin", "css", "text/css; charset=utf-8", body)
});

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_str!("../../../static/admin.js");
    Asset::new("admin", "js", "text/javascript; charset=utf-8", body)
});

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let body = include_str!("../../../static/icon.svg");
    Asset::new("icon", "svg", "image/svg+xml", body)
});

/// The stylesheet's address.
#[must_use]
pub fn stylesheet() -> &'static str {
    &STYLESHEET.path
}

/// The script's address.
#[must_use]
pub fn script() -> &'static str {
    &SCRIPT.path
}

/// The mark's address.
#[must_use]
pub fn icon() -> &'static str {
    &ICON.path
}

/// `GET /static/{file}`
///
/// # Errors
/// [`Error::NotFound`] for anything but the assets' own names.
pub async fn show_asset(file: Path<String>) -> Result<HttpResponse, Error> {
    let asset = [&*STYLESHEET, &*SCRIPT, &*ICON]
        .into_iter()
        .find(|asset| asset.path.strip_prefix("/static/") == Some(file.as_str()))
        .ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, FOREVER))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
        .body(asset.body))
}
