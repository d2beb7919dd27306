//! Latchkey: self-hosted social sign-up. See `README.md` for what it does and `docs/ARCHITECTURE.md` for where things live.

pub mod domain;
pub mod providers;
pub mod storage;
