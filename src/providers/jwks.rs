//! Key sets and discovery documents of issuers: cached, single-flight, refetched on an unknown key, stale if there is an error.

mod cache;
mod key;
#[cfg(test)]
pub(in crate::providers) mod test_keys;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use tokio::time::Instant;
use url::{Host, Url};

use super::entry::Method;
use super::error::{Outage, ProviderError};
use super::guard::Guard;
use super::id_token::fits_issuer_template;
use super::outbound::{Answer, Outbound, OutboundRequest};
use crate::domain::json::Json;
use cache::{Cached, Fetched};
pub use key::VerificationKey;
use key::{Found, KeySet};
pub(in crate::providers) use key::{algorithm_from_name, is_asymmetric};

/// The endpoints of an issuer's discovery document (OpenID Connect Discovery §3).
#[derive(Debug, Clone)]
pub struct Discovery {
    /// `issuer`, exactly as in the document. It is for the reader of the document to compare (OpenID Connect Discovery §4.3).
    pub issuer: String,
    /// `jwks_uri`
    pub jwks_url: Url,
    /// `authorization_endpoint`
    pub authorization_url: Option<Url>,
    /// `token_endpoint`
    pub token_url: Option<Url>,
    /// `userinfo_endpoint`
    pub userinfo_url: Option<Url>,
    /// `introspection_endpoint` (RFC 8414 §2)
    pub introspection_url: Option<Url>,
    /// `revocation_endpoint` (RFC 8414 §2)
    pub revocation_url: Option<Url>,
}

impl Discovery {
    /// Reads the document found at `location`. Every address in it must be `https://`, except that a document on a loopback host
    /// over `http://` may name that very host: a developer's own issuer.
    fn parse(body: &[u8], location: &Url) -> Result<Self, Outage> {
        let json = Json::parse(body).map_err(Outage::Malformed)?;
        let endpoint = |name| match json.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => value
                .as_str()
                .and_then(|text| trusted_url(text, location))
                .map(Some)
                .ok_or(Outage::Malformed("an endpoint of the issuer is unsafe")),
        };
        Ok(Self {
            issuer: json
                .get("issuer")
                .and_then(Json::as_str)
                .filter(|issuer| !issuer.is_empty())
                .ok_or(Outage::Malformed("the discovery document has no issuer"))?
                .to_owned(),
            jwks_url: endpoint("jwks_uri")?
                .ok_or(Outage::Malformed("the discovery document has no keys"))?,
            authorization_url: endpoint("authorization_endpoint")?,
            token_url: endpoint("token_endpoint")?,
            userinfo_url: endpoint("userinfo_endpoint")?,
            introspection_url: endpoint("introspection_endpoint")?,
            revocation_url: endpoint("revocation_endpoint")?,
        })
    }
}

/// The address, if a document from `location` may send us there.
fn trusted_url(text: &str, location: &Url) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return None;
    }
    let is_own_loopback = url.scheme() == "http"
        && location.scheme() == "http"
        && is_loopback(location)
        && url.host() == location.host();
    (url.scheme() == "https" || is_own_loopback).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The keys of one issuer, and its discovery document where it has one.
#[derive(Debug)]
pub struct KeySource {
    fetcher: Fetcher,
    location: Location,
    keys: Cached<KeySet>,
    discovery: Cached<Discovery>,
    /// For whom a discovery document may speak; empty where there is none.
    issuers: Vec<String>,
}

/// How key sets and discovery documents are fetched: as every request to their provider, through its bulkhead and its circuit breaker.
#[derive(Debug, Clone)]
pub struct Guarded {
    /// The client.
    pub outbound: Outbound,
    /// The provider's.
    pub guard: Arc<Guard>,
}

impl Guarded {
    async fn get(&self, request: OutboundRequest, deadline: Instant) -> Result<Answer, Outage> {
        let permit = self.guard.enter(deadline).await?;
        let result = self.outbound.send(request, deadline).await;
        permit.report(match &result {
            Ok(_) => Ok(()),
            Err(outage) => Err(*outage),
        });
        result
    }
}

/// Where the keys are.
#[derive(Debug)]
enum Location {
    Jwks(Url),
    Discovery(Url),
    Fixed(Arc<KeySet>),
}

#[cfg(test)]
type Script = Box<dyn Fn(&Url) -> Result<Answer, Outage> + Send + Sync>;

/// What fetches.
enum Fetcher {
    Outbound(Guarded),
    /// Nothing is ever fetched.
    None,
    #[cfg(test)]
    Scripted(Script),
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Outbound(guarded) => guarded.fmt(f),
            Self::None => f.write_str("None"),
            #[cfg(test)]
            Self::Scripted(_) => f.write_str("Scripted"),
        }
    }
}

impl Fetcher {
    async fn get(&self, url: &Url, deadline: Instant) -> Result<Answer, Outage> {
        let answer = match self {
            Self::Outbound(guarded) => {
                let request = OutboundRequest {
                    method: Method::Get,
                    url: url.clone(),
                    headers: vec![("accept".to_owned(), "application/json".to_owned())],
                    body: None,
                };
                guarded.get(request, deadline).await?
            }
            Self::None => return Err(Outage::Malformed("nothing is fetched here")),
            #[cfg(test)]
            Self::Scripted(answer) => {
                // Gives the other tasks a turn, as a network would.
                tokio::task::yield_now().await;
                answer(url)?
            }
        };
        match answer.status {
            200 => Ok(answer),
            code => Err(Outage::Status {
                code,
                retry_after_seconds: None,
            }),
        }
    }
}

impl KeySource {
    /// Keys at a pinned address.
    #[must_use]
    pub fn at_jwks_url(guarded: Guarded, url: Url) -> Self {
        Self::new(Fetcher::Outbound(guarded), Location::Jwks(url))
    }

    /// Keys at the address that the discovery document at a pinned address names. A document that speaks for none of `issuers`
    /// (OpenID Connect Discovery §4.3) counts as an outage: it is neither used nor kept.
    #[must_use]
    pub fn at_discovery_url(guarded: Guarded, url: Url, issuers: Vec<String>) -> Self {
        Self {
            issuers,
            ..Self::new(Fetcher::Outbound(guarded), Location::Discovery(url))
        }
    }

    /// Exactly the keys of this key set (RFC 7517 §5), for ever.
    ///
    /// # Errors
    /// What is wrong with the key set.
    pub fn fixed(key_set: &[u8]) -> Result<Self, Outage> {
        let keys = Arc::new(KeySet::parse(key_set)?);
        Ok(Self::new(Fetcher::None, Location::Fixed(keys)))
    }

    /// Keys behind a discovery document, with a script for a network.
    #[cfg(test)]
    pub(in crate::providers) fn scripted(
        discovery_url: Url,
        answer: impl Fn(&Url) -> Result<Answer, Outage> + Send + Sync + 'static,
    ) -> Self {
        Self::new(
            Fetcher::Scripted(Box::new(answer)),
            Location::Discovery(discovery_url),
        )
    }

    fn new(fetcher: Fetcher, location: Location) -> Self {
        Self {
            fetcher,
            location,
            keys: Cached::new(),
            discovery: Cached::new(),
            issuers: Vec::new(),
        }
    }

    /// Whether the keys are found through a discovery document.
    #[must_use]
    pub const fn has_discovery(&self) -> bool {
        matches!(self.location, Location::Discovery(_))
    }

    /// The discovery document, from the cache or fetched.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when it can neither be fetched nor taken from the cache, or when there is none.
    pub async fn discovery(
        &self,
        now: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<Arc<Discovery>, ProviderError> {
        Ok(self.get_discovery(now, deadline).await?)
    }

    async fn get_discovery(
        &self,
        now: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<Arc<Discovery>, Outage> {
        let Location::Discovery(url) = &self.location else {
            return Err(Outage::Malformed("the issuer has no discovery document"));
        };
        let fetch = || async {
            let answer = self.fetcher.get(url, deadline).await?;
            let discovery = Discovery::parse(&answer.body, url)?;
            self.check_issuer(&discovery)?;
            Ok((discovery, answer.max_age_seconds))
        };
        self.discovery.get(now, deadline, fetch).await
    }

    fn check_issuer(&self, discovery: &Discovery) -> Result<(), Outage> {
        let fits = |issuer: &String| fits_issuer_template(issuer, &discovery.issuer);
        if self.issuers.is_empty() || self.issuers.iter().any(fits) {
            return Ok(());
        }
        Err(Outage::Malformed(
            "the discovery document is of another issuer",
        ))
    }

    async fn fetch_keys(&self, now: DateTime<Utc>, deadline: Instant) -> Fetched<KeySet> {
        let answer = match &self.location {
            Location::Jwks(url) => self.fetcher.get(url, deadline).await?,
            Location::Discovery(_) => {
                let discovery = self.get_discovery(now, deadline).await?;
                self.fetcher.get(&discovery.jwks_url, deadline).await?
            }
            Location::Fixed(_) => return Err(Outage::Malformed("nothing is fetched here")),
        };
        Ok((KeySet::parse(&answer.body)?, answer.max_age_seconds))
    }

    /// Fetches the keys past the cache, for a trial, and gives how many there are. Neither is kept.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn try_fetch(&self, now: DateTime<Utc>, deadline: Instant) -> Result<usize, Outage> {
        match &self.location {
            Location::Fixed(keys) => Ok(keys.len()),
            Location::Jwks(_) | Location::Discovery(_) => {
                let (keys, _) = self.fetch_keys(now, deadline).await?;
                Ok(keys.len())
            }
        }
    }

    /// The key called `kid`, or the only key that fits `algorithm` when the token names none. An unknown key leads to a refetch,
    /// four times in a row and then once in 15 s at most.
    ///
    /// # Errors
    /// [`ProviderError::InvalidToken`] when there is no such key even after a refetch; [`ProviderError::Unavailable`] when the
    /// keys can neither be fetched nor taken from the cache.
    pub async fn find_key(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<Arc<VerificationKey>, ProviderError> {
        if let Location::Fixed(keys) = &self.location {
            return keys.find(kid, algorithm).get();
        }
        let fetch = || self.fetch_keys(now, deadline);
        let keys = self.keys.get(now, deadline, fetch).await?;
        match keys.find(kid, algorithm) {
            Found::Nothing => match self.keys.newer_than(&keys, now, deadline, fetch).await? {
                Some(newer) => newer.find(kid, algorithm).get(),
                None => Found::Nothing.get(),
            },
            found => found.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::test_keys::keys;
    use super::*;

    const JWKS: &str = "https://issuer.example/jwks";
    const DISCOVERY: &str = "https://issuer.example/.well-known/openid-configuration";

    /// Issuers on the network: what stands at which address, and who asked for what.
    #[derive(Default)]
    struct Network {
        bodies: HashMap<&'static str, (u16, String)>,
        asked: Vec<String>,
    }

    fn source(network: &Arc<Mutex<Network>>, location: Location) -> KeySource {
        let network = Arc::clone(network);
        let answer = move |url: &Url| {
            let mut network = network.lock().unwrap();
            network.asked.push(url.to_string());
            let (status, body) = network.bodies.get(url.as_str()).ok_or(Outage::Connect)?;
            Ok(Answer {
                status: *status,
                body: body.clone().into_bytes(),
                max_age_seconds: None,
            })
        };
        KeySource::new(Fetcher::Scripted(Box::new(answer)), location)
    }

    fn network(bodies: &[(&'static str, &Value)]) -> Arc<Mutex<Network>> {
        let network = Network {
            bodies: bodies
                .iter()
                .map(|(url, body)| (*url, (200, body.to_string())))
                .collect(),
            asked: Vec::new(),
        };
        Arc::new(Mutex::new(network))
    }

    fn serve(network: &Arc<Mutex<Network>>, url: &'static str, status: u16, body: &Value) {
        let answer = (status, body.to_string());
        network.lock().unwrap().bodies.insert(url, answer);
    }

    fn asked(network: &Arc<Mutex<Network>>) -> usize {
        network.lock().unwrap().asked.len()
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn jwks(kids: &[&str]) -> Value {
        let keys: Vec<Value> = kids
            .iter()
            .map(|kid| keys().p256.jwk(&json!({ "kid": kid })))
            .collect();
        json!({ "keys": keys })
    }

    async fn find(
        source: &KeySource,
        kid: &str,
        seconds: i64,
    ) -> Result<Arc<VerificationKey>, ProviderError> {
        let now = DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        source
            .find_key(Some(kid), Algorithm::ES256, now, deadline)
            .await
    }

    fn is_unknown(result: &Result<Arc<VerificationKey>, ProviderError>) -> bool {
        matches!(
            result,
            Err(ProviderError::InvalidToken("its key is unknown"))
        )
    }

    fn is_unavailable(result: &Result<Arc<VerificationKey>, ProviderError>) -> bool {
        matches!(result, Err(ProviderError::Unavailable { .. }))
    }

    #[tokio::test]
    async fn a_rotated_key_is_found_by_one_refetch() {
        let network = network(&[(JWKS, &jwks(&["old"]))]);
        let source = source(&network, Location::Jwks(url(JWKS)));
        assert!(find(&source, "old", 0).await.is_ok());

        serve(&network, JWKS, 200, &jwks(&["old", "new"]));

        assert!(find(&source, "new", 1).await.is_ok());
        assert!(find(&source, "new", 2).await.is_ok());
        assert!(find(&source, "old", 2).await.is_ok());
        assert_eq!(asked(&network), 2);
    }

    #[tokio::test]
    async fn forged_key_names_do_not_hammer_the_issuer() {
        let network = network(&[(JWKS, &jwks(&["real"]))]);
        let source = source(&network, Location::Jwks(url(JWKS)));

        for forged in 0..200 {
            assert!(is_unknown(
                &find(&source, &format!("forged-{forged}"), 0).await
            ));
            assert!(find(&source, "real", 0).await.is_ok());
        }

        assert_eq!(asked(&network), 5);
    }

    #[tokio::test]
    async fn a_key_for_another_algorithm_is_no_reason_to_refetch() {
        let network = network(&[(JWKS, &jwks(&["real"]))]);
        let source = source(&network, Location::Jwks(url(JWKS)));
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);

        for _ in 0..3 {
            let found = source
                .find_key(Some("real"), Algorithm::RS256, now, deadline)
                .await;
            assert!(matches!(found, Err(ProviderError::InvalidToken(_))));
        }

        assert_eq!(asked(&network), 1);
    }

    #[tokio::test]
    async fn bad_answers_are_an_outage_and_never_replace_good_keys() {
        let network = network(&[]);
        let source = source(&network, Location::Jwks(url(JWKS)));
        assert!(is_unavailable(&find(&source, "real", 0).await));
        serve(&network, JWKS, 404, &jwks(&["real"]));
        assert!(is_unavailable(&find(&source, "real", 0).await));
        serve(&network, JWKS, 200, &json!({"keys": []}));
        assert!(is_unavailable(&find(&source, "real", 0).await));
        serve(&network, JWKS, 200, &jwks(&["real"]));
        assert!(find(&source, "real", 0).await.is_ok());

        serve(&network, JWKS, 200, &json!({"keys": "poisoned"}));

        assert!(find(&source, "real", 4000).await.is_ok());
        assert!(is_unavailable(&find(&source, "new", 4000).await));
        assert!(find(&source, "real", 86_399).await.is_ok());
        assert!(is_unavailable(&find(&source, "real", 86_400).await));
    }

    #[tokio::test]
    async fn discovery_leads_to_the_keys_and_is_kept() {
        let document = json!({
            "issuer": "https://issuer.example",
            "jwks_uri": JWKS,
            "token_endpoint": "https://issuer.example/token",
            "userinfo_endpoint": "https://userinfo.example/me",
            "introspection_endpoint": null,
        });
        let network = network(&[(DISCOVERY, &document), (JWKS, &jwks(&["real"]))]);
        let source = source(&network, Location::Discovery(url(DISCOVERY)));

        assert!(find(&source, "real", 0).await.is_ok());
        assert!(find(&source, "real", 1).await.is_ok());
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let discovery = source.discovery(now, Instant::now()).await.unwrap();

        assert_eq!(discovery.issuer, "https://issuer.example");
        assert_eq!(
            discovery.userinfo_url.as_ref().map(Url::as_str),
            Some("https://userinfo.example/me")
        );
        assert!(discovery.introspection_url.is_none());
        assert_eq!(network.lock().unwrap().asked, [DISCOVERY, JWKS]);
    }

    #[tokio::test]
    async fn fixed_keys_are_never_fetched_and_have_no_discovery() {
        let source = KeySource::fixed(jwks(&["real"]).to_string().as_bytes()).unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

        assert!(find(&source, "real", 0).await.is_ok());
        assert!(is_unknown(&find(&source, "other", 0).await));
        assert!(source.discovery(now, Instant::now()).await.is_err());
        assert!(!source.has_discovery());
    }

    #[test]
    fn endpoints_must_be_https_or_the_own_loopback_host() {
        let location = |text: &str| url(text);
        let remote = location(DISCOVERY);
        let local = location("http://127.0.0.1:9009/.well-known/openid-configuration");
        let cases = [
            (&remote, "https://issuer.example/jwks", true),
            (&remote, "https://keys.example/jwks", true),
            (&remote, "http://issuer.example/jwks", false),
            (&remote, "http://127.0.0.1/jwks", false),
            (&remote, "file:///etc/passwd", false),
            (&remote, "/jwks", false),
            (&remote, "", false),
            (&remote, "https://user@issuer.example/jwks", false),
            (&remote, "https://:pass@issuer.example/jwks", false),
            (&remote, "https://issuer.example/jwks#a", false),
            (&remote, "javascript:alert(1)", false),
            (&local, "http://127.0.0.1:9009/jwks", true),
            (&local, "https://issuer.example/jwks", true),
            (&local, "http://127.0.0.2:9009/jwks", false),
            (&local, "http://localhost:9009/jwks", false),
            (&local, "http://169.254.169.254/latest", false),
            (&local, "http://issuer.example/jwks", false),
        ];
        for (location, text, expected) in cases {
            assert_eq!(trusted_url(text, location).is_some(), expected, "{text}");
        }
        let plain = location("http://issuer.example/.well-known/openid-configuration");
        assert!(trusted_url("http://issuer.example/jwks", &plain).is_none());
    }

    #[test]
    fn a_discovery_document_must_name_issuer_and_keys() {
        let location = url(DISCOVERY);
        let parse = |json: Value| Discovery::parse(json.to_string().as_bytes(), &location).is_ok();
        assert!(parse(
            json!({"issuer": "https://issuer.example", "jwks_uri": JWKS})
        ));

        assert!(!parse(json!({"jwks_uri": JWKS})));
        assert!(!parse(json!({"issuer": "", "jwks_uri": JWKS})));
        assert!(!parse(json!({"issuer": 1, "jwks_uri": JWKS})));
        assert!(!parse(json!({"issuer": "https://issuer.example"})));
        assert!(!parse(
            json!({"issuer": "https://issuer.example", "jwks_uri": null})
        ));
        assert!(!parse(
            json!({"issuer": "https://issuer.example", "jwks_uri": [JWKS]})
        ));
        assert!(!parse(
            json!({"issuer": "https://issuer.example", "jwks_uri": JWKS, "token_endpoint": "http://issuer.example/t"})
        ));
        assert!(!parse(json!([])));
    }
}
