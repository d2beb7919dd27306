//! Bearers whose signature was checked a moment ago.
//!
//! An access token is sent with every request for a quarter of an hour; its signature stays as good as it was. Only the offline
//! half of the check is remembered: expiry is judged each time, and session and user are read each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::VerifiedBearer;

/// Parts of the memory, so that workers seldom wait for each other. A power of two.
const SHARDS: usize = 16;
/// Bearers that a part remembers before it starts anew: about 1 MiB in all.
const SHARD_BEARERS: usize = 512;

type Hash = [u8; 32];

/// Verified bearers by the SHA-256 of the token, so that no token is kept.
#[derive(Default)]
pub(super) struct VerifiedBearers {
    shards: [Mutex<HashMap<Hash, VerifiedBearer>>; SHARDS],
}

impl VerifiedBearers {
    /// What finds a token again.
    pub(super) fn hash(token: &str) -> Hash {
        Sha256::digest(token.as_bytes()).into()
    }

    pub(super) fn find(&self, hash: &Hash) -> Option<VerifiedBearer> {
        let shard = self.shard(hash)?.lock();
        shard
            .unwrap_or_else(PoisonError::into_inner)
            .get(hash)
            .copied()
    }

    pub(super) fn remember(&self, hash: Hash, bearer: VerifiedBearer) {
        let Some(shard) = self.shard(&hash) else {
            return;
        };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= SHARD_BEARERS {
            shard.clear();
        }
        shard.insert(hash, bearer);
    }

    fn shard(&self, hash: &Hash) -> Option<&Mutex<HashMap<Hash, VerifiedBearer>>> {
        let [first, ..] = *hash;
        self.shards.get(usize::from(first) % SHARDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{SessionId, UserId};

    #[test]
    fn a_full_memory_starts_anew_and_never_grows_beyond_its_bound() {
        let bearers = VerifiedBearers::default();
        let bearer = VerifiedBearer {
            user_id: UserId(1),
            session_id: SessionId(2),
            expires_at: 3,
        };

        for number in 0..2 * SHARDS * SHARD_BEARERS {
            bearers.remember(VerifiedBearers::hash(&number.to_string()), bearer);
        }
        let last = VerifiedBearers::hash(&(2 * SHARDS * SHARD_BEARERS - 1).to_string());

        assert_eq!(bearers.find(&last), Some(bearer));
        assert_eq!(bearers.find(&VerifiedBearers::hash("never seen")), None);
        for shard in &bearers.shards {
            assert!(shard.lock().unwrap().len() <= SHARD_BEARERS);
        }
    }
}
