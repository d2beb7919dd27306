//! What the service counts. Every label has a bounded set of values: provider ids from the configuration, routes, codes.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::providers::Providers;
use crate::storage::Db;

/// Upper bounds of latency buckets, in seconds.
const LATENCY_SECONDS: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 5.0,
];

/// Labels of a hand-in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HandInLabels {
    provider: String,
    outcome: &'static str,
    reason: &'static str,
}

/// Label of a provider's latency and state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabel {
    provider: String,
}

/// Labels of a delivery to a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookLabels {
    webhook: String,
    outcome: &'static str,
}

/// Labels of an HTTP request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

/// Label of a database figure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatLabel {
    name: &'static str,
}

/// All counters of one service.
pub struct Metrics {
    registry: Registry,
    hand_ins: Family<HandInLabels, Counter>,
    provider_seconds: Family<ProviderLabel, Histogram, fn() -> Histogram>,
    provider_in_flight: Family<ProviderLabel, Gauge>,
    provider_circuit_open: Family<ProviderLabel, Gauge>,
    webhook_attempts: Family<WebhookLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Histogram,
    database: Family<StatLabel, Gauge<f64, AtomicU64>>,
}

fn latency() -> Histogram {
    Histogram::new(LATENCY_SECONDS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("latchkey"),
            hand_ins: Family::default(),
            provider_seconds: Family::new_with_constructor(latency),
            provider_in_flight: Family::default(),
            provider_circuit_open: Family::default(),
            webhook_attempts: Family::default(),
            requests: Family::default(),
            request_seconds: latency(),
            database: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "hand_ins",
            "Tokens handed in, by provider, outcome and reason (the code of the refusal)",
            self.hand_ins.clone(),
        );
        registry.register(
            "provider_seconds",
            "How long a provider took to prove whose token it is, in seconds",
            self.provider_seconds.clone(),
        );
        registry.register(
            "provider_in_flight",
            "Requests to a provider under way",
            self.provider_in_flight.clone(),
        );
        registry.register(
            "provider_circuit_open",
            "Whether a provider is left alone because it failed repeatedly",
            self.provider_circuit_open.clone(),
        );
        registry.register(
            "webhook_attempts",
            "Tries of deliveries, by webhook and outcome",
            self.webhook_attempts.clone(),
        );
        registry.register(
            "http_requests",
            "HTTP requests, by method, route and status",
            self.requests.clone(),
        );
        registry.register(
            "http_request_seconds",
            "How long a request took, in seconds",
            self.request_seconds.clone(),
        );
        registry.register(
            "database",
            "State of the connection pool and the writer",
            self.database.clone(),
        );
    }

    /// Counts a hand-in. `reason` is empty for a success.
    pub fn count_hand_in(&self, provider: &str, outcome: &'static str, reason: &'static str) {
        let labels = HandInLabels {
            provider: provider.to_owned(),
            outcome,
            reason,
        };
        self.hand_ins.get_or_create(&labels).inc();
    }

    /// Records how long a provider took.
    pub fn time_provider(&self, provider: &str, took: Duration) {
        let label = ProviderLabel {
            provider: provider.to_owned(),
        };
        self.provider_seconds
            .get_or_create(&label)
            .observe(took.as_secs_f64());
    }

    /// Counts a try of a delivery.
    pub fn count_webhook(&self, webhook: &str, outcome: &'static str) {
        let labels = WebhookLabels {
            webhook: webhook.to_owned(),
            outcome,
        };
        self.webhook_attempts.get_or_create(&labels).inc();
    }

    /// Counts an HTTP request. `route` is the pattern, never the path.
    pub fn count_request(&self, method: &'static str, route: String, status: u16, took: Duration) {
        self.requests
            .get_or_create(&RequestLabels {
                method,
                route,
                status,
            })
            .inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    /// The text that Prometheus scrapes (`OpenMetrics` 1.0), with the state of `db` and `providers` as of now.
    #[must_use]
    pub fn render(&self, db: &Db, providers: &Providers) -> String {
        for (name, value) in db.stats().figures() {
            self.database.get_or_create(&StatLabel { name }).set(value);
        }
        for provider in providers.iter() {
            let label = ProviderLabel {
                provider: provider.id().to_string(),
            };
            let in_flight = i64::try_from(provider.guard().in_flight()).unwrap_or(i64::MAX);
            self.provider_in_flight.get_or_create(&label).set(in_flight);
            self.provider_circuit_open
                .get_or_create(&label)
                .set(i64::from(provider.guard().is_open()));
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
