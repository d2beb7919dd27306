//! Tokens that describe themselves: what they stand for, and a code that only this provider can make. So nothing is stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Behaviour;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    Access,
    Pair,
    Code,
    Refresh,
}

/// A person as the fake provider knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) email_verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) username: Option<String>,
}

/// What a token says to the provider that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) purpose: Purpose,
    pub(super) person: Person,
    /// Tells one consent from the next; what is issued for the same code shares it.
    #[serde(default)]
    pub(super) serial: u64,
    pub(super) client_id: String,
    #[serde(default)]
    pub(super) behaviour: Behaviour,
    /// Seconds since 1970.
    pub(super) expires_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nonce: Option<String>,
    /// RFC 7636 §4.2, always S256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code_challenge: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) redirect_uri: Option<String>,
    /// When the person last signed in here, if the application asked (OpenID Connect Core §2, `auth_time`). Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) auth_time: Option<i64>,
}

/// Makes and opens tokens.
pub(super) struct Sealer {
    mac: Hmac<Sha256>,
}

impl Sealer {
    /// A sealer whose tokens only sealers with the same seed open.
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        // Padded with zeros to the block, as RFC 2104 §2 does with a key of this length.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(seed) {
            *to = *from;
        }
        let mac = Hmac::<Sha256>::new(&block);
        Self { mac }
    }

    /// 32 bytes for another use of the seed.
    pub(super) fn derive(&self, label: &str) -> [u8; 32] {
        let mut mac = self.mac.clone();
        // No token text has a space, so that no label can be a token.
        mac.update(b"derive ");
        mac.update(label.as_bytes());
        mac.finalize().into_bytes().into()
    }

    pub(super) fn seal(&self, ticket: &Ticket) -> String {
        // A ticket is texts and numbers: serialising it cannot fail, and an empty text opens nothing.
        let json = serde_json::to_vec(ticket).unwrap_or_default();
        let mut text = URL_SAFE_NO_PAD.encode(json);
        let code = self.code(&text).finalize().into_bytes();
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(code, &mut text);
        text
    }

    /// What `token` says, if we made it for this purpose.
    pub(super) fn open(&self, token: &str, purpose: Purpose) -> Option<Ticket> {
        let (text, code) = token.split_once('.')?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        self.code(text).verify_slice(&code).ok()?;
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        let ticket: Ticket = serde_json::from_slice(&json).ok()?;
        (ticket.purpose == purpose).then_some(ticket)
    }

    /// The secret of a token pair follows from the token.
    pub(super) fn token_secret(&self, token: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.derive(token))
    }

    fn code(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(text.as_bytes());
        mac
    }
}
