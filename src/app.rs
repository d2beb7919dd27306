//! [`App`]: everything a request needs, built once and shared. `serve` and every test build it the same way.

pub mod metrics;
pub mod passwords;
pub mod provider_ledger;
pub mod webhooks;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use crate::domain::staff::{SignInRules, StaffKeys};
use crate::domain::stewardship::Retention;
use crate::domain::tokens::{AccessTokens, RefreshChain};
use crate::domain::{Policy, StaffPolicy};
use crate::providers::Providers;
use crate::storage::Db;
use crate::storage::sealing::Sealer;
use metrics::Metrics;
use passwords::Passwords;
use provider_ledger::ProviderLedger;
use webhooks::Webhooks;

/// Database, providers, clock, keys and the policy switches.
pub struct App {
    /// The database.
    pub db: Db,
    /// Every configured provider.
    pub providers: Providers,
    /// The policy switches.
    pub policy: Policy,
    /// How long what staff did can be taken back.
    pub retention: Retention,
    /// The one clock.
    pub clock: Clock,
    /// Our access tokens.
    pub access_tokens: AccessTokens,
    /// Our refresh tokens.
    pub refresh_chain: RefreshChain,
    /// Seals provider secrets.
    pub sealer: Arc<Sealer>,
    /// How long staff stay signed in, and what is asked of them.
    pub staff_policy: StaffPolicy,
    /// Through which providers staff may sign in, and who.
    pub staff_sign_in: SignInRules,
    /// Protect the cookies and forms of staff.
    pub staff_keys: StaffKeys,
    /// Passwords of staff.
    pub passwords: Passwords,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// Who is told what happens.
    pub webhooks: Webhooks,
    /// What was stored of the providers' tallies.
    pub provider_ledger: ProviderLedger,
    /// When the service was started.
    pub started_at: DateTime<Utc>,
    /// When the key file was last changed.
    pub keys_changed_at: Option<DateTime<Utc>>,
    /// Whether new requests are welcome.
    pub readiness: Readiness,
}

impl App {
    /// Fresh randomness from the operating system's generator; the one place that draws it for flows.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        rand::random()
    }
}

/// Tells the time: UTC, in whole microseconds, since that is what both databases keep.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The system's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    pub fn system() -> Self {
        Self(Arc::new(Utc::now))
    }

    /// A clock that a test sets.
    #[must_use]
    pub fn from_fn(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let now = (self.0)();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

/// Whether this instance wants requests. It turns red first when the service stops, so that a load balancer looks elsewhere.
#[derive(Debug, Default)]
pub struct Readiness {
    draining: AtomicBool,
}

impl Readiness {
    /// From now on `/readyz` answers 503.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the service is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
