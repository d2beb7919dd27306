//! Sealing of provider secrets before they reach a column: XChaCha20-Poly1305 with a ring of keys.
//!
//! A sealed member reads `{"sealed": "<key id>.<base64url of nonce and ciphertext>"}`. It is bound to its table, provider, uid
//! and name, so a ciphertext that was moved to another row or another member does not open. The nonce is 24 random bytes
//! (draft-irtf-cfrg-xchacha §2.1: random nonces of this size are safe).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use rand::Rng as _;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::domain::{ExtraData, Member, ProviderId, Secret, StaffId, Uid};

/// Name of the only member of a sealed value.
const SEALED: &str = "sealed";
/// The table that the sealed values belong to. Part of what they are bound to: never change it.
const TABLE: &str = "social_auth";
/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;
/// Bytes of what authenticates a ciphertext.
const TAG_BYTES: usize = 16;

/// Why a secret cannot be sealed or opened. Never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// There is no key at all.
    #[error("the sealing key ring is empty")]
    NoKey,
    /// A key id is 0 or occurs twice.
    #[error("sealing key id {0} is zero or occurs twice")]
    BadKeyId(u8),
    /// The member was sealed with a key that is not on the ring.
    #[error("sealed with key {0}, which is not on the key ring")]
    UnknownKey(u8),
    /// There is no such member.
    #[error("there is no such member")]
    Absent,
    /// The member is not in the sealed form.
    #[error("the member is not sealed")]
    NotSealed,
    /// The member was altered, or belongs to another row or another member, or the key is a different one.
    #[error("the sealed member does not open here")]
    DoesNotOpen,
}

/// Seals with the first key of its ring and opens with all of them.
#[derive(Clone)]
pub struct Sealer {
    ring: Vec<(u8, XChaCha20Poly1305)>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({} keys)", self.ring.len())
    }
}

impl Sealer {
    /// A ring of keys, each under its id from 1 to 255. To rotate, put a new key first and keep the old ones behind it.
    ///
    /// # Errors
    /// [`SealingError::NoKey`] and [`SealingError::BadKeyId`].
    pub fn new(keys: impl IntoIterator<Item = (u8, [u8; 32])>) -> Result<Self, SealingError> {
        let mut ring: Vec<(u8, XChaCha20Poly1305)> = Vec::new();
        for (id, key) in keys {
            if id == 0 || ring.iter().any(|(known, _)| *known == id) {
                return Err(SealingError::BadKeyId(id));
            }
            ring.push((id, XChaCha20Poly1305::new(&key.into())));
        }
        if ring.is_empty() {
            return Err(SealingError::NoKey);
        }
        Ok(Self { ring })
    }

    /// The JSON object to store for a social account: secret members sealed, the others as they are.
    ///
    /// # Errors
    /// [`SealingError`] if a secret cannot be sealed, which needs more memory than there is.
    pub fn seal_extra_data(
        &self,
        extra_data: &ExtraData,
        provider: &ProviderId,
        uid: &Uid,
    ) -> Result<Value, SealingError> {
        let mut members = Map::new();
        for (name, member) in extra_data.iter() {
            let value = match member {
                Member::Plain(value) => value.clone(),
                Member::Secret(secret) => self.seal(secret, &bound_to(provider, uid, name))?,
            };
            members.insert(name.to_owned(), value);
        }
        Ok(Value::Object(members))
    }

    /// The secret in the member `name` of a stored object.
    ///
    /// # Errors
    /// [`SealingError`] says why it does not open.
    pub fn open_member(
        &self,
        stored: &Value,
        provider: &ProviderId,
        uid: &Uid,
        name: &str,
    ) -> Result<Secret, SealingError> {
        let member = stored.get(name).ok_or(SealingError::Absent)?;
        let text = sealed_text(member).ok_or(SealingError::NotSealed)?;
        self.open(text, &bound_to(provider, uid, name))
    }

    /// Whether `stored` already holds every member of `new` with the same value, so that merging would change nothing.
    ///
    /// Secrets are compared opened, because each sealing of the same secret differs. One that does not open counts as different.
    #[must_use]
    pub fn holds(&self, stored: &Value, new: &ExtraData, provider: &ProviderId, uid: &Uid) -> bool {
        new.iter().all(|(name, member)| match member {
            Member::Plain(value) => stored.get(name) == Some(value),
            Member::Secret(secret) => {
                self.open_member(stored, provider, uid, name)
                    .is_ok_and(|held| {
                        bool::from(held.expose().as_bytes().ct_eq(secret.expose().as_bytes()))
                    })
            }
        })
    }

    /// An authenticator's secret for the row of this member of staff.
    ///
    /// # Errors
    /// [`SealingError`] if it cannot be sealed, which needs more memory than there is.
    pub fn seal_totp_secret(&self, secret: &Secret, id: StaffId) -> Result<String, SealingError> {
        self.seal_text(secret, &totp_secret_of(id))
    }

    /// The secret in what [`Sealer::seal_totp_secret`] gave for the same row.
    ///
    /// # Errors
    /// [`SealingError`] says why it does not open.
    pub fn open_totp_secret(&self, sealed: &str, id: StaffId) -> Result<Secret, SealingError> {
        self.open(sealed, &totp_secret_of(id))
    }

    fn seal(&self, secret: &Secret, bound_to: &[u8]) -> Result<Value, SealingError> {
        let text = self.seal_text(secret, bound_to)?;
        let mut members = Map::new();
        members.insert(SEALED.to_owned(), Value::String(text));
        Ok(Value::Object(members))
    }

    fn seal_text(&self, secret: &Secret, bound_to: &[u8]) -> Result<String, SealingError> {
        let (id, cipher) = self.ring.first().ok_or(SealingError::NoKey)?;
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: bound_to,
        };
        let Ok(ciphertext) = cipher.encrypt(&XNonce::from(nonce), payload) else {
            return Err(SealingError::DoesNotOpen);
        };
        let mut sealed = nonce.to_vec();
        sealed.extend_from_slice(&ciphertext);
        let mut text = format!("{id}.");
        URL_SAFE_NO_PAD.encode_string(&sealed, &mut text);
        Ok(text)
    }

    fn open(&self, text: &str, bound_to: &[u8]) -> Result<Secret, SealingError> {
        let (id, sealed) = text.split_once('.').ok_or(SealingError::NotSealed)?;
        let Ok(id) = id.parse::<u8>() else {
            return Err(SealingError::NotSealed);
        };
        let Ok(sealed) = URL_SAFE_NO_PAD.decode(sealed) else {
            return Err(SealingError::NotSealed);
        };
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealingError::NotSealed)?;
        let (_, cipher) = self
            .ring
            .iter()
            .find(|(known, _)| *known == id)
            .ok_or(SealingError::UnknownKey(id))?;
        let payload = Payload {
            msg: ciphertext,
            aad: bound_to,
        };
        let opened = cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        opened.map(Secret::new).ok_or(SealingError::DoesNotOpen)
    }
}

/// Puts the members of `new` over those of `stored`. A member that is absent or null in `new` stays. Needs no key.
#[must_use]
pub fn merge(stored: Value, new: Value) -> Value {
    match (stored, new) {
        (Value::Object(mut merged), Value::Object(new)) => {
            merged.extend(new.into_iter().filter(|(_, value)| !value.is_null()));
            Value::Object(merged)
        }
        (stored, Value::Null) => stored,
        // Cannot happen: columns admit objects only.
        (_, new) => new,
    }
}

/// Whether a stored member is sealed: for showing "present" instead of a value.
#[must_use]
pub fn is_sealed(member: &Value) -> bool {
    sealed_text(member).is_some()
}

/// How long the secret in a sealed member is, in bytes: that many characters, as secrets of providers are ASCII. `None` if it is not
/// sealed. Needs no key, and tells nothing else.
#[must_use]
pub fn sealed_chars(member: &Value) -> Option<usize> {
    let (_, sealed) = sealed_text(member)?.split_once('.')?;
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?.len();
    bytes.checked_sub(NONCE_BYTES + TAG_BYTES)
}

fn sealed_text(member: &Value) -> Option<&str> {
    let members = member.as_object()?;
    match members.len() {
        1 => members.get(SEALED)?.as_str(),
        _ => None,
    }
}

/// What a sealed member is bound to.
fn bound_to(provider: &ProviderId, uid: &Uid, name: &str) -> Vec<u8> {
    place([TABLE, provider.as_str(), uid.as_str(), name])
}

fn totp_secret_of(id: StaffId) -> Vec<u8> {
    place(["staff", &id.to_string(), "", "totp_secret"])
}

/// Each part goes with its length: no two places give the same bytes.
fn place(parts: [&str; 4]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sealer(ids: &[u8]) -> Sealer {
        Sealer::new(ids.iter().map(|id| (*id, [*id; 32]))).unwrap()
    }

    fn provider(slug: &str) -> ProviderId {
        ProviderId::parse(slug).unwrap()
    }

    fn uid(text: &str) -> Uid {
        Uid::parse(text).unwrap()
    }

    fn extra_data() -> ExtraData {
        let mut extra_data = ExtraData::default();
        extra_data.put("expires_at", "2026-11-23T10:00:00Z");
        extra_data.put_secret("access_token", Some(Secret::new("at-canary")));
        extra_data.put_secret("refresh_token", Some(Secret::new("rt-canary")));
        extra_data
    }

    #[test]
    fn a_secret_member_is_unreadable_when_stored_and_opens_again() {
        let (sealer, github, ada) = (sealer(&[1]), provider("github"), uid("42"));

        let stored = sealer
            .seal_extra_data(&extra_data(), &github, &ada)
            .unwrap();

        assert!(!stored.to_string().contains("canary"));
        assert_eq!(stored["expires_at"], json!("2026-11-23T10:00:00Z"));
        assert!(is_sealed(&stored["access_token"]) && !is_sealed(&stored["expires_at"]));
        assert_eq!(sealed_chars(&stored["access_token"]), Some(9));
        assert_eq!(sealed_chars(&stored["expires_at"]), None);
        let opened = sealer.open_member(&stored, &github, &ada, "access_token");
        assert_eq!(opened.unwrap().expose(), "at-canary");
    }

    #[test]
    fn a_secret_opens_in_no_other_row_and_under_no_other_name() {
        let (sealer, github, ada) = (sealer(&[1]), provider("github"), uid("42"));
        let stored = sealer
            .seal_extra_data(&extra_data(), &github, &ada)
            .unwrap();
        let mut swapped = stored.clone();
        swapped["access_token"] = stored["refresh_token"].clone();

        for (stored, provider, uid) in [
            (&swapped, github.clone(), ada.clone()),
            (&stored, provider("gitlab"), ada.clone()),
            (&stored, github.clone(), uid("43")),
            // The same characters, divided in another way.
            (&stored, provider("github4"), uid("2")),
        ] {
            let opened = sealer.open_member(stored, &provider, &uid, "access_token");
            assert_eq!(opened.unwrap_err(), SealingError::DoesNotOpen);
        }
    }

    #[test]
    fn an_authenticators_secret_opens_for_its_owner_alone() {
        let sealer = sealer(&[1]);
        let stored = sealer
            .seal_totp_secret(&Secret::new("JBSWY3DP"), StaffId(1))
            .unwrap();

        let opened = |id| sealer.open_totp_secret(&stored, StaffId(id));
        assert!(!stored.contains("JBSWY3DP"));
        assert_eq!(opened(1).unwrap().expose(), "JBSWY3DP");
        assert_eq!(opened(2).unwrap_err(), SealingError::DoesNotOpen);
    }

    #[test]
    fn a_changed_character_anywhere_keeps_a_secret_shut() {
        let (sealer, github, ada) = (sealer(&[1]), provider("github"), uid("42"));
        let stored = sealer
            .seal_extra_data(&extra_data(), &github, &ada)
            .unwrap();
        let text = stored["access_token"]["sealed"].as_str().unwrap();

        for position in 2..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            let changed = json!({"access_token": {"sealed": String::from_utf8(bytes).unwrap()}});
            assert!(
                sealer
                    .open_member(&changed, &github, &ada, "access_token")
                    .is_err(),
                "position {position}"
            );
        }
    }

    #[test]
    fn after_a_rotation_old_secrets_open_and_new_ones_need_the_new_key() {
        let (github, ada) = (provider("github"), uid("42"));
        let old = sealer(&[1])
            .seal_extra_data(&extra_data(), &github, &ada)
            .unwrap();
        let rotated = sealer(&[2, 1]);

        let new = rotated
            .seal_extra_data(&extra_data(), &github, &ada)
            .unwrap();

        assert!(
            rotated
                .open_member(&old, &github, &ada, "access_token")
                .is_ok()
        );
        assert_eq!(
            sealer(&[1])
                .open_member(&new, &github, &ada, "access_token")
                .unwrap_err(),
            SealingError::UnknownKey(2)
        );
    }

    #[test]
    fn what_is_not_sealed_is_never_taken_for_a_secret() {
        let (sealer, github, ada) = (sealer(&[1]), provider("github"), uid("42"));
        for (member, expected) in [
            (json!("plain"), SealingError::NotSealed),
            (json!({"sealed": "1"}), SealingError::NotSealed),
            (json!({"sealed": "1.AAAA"}), SealingError::NotSealed),
            (json!({"sealed": "300.AAAA"}), SealingError::NotSealed),
            (json!({"sealed": "1.!"}), SealingError::NotSealed),
            (json!({"sealed": "1.x", "more": 1}), SealingError::NotSealed),
        ] {
            let stored = json!({"access_token": member});
            let opened = sealer.open_member(&stored, &github, &ada, "access_token");
            assert_eq!(opened.unwrap_err(), expected, "{stored}");
        }
        let absent = sealer.open_member(&json!({}), &github, &ada, "access_token");
        assert_eq!(absent.unwrap_err(), SealingError::Absent);
    }

    #[test]
    fn a_merge_lets_new_values_win_and_null_or_absent_ones_erase_nothing() {
        let merged = merge(
            json!({"kept": 1, "changed": 1, "nulled": {"sealed": "1.x"}}),
            json!({"changed": 2, "nulled": null, "added": 3}),
        );
        assert_eq!(
            merged,
            json!({"kept": 1, "changed": 2, "nulled": {"sealed": "1.x"}, "added": 3})
        );
    }

    #[test]
    fn unchanged_extra_data_is_recognised_although_every_sealing_differs() {
        let (sealer, github, ada) = (sealer(&[1]), provider("github"), uid("42"));
        let stored = sealer
            .seal_extra_data(&extra_data(), &github, &ada)
            .unwrap();
        let again = sealer
            .seal_extra_data(&extra_data(), &github, &ada)
            .unwrap();
        let mut changed = extra_data();
        changed.put_secret("access_token", Some(Secret::new("another")));

        assert_ne!(stored, again);
        assert!(sealer.holds(&stored, &extra_data(), &github, &ada));
        assert!(!sealer.holds(&stored, &changed, &github, &ada));
    }

    #[test]
    fn a_ring_needs_a_key_and_distinct_ids_from_one() {
        assert_eq!(Sealer::new([]).unwrap_err(), SealingError::NoKey);
        for ids in [&[0][..], &[3, 3]] {
            let ring = Sealer::new(ids.iter().map(|id| (*id, [0; 32])));
            assert_eq!(ring.unwrap_err(), SealingError::BadKeyId(ids[0]));
        }
    }
}
