//! One key set (RFC 7517 §5), read so that a key can only do what it is for.

use std::sync::Arc;

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;

use crate::domain::json::Json;
use crate::providers::error::{Outage, ProviderError};

/// More keys than any issuer has; a larger set is an attack on our time.
const MAX_KEYS: usize = 100;

/// RFC 7518 §3.3 demands 2048 bit; beyond 8192 a verification costs too much.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

const RSA_ALGORITHMS: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::RS256, &signature::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &signature::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RS512, &signature::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::PS256, &signature::RSA_PSS_2048_8192_SHA256),
    (Algorithm::PS384, &signature::RSA_PSS_2048_8192_SHA384),
    (Algorithm::PS512, &signature::RSA_PSS_2048_8192_SHA512),
];

/// A verification key, parsed once.
#[derive(Debug)]
pub struct VerificationKey {
    kid: Option<String>,
    verifiers: Vec<Verifier>,
    /// The public numbers, to tell equal keys from different ones.
    material: Vec<Vec<u8>>,
}

/// A key made ready for one algorithm, so that a verification need not build it from its numbers.
struct Verifier {
    algorithm: Algorithm,
    /// `None` when the numbers are not a key, such as a point beside the curve: then it verifies nothing.
    key: Option<ParsedPublicKey>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.algorithm)
    }
}

impl VerificationKey {
    /// Reads one key. `None` when it is not for verifying signatures that we accept: symmetric, for encryption, too small, of an
    /// unknown kind, or a private key that somebody published.
    fn from_jwk(jwk: &Json) -> Option<Self> {
        if jwk.get("d").is_some() || jwk.get("k").is_some() || !is_for_verification(jwk) {
            return None;
        }
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().filter(|kid| !kid.is_empty())?.to_owned()),
        };
        let (mut verifiers, material) = match jwk.get("kty")?.as_str()? {
            "RSA" => rsa(jwk)?,
            "EC" => elliptic_curve(jwk)?,
            "OKP" => edwards_curve(jwk)?,
            _ => return None,
        };
        if let Some(name) = jwk.get("alg") {
            let named = algorithm_from_name(name.as_str()?)?;
            verifiers.retain(|verifier| verifier.algorithm == named);
        }
        if verifiers.is_empty() {
            return None;
        }
        Some(Self {
            kid,
            verifiers,
            material,
        })
    }

    /// Whether this key verifies signatures of `algorithm`.
    #[must_use]
    pub fn takes(&self, algorithm: Algorithm) -> bool {
        self.verifier(algorithm).is_some()
    }

    /// Whether `signature` (base64url) is this key's over `message`. Never true for an algorithm that the key is not for.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str, algorithm: Algorithm) -> bool {
        let key = self
            .verifier(algorithm)
            .and_then(|verifier| verifier.key.as_ref());
        match (key, URL_SAFE_NO_PAD.decode(signature)) {
            (Some(key), Ok(signature)) => key.verify_sig(message, &signature).is_ok(),
            _ => false,
        }
    }

    fn verifier(&self, algorithm: Algorithm) -> Option<&Verifier> {
        self.verifiers
            .iter()
            .find(|verifier| verifier.algorithm == algorithm)
    }
}

/// The asymmetric algorithm called `name` (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). `none` and the symmetric ones are none.
pub(in crate::providers) fn algorithm_from_name(name: &str) -> Option<Algorithm> {
    let algorithm = match name {
        "Ed25519" => Algorithm::EdDSA,
        _ => name.parse().ok()?,
    };
    is_asymmetric(algorithm).then_some(algorithm)
}

/// Whether the algorithm has a public key. A public key is no secret, so it must never be taken for the key of an HMAC.
pub(in crate::providers) const fn is_asymmetric(algorithm: Algorithm) -> bool {
    !matches!(
        algorithm,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
    )
}

/// RFC 7517 §4.2 and §4.3.
fn is_for_verification(jwk: &Json) -> bool {
    let fits_use = jwk
        .get("use")
        .is_none_or(|usage| usage.as_str() == Some("sig"));
    let fits_operations = jwk.get("key_ops").is_none_or(|operations| {
        operations
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one.as_str() == Some("verify")))
    });
    fits_use && fits_operations
}

type Material = (Vec<Verifier>, Vec<Vec<u8>>);

/// RFC 7518 §6.3.1.
fn rsa(jwk: &Json) -> Option<Material> {
    let modulus = unsigned(jwk, "n")?;
    let exponent = unsigned(jwk, "e")?;
    let leading = modulus.first()?.leading_zeros();
    let bits = modulus.len() * 8 - usize::try_from(leading).ok()?;
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    // An exponent of one makes every signature its own message.
    let exponent_fits = exponent.len() <= 4 && is_odd(&exponent) && exponent.as_slice() != [1];
    if !RSA_BITS.contains(&bits) || !is_odd(&modulus) || !exponent_fits {
        return None;
    }
    let numbers = RsaPublicKeyComponents {
        n: &modulus,
        e: &exponent,
    };
    let verifiers = RSA_ALGORITHMS.map(|(algorithm, parameters)| Verifier {
        algorithm,
        key: numbers.to_parsed_public_key(parameters).ok(),
    });
    Some((verifiers.into(), vec![modulus, exponent]))
}

/// RFC 7518 §6.2.1.
fn elliptic_curve(jwk: &Json) -> Option<Material> {
    let (algorithm, kind, size) = match jwk.get("crv")?.as_str()? {
        "P-256" => (Algorithm::ES256, &signature::ECDSA_P256_SHA256_FIXED, 32),
        "P-384" => (Algorithm::ES384, &signature::ECDSA_P384_SHA384_FIXED, 48),
        _ => return None,
    };
    let (x, y) = (octets(jwk, "x")?, octets(jwk, "y")?);
    if x.len() != size || y.len() != size {
        return None;
    }
    let point = [&[4][..], &x, &y].concat();
    let key = ParsedPublicKey::new(kind, &point).ok();
    Some((vec![Verifier { algorithm, key }], vec![x, y]))
}

/// RFC 8037 §2.
fn edwards_curve(jwk: &Json) -> Option<Material> {
    let x = octets(jwk, "x").filter(|x| x.len() == 32)?;
    (jwk.get("crv")?.as_str()? == "Ed25519").then(|| {
        let key = ParsedPublicKey::new(&signature::ED25519, &x).ok();
        let algorithm = Algorithm::EdDSA;
        (vec![Verifier { algorithm, key }], vec![x])
    })
}

fn octets(jwk: &Json, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok()
}

/// A number without leading zeros (some issuers write one before the modulus).
fn unsigned(jwk: &Json, name: &str) -> Option<Vec<u8>> {
    let mut bytes = octets(jwk, name)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    Some(bytes)
}

/// Merges what is listed twice, and drops all keys of a name that stands for different ones.
fn without_ambiguity(keys: impl Iterator<Item = VerificationKey>) -> Vec<VerificationKey> {
    let mut kept: Vec<VerificationKey> = Vec::new();
    let mut ambiguous = Vec::new();
    for key in keys {
        let twin = kept.iter_mut().find(|other| {
            other.kid == key.kid && (key.kid.is_some() || other.material == key.material)
        });
        match twin {
            None => kept.push(key),
            Some(twin) if twin.material == key.material => twin.verifiers.extend(key.verifiers),
            Some(_) => ambiguous.push(key.kid),
        }
    }
    kept.retain(|key| !ambiguous.contains(&key.kid));
    kept
}

/// The usable keys of one set.
#[derive(Debug)]
pub(in crate::providers) struct KeySet {
    keys: Vec<Arc<VerificationKey>>,
}

/// What a key set says about a token's header.
#[derive(Debug)]
pub(in crate::providers) enum Found {
    /// The one key to use.
    Key(Arc<VerificationKey>),
    /// No such key; a newer set may have it.
    Nothing,
    /// The key is there but not for this algorithm, or several keys fit a token that names none. A newer set does not help.
    Unfit(&'static str),
}

impl KeySet {
    /// How many usable keys there are.
    pub(in crate::providers) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Reads a key set. Keys that we cannot use are passed over (RFC 7517 §5), different keys of one name are all dropped: which
    /// of them is meant would be a guess.
    ///
    /// # Errors
    /// [`Outage::Malformed`] when it is no key set, too large, or without a usable key.
    pub(in crate::providers) fn parse(body: &[u8]) -> Result<Self, Outage> {
        let json = Json::parse(body).map_err(Outage::Malformed)?;
        let members = json
            .get("keys")
            .and_then(Json::as_array)
            .ok_or(Outage::Malformed("the key set has no keys"))?;
        if members.len() > MAX_KEYS {
            return Err(Outage::Malformed("the key set is too large"));
        }
        if members.iter().any(|member| member.as_object().is_none()) {
            return Err(Outage::Malformed("the key set holds something else"));
        }
        let keys = without_ambiguity(members.iter().filter_map(VerificationKey::from_jwk));
        if keys.is_empty() {
            return Err(Outage::Malformed("the key set has no usable key"));
        }
        Ok(Self {
            keys: keys.into_iter().map(Arc::new).collect(),
        })
    }

    /// The key called `kid`, or the only key for `algorithm` when the token names none.
    pub(in crate::providers) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Found {
        let Some(kid) = kid else {
            let mut fitting = self.keys.iter().filter(|key| key.takes(algorithm));
            return match (fitting.next(), fitting.next()) {
                (None, _) => Found::Nothing,
                (Some(key), None) => Found::Key(Arc::clone(key)),
                (Some(_), Some(_)) => Found::Unfit("it names no key and several fit"),
            };
        };
        match self.keys.iter().find(|key| key.kid.as_deref() == Some(kid)) {
            None => Found::Nothing,
            Some(key) if key.takes(algorithm) => Found::Key(Arc::clone(key)),
            Some(_) => Found::Unfit("its key is not for its algorithm"),
        }
    }
}

impl Found {
    /// The key, or why there is none.
    ///
    /// # Errors
    /// [`ProviderError::InvalidToken`].
    pub(in crate::providers) fn get(self) -> Result<Arc<VerificationKey>, ProviderError> {
        match self {
            Self::Key(key) => Ok(key),
            Self::Nothing => Err(ProviderError::InvalidToken("its key is unknown")),
            Self::Unfit(why) => Err(ProviderError::InvalidToken(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::providers::jwks::test_keys::{base64url, keys};

    fn parse(keys: &Value) -> Result<KeySet, Outage> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    /// Whether a set of this key alone is usable.
    #[track_caller]
    fn is_usable(jwk: &Value) -> bool {
        match parse(&json!([jwk])) {
            Ok(_) => true,
            Err(Outage::Malformed("the key set has no usable key")) => false,
            Err(other) => panic!("{other}"),
        }
    }

    fn is_found(set: &KeySet, kid: Option<&str>, algorithm: Algorithm) -> bool {
        matches!(set.find(kid, algorithm), Found::Key(_))
    }

    #[test]
    fn keys_are_for_the_algorithms_of_their_kind() {
        let keys = keys();
        let rsa = RSA_ALGORITHMS.map(|(algorithm, _)| algorithm);
        let cases = [
            (keys.rsa.jwk(&json!({})), rsa.as_slice()),
            (keys.p256.jwk(&json!({})), &[Algorithm::ES256]),
            (keys.p384.jwk(&json!({})), &[Algorithm::ES384]),
            (keys.ed25519.jwk(&json!({})), &[Algorithm::EdDSA]),
            (keys.rsa.jwk(&json!({"alg": "PS256"})), &[Algorithm::PS256]),
            (
                keys.ed25519.jwk(&json!({"alg": "EdDSA"})),
                &[Algorithm::EdDSA],
            ),
            (
                keys.ed25519.jwk(&json!({"alg": "Ed25519"})),
                &[Algorithm::EdDSA],
            ),
        ];

        for (jwk, expected) in cases {
            let set = parse(&json!([jwk])).unwrap();
            let verifiers = set.keys[0].verifiers.iter();
            let algorithms: Vec<_> = verifiers.map(|verifier| verifier.algorithm).collect();
            assert_eq!(algorithms, expected);
        }
    }

    #[test]
    fn keys_that_are_not_for_verifying_are_passed_over() {
        let keys = keys();
        let rsa = |further: Value| is_usable(&keys.rsa.jwk(&further));
        assert!(rsa(
            json!({"use": "sig", "key_ops": ["verify"], "alg": "RS256", "kid": "a"})
        ));
        assert!(rsa(
            json!({"key_ops": ["sign", "verify"], "x5c": ["MIIB"], "x5t": "a"})
        ));

        assert!(!rsa(json!({"use": "enc"})));
        assert!(!rsa(json!({"use": "SIG"})));
        assert!(!rsa(json!({"use": null})));
        assert!(!rsa(json!({"key_ops": ["encrypt"]})));
        assert!(!rsa(json!({"key_ops": []})));
        assert!(!rsa(json!({"key_ops": "verify"})));
        assert!(!rsa(json!({"use": "sig", "key_ops": ["sign"]})));
        assert!(!rsa(json!({"alg": "HS256"})));
        assert!(!rsa(json!({"alg": "none"})));
        assert!(!rsa(json!({"alg": "ES256"})));
        assert!(!rsa(json!({"alg": "RSA-OAEP"})));
        assert!(!rsa(json!({"alg": 1})));
        assert!(!rsa(json!({"kid": ""})));
        assert!(!rsa(json!({"kid": 7})));
        assert!(!rsa(json!({"kty": "oct"})));
        assert!(!rsa(json!({"kty": "rsa"})));
        assert!(!rsa(json!({"kty": null})));
        assert!(!rsa(json!({"d": "AQAB"})));
        assert!(!rsa(json!({"k": "AQAB"})));
        assert!(!is_usable(
            &json!({"kty": "oct", "k": base64url("a secret of thirty-two bytes....")})
        ));
        assert!(!is_usable(&json!({})));
    }

    #[test]
    fn weak_and_odd_numbers_are_passed_over() {
        let keys = keys();
        let number = |bytes: usize, first: u8, last: u8| {
            let mut number = vec![0xAB; bytes];
            number[0] = first;
            number[bytes - 1] = last;
            base64url(number)
        };
        let rsa = |n: String, e: &str| is_usable(&json!({"kty": "RSA", "n": n, "e": e}));
        assert!(rsa(number(256, 0x80, 1), "AQAB"));
        assert!(rsa(number(257, 0, 1), "AQAB"), "a leading zero is no digit");
        assert!(rsa(number(1024, 0x80, 1), "Aw"));

        assert!(!rsa(number(128, 0x80, 1), "AQAB"), "1024 bit");
        assert!(!rsa(number(256, 0x7F, 1), "AQAB"), "2047 bit");
        assert!(!rsa(number(1025, 1, 1), "AQAB"), "8193 bit");
        assert!(!rsa(number(256, 0x80, 2), "AQAB"), "an even modulus");
        assert!(!rsa(number(256, 0x80, 1), "AQ"), "the exponent one");
        assert!(
            !rsa(number(256, 0x80, 1), "AAAB"),
            "the exponent one with zeros"
        );
        assert!(!rsa(number(256, 0x80, 1), "Ag"), "an even exponent");
        assert!(!rsa(number(256, 0x80, 1), "AQAAAAE"), "a long exponent");
        assert!(!rsa(number(256, 0x80, 1), ""), "no exponent");
        assert!(!rsa(number(256, 0x80, 1), "AQAB="), "padding");
        assert!(!rsa(String::new(), "AQAB"), "no modulus");
        assert!(!rsa(base64url([0; 256]), "AQAB"), "the modulus zero");
        let p256 = |further: Value| is_usable(&keys.p256.jwk(&further));
        assert!(!p256(json!({"crv": "P-384"})));
        assert!(!p256(json!({"crv": "P-521"})));
        assert!(!p256(json!({"crv": "secp256k1"})));
        assert!(!p256(json!({"x": base64url([1; 31])})));
        assert!(!p256(json!({"x": base64url([1; 33])})));
        assert!(!p256(json!({"y": null})));
        let ed25519 = |further: Value| is_usable(&keys.ed25519.jwk(&further));
        assert!(!ed25519(json!({"crv": "X25519"})));
        assert!(!ed25519(json!({"crv": "Ed448"})));
        assert!(!ed25519(json!({"x": base64url([1; 31])})));
    }

    #[test]
    fn a_point_off_the_curve_verifies_nothing() {
        let keys = keys();
        let jwk = keys.p256.jwk(&json!({"y": base64url([1; 32])}));
        let signature = base64url(keys.p256.sign("ES256", b"message"));
        let Found::Key(key) = parse(&json!([jwk])).unwrap().find(None, Algorithm::ES256) else {
            panic!("no key");
        };

        assert!(!key.verifies(b"message", &signature, Algorithm::ES256));
    }

    #[test]
    fn a_key_verifies_its_own_algorithms_only() {
        let keys = keys();
        let set = parse(&json!([keys.rsa.jwk(&json!({"alg": "RS256"}))])).unwrap();
        let key = Arc::clone(&set.keys[0]);
        let signed = |algorithm| base64url(keys.rsa.sign(algorithm, b"message"));

        assert!(key.verifies(b"message", &signed("RS256"), Algorithm::RS256));
        assert!(!key.verifies(b"massage", &signed("RS256"), Algorithm::RS256));
        assert!(!key.verifies(b"message", &signed("PS256"), Algorithm::PS256));
        assert!(!key.verifies(b"message", &signed("RS256"), Algorithm::HS256));
        assert!(!key.verifies(b"message", "", Algorithm::RS256));
        assert!(!key.verifies(b"message", "!", Algorithm::RS256));
    }

    #[test]
    fn different_keys_of_one_name_are_all_dropped() {
        let keys = keys();
        let set = parse(&json!([
            keys.rsa.jwk(&json!({"kid": "a"})),
            keys.p256.jwk(&json!({"kid": "b"})),
            keys.forger.jwk(&json!({"kid": "a"})),
            keys.rsa.jwk(&json!({"kid": "a"})),
        ]))
        .unwrap();

        assert!(!is_found(&set, Some("a"), Algorithm::RS256));
        assert!(is_found(&set, Some("b"), Algorithm::ES256));
        assert_eq!(set.keys.len(), 1);
    }

    #[test]
    fn a_key_listed_twice_is_one_key() {
        let keys = keys();
        let set = parse(&json!([
            keys.rsa.jwk(&json!({"kid": "a", "alg": "RS256"})),
            keys.rsa.jwk(&json!({"kid": "a", "alg": "PS256"})),
            keys.p256.jwk(&json!({})),
            keys.p256.jwk(&json!({})),
        ]))
        .unwrap();

        assert_eq!(set.keys.len(), 2);
        assert!(is_found(&set, Some("a"), Algorithm::RS256));
        assert!(is_found(&set, Some("a"), Algorithm::PS256));
        assert!(!is_found(&set, Some("a"), Algorithm::RS512));
        assert!(is_found(&set, None, Algorithm::ES256));
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        let jwk = keys().rsa.jwk(&json!({"kid": "a"})).to_string();
        let refused = [
            String::new(),
            "[]".to_owned(),
            "{}".to_owned(),
            r#"{"keys":{}}"#.to_owned(),
            r#"{"keys":[]}"#.to_owned(),
            r#"{"keys":null}"#.to_owned(),
            format!(r#"{{"keys":[{jwk},1]}}"#),
            format!(r#"{{"keys":[{jwk}],"keys":[{jwk}]}}"#),
            format!(r#"{{"keys":[{jwk}]}} "#) + "x",
            format!(r#"{{"keys":[{}]}}"#, vec![jwk.as_str(); 101].join(",")),
            "<html></html>".to_owned(),
        ];
        for body in refused {
            assert!(KeySet::parse(body.as_bytes()).is_err());
        }

        let hundred = format!(r#"{{"keys":[{}]}}"#, vec![jwk.as_str(); 100].join(","));
        assert!(KeySet::parse(hundred.as_bytes()).is_ok());
    }
}
