//! The one outbound HTTP client: deadlines, size cap, no redirects, no cookies, no decompression.
//!
//! A pooled connection is driven by a task of the runtime that opened it. Each actix worker is a runtime of its own, so every
//! runtime gets its own pool: an answer never has to wake another worker. All pools share one TLS configuration.

mod answer;
mod tls;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request};
use tokio::runtime;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use super::entry::Method;
use super::error::Outage;
use answer::read_answer;

/// How long an unused connection is kept. Shorter than what most servers allow, so that theirs rarely ends first.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// Unused connections that are kept per host and runtime.
const POOL_MAX_IDLE_PER_HOST: usize = 64;
/// Runtimes whose pools are kept. A server has one per worker; only test suites reach the limit.
const MAX_POOLS: usize = 256;

/// How we reach providers.
#[derive(Debug, Clone)]
pub struct OutboundSettings {
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Largest answer that is read.
    pub max_answer_bytes: usize,
    /// `development.provider_origin`: where requests to `https://HOST/PATH?QUERY` go instead, as `ORIGIN/HOST/PATH?QUERY`.
    pub provider_origin: Option<Url>,
    /// Hosts whose requests go elsewhere, before `provider_origin` is looked at: the built-in fake provider.
    pub host_routes: Vec<(String, Url)>,
}

impl Default for OutboundSettings {
    /// Connections within 2 s, answers up to 1 MiB, nothing goes elsewhere.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            max_answer_bytes: 1 << 20,
            provider_origin: None,
            host_routes: Vec::new(),
        }
    }
}

/// A request to a provider.
#[derive(Debug)]
pub struct OutboundRequest {
    /// GET, POST or DELETE.
    pub method: Method,
    /// The provider's real address: `https`, or `http` to a loopback host.
    pub url: Url,
    /// Names and values; they may hold secrets.
    pub headers: Vec<(String, String)>,
    /// Content type and body.
    pub body: Option<(&'static str, Vec<u8>)>,
}

impl OutboundRequest {
    /// A request without headers and body.
    #[must_use]
    pub const fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
        }
    }
}

/// What came back: any status but a redirect, 408, 429 or 5xx.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, no larger than the cap.
    pub body: Vec<u8>,
    /// `Cache-Control: max-age`, for key sets and discovery documents. 0 for `no-store` and `no-cache`.
    pub max_age_seconds: Option<u64>,
}

/// The client. Cloning shares the connections.
#[derive(Debug, Clone)]
pub struct Outbound {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connect_timeout: Duration,
    max_answer_bytes: usize,
    /// Host and base address without the last slash.
    host_routes: Vec<(String, String)>,
    /// Without the last slash.
    provider_origin: Option<String>,
    tls: rustls::ClientConfig,
    roots: Arc<tls::SystemRoots>,
    pools: RwLock<Vec<(runtime::Id, Pools)>>,
}

/// The connections of one runtime.
#[derive(Debug, Clone)]
struct Pools {
    /// To providers, through the system's proxy if there is one.
    direct: Client,
    /// To loopback and rewritten addresses, never through a proxy.
    local: Client,
}

/// Where a request really goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Direct(Url),
    Local(Url),
}

impl Outbound {
    /// Builds the client. No root certificate is read and no connection opened yet.
    ///
    /// # Errors
    /// A sentence for the operator when the client cannot be built.
    pub fn new(settings: OutboundSettings) -> Result<Self, String> {
        let (tls, roots) =
            tls::client_config().map_err(|error| format!("TLS cannot be set up: {error}"))?;
        let shared = Shared {
            connect_timeout: settings.connect_timeout,
            max_answer_bytes: settings.max_answer_bytes,
            host_routes: settings
                .host_routes
                .into_iter()
                .map(|(host, base)| (host.to_ascii_lowercase(), without_last_slash(&base)))
                .collect(),
            provider_origin: settings.provider_origin.as_ref().map(without_last_slash),
            tls,
            roots,
            pools: RwLock::new(Vec::new()),
        };
        // Later pools are built alike, so that this one tells whether they can be.
        shared
            .build_pools()
            .map_err(|error| format!("the outbound HTTP client cannot be built: {error}"))?;
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Reads the system's root certificates now rather than at the first https request. It blocks for some milliseconds.
    ///
    /// # Errors
    /// A sentence for the operator when the system has none, so that no https request can succeed.
    pub fn load_root_certificates(&self) -> Result<(), String> {
        match self.shared.roots.load() {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("no root certificates: {error}")),
        }
    }

    /// Where a browser is sent for `url`: in development to where requests there go, which is where a fake or a mock answers.
    pub(super) fn browser_address(&self, url: Url) -> Result<Url, Outage> {
        match self.shared.target(url)? {
            Target::Direct(url) | Target::Local(url) => Ok(url),
        }
    }

    /// Sends `request` and reads the whole answer before `deadline`.
    ///
    /// A GET whose connection broke before an answer came is sent once more, as a kept connection may end just when it is used
    /// again. A POST is not: a code can be redeemed only once (RFC 6749 §4.1.2).
    ///
    /// # Errors
    /// Any [`Outage`] but those of the guard. A 408, 429 or 5xx is [`Outage::Status`].
    pub async fn send(
        &self,
        request: OutboundRequest,
        deadline: Instant,
    ) -> Result<Answer, Outage> {
        timeout_at(deadline, self.exchange(request))
            .await
            .unwrap_or(Err(Outage::Timeout))
    }

    async fn exchange(&self, request: OutboundRequest) -> Result<Answer, Outage> {
        let pools = self.shared.pools()?;
        let (client, url) = match self.shared.target(request.url)? {
            Target::Direct(url) => (pools.direct, url),
            Target::Local(url) => (pools.local, url),
        };
        let mut outgoing = Request::new(reqwest_method(request.method), url);
        *outgoing.headers_mut() = header_map(request.headers)?;
        if let Some((content_type, body)) = request.body {
            let content_type = HeaderValue::from_static(content_type);
            outgoing.headers_mut().insert(CONTENT_TYPE, content_type);
            *outgoing.body_mut() = Some(body.into());
        }
        let spare = match request.method {
            Method::Get => outgoing.try_clone(),
            Method::Post | Method::Delete => None,
        };
        let response = match (client.execute(outgoing).await, spare) {
            (Ok(response), _) => response,
            (Err(error), Some(spare)) if broke_before_an_answer(&error) => {
                client.execute(spare).await.map_err(|e| outage_of(&e))?
            }
            (Err(error), _) => return Err(outage_of(&error)),
        };
        read_answer(response, self.shared.max_answer_bytes).await
    }
}

impl Shared {
    /// The pools of the runtime that we are on.
    fn pools(&self) -> Result<Pools, Outage> {
        let id = runtime::Handle::current().id();
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = pools.iter().find(|(of, _)| *of == id) {
            return Ok(found.clone());
        }
        drop(pools);
        // The builder cannot fail here: it did not in `Outbound::new`.
        let Ok(built) = self.build_pools() else {
            return Err(Outage::Connect);
        };
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = pools.iter().find(|(of, _)| *of == id) {
            return Ok(found.clone());
        }
        if pools.len() >= MAX_POOLS {
            pools.remove(0);
        }
        pools.push((id, built.clone()));
        Ok(built)
    }

    fn build_pools(&self) -> reqwest::Result<Pools> {
        let builder = || {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            Client::builder()
                .tls_backend_preconfigured(self.tls.clone())
                .user_agent(concat!("latchkey/", env!("CARGO_PKG_VERSION")))
                .default_headers(headers)
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .connect_timeout(self.connect_timeout)
                .pool_idle_timeout(POOL_IDLE_TIMEOUT)
                .pool_max_idle_per_host(POOL_MAX_IDLE_PER_HOST)
                .http1_only()
                .tcp_nodelay(true)
        };
        Ok(Pools {
            direct: builder().build()?,
            local: builder().no_proxy().build()?,
        })
    }

    /// Applies `host_routes`, then `provider_origin`, then the rule that only https leaves the machine.
    fn target(&self, url: Url) -> Result<Target, Outage> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Outage::Malformed("an address with credentials"));
        }
        let (Some(host), Some(host_text)) = (url.host(), url.host_str()) else {
            return Err(Outage::Malformed("an address without a host"));
        };
        if url.scheme() != "https" {
            return match url.scheme() {
                "http" if is_loopback(&host) => Ok(Target::Local(url)),
                _ => Err(Outage::Malformed("an address that is not https")),
            };
        }
        let rewritten =
            if let Some((_, base)) = self.host_routes.iter().find(|(of, _)| of == host_text) {
                Some(rewritten(base, None, &url))
            } else {
                let origin = self.provider_origin.as_ref();
                origin.map(|origin| rewritten(origin, Some(host_text), &url))
            };
        match rewritten {
            Some(text) => match Url::parse(&text) {
                Ok(url) => Ok(Target::Local(url)),
                Err(_) => Err(Outage::Malformed("a rewritten address")),
            },
            None if is_loopback(&host) => Ok(Target::Local(url)),
            None => Ok(Target::Direct(url)),
        }
    }
}

/// `BASE[/HOST[:PORT]]/PATH?QUERY`, path and query byte for byte.
fn rewritten(base: &str, host: Option<&str>, url: &Url) -> String {
    let mut text = String::with_capacity(base.len() + url.as_str().len());
    text.push_str(base);
    if let Some(host) = host {
        text.push('/');
        text.push_str(host);
        if let Some(port) = url.port() {
            text.push(':');
            text.push_str(&port.to_string());
        }
    }
    text.push_str(url.path());
    if let Some(query) = url.query() {
        text.push('?');
        text.push_str(query);
    }
    text
}

fn without_last_slash(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

const fn reqwest_method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// Every value is marked sensitive, so that no library prints it.
fn header_map(headers: Vec<(String, String)>) -> Result<HeaderMap, Outage> {
    // Three more come from us: user agent, accept, content type.
    let mut map = HeaderMap::with_capacity(headers.len() + 3);
    for (name, value) in headers {
        let (Ok(name), Ok(mut value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::try_from(value),
        ) else {
            return Err(Outage::Malformed("a header that cannot be sent"));
        };
        value.set_sensitive(true);
        map.append(name, value);
    }
    Ok(map)
}

/// Whether the connection ended while we waited for the head of the answer, and it was not for want of time.
fn broke_before_an_answer(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}

fn outage_of(error: &reqwest::Error) -> Outage {
    // No connection within `connect_timeout` is both; what counts is that there was none.
    if error.is_timeout() && !error.is_connect() {
        Outage::Timeout
    } else {
        Outage::Connect
    }
}

#[cfg(test)]
mod tests;
