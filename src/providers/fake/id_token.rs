//! Id tokens, and the key set that verifies them (OpenID Connect Core §2, RFC 8037).

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::ticket::Sealer;
use super::{Behaviour, ISSUER, OTHER_CLIENT_ID, TOKEN_LIFETIME_SECONDS, Ticket, profile};

/// The name of the key in the key set.
const KEY_ID: &str = "fake-1";

/// Signs id tokens.
pub(super) struct Signer {
    key: Ed25519KeyPair,
    /// A key that is in no key set.
    stranger: Ed25519KeyPair,
}

impl Signer {
    pub(super) fn new(sealer: &Sealer) -> Result<Self, KeyRejected> {
        Ok(Self {
            key: Ed25519KeyPair::from_seed_unchecked(&sealer.derive("key"))?,
            stranger: Ed25519KeyPair::from_seed_unchecked(&sealer.derive("stranger"))?,
        })
    }

    /// RFC 7517 §5, RFC 8037 §2.
    pub(super) fn key_set(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref());
        json!({"keys": [{
            "kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "alg": "EdDSA", "kid": KEY_ID,
        }]})
    }

    /// The id token for `ticket`, which misbehaves as the ticket says.
    pub(super) fn id_token(&self, ticket: &Ticket, now: DateTime<Utc>) -> String {
        let behaviour = ticket.behaviour;
        let (algorithm, key, key_id) = match behaviour {
            Behaviour::AlgNone => ("none", None, KEY_ID),
            Behaviour::BadSignature => ("EdDSA", Some(&self.stranger), KEY_ID),
            Behaviour::Revoked => ("EdDSA", Some(&self.stranger), "fake-0"),
            _ => ("EdDSA", Some(&self.key), KEY_ID),
        };
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": key_id});
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        let claims = match behaviour {
            Behaviour::Garbage => "<h1>Welcome!</h1>".to_owned(),
            _ => claims(ticket, now).to_string(),
        };
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = key.map(|key| key.sign(token.as_bytes()));
        token.push('.');
        if let Some(signature) = signature {
            URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        }
        token
    }
}

fn claims(ticket: &Ticket, now: DateTime<Utc>) -> Value {
    let mut issued_at = now.timestamp();
    if ticket.behaviour == Behaviour::Expired {
        issued_at -= 2 * TOKEN_LIFETIME_SECONDS;
    }
    let mut claims = profile(&ticket.person, ticket.behaviour);
    claims.insert("iss".to_owned(), issuer(ticket.behaviour).into());
    claims.insert("aud".to_owned(), audience(ticket).into());
    claims.insert("iat".to_owned(), issued_at.into());
    claims.insert(
        "exp".to_owned(),
        (issued_at + TOKEN_LIFETIME_SECONDS).into(),
    );
    let nonce = match ticket.behaviour {
        Behaviour::WrongNonce => Some("another-nonce"),
        _ => ticket.nonce.as_deref(),
    };
    if let Some(nonce) = nonce {
        claims.insert("nonce".to_owned(), nonce.into());
    }
    if let Some(auth_time) = ticket.auth_time {
        claims.insert("auth_time".to_owned(), auth_time.into());
    }
    Value::Object(claims)
}

const fn issuer(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::WrongIssuer => "https://other.latchkey.example",
        _ => ISSUER,
    }
}

/// The application that the ticket's tokens are issued to.
pub(super) fn audience(ticket: &Ticket) -> &str {
    match ticket.behaviour {
        Behaviour::WrongAudience => OTHER_CLIENT_ID,
        _ => &ticket.client_id,
    }
}
