//! Entities, newtypes and the association rules.
//!
//! Nothing here does I/O, reads a clock or draws a random number: time and randomness are arguments. Every other layer may
//! import this one; this one imports nothing of ours.

pub mod api_client;
pub mod association;
pub mod audit;
pub mod extra_data;
pub mod hand_in;
pub mod identity;
pub mod ids;
pub mod json;
pub mod paging;
pub mod policy;
pub mod provider_health;
pub mod search;
pub mod secret;
pub mod session;
pub mod staff;
pub mod stewardship;
pub mod tokens;
pub mod user;
pub mod username;
pub mod webhook;

pub use audit::{Actor, AuditAction, AuditEntry, RequestContext, network_of, plain_user_agent};
pub use extra_data::{ExtraData, Member};
pub use hand_in::{ClientProfile, HandIn, Intent, Proof, ProofKind, TokenFacts};
pub use identity::SocialIdentity;
pub use ids::{ProviderId, SessionId, SocialAuthId, StaffId, StaffSessionId, Uid, UserId};
pub use policy::{EmailMatch, Policy, SignUpRules};
pub use secret::Secret;
pub use session::{NewSession, Session};
pub use staff::{Role, Staff, StaffPolicy, StaffSession};
pub use user::{Association, NewUser, SocialAuth, User};
