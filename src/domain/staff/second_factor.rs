//! One-time codes of an authenticator app (RFC 6238), and the recovery codes for the day that it is lost.

use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use totp_rs::{Builder, Totp};

use crate::domain::Secret;

/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;

/// An authenticator's secret: 160 bits, SHA-1, six digits, a step of 30 seconds, which is what every app understands.
pub struct TotpSecret(Totp);

impl TotpSecret {
    /// A secret made of fresh randomness (RFC 4226 §4, R6 recommends 160 bits).
    #[must_use]
    pub fn new(random: [u8; 20]) -> Self {
        Self::of(totp_rs::Secret::new_stack(random))
    }

    /// The secret that [`TotpSecret::base32`] gave.
    #[must_use]
    pub fn parse(base32: &Secret) -> Option<Self> {
        let secret = totp_rs::Secret::try_from_base32(base32.expose()).ok()?;
        (secret.as_bytes().len() == 20).then(|| Self::of(secret))
    }

    fn of(secret: totp_rs::Secret) -> Self {
        // One step either way (RFC 6238 §5.2). The length is right by construction, so there is nothing to refuse.
        Self(
            Builder::new()
                .with_secret(secret)
                .with_skew(1)
                .build_noncompliant(),
        )
    }

    /// The secret as people type it.
    #[must_use]
    pub fn base32(&self) -> Secret {
        Secret::new(self.0.secret().to_base32())
    }

    /// What a QR code tells an authenticator app (the key URI format of Google Authenticator, checked 2026-11-26).
    #[must_use]
    pub fn uri(&self, issuer: &str, email: &str) -> Secret {
        let issuer = utf8_percent_encode(issuer, NON_ALPHANUMERIC);
        let email = utf8_percent_encode(email, NON_ALPHANUMERIC);
        let secret = self.0.secret().to_base32();
        Secret::new(format!(
            "otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}"
        ))
    }

    /// The time step whose code this is, if it is the one before, at or after `now`. Each step must be accepted only once.
    #[must_use]
    pub fn matching_step(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let is_code = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = u64::try_from(now.timestamp()).ok()?;
        let step = is_code.then(|| self.0.check(&code, seconds)).flatten()?;
        i64::try_from(step).ok()
    }

    /// The code at `now`.
    #[must_use]
    pub fn code(&self, now: DateTime<Utc>) -> String {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        self.0.generate(seconds).to_string()
    }
}

/// A code that takes the place of an authenticator, once.
pub struct RecoveryCode(String);

/// Letters and digits that are not taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

impl RecoveryCode {
    /// A code of 80 bits of fresh randomness, five to a character.
    #[must_use]
    pub fn new(random: [u8; 16]) -> Self {
        let letter = |byte: u8| ALPHABET.get(usize::from(byte & 31)).copied();
        Self(
            random
                .into_iter()
                .filter_map(letter)
                .map(char::from)
                .collect(),
        )
    }

    /// The code in `text`, however it is divided and written, if it has the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let code: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let is_code = code.len() == 16 && code.bytes().all(|byte| ALPHABET.contains(&byte));
        is_code.then_some(Self(code))
    }

    /// As it is shown: four groups of four.
    #[must_use]
    pub fn grouped(&self) -> Secret {
        let mut text = String::with_capacity(19);
        for (at, letter) in self.0.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        Secret::new(text)
    }

    /// What is stored. The code is random enough for a plain hash.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    fn secret() -> TotpSecret {
        TotpSecret::new(*b"12345678901234567890")
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_the_standard() {
        // The table has eight digits; six are the last six of them.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(secret().code(at(seconds)), code);
            assert_eq!(
                secret().matching_step(code, at(seconds)),
                Some(seconds / 30)
            );
        }
    }

    #[test]
    fn one_step_either_way_is_accepted_and_two_are_not() {
        let (secret, now) = (secret(), 1_795_000_000);

        for (offset, accepted) in [
            (-60, false),
            (-30, true),
            (0, true),
            (30, true),
            (60, false),
        ] {
            let code = secret.code(at(now + offset));
            let step = secret.matching_step(&code, at(now));
            assert_eq!(step, accepted.then_some((now + offset) / 30), "{offset}");
        }
        for bad in ["", "28708", "2870822", "２８７０８２", "abcdef", "-28708"] {
            assert_eq!(secret.matching_step(bad, at(59)), None, "{bad}");
        }
        assert!(secret.matching_step(" 287 082 ", at(59)).is_some());
    }

    #[test]
    fn a_secret_is_read_back_from_its_text() {
        let text = secret().base32();

        assert_eq!(text.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(TotpSecret::parse(&text).unwrap().code(at(59)), "287082");
        assert!(TotpSecret::parse(&Secret::new("GEZDGNBV")).is_none());
        assert_eq!(
            secret().uri("Latchkey", "jo@example.org").expose(),
            "otpauth://totp/Latchkey:jo%40example%2Eorg?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Latchkey"
        );
    }

    #[test]
    fn a_recovery_code_is_read_however_it_is_written() {
        let code = RecoveryCode::new([0, 1, 2, 3, 4, 5, 6, 7, 31, 30, 29, 28, 255, 254, 253, 252]);
        let shown = code.grouped();

        assert_eq!(shown.expose(), "abcd-efgh-9876-9876");
        for text in [
            "abcd-efgh-9876-9876",
            " ABCD EFGH 9876 9876",
            "abcdefgh98769876",
        ] {
            assert_eq!(RecoveryCode::parse(text).unwrap().hash(), code.hash());
        }
        for bad in ["", "abcd-efgh-9876", "abcd-efgh-9876-987l", "287082"] {
            assert!(RecoveryCode::parse(bad).is_none(), "{bad}");
        }
    }
}
