//! `latchkey serve`

use std::io::Write as _;

use super::{Failure, start_logging};
use crate::app::Clock;
use crate::config::Config;
use crate::flows::staff::issue_first_link;
use crate::start::{self, StartError};
use crate::web::admin::staff_accounts::welcome_link;

/// Answers requests until SIGTERM or SIGINT.
pub(super) fn run(config: &Config) -> Result<(), Failure> {
    start_logging(&config.log)?;
    actix_web::rt::System::new().block_on(async {
        let service = start::build(config, Clock::system())?;
        if let Some(token) = issue_first_link(&service.app).await.map_err(StartError::from)? {
            // Not to the log, which others read as well. Nobody may be listening, and the service starts all the same.
            let _ = writeln!(
                std::io::stdout(),
                "There is no staff yet. Make the first superuser within 15 minutes:\n  {}",
                welcome_link(service.app.access_tokens.issuer(), &token)
            );
        }
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
