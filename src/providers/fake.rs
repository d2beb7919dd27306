//! The built-in provider `fake`: all four kinds of proof, minted on request, misbehaving on demand.
//!
//! It is for development, tests and the demo; a production configuration refuses it. It keeps nothing but which tokens were
//! revoked: the tokens describe themselves and carry a code that only the process that made them can make. It knows one application,
//! [`CLIENT_ID`] with [`CLIENT_SECRET`], and takes any other client id with the same secret.
//!
//! To the provider engine it is `https://fake.latchkey.example`, an address that leads back to the server itself, below `/fake`.
//! `POST /mint` answers exactly what is handed in, so that a sign-up is two commands:
//! ```sh
//! curl -s localhost:8000/fake/mint -d '{"sub": "1001", "name": "Ada Okafor", "email": "ada@example.org"}' > proof.json
//! curl -s localhost:8000/social_sign_up/ -H 'Content-Type: application/json' -d @proof.json
//! ```
//! `kind` is `access_token` (if absent), `access_token_secret` (an OAuth 1.0a pair), `id_token` or `code`; `behaviour` is one of
//! [`Behaviour`] in snake case, such as `"expired"` or `"outage"`. Further members: `email_verified` (true if absent), `username`,
//! `client_id`, `nonce`, `code_verifier` or `code_challenge` (S256), `redirect_uri`, and `provider` if it is configured
//! under another name than `fake`. A code is good for a minute, and as nothing is kept it can be redeemed again in that time.
//! ```sh
//! curl -s localhost:8000/fake/mint -d '{"kind": "id_token", "sub": "1001", "nonce": "n-1", "behaviour": "wrong_audience"}'
//! curl -s localhost:8000/fake/mint -d '{"kind": "code", "sub": "1001", "code_verifier": "'$(openssl rand -hex 32)'"}'
//! ```
//! `/authorize` consents at once, as whoever `login_hint` names; with `max_age` the id token says that they signed in just now.
//! The other endpoints are a provider's: `/authorize`, `/token`, `/introspect`, `/revoke`, `/me` (bearer token or signed with a pair),
//! `/oauth1/me` (signed only), `/jwks` and `/.well-known/openid-configuration`.

mod behaviour;
mod grant;
mod id_token;
mod mint;
mod revoke;
mod signature;
mod ticket;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::error::KeyRejected;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

pub use behaviour::Behaviour;
use id_token::Signer;
use mint::Kind;
use revoke::Revoked;
use ticket::{Person, Purpose, Sealer, Ticket};

/// The id of its entry.
pub const ID: &str = "fake";
/// Its host, which exists nowhere (RFC 2606 §2).
pub const HOST: &str = "fake.latchkey.example";
/// Its issuer, and what its addresses begin with.
pub const ISSUER: &str = "https://fake.latchkey.example";
/// The application that proofs are minted for unless the request names another.
pub const CLIENT_ID: &str = "fake-client";
/// The secret of every application.
pub const CLIENT_SECRET: &str = "fake-secret";
/// Whose tokens a `wrong_audience` is.
const OTHER_CLIENT_ID: &str = "another-client";
/// How long access tokens and id tokens are good.
const TOKEN_LIFETIME_SECONDS: i64 = 3600;
/// How long codes are good.
const CODE_LIFETIME_SECONDS: i64 = 60;
/// How long refresh tokens are good.
const REFRESH_LIFETIME_SECONDS: i64 = 86_400;
/// The scope of every token.
const SCOPE: &str = "openid profile email";

/// A request to the fake provider, with the path below its root.
#[derive(Debug, Clone, Copy)]
pub struct FakeRequest<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// With its slash, not decoded: `/me`.
    pub path: &'a str,
    /// Without the question mark, not decoded; empty if there is none.
    pub query: &'a str,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The body: JSON for `/mint`, a form for `/token` and `/introspect`, whatever the content type says.
    pub body: &'a [u8],
}

/// What the fake provider answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeAnswer {
    /// The status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// The header `Location`.
    pub location: Option<String>,
    /// The header `Retry-After`.
    pub retry_after_seconds: Option<u32>,
    /// The body.
    pub body: Vec<u8>,
    /// How long to wait before the answer is sent.
    pub delay: Option<Duration>,
}

impl FakeAnswer {
    fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            location: None,
            retry_after_seconds: None,
            body,
            delay: None,
        }
    }

    fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string().into_bytes())
    }

    fn html(status: u16, body: &str) -> Self {
        Self::new(status, "text/html", body.as_bytes().to_vec())
    }

    /// RFC 6749 §5.2.
    fn error(status: u16, error: &str) -> Self {
        Self::json(status, &json!({"error": error}))
    }
}

/// The fake provider.
pub struct Fake {
    sealer: Sealer,
    signer: Signer,
    revoked: Revoked,
    serial: AtomicU64,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fake").finish_non_exhaustive()
    }
}

impl Fake {
    /// A provider whose keys follow from `seed`: fresh random bytes, or fixed ones in a test.
    ///
    /// # Errors
    /// When the cryptographic library takes no key made from the seed.
    pub fn new(seed: &[u8; 32]) -> Result<Self, KeyRejected> {
        let sealer = Sealer::new(seed);
        let signer = Signer::new(&sealer)?;
        Ok(Self {
            sealer,
            signer,
            revoked: Revoked::default(),
            serial: AtomicU64::new(0),
        })
    }

    /// Answers `request`.
    #[must_use]
    pub fn handle(&self, request: &FakeRequest<'_>, now: DateTime<Utc>) -> FakeAnswer {
        match (request.method, request.path) {
            ("POST", "/mint") => self.mint(request.body, now),
            ("GET", "/authorize") => self.authorize(request.query, now),
            ("POST", "/token") => self.token(request, now),
            ("POST", "/introspect") => self.introspect(request, now),
            ("POST", "/revoke") => self.revoke(request),
            ("GET", "/me" | "/oauth1/me") => self.me(request, now),
            ("GET", "/jwks") => FakeAnswer::json(200, &self.signer.key_set()),
            ("GET", "/.well-known/openid-configuration") => FakeAnswer::json(200, &discovery()),
            _ => FakeAnswer::error(404, "not_found"),
        }
    }

    fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// The profile, and to which application the token was issued.
    fn me(&self, request: &FakeRequest<'_>, now: DateTime<Utc>) -> FakeAnswer {
        let ticket = match request
            .authorization
            .and_then(|value| value.split_once(' '))
        {
            Some((scheme, parameters)) if scheme.eq_ignore_ascii_case("OAuth") => {
                self.signed_ticket(request, parameters, now)
            }
            Some((scheme, token))
                if scheme.eq_ignore_ascii_case("Bearer") && request.path == "/me" =>
            {
                self.sealer.open(token, Purpose::Access)
            }
            _ => None,
        };
        let Some(ticket) = ticket else {
            return FakeAnswer::error(401, "invalid_token");
        };
        if ticket.behaviour == Behaviour::Expired || ticket.expires_at <= now.timestamp() {
            return FakeAnswer::error(401, "expired_token");
        }
        if ticket.behaviour == Behaviour::Revoked || self.revoked.holds(&ticket) {
            return FakeAnswer::error(401, "revoked_token");
        }
        if let Some(instead) = ticket.behaviour.instead() {
            return instead;
        }
        let mut body = profile(&ticket.person, ticket.behaviour);
        body.insert(
            "client_id".to_owned(),
            id_token::audience(&ticket).to_owned().into(),
        );
        body.insert("exp".to_owned(), ticket.expires_at.into());
        body.insert("scope".to_owned(), SCOPE.into());
        FakeAnswer {
            delay: ticket.behaviour.delay(),
            ..FakeAnswer::json(200, &Value::Object(body))
        }
    }
}

/// The person, by the names of the standard claims (OpenID Connect Core §5.1). What is not known is left out.
fn profile(person: &Person, behaviour: Behaviour) -> Map<String, Value> {
    let mut profile = Map::new();
    if behaviour != Behaviour::MissingSub {
        profile.insert("sub".to_owned(), person.sub.as_str().into());
    }
    if let Some(name) = &person.name {
        profile.insert("name".to_owned(), name.as_str().into());
    }
    if let Some(username) = &person.username {
        profile.insert("preferred_username".to_owned(), username.as_str().into());
    }
    if let Some(email) = &person.email {
        let email = match behaviour {
            Behaviour::ChangedEmail => format!("changed-{email}"),
            _ => email.clone(),
        };
        let verified = person.email_verified && behaviour != Behaviour::UnverifiedEmail;
        profile.insert("email".to_owned(), email.into());
        profile.insert("email_verified".to_owned(), verified.into());
    }
    profile
}

/// OpenID Connect Discovery §3.
fn discovery() -> Value {
    let at = |path: &str| format!("{ISSUER}{path}");
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "introspection_endpoint": at("/introspect"),
        "revocation_endpoint": at("/revoke"),
        "userinfo_endpoint": at("/me"),
        "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "scopes_supported": ["openid", "profile", "email"],
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod whole;
