//! The requests of an entry: what is asked, where the token goes, and which answers are failures.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One request that an access token is used in. Every text is a template.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// How expressions call the answer.
    pub name: String,
    /// `GET` or `POST`.
    #[serde(default)]
    pub method: Method,
    /// The address, always `https://`.
    pub url: String,
    /// Where the access token goes.
    #[serde(default)]
    pub token: TokenPlace,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Further members of the query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// A form body.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// A JSON body, an object of texts.
    #[serde(default)]
    pub json: BTreeMap<String, String>,
    /// HTTP Basic with our client id and secret.
    #[serde(default)]
    pub basic_auth: bool,
    /// A signature over the parameters, for providers that want one beside the token.
    #[serde(default)]
    pub signature: Option<ParamSignature>,
    /// How the answer is written.
    #[serde(default)]
    pub format: Format,
    /// Whether the hand-in goes on without this answer when the request fails.
    #[serde(default)]
    pub optional: bool,
    /// What statuses mean here when that differs from the usual: `"404" = "wrong_audience"`.
    #[serde(default)]
    pub statuses: BTreeMap<String, Verdict>,
    /// Answers with a good status that are failures all the same, and what error bodies mean.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
}

/// The request that gives our access back when a social account is unlinked (RFC 7009, or a provider's like of it). Every text is a
/// template; `{uid}` is the provider's id of the person, and `{access_token}` the token that `tokens` names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// `POST` or `DELETE`.
    #[serde(default = "post")]
    pub method: Method,
    /// The address, always `https://`.
    pub url: String,
    /// Where the token goes.
    #[serde(default)]
    pub token: TokenPlace,
    /// Which stored token it is about: the first of these that is there.
    #[serde(default = "access_token")]
    pub tokens: Vec<StoredToken>,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Further members of the query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// A form body.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// A JSON body, an object of texts.
    #[serde(default)]
    pub json: BTreeMap<String, String>,
    /// HTTP Basic with our client id and secret.
    #[serde(default)]
    pub basic_auth: bool,
    /// What statuses mean here when that differs from the usual.
    #[serde(default)]
    pub statuses: BTreeMap<String, Verdict>,
    /// Answers with a good status that are failures all the same.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
}

const fn post() -> Method {
    Method::Post
}

fn access_token() -> Vec<StoredToken> {
    vec![StoredToken::AccessToken]
}

impl Revoke {
    /// The same as one of the requests that an access token is used in.
    #[must_use]
    pub fn to_request(&self) -> Request {
        Request {
            name: "revoke".to_owned(),
            method: self.method,
            url: self.url.clone(),
            token: self.token.clone(),
            headers: self.headers.clone(),
            query: self.query.clone(),
            form: self.form.clone(),
            json: self.json.clone(),
            basic_auth: self.basic_auth,
            signature: None,
            format: Format::Json,
            optional: false,
            statuses: self.statuses.clone(),
            errors: self.errors.clone(),
        }
    }
}

/// A token that is kept in `extra_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredToken {
    /// The access token.
    AccessToken,
    /// The refresh token; revoking it ends the whole consent at most providers (RFC 7009 §2.1).
    RefreshToken,
}

/// HTTP methods that entries use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET
    #[default]
    Get,
    /// POST
    Post,
    /// DELETE
    Delete,
}

/// Where the access token goes in a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlace {
    /// `Authorization: Bearer TOKEN` (RFC 6750 §2.1).
    #[default]
    Bearer,
    /// `Authorization: SCHEME TOKEN` for another scheme, such as `OAuth`.
    Scheme(String),
    /// A header of this name holds the bare token.
    Header(String),
    /// A query parameter of this name.
    Query(String),
    /// A form parameter of this name.
    Form(String),
    /// The whole request is signed with the token pair (RFC 5849 §3).
    Oauth1,
    /// `Bearer` for an access token, `Oauth1` for a token pair: a provider that takes both.
    BearerOrOauth1,
    /// Nowhere: the templates place it, or it is not needed.
    None,
}

impl TokenPlace {
    /// Whether the request is signed when a token pair is handed in.
    #[must_use]
    pub const fn takes_pairs(&self) -> bool {
        matches!(self, Self::Oauth1 | Self::BearerOrOauth1)
    }

    /// Whether only a token pair will do.
    #[must_use]
    pub const fn needs_pair(&self) -> bool {
        matches!(self, Self::Oauth1)
    }
}

/// A signature over a request's parameters.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParamSignature {
    /// The parameter that carries the signature.
    pub param: String,
    /// The hash.
    pub algorithm: SignatureAlgorithm,
    /// Joins `name=value` pairs, which are sorted by name.
    #[serde(default)]
    pub separator: String,
    /// What follows the pairs (for MD5) or keys them (for HMAC): a template.
    pub secret: String,
    /// Parameters that are sent but not signed.
    #[serde(default)]
    pub skip: Vec<String>,
}

/// Hashes that providers sign parameters with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureAlgorithm {
    /// MD5 over the pairs and the secret, in hex.
    Md5,
    /// HMAC-SHA256 in hex.
    HmacSha256,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON, an object or an array.
    #[default]
    Json,
    /// `callback( {...} );`
    Jsonp,
    /// `a=1&b=2`
    Form,
}

/// What a provider's refusal means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The token is not valid.
    InvalidToken,
    /// It was, and has expired.
    ExpiredToken,
    /// It was issued to another application.
    WrongAudience,
    /// The provider refuses for another reason.
    Rejected,
    /// The provider is down or limits our rate.
    Unavailable,
}

/// Recognises a failure in an answer's body. Rules are tried in order; the first that matches decides.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// The expression that is looked at.
    pub when: String,
    /// Matches when the value, as text, is one of these. Without it (and `not`), any truthy value matches.
    #[serde(default)]
    pub is: Vec<String>,
    /// Matches when the value, as text, is none of these; a missing value matches too.
    #[serde(default)]
    pub not: Vec<String>,
    /// What it means.
    pub verdict: Verdict,
}
