//! Hashes and checks passwords of staff: argon2id on threads where it may block, and never more at once than memory allows.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::domain::Secret;

/// Hashes computed at once. Each takes 19 MiB and a core for tens of milliseconds, which hand-ins would miss.
const AT_ONCE: usize = 2;
/// How long a caller waits for a turn.
const WAIT: Duration = Duration::from_secs(5);
/// A hash of nothing that anybody knows, with the parameters of all others: where there is no account, or no password yet, this
/// is checked instead, so that the answer takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bGF0Y2hrZXkgbm9ib2R5IQ$5m2Rz3gqj8aD0l0c6v0GqYwq3Zt6pO2m4nF9b1xkT9o";

/// Why a password was neither hashed nor checked.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// Too many others want the same.
    #[error("too many passwords are being checked")]
    Busy,
    /// The computation failed.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}

/// Hashes and checks passwords with argon2id, 19 MiB, two passes (OWASP Password Storage Cheat Sheet, checked 2026-11-26).
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Passwords {
    /// The hash of `password` in PHC form. `salt` is fresh randomness.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash(&self, password: Secret, salt: [u8; 16]) -> Result<String, PasswordError> {
        self.in_turn(move || {
            Argon2::default()
                .hash_password_with_salt(password.expose().as_bytes(), &salt)
                .map(|hash| hash.to_string())
                .map_err(|error| PasswordError::Failed(error.to_string()))
        })
        .await?
    }

    /// Whether `password` is the one that was hashed. Without a hash it is not, after the same time.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn verify(
        &self,
        password: Secret,
        hash: Option<String>,
    ) -> Result<bool, PasswordError> {
        self.in_turn(move || {
            let is_known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(NOBODY);
            let verified = Argon2::default().verify_password(password.expose().as_bytes(), hash);
            is_known && verified.is_ok()
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = tokio::time::timeout(WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(PasswordError::Busy);
        };
        // The turn goes along: a caller who gives up does not end the computation.
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        })
        .await
        .map_err(|error| PasswordError::Failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::phc::PasswordHash;

    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let passwords = Passwords::default();
        let hash = passwords
            .hash(Secret::new("correct horse"), [7; 16])
            .await
            .unwrap();

        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        for (password, hash, expected) in [
            ("correct horse", Some(hash.clone()), true),
            ("correct horsf", Some(hash), false),
            ("correct horse", None, false),
            ("correct horse", Some("damaged".into()), false),
        ] {
            let verified = passwords.verify(Secret::new(password), hash).await.unwrap();
            assert_eq!(verified, expected);
        }
    }

    #[test]
    fn nobodys_hash_is_computed_like_any_other() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(hash.params.to_string(), "m=19456,t=2,p=1");
        assert_eq!(hash.hash.unwrap().len(), 32);
    }
}
