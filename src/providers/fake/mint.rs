//! `POST /mint`: makes the members that are handed in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::ticket::{Person, Purpose, Ticket};
use super::{
    Behaviour, CLIENT_ID, CODE_LIFETIME_SECONDS, Fake, FakeAnswer, TOKEN_LIFETIME_SECONDS,
};

/// The kinds of proof, by the names they have in requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    #[default]
    AccessToken,
    AccessTokenSecret,
    IdToken,
    Code,
}

/// The body of `POST /mint`. Everything but `sub` may be left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MintRequest {
    #[serde(default = "fake")]
    provider: String,
    #[serde(default)]
    kind: Kind,
    sub: String,
    name: Option<String>,
    email: Option<String>,
    /// True unless said otherwise.
    email_verified: Option<bool>,
    username: Option<String>,
    client_id: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
    #[serde(default)]
    behaviour: Behaviour,
}

fn fake() -> String {
    "fake".to_owned()
}

/// RFC 7636 §4.2.
pub(super) fn s256(code_verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(code_verifier))
}

impl Fake {
    pub(super) fn mint(&self, body: &[u8], now: DateTime<Utc>) -> FakeAnswer {
        let request: MintRequest = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return FakeAnswer::error(400, &error.to_string()),
        };
        if !request.behaviour.fits(request.kind) {
            return FakeAnswer::error(400, "a proof of this kind cannot behave like that");
        }
        FakeAnswer::json(200, &Value::Object(self.members(request, now)))
    }

    fn members(&self, request: MintRequest, now: DateTime<Utc>) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("provider".to_owned(), request.provider.into());
        let optional = [
            ("client_id", &request.client_id),
            ("nonce", &request.nonce),
            ("code_verifier", &request.code_verifier),
            ("redirect_uri", &request.redirect_uri),
        ];
        for (name, value) in optional {
            let fits = match request.kind {
                Kind::AccessToken | Kind::AccessTokenSecret => name == "client_id",
                Kind::IdToken => matches!(name, "client_id" | "nonce"),
                Kind::Code => true,
            };
            if let (true, Some(value)) = (fits, value) {
                members.insert(name.to_owned(), value.as_str().into());
            }
        }
        let challenge = request.code_verifier.as_deref().map(s256);
        let (purpose, lifetime_seconds) = match request.kind {
            Kind::AccessToken | Kind::IdToken => (Purpose::Access, TOKEN_LIFETIME_SECONDS),
            Kind::AccessTokenSecret => (Purpose::Pair, TOKEN_LIFETIME_SECONDS),
            Kind::Code => (Purpose::Code, CODE_LIFETIME_SECONDS),
        };
        let ticket = Ticket {
            purpose,
            serial: self.next_serial(),
            person: Person {
                sub: request.sub,
                name: request.name,
                email_verified: request.email.is_some() && request.email_verified != Some(false),
                email: request.email,
                username: request.username,
            },
            client_id: request.client_id.unwrap_or_else(|| CLIENT_ID.to_owned()),
            behaviour: request.behaviour,
            expires_at: now.timestamp() + lifetime_seconds,
            nonce: request.nonce,
            code_challenge: request.code_challenge.or(challenge),
            redirect_uri: request.redirect_uri,
            auth_time: None,
        };
        self.add_proof(&mut members, request.kind, &ticket, now);
        members
    }

    fn add_proof(
        &self,
        members: &mut Map<String, Value>,
        kind: Kind,
        ticket: &Ticket,
        now: DateTime<Utc>,
    ) {
        let (name, proof) = match kind {
            Kind::IdToken => ("id_token", self.signer.id_token(ticket, now)),
            Kind::Code => ("code", self.sealer.seal(ticket)),
            Kind::AccessToken => ("access_token", self.sealer.seal(ticket)),
            Kind::AccessTokenSecret => {
                let token = self.sealer.seal(ticket);
                let secret = self.sealer.token_secret(&token);
                members.insert("access_token_secret".to_owned(), secret.into());
                ("access_token", token)
            }
        };
        members.insert(name.to_owned(), proof.into());
    }
}
