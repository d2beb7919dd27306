//! A compiled entry: everything that can be parsed or checked once is, so that a hand-in does neither.

use super::entry::{
    AudienceProof, ClientAuth, Format, Method, Pkce, SignatureAlgorithm, StoredToken, TokenPlace,
    Verdict,
};
use super::expression::Expr;
use super::id_token::IdTokenRules;
use super::template::{Needs, Template};
use super::url_template::UrlTemplate;

/// A compiled entry.
#[derive(Debug)]
pub struct Plan {
    /// The requests, in the entry's order.
    pub requests: Box<[RequestPlan]>,
    /// What runs for a handed-in access token: everything.
    pub full: RunPlan,
    /// What runs after a code was redeemed: only what the identity is read from.
    pub profile: RunPlan,
    /// Where the identity stands in the answers.
    pub identity: Option<IdentityPlan>,
    /// How an access token is proven to be ours.
    pub audience: AudiencePlan,
    /// What is kept from the answers.
    pub extra: Box<[ExtraPlan]>,
    /// How codes are redeemed.
    pub oauth2: Option<OAuth2Plan>,
    /// How id tokens are verified.
    pub id_token: Option<IdTokenPlan>,
    /// How our access is given back.
    pub revoke: Option<RevokePlan>,
    /// Whether requests can be signed with a token pair.
    pub takes_token_pair: bool,
    /// Whether an access token alone leads to a uid.
    pub takes_access_token: bool,
    /// Whether expressions read what the caller handed in.
    pub uses_input: bool,
}

/// Which requests run, in waves: those of one wave run at the same time and need only answers of earlier ones.
#[derive(Debug, Default)]
pub struct RunPlan {
    /// Indices of requests.
    pub waves: Box<[Box<[usize]>]>,
    /// What all of them need together.
    pub needs: Needs,
}

/// A compiled request.
#[derive(Debug)]
pub struct RequestPlan {
    /// How expressions call the answer.
    pub name: String,
    /// GET, POST or DELETE.
    pub method: Method,
    /// The address.
    pub url: UrlTemplate,
    /// Where the access token goes.
    pub token: TokenPlace,
    /// Headers.
    pub headers: Pairs,
    /// Members of the query.
    pub query: Pairs,
    /// Members of a form body.
    pub form: Pairs,
    /// Members of a JSON body.
    pub json: Pairs,
    /// HTTP Basic with our client id and secret.
    pub basic_auth: bool,
    /// A signature over the parameters.
    pub signature: Option<SignaturePlan>,
    /// How the answer is written.
    pub format: Format,
    /// Whether a failure is ignored.
    pub optional: bool,
    /// What statuses mean here.
    pub statuses: Box<[(u16, Verdict)]>,
    /// What bodies mean.
    pub errors: Box<[ErrorPlan]>,
    /// What it needs.
    pub needs: Needs,
}

/// Names and templates of their values.
pub type Pairs = Box<[(String, Template)]>;

/// A compiled [`ParamSignature`](super::entry::ParamSignature).
#[derive(Debug)]
pub struct SignaturePlan {
    /// The parameter that carries it.
    pub param: String,
    /// The hash.
    pub algorithm: SignatureAlgorithm,
    /// Joins the pairs.
    pub separator: String,
    /// Follows or keys the pairs.
    pub secret: Template,
    /// Parameters that are not signed.
    pub skip: Vec<String>,
}

/// A compiled [`ErrorRule`](super::entry::ErrorRule).
#[derive(Debug)]
pub struct ErrorPlan {
    /// What is looked at.
    pub when: Expr,
    /// Texts that match.
    pub is: Vec<String>,
    /// Texts that do not.
    pub not: Vec<String>,
    /// What it means.
    pub verdict: Verdict,
}

/// A compiled [`Identity`](super::entry::Identity).
#[derive(Debug)]
pub struct IdentityPlan {
    /// The stable id.
    pub uid: Box<[Expr]>,
    /// The handle.
    pub username: Box<[Expr]>,
    /// Addresses, each with what proves it.
    pub email: Box<[EmailPlan]>,
    /// The full name.
    pub full_name: Box<[Expr]>,
    /// The given name.
    pub first_name: Box<[Expr]>,
    /// The family name.
    pub last_name: Box<[Expr]>,
}

/// A compiled [`EmailField`](super::entry::EmailField).
#[derive(Debug)]
pub struct EmailPlan {
    /// The address.
    pub address: Expr,
    /// What the provider says about it.
    pub verified: Option<Expr>,
    /// What else must be `true`.
    pub verified_if: Option<Expr>,
}

/// A compiled [`Audience`](super::entry::Audience).
#[derive(Debug)]
pub struct AudiencePlan {
    /// The kind of proof.
    pub proof: AudienceProof,
    /// The request whose answer proves it.
    pub request: Option<usize>,
    /// Where the applications stand.
    pub client_id: Box<[Expr]>,
    /// Where the application stands that got the token, if any does.
    pub authorized_party: Option<Expr>,
    /// Where the person stands.
    pub uid: Option<Expr>,
    /// Must be `true`.
    pub valid: Option<Expr>,
    /// Must have these texts.
    pub equals: Box<[EqualsPlan]>,
    /// The expiry in seconds since 1970.
    pub expires_at: Option<Expr>,
    /// The remaining lifetime in seconds.
    pub expires_in: Option<Expr>,
    /// The scopes.
    pub scope: Option<Expr>,
    /// Why there is no proof.
    pub reason: Option<String>,
}

/// An expression that must have exactly this text.
#[derive(Debug)]
pub struct EqualsPlan {
    /// What is looked at.
    pub value: Expr,
    /// What it must be.
    pub expected: String,
    /// Whether the operator sets it: then it names our application, as Kakao's app id does.
    pub names_us: bool,
}

impl AudiencePlan {
    /// Whether the answer names our application somewhere.
    #[must_use]
    pub fn names_application(&self) -> bool {
        !self.client_id.is_empty() || self.equals.iter().any(|equals| equals.names_us)
    }

    /// Whether a bare access token can be proven to be ours.
    #[must_use]
    pub const fn binds_access_tokens(&self) -> bool {
        !matches!(self.proof, AudienceProof::IdToken | AudienceProof::None)
    }
}

/// A member of `extra_data`.
#[derive(Debug)]
pub struct ExtraPlan {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub from: Expr,
    /// Whether it is sealed.
    pub is_secret: bool,
}

/// A compiled [`OAuth2`](super::entry::OAuth2).
#[derive(Debug)]
pub struct OAuth2Plan {
    /// Where a browser is sent.
    pub authorization_url: Option<UrlTemplate>,
    /// Where a code is redeemed.
    pub token_url: UrlTemplate,
    /// How we authenticate there.
    pub client_auth: ClientAuth,
    /// Whether a code needs a verifier.
    pub pkce: Pkce,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// What joins them.
    pub scope_separator: String,
    /// Further members of the token request.
    pub token_params: Pairs,
    /// Where the token answer nests its members.
    pub token_root: Option<Expr>,
    /// Whether an id token in the token answer is left alone.
    pub ignore_id_token: bool,
    /// What token answers mean.
    pub errors: Box<[ErrorPlan]>,
    /// What the token request needs.
    pub needs: Needs,
}

/// A compiled [`Revoke`](super::entry::Revoke).
#[derive(Debug)]
pub struct RevokePlan {
    /// The request.
    pub request: RequestPlan,
    /// Which stored token it is about.
    pub tokens: Box<[StoredToken]>,
}

/// A compiled [`IdToken`](super::entry::IdToken).
#[derive(Debug)]
pub struct IdTokenPlan {
    /// What a token must satisfy.
    pub rules: IdTokenRules,
    /// Where the identity stands in the claims.
    pub identity: IdentityPlan,
    /// What is kept of them.
    pub extra: Box<[ExtraPlan]>,
}
