//! What a caller hands in: which provider, which proof, with which intent.

use std::fmt;

use super::{ProviderId, Secret};

/// One parsed `POST /social_sign_up/`.
#[derive(Debug, Clone)]
pub struct HandIn {
    /// The provider the proof is for, already resolved from an alias.
    pub provider: ProviderId,
    /// What proves whose account it is.
    pub proof: Proof,
    /// Which of our client ids the proof was issued to, if the caller says so.
    pub client_id: Option<String>,
    /// What the caller wants to happen.
    pub intent: Intent,
    /// Names for display, used only where the provider gives none.
    pub profile: ClientProfile,
}

/// What proves whose account it is. Exactly one kind is handed in.
#[derive(Debug, Clone)]
pub enum Proof {
    /// An OAuth 2 access token (RFC 6749 §1.4).
    AccessToken {
        /// The token.
        access_token: Secret,
        /// What the caller knows about it.
        facts: TokenFacts,
    },
    /// An OAuth 1.0a token and its secret (RFC 5849 §1.1).
    TokenPair {
        /// The token (`oauth_token`).
        access_token: Secret,
        /// The secret (`oauth_token_secret`).
        access_token_secret: Secret,
    },
    /// An OpenID Connect id token (OpenID Connect Core §2).
    IdToken {
        /// The signed token.
        id_token: Secret,
        /// The nonce the app asked with: raw, SHA-256 hex or SHA-256 base64url.
        nonce: Option<String>,
        /// An access token that must be bound to the id token.
        access_token: Option<Secret>,
        /// What the caller knows about the access token.
        facts: TokenFacts,
    },
    /// An authorization code that the server redeems (RFC 6749 §4.1.3).
    Code {
        /// The code.
        code: Secret,
        /// The PKCE verifier (RFC 7636 §4.1).
        code_verifier: Option<Secret>,
        /// The redirect URI the code was issued for.
        redirect_uri: Option<String>,
        /// The nonce the app asked with, checked against the id token that the code yields.
        nonce: Option<String>,
    },
}

impl Proof {
    /// Which kind of proof this is.
    #[must_use]
    pub const fn kind(&self) -> ProofKind {
        match self {
            Self::AccessToken { .. } => ProofKind::AccessToken,
            Self::TokenPair { .. } => ProofKind::TokenPair,
            Self::IdToken { .. } => ProofKind::IdToken,
            Self::Code { .. } => ProofKind::Code,
        }
    }

    /// The nonce that came along, if any.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        match self {
            Self::IdToken { nonce, .. } | Self::Code { nonce, .. } => nonce.as_deref(),
            Self::AccessToken { .. } | Self::TokenPair { .. } => None,
        }
    }
}

/// The kinds of proof, as `GET /providers` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProofKind {
    /// OAuth 2 access token.
    AccessToken,
    /// OAuth 1.0a token pair.
    TokenPair,
    /// OpenID Connect id token.
    IdToken,
    /// Authorization code.
    Code,
}

impl ProofKind {
    /// The name in requests, answers, logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::TokenPair => "access_token_secret",
            Self::IdToken => "id_token",
            Self::Code => "code",
        }
    }
}

impl fmt::Display for ProofKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Optional facts about a handed-in access token. They come from the caller and are stored, never trusted.
#[derive(Debug, Clone, Default)]
pub struct TokenFacts {
    /// The refresh token that was issued beside it.
    pub refresh_token: Option<Secret>,
    /// Its lifetime from now, in seconds.
    pub expires_in_seconds: Option<u64>,
    /// The scopes it was granted, separated by spaces.
    pub scope: Option<String>,
}

/// What the caller wants to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Intent {
    /// Sign up, sign in or associate, whichever fits.
    #[default]
    Auto,
    /// Only recognise an existing user.
    SignIn,
    /// Only create a new user.
    SignUp,
    /// Only associate with the caller.
    Associate,
}

impl Intent {
    /// The intent that a request's member `intent` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "sign_in" => Some(Self::SignIn),
            "sign_up" => Some(Self::SignUp),
            "associate" => Some(Self::Associate),
            _ => None,
        }
    }

    /// The name in requests and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::SignIn => "sign_in",
            Self::SignUp => "sign_up",
            Self::Associate => "associate",
        }
    }
}

/// Names that the app learnt from the provider's SDK. For display only.
#[derive(Debug, Clone, Default)]
pub struct ClientProfile {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
}
