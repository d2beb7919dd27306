//! Codes and refresh tokens: `/authorize`, `/token` and `/introspect`.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::id_token::audience;
use super::mint::s256;
use super::ticket::{Person, Purpose, Ticket};
use super::{
    Behaviour, CLIENT_SECRET, CODE_LIFETIME_SECONDS, Fake, FakeAnswer, FakeRequest, Kind,
    REFRESH_LIFETIME_SECONDS, SCOPE, TOKEN_LIFETIME_SECONDS,
};

/// How long ago whoever has a stale sign-in signed in.
const STALE_SECONDS: i64 = 3600;

pub(super) type Form = HashMap<String, String>;

pub(super) fn form(bytes: &[u8]) -> Form {
    form_urlencoded::parse(bytes).into_owned().collect()
}

/// Who asks at an endpoint for applications.
pub(super) struct Client {
    pub(super) id: String,
    /// Whether it showed the secret.
    confidential: bool,
}

/// Whoever is asked signs in anew, unless they are to behave otherwise.
fn signed_in_at(behaviour: Behaviour, now: DateTime<Utc>) -> i64 {
    match behaviour {
        Behaviour::StaleSignIn => now.timestamp() - STALE_SECONDS,
        _ => now.timestamp(),
    }
}

impl Fake {
    /// RFC 6749 §4.1.1: consents at once and sends the browser back with a code for the person that `login_hint` names, or for
    /// `1001`. `behaviour` is understood as in `/mint`.
    pub(super) fn authorize(&self, query: &str, now: DateTime<Utc>) -> FakeAnswer {
        let mut query = form(query.as_bytes());
        let redirect_uri = query.remove("redirect_uri").unwrap_or_default();
        let (Ok(mut location), Some(client_id)) =
            (Url::parse(&redirect_uri), query.remove("client_id"))
        else {
            return FakeAnswer::error(400, "invalid_request");
        };
        if !matches!(location.scheme(), "http" | "https") {
            return FakeAnswer::error(400, "invalid_request");
        }
        let behaviour = match query.remove("behaviour") {
            None => Behaviour::Good,
            Some(name) => match serde_json::from_value(name.into()) {
                Ok(behaviour) => behaviour,
                Err(_) => return FakeAnswer::error(400, "invalid_request"),
            },
        };
        let sub = query.remove("login_hint");
        let sub = sub.unwrap_or_else(|| "1001".to_owned());
        let is_s256 = query.get("code_challenge_method").map(String::as_str) == Some("S256");
        let code_challenge = query.remove("code_challenge");
        let asks_for_auth_time = query.contains_key("max_age");
        let fits = query.get("response_type").map(String::as_str) == Some("code")
            && (code_challenge.is_none() || is_s256)
            && behaviour.fits(Kind::Code);
        if fits {
            let code = self.sealer.seal(&Ticket {
                purpose: Purpose::Code,
                serial: self.next_serial(),
                person: Person {
                    name: Some("Ada Okafor".to_owned()),
                    email: Some(format!("{sub}@example.org")),
                    email_verified: true,
                    username: Some(format!("ada-{sub}")),
                    sub,
                },
                client_id,
                behaviour,
                expires_at: now.timestamp() + CODE_LIFETIME_SECONDS,
                nonce: query.remove("nonce"),
                code_challenge,
                redirect_uri: Some(redirect_uri),
                auth_time: asks_for_auth_time.then(|| signed_in_at(behaviour, now)),
            });
            location.query_pairs_mut().append_pair("code", &code);
        } else {
            // RFC 6749 §4.1.2.1.
            location
                .query_pairs_mut()
                .append_pair("error", "invalid_request");
        }
        if let Some(state) = query.get("state") {
            location.query_pairs_mut().append_pair("state", state);
        }
        FakeAnswer {
            location: Some(location.into()),
            ..FakeAnswer::html(302, "")
        }
    }

    /// RFC 6749 §3.2.
    pub(super) fn token(&self, request: &FakeRequest<'_>, now: DateTime<Utc>) -> FakeAnswer {
        let form = form(request.body);
        let Some(client) = authenticate(request.authorization, &form) else {
            return FakeAnswer::error(401, "invalid_client");
        };
        let ticket = match form.get("grant_type").map(String::as_str) {
            Some("authorization_code") => self.redeem_code(&form, &client),
            Some("refresh_token") => form
                .get("refresh_token")
                .and_then(|token| self.sealer.open(token, Purpose::Refresh)),
            _ => return FakeAnswer::error(400, "unsupported_grant_type"),
        };
        match ticket {
            Some(ticket)
                if ticket.client_id == client.id
                    && is_good(&ticket, now)
                    && !self.revoked.holds(&ticket) =>
            {
                self.tokens(&ticket, now)
            }
            _ => FakeAnswer::error(400, "invalid_grant"),
        }
    }

    /// RFC 6749 §4.1.3 and RFC 7636 §4.6. A client without a secret needs the verifier.
    fn redeem_code(&self, form: &Form, client: &Client) -> Option<Ticket> {
        let ticket = self.sealer.open(form.get("code")?, Purpose::Code)?;
        let verified = match (&ticket.code_challenge, form.get("code_verifier")) {
            (Some(challenge), Some(verifier)) => s256(verifier) == *challenge,
            (None, None) => client.confidential,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let same_uri = ticket.redirect_uri.is_none()
            || ticket.redirect_uri.as_ref() == form.get("redirect_uri");
        (verified && same_uri).then_some(ticket)
    }

    /// RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3.
    fn tokens(&self, ticket: &Ticket, now: DateTime<Utc>) -> FakeAnswer {
        if let Some(instead) = ticket.behaviour.instead() {
            return instead;
        }
        let issue = |purpose, lifetime_seconds| {
            self.sealer.seal(&Ticket {
                purpose,
                expires_at: now.timestamp() + lifetime_seconds,
                nonce: None,
                code_challenge: None,
                redirect_uri: None,
                ..ticket.clone()
            })
        };
        let answer = json!({
            "access_token": issue(Purpose::Access, TOKEN_LIFETIME_SECONDS),
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME_SECONDS,
            "refresh_token": issue(Purpose::Refresh, REFRESH_LIFETIME_SECONDS),
            "scope": SCOPE,
            "id_token": self.signer.id_token(ticket, now),
        });
        FakeAnswer {
            delay: ticket.behaviour.delay(),
            ..FakeAnswer::json(200, &answer)
        }
    }

    /// RFC 7662 §2.
    pub(super) fn introspect(&self, request: &FakeRequest<'_>, now: DateTime<Utc>) -> FakeAnswer {
        let form = form(request.body);
        match authenticate(request.authorization, &form) {
            Some(client) if client.confidential => {}
            _ => return FakeAnswer::error(401, "invalid_client"),
        }
        let token = form.get("token");
        let ticket = token.and_then(|token| self.sealer.open(token, Purpose::Access));
        let good = ticket.filter(|ticket| is_good(ticket, now) && !self.revoked.holds(ticket));
        let Some(ticket) = good else {
            return FakeAnswer::json(200, &json!({"active": false}));
        };
        if let Some(instead) = ticket.behaviour.instead() {
            return instead;
        }
        let answer = json!({
            "active": true,
            "client_id": audience(&ticket),
            "sub": ticket.person.sub,
            "exp": ticket.expires_at,
            "scope": SCOPE,
        });
        FakeAnswer {
            delay: ticket.behaviour.delay(),
            ..FakeAnswer::json(200, &answer)
        }
    }
}

fn is_good(ticket: &Ticket, now: DateTime<Utc>) -> bool {
    ticket.expires_at > now.timestamp()
        && !matches!(ticket.behaviour, Behaviour::Expired | Behaviour::Revoked)
}

/// RFC 6749 §2.3.1: HTTP Basic or the form. A wrong secret is no client, a missing one is a public client.
pub(super) fn authenticate(authorization: Option<&str>, form: &Form) -> Option<Client> {
    let (id, secret) = match authorization {
        Some(value) => {
            let (scheme, credentials) = value.split_once(' ')?;
            let decoded = STANDARD.decode(credentials.trim()).ok()?;
            let decoded = String::from_utf8(decoded).ok()?;
            let (id, secret) = decoded.split_once(':')?;
            let decode =
                |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
            if !scheme.eq_ignore_ascii_case("Basic") {
                return None;
            }
            (decode(id)?, Some(decode(secret)?))
        }
        None => (
            form.get("client_id")?.clone(),
            form.get("client_secret").cloned(),
        ),
    };
    match secret {
        Some(secret) if secret != CLIENT_SECRET => None,
        secret => Some(Client {
            id,
            confidential: secret.is_some(),
        }),
    }
}
