//! `GET /healthz`, `GET /readyz`, `GET /metrics`

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

use crate::app::App;

/// `GET /healthz`: the process answers.
pub async fn show_health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// `GET /readyz`: requests are welcome and the database answers. A provider that is down changes nothing here: every instance
/// would turn red at once.
pub async fn show_readiness(app: Data<App>) -> HttpResponse {
    if app.readiness.is_draining() {
        return HttpResponse::ServiceUnavailable().json(json!({ "status": "stopping" }));
    }
    match app.db.ping().await {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ready" })),
        Err(error) => {
            tracing::error!(error = %error, "The database does not answer the readiness check");
            HttpResponse::ServiceUnavailable().json(json!({ "status": "database unavailable" }))
        }
    }
}

/// `GET /metrics`: for Prometheus.
pub async fn show_metrics(app: Data<App>) -> HttpResponse {
    let text = app.metrics.render(&app.db, &app.providers);
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text)
}
