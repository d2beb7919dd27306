//! "Whose token is this, and was it issued to us?"

pub mod access_token;
pub mod audience;
pub mod authorize;
pub mod catalog;
pub mod check;
pub mod code;
pub mod compile;
pub mod engine;
pub mod entry;
pub mod error;
pub mod expression;
pub mod extract;
pub mod fake;
pub mod filter;
pub mod guard;
pub mod id_token;
pub mod id_token_proof;
pub mod jwks;
pub mod oauth1;
pub mod outbound;
pub mod plan;
pub mod provider;
pub mod quirks;
pub mod registry;
pub mod settings;
pub mod template;
pub mod url_template;
pub mod waves;

pub use authorize::Authorization;
pub use error::{Outage, ProviderError};
pub use provider::{Provider, Verified};
pub use registry::{BuildEnv, Limits, Lookup, Providers};
pub use settings::{Client, ClientSettings, ProviderSettings, SetupProblem};
