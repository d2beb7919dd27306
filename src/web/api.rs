//! The JSON API: request and response bodies beside their handlers.

mod client_credentials;
pub mod health;
pub mod me;
pub mod nonce;
pub mod oauth;
pub mod providers;
pub mod social_sign_up;
