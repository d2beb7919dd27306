//! Keys of an issuer, made at run time, and what it signs with them.
//!
//! Signing goes straight to the cryptographic library, so that any header can be written, forged ones as well.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The keys of this test run: making an RSA key takes long, so all issuers share them.
static KEYS: LazyLock<IssuerKeys> = LazyLock::new(IssuerKeys::generate);
/// Keys that no issuer publishes.
static FOREIGN_KEYS: LazyLock<IssuerKeys> = LazyLock::new(IssuerKeys::generate);

/// One RSA and one P-256 key.
pub(crate) struct IssuerKeys {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
}

/// The published keys.
pub(crate) fn issuer_keys() -> &'static IssuerKeys {
    &KEYS
}

/// Keys with the same `kid`s that nobody publishes.
pub(crate) fn foreign_keys() -> &'static IssuerKeys {
    &FOREIGN_KEYS
}

impl IssuerKeys {
    fn generate() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        }
    }

    /// The `kid` of the key for `algorithm`.
    fn kid(algorithm: &str) -> &'static str {
        match algorithm {
            "RS256" => "latchkey-test-rsa",
            "ES256" => "latchkey-test-p256",
            other => panic!("no key for {other}"),
        }
    }

    /// The key set (RFC 7517 §5) as the issuer publishes it.
    pub(crate) fn jwks(&self) -> Value {
        let rsa: PublicKeyComponents<Vec<u8>> = self.rsa.public_key().into();
        let point = self.p256.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({"keys": [
            {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": Self::kid("RS256"),
             "n": URL_SAFE_NO_PAD.encode(&rsa.n), "e": URL_SAFE_NO_PAD.encode(&rsa.e)},
            {"kty": "EC", "use": "sig", "alg": "ES256", "kid": Self::kid("ES256"), "crv": "P-256",
             "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)},
        ]})
    }

    /// The P-256 key as PEM, for whoever signs with it.
    pub(crate) fn p256_pem(&self) -> String {
        let key = self.p256.to_pkcs8v1().unwrap();
        let lines = STANDARD.encode(key.as_ref());
        format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n")
    }

    /// `claims` signed with the key for `algorithm`, `RS256` or `ES256`.
    pub(crate) fn sign(&self, algorithm: &str, claims: &Value) -> String {
        let header = json!({"alg": algorithm, "kid": Self::kid(algorithm), "typ": "JWT"});
        self.sign_as(algorithm, &header, claims)
    }

    /// `claims` below any `header`, signed with the key for `algorithm`.
    pub(crate) fn sign_as(&self, algorithm: &str, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let signature = match algorithm {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa
                    .sign(
                        &RSA_PKCS1_SHA256,
                        &SystemRandom::new(),
                        signed.as_bytes(),
                        &mut signature,
                    )
                    .unwrap();
                signature
            }
            "ES256" => self
                .p256
                .sign(&SystemRandom::new(), signed.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            other => panic!("no key for {other}"),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// `header` and `claims` as a signature covers them (RFC 7515 §5.1).
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    )
}
