//! The keys of staff pages, derived from a secret of the service so that there is nothing more to keep.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::domain::Secret;

/// What protects cookies and forms of staff.
pub struct StaffKeys {
    /// Seals the session cookie.
    pub cookie: [u8; 64],
    /// Makes the tokens of forms.
    pub forms: FormKey,
    /// Makes what ties a provider's answer to the browser that was sent there.
    pub authorizations: AuthorizationKey,
}

impl StaffKeys {
    /// The keys that belong to `secret`. The labels keep them apart from each other and from whatever else is derived from it.
    #[must_use]
    pub fn derive(secret: &[u8; 32]) -> Self {
        let derived = |label: &[u8]| mac(secret, &[b"latchkey staff", label]);
        let mut cookie = [0; 64];
        let (first, second) = cookie.split_at_mut(32);
        first.copy_from_slice(&derived(b"cookie 1"));
        second.copy_from_slice(&derived(b"cookie 2"));
        Self {
            cookie,
            forms: FormKey(derived(b"forms")),
            authorizations: AuthorizationKey(derived(b"authorizations")),
        }
    }
}

/// Makes and checks the tokens that prove that a form is from one of our pages, shown to the very browser that sends it.
pub struct FormKey([u8; 32]);

impl FormKey {
    /// The token of the forms that are shown to whoever `holder` names, such as a session.
    #[must_use]
    pub fn token(&self, holder: &str) -> String {
        URL_SAFE_NO_PAD.encode(mac(&self.0, &[holder.as_bytes()]))
    }

    /// Whether `token` is that token; takes the same time either way.
    #[must_use]
    pub fn matches(&self, holder: &str, token: &str) -> bool {
        self.token(holder).as_bytes().ct_eq(token.as_bytes()).into()
    }
}

/// Derives the secrets of one trip to a provider, so that none of them has to be stored.
pub struct AuthorizationKey([u8; 32]);

/// What goes with a browser to a provider and must come back with the code.
pub struct AuthorizationSecrets {
    /// Ties the code to us (RFC 7636 §4.1).
    pub code_verifier: Secret,
    /// Ties the id token to this trip (OpenID Connect Core §3.1.2.1).
    pub nonce: String,
}

impl AuthorizationKey {
    /// The secrets of the trip with this `state`, which the provider sees, in the browser that holds `browser`, which nobody else
    /// sees.
    #[must_use]
    pub fn secrets(&self, state: &str, browser: &str) -> AuthorizationSecrets {
        let derived = |label: &[u8]| {
            let parts = [label, state.as_bytes(), browser.as_bytes()];
            URL_SAFE_NO_PAD.encode(mac(&self.0, &parts))
        };
        AuthorizationSecrets {
            code_verifier: Secret::new(derived(b"code verifier")),
            nonce: derived(b"nonce"),
        }
    }
}

/// HMAC-SHA256 over the parts, each with its length before it, so that no two lists of parts are the same bytes.
fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key shorter than the hash's block is padded with zeros (RFC 2104 §2); a whole block cannot be refused.
    let mut block = [0_u8; 64];
    let (head, _) = block.split_at_mut(key.len());
    head.copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(&block.into());
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_from_each_other_and_by_secret() {
        let (one, two) = (StaffKeys::derive(&[1; 32]), StaffKeys::derive(&[2; 32]));

        assert_ne!(one.cookie[..32], one.cookie[32..]);
        assert_ne!(one.cookie, two.cookie);
        assert_ne!(one.forms.token("a"), two.forms.token("a"));
        assert_eq!(
            StaffKeys::derive(&[1; 32]).forms.token("a"),
            one.forms.token("a")
        );
    }

    #[test]
    fn the_secrets_of_a_trip_follow_from_state_and_browser_together() {
        let key = StaffKeys::derive(&[1; 32]).authorizations;
        let verifier = |state, browser| key.secrets(state, browser).code_verifier;
        let first = verifier("state", "browser");

        assert_eq!(first.expose(), verifier("state", "browser").expose());
        // RFC 7636 §4.1: 43 to 128 characters.
        assert_eq!(first.expose().len(), 43);
        for (state, browser) in [
            ("state", "other"),
            ("other", "browser"),
            ("stat", "ebrowser"),
        ] {
            assert_ne!(first.expose(), verifier(state, browser).expose());
        }
        assert_ne!(first.expose(), key.secrets("state", "browser").nonce);
    }

    #[test]
    fn a_token_holds_for_its_holder_alone() {
        let forms = StaffKeys::derive(&[1; 32]).forms;

        assert!(forms.matches("session 7", &forms.token("session 7")));
        for (holder, token) in [
            ("session 8", forms.token("session 7")),
            ("session 7", String::new()),
            ("session 7", "x".repeat(43)),
        ] {
            assert!(!forms.matches(holder, &token));
        }
    }
}
