//! What an entry cannot say as data: one file for each provider that needs code.

pub mod apple;
