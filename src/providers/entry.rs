//! A provider's entry: what an operator or the catalogue writes in TOML, about 20 lines.
//!
//! The structs here are the whole language. [`expression`](super::expression) reads answers, [`template`](super::template)
//! writes requests, [`engine`](super::engine) runs both. What the language cannot say is a named quirk.

mod request;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::mark::MarkColor;
pub use request::{
    ErrorRule, Format, Method, ParamSignature, Request, Revoke, SignatureAlgorithm, StoredToken,
    TokenPlace, Verdict,
};

/// One provider as data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Name for people, such as `GitHub`.
    pub title: String,
    /// One or two letters that stand for it on pages; derived from the title unless given.
    #[serde(default)]
    pub mark: Option<String>,
    /// The colour of its mark; derived from the id unless given.
    #[serde(default)]
    pub color: Option<MarkColor>,
    /// Other ids that requests may use, such as python-social-auth's `google-oauth2`.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Whether the provider still offers this.
    #[serde(default)]
    pub status: Status,
    /// The provider's documentation, for the reader.
    #[serde(default)]
    pub docs: Option<String>,
    /// The date (`YYYY-MM-DD`) on which the entry was last compared with the documentation.
    #[serde(default)]
    pub checked: Option<String>,
    /// Value of `{host}` in templates; a setting may replace it for a self-hosted instance.
    #[serde(default)]
    pub host: Option<String>,
    /// Other template values with their defaults, such as `tenant`; settings may replace them. One with an empty default must be
    /// set: without it the provider is refused when it is built.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// How codes are redeemed; absent where the provider has no OAuth 2 token endpoint.
    #[serde(default)]
    pub oauth2: Option<OAuth2>,
    /// How id tokens are verified; absent where the provider issues none.
    #[serde(default)]
    pub id_token: Option<IdToken>,
    /// The requests that an access token is used in. Those that do not need another's answer run at the same time.
    #[serde(default)]
    pub requests: Vec<Request>,
    /// Where the identity stands in the answers to `requests`.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// How we prove that an access token was issued to us.
    pub audience: Audience,
    /// What is kept in `extra_data` beside the tokens.
    #[serde(default)]
    pub extra_data: Vec<ExtraField>,
    /// How our access is given back; absent where the provider has no request for it.
    #[serde(default)]
    pub revoke: Option<Revoke>,
}

/// Whether a provider still offers what its entry describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In service.
    #[default]
    Live,
    /// In service, with an announced end.
    Deprecated,
    /// Out of service; the entry is kept for imported accounts.
    Retired,
}

impl Status {
    /// The name in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Deprecated => "deprecated",
            Self::Retired => "retired",
        }
    }
}

/// The token endpoint (RFC 6749 §3.2). Every text is a template.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// Where a browser is sent (RFC 6749 §3.1).
    #[serde(default)]
    pub authorization_url: Option<String>,
    /// Where a code is redeemed.
    pub token_url: String,
    /// How we authenticate there.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// Whether a code needs a PKCE verifier.
    #[serde(default)]
    pub pkce: Pkce,
    /// Scopes to ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What joins them.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Further members of the token request.
    #[serde(default)]
    pub token_params: BTreeMap<String, String>,
    /// Where the token answer nests its members, as an expression: `authed_user` for Slack's v2.
    #[serde(default)]
    pub token_root: Option<String>,
    /// Leaves an id token in the token answer alone, for providers that sign it in a way that is not accepted here. Then the
    /// requests say who it is.
    #[serde(default)]
    pub ignore_id_token: bool,
    /// Answers with status 200 that are failures all the same.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
}

fn space() -> String {
    " ".to_owned()
}

/// How we authenticate at the token endpoint (RFC 6749 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// `client_id` and `client_secret` in the form.
    #[default]
    Body,
    /// HTTP Basic.
    Basic,
    /// Only `client_id` in the form: a public client.
    None,
    /// `client_id` and `client_secret` in the query.
    Query,
    /// HTTP Basic and the form.
    BasicAndBody,
    /// A client secret that is a JWT minted from Apple's key (`quirks/apple.rs`).
    AppleJwt,
}

/// Whether a code is bound to a verifier (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// Passed on when the caller sends one.
    #[default]
    Supported,
    /// A code without a verifier is refused before the provider is asked.
    Required,
}

/// How a provider's id tokens are verified (OpenID Connect Core §3.1.3.7). Issuers and locations are pinned here, never taken
/// from the token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdToken {
    /// Accepted values of `iss`. `{claim.tid}` stands for the claim of that name, `{tenant}` and so on for params.
    #[serde(default)]
    pub issuers: Vec<String>,
    /// Where the keys are; absent when `discovery_url` tells.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// Where the discovery document is (OpenID Connect Discovery §4); its `issuer` must be one of `issuers`.
    #[serde(default)]
    pub discovery_url: Option<String>,
    /// Accepted signature algorithms.
    #[serde(default = "rs256")]
    pub algorithms: Vec<String>,
    /// Greatest age of `iat` in seconds.
    #[serde(default = "one_day_seconds")]
    pub max_age_seconds: i64,
    /// Claims that must have exactly this text (template), such as `token_use = "id"`.
    #[serde(default)]
    pub equals: BTreeMap<String, String>,
    /// Where the identity stands in the claims; the standard claims unless given.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// Claims that are kept in `extra_data`.
    #[serde(default)]
    pub extra_data: Vec<ExtraField>,
}

fn rs256() -> Vec<String> {
    vec!["RS256".to_owned()]
}

const fn one_day_seconds() -> i64 {
    86_400
}

/// Where the identity stands in the answers. Every text is an expression, every list a list of fallbacks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The stable id.
    pub uid: OneOrMany,
    /// The handle.
    #[serde(default)]
    pub username: OneOrMany,
    /// Addresses in order of preference, each with what proves it.
    #[serde(default)]
    pub email: Vec<EmailField>,
    /// The full name.
    #[serde(default)]
    pub full_name: OneOrMany,
    /// The given name.
    #[serde(default)]
    pub first_name: OneOrMany,
    /// The family name.
    #[serde(default)]
    pub last_name: OneOrMany,
}

/// An address and what the provider says about that very address.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailField {
    /// The address.
    pub address: String,
    /// Verified only when this is `true` or the text `true`; never when absent.
    #[serde(default)]
    pub verified: Option<String>,
    /// Where given, verified only when this is `true` as well: `is_email_valid` at Kakao.
    #[serde(default)]
    pub verified_if: Option<String>,
}

/// One expression, or several of which the first that yields something counts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// Nothing is mapped.
    #[default]
    #[serde(skip)]
    Nothing,
    /// One expression.
    One(String),
    /// Fallbacks.
    Many(Vec<String>),
}

impl OneOrMany {
    /// The expressions in order.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::Nothing => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// How we prove that an access token was issued to us. Mandatory in every entry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// The kind of proof.
    pub proof: AudienceProof,
    /// The name of the request whose answer proves it.
    #[serde(default)]
    pub request: Option<String>,
    /// Where the answer names the application(s): one of them must be one of our client ids, byte for byte.
    #[serde(default)]
    pub client_id: OneOrMany,
    /// Where the answer names the application that got the token, if it names one beside `client_id`: must be ours as well
    /// (OpenID Connect Core §2, `azp`).
    #[serde(default)]
    pub authorized_party: Option<String>,
    /// Where the answer names the person: must equal the identity's uid where both are given. Mandatory unless the answer is the
    /// profile itself.
    #[serde(default)]
    pub uid: Option<String>,
    /// Must be `true`, where given.
    #[serde(default)]
    pub valid: Option<String>,
    /// Expressions whose value, as text, must be exactly this (a template, so that a param can be compared).
    #[serde(default)]
    pub equals: BTreeMap<String, String>,
    /// Where the expiry stands in seconds since 1970. Where 0 means never, `|unless_zero` says so.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Where the remaining lifetime stands, in seconds.
    #[serde(default)]
    pub expires_in: Option<String>,
    /// Where the scopes stand.
    #[serde(default)]
    pub scope: Option<String>,
    /// Why there is no proof, for `none` and for access tokens of `id_token` providers; shown to the operator.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Kinds of proof that an access token was issued to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AudienceProof {
    /// Only id tokens are bound (by `aud`); a bare access token is not.
    IdToken,
    /// Facebook's `debug_token`.
    DebugToken,
    /// An endpoint that tells the application of a token.
    Tokeninfo,
    /// RFC 7662, or a provider's like of it.
    Introspection,
    /// An endpoint that answers only for our own application's tokens.
    AppCheck,
    /// The request is signed with our consumer secret, so that another application's token fails.
    Oauth1Signature,
    /// The request carries a proof made with our client secret, so that another application's token fails.
    SecretProof,
    /// There is none: refused until the operator accepts it by name.
    None,
}

impl AudienceProof {
    /// The name in entries and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdToken => "id_token",
            Self::DebugToken => "debug_token",
            Self::Tokeninfo => "tokeninfo",
            Self::Introspection => "introspection",
            Self::AppCheck => "app_check",
            Self::Oauth1Signature => "oauth1_signature",
            Self::SecretProof => "secret_proof",
            Self::None => "none",
        }
    }
}

/// A member of `extra_data`: an expression, or an expression and the name it is kept under.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum ExtraField {
    /// Kept under the expression's last name.
    Same(String),
    /// Kept under another name.
    Renamed {
        /// The expression.
        from: String,
        /// The name.
        to: String,
    },
}
