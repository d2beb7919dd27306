//! The admin API: what the pages of staff do, for programs, by the same flows. `routes` has every address with the scope that it
//! needs, `guard` keeps it.
//!
//! It takes an access token of an API client and nothing else. It reads no cookie, and so needs no token against forged forms: what a
//! browser sends along by itself means nothing here.

mod accounts;
mod activation;
mod activity;
mod body;
pub mod error;
mod guard;
mod lists;
pub mod routes;
mod sessions;
mod shown;
mod ticket;
mod unlink;
mod user_body;
mod users;
