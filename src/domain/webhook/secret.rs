//! The secret that an endpoint shares with us, and signing with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::Secret;

/// What stands before the key in a secret.
const PREFIX: &str = "whsec_";
/// Shortest and longest key, in bytes (Standard Webhooks, "Signature scheme").
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret of the form `whsec_` and base64, ready for signing.
#[derive(Clone)]
pub struct WebhookSecret(Hmac<Sha256>);

/// What a delivery carries beside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `webhook-timestamp`: when it is sent, in seconds since 1970.
    pub timestamp: String,
    /// `webhook-signature`: `v1,` and the HMAC-SHA256 over id, timestamp and body.
    pub signature: String,
}

impl WebhookSecret {
    /// The secret that `text` is, if its key has 24 to 64 bytes.
    #[must_use]
    pub fn parse(text: &Secret) -> Option<Self> {
        let key = STANDARD.decode(text.expose().strip_prefix(PREFIX)?).ok()?;
        if !KEY_BYTES.contains(&key.len()) {
            return None;
        }
        Some(Self(Hmac::new_from_slice(&key).ok()?))
    }

    /// A new one of 32 random bytes.
    #[must_use]
    pub fn generate(random: &[u8; 32]) -> Secret {
        Secret::new(format!("{PREFIX}{}", STANDARD.encode(random)))
    }

    /// Signs a delivery that is sent at `now`.
    #[must_use]
    pub fn sign(&self, message_id: &str, now: DateTime<Utc>, body: &str) -> Signature {
        let timestamp = now.timestamp().to_string();
        let mut mac = self.0.clone();
        for part in [message_id, ".", &timestamp, ".", body] {
            mac.update(part.as_bytes());
        }
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        Signature {
            timestamp,
            signature,
        }
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_signed_as_published() {
        // Standard Webhooks, "Webhook signatures": the reference libraries' test vector.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let secret = WebhookSecret::parse(&secret).unwrap();
        let now = DateTime::from_timestamp(1_614_265_330, 0).unwrap();

        let signature = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            now,
            "{\"test\": 2432232314}",
        );

        assert_eq!(signature.timestamp, "1614265330");
        assert_eq!(
            signature.signature,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_new_secret_is_accepted_and_others_are_not() {
        assert!(WebhookSecret::parse(&WebhookSecret::generate(&[7; 32])).is_some());

        for text in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_%%",
        ] {
            assert!(WebhookSecret::parse(&Secret::new(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn it_does_not_show_itself() {
        let secret = WebhookSecret::parse(&WebhookSecret::generate(&[7; 32])).unwrap();

        assert_eq!(format!("{secret:?}"), "[secret]");
    }
}
