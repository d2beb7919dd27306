//! `latchkey serve`

use super::{Failure, start_logging};
use crate::app::Clock;
use crate::config::Config;
use crate::start;

/// Answers requests until SIGTERM or SIGINT.
pub(super) fn run(config: &Config) -> Result<(), Failure> {
    start_logging(&config.log)?;
    actix_web::rt::System::new().block_on(async {
        let service = start::build(config, Clock::system())?;
        let on: Vec<_> = service.app.providers.iter().map(|p| p.id().to_string()).collect();
        tracing::info!(
            address = %service.address,
            database = service.app.db.backend().as_str(),
            providers = on.len(),
            "Listening on http://{} with {} and {} providers: {}",
            service.address,
            service.app.db.backend().as_str(),
            on.len(),
            if on.is_empty() { "none yet, see `latchkey config example`".to_owned() } else { on.join(", ") },
        );
        service.run(stop_signal()).await.map_err(Failure::from)
    })
}

/// Completes on SIGTERM or SIGINT.
pub(super) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(error = %error, "Cannot wait for signals; stop the service with SIGKILL");
            std::future::pending::<()>().await;
        }
    }
}
