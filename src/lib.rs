//! Latchkey: self-hosted social sign-up. See `README.md` for what it does and `docs/ARCHITECTURE.md` for where things live.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod flows;
pub mod providers;
pub mod start;
pub mod storage;
pub mod web;
