//! `POST /social_sign_up/`

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use super::me::UserBody;
use crate::app::App;
use crate::domain::{
    Association, ClientProfile, HandIn, Intent, Proof, ProviderId, Secret, TokenFacts,
};
use crate::flows::{self, SignUp, SignedUp, TokenSet};
use crate::providers::{Lookup, Provider};
use crate::web::error::Error;
use crate::web::extract::{Caller, Context, Members};
use crate::web::rate_limit::HandInQuota;
use crate::web::rfc3339;

/// Longest token or code, in bytes; id tokens with many claims reach 8 KiB.
const TOKEN_MAX_BYTES: usize = 16 * 1024;
/// Longest other member, in bytes.
const TEXT_MAX_BYTES: usize = 2048;

/// `POST /social_sign_up/`: sign up, sign in or associate. See docs/API.md.
///
/// # Errors
/// Every refusal of docs/API.md.
pub async fn social_sign_up(
    app: Data<App>,
    _quota: HandInQuota,
    caller: Caller,
    context: Context,
    members: Members,
) -> Result<HttpResponse, Error> {
    let app = app.into_inner();
    let signed_up = match SocialSignUpRequest::parse(&members, &app, caller.0.is_some())? {
        SocialSignUpRequest::HandIn { provider, hand_in } => {
            let request = SignUp {
                bearer: caller.0,
                provider,
                hand_in: *hand_in,
                context: context.0,
            };
            flows::sign_up(&app, request).await?
        }
        SocialSignUpRequest::LinkTicket {
            provider,
            link_ticket,
        } => {
            let bearer = caller.0.ok_or(Error::BearerMissing)?;
            flows::redeem_link_ticket(&app, bearer, provider, &link_ticket, context.0).await?
        }
    };
    Ok(HttpResponse::Created().json(SocialSignUpBody::from(&signed_up)))
}

/// A parsed body.
enum SocialSignUpRequest {
    /// A proof for a provider.
    HandIn {
        provider: Arc<Provider>,
        hand_in: Box<HandIn>,
    },
    /// A ticket of an earlier 409.
    LinkTicket {
        provider: ProviderId,
        link_ticket: Secret,
    },
}

impl SocialSignUpRequest {
    fn parse(members: &Members, app: &App, has_bearer: bool) -> Result<Self, Error> {
        let slug = members
            .text("provider", TEXT_MAX_BYTES)?
            .ok_or_else(|| Error::member("provider", "is missing"))?;
        let provider = match app.providers.find(&slug) {
            Lookup::Enabled(provider) => provider,
            Lookup::Disabled => return Err(Error::ProviderDisabled),
            Lookup::Unknown => return Err(Error::UnknownProvider),
        };
        let intent = parse_intent(members, has_bearer)?;
        if let Some(ticket) = members.text("link_ticket", TEXT_MAX_BYTES)? {
            if ["access_token", "access_token_secret", "id_token", "code"]
                .iter()
                .any(|proof| members.has(proof))
            {
                return Err(Error::member("link_ticket", "does not go with a proof"));
            }
            let provider = provider.id().clone();
            return Ok(Self::LinkTicket {
                provider,
                link_ticket: Secret::new(ticket),
            });
        }
        let hand_in = HandIn {
            provider: provider.id().clone(),
            proof: parse_proof(members)?,
            client_id: members.text("client_id", TEXT_MAX_BYTES)?,
            intent,
            profile: ClientProfile {
                first_name: members.inner_text("profile", "first_name", TEXT_MAX_BYTES)?,
                last_name: members.inner_text("profile", "last_name", TEXT_MAX_BYTES)?,
            },
        };
        Ok(Self::HandIn {
            provider,
            hand_in: Box::new(hand_in),
        })
    }
}

fn parse_intent(members: &Members, has_bearer: bool) -> Result<Intent, Error> {
    let Some(text) = members.text("intent", TEXT_MAX_BYTES)? else {
        return Ok(Intent::Auto);
    };
    match Intent::parse(&text) {
        None => Err(Error::member(
            "intent",
            "must be auto, sign_in, sign_up or associate",
        )),
        Some(Intent::Associate) if !has_bearer => Err(Error::member(
            "intent",
            "associate needs the header Authorization: Bearer",
        )),
        Some(Intent::SignIn | Intent::SignUp) if has_bearer => Err(Error::member(
            "intent",
            "with a bearer it can only be auto or associate",
        )),
        Some(intent) => Ok(intent),
    }
}

/// Exactly one kind of proof, and nothing beside it that it does not go with.
fn parse_proof(members: &Members) -> Result<Proof, Error> {
    let token = |name| Ok::<_, Error>(members.text(name, TOKEN_MAX_BYTES)?.map(Secret::new));
    let access_token = token("access_token")?;
    let access_token_secret = token("access_token_secret")?;
    let id_token = token("id_token")?;
    let code = token("code")?;
    let code_verifier = token("code_verifier")?;
    let redirect_uri = members.text("redirect_uri", TEXT_MAX_BYTES)?;
    let nonce = members.text("nonce", TEXT_MAX_BYTES)?;
    let facts = TokenFacts {
        refresh_token: token("refresh_token")?,
        expires_in_seconds: members.number("expires_in")?,
        scope: members.text("scope", TEXT_MAX_BYTES)?,
    };
    if code.is_none() && code_verifier.is_some() {
        return Err(Error::member("code_verifier", "goes with a code only"));
    }
    match (access_token, access_token_secret, id_token, code) {
        (None, None, None, None) => Err(Error::InvalidRequest(
            "One proof is needed: access_token, id_token or code is missing".into(),
        )),
        (None, Some(_), _, _) => Err(Error::member(
            "access_token_secret",
            "goes with an access_token only",
        )),
        (None, None, None, Some(code)) => Ok(Proof::Code {
            code,
            code_verifier,
            redirect_uri,
            nonce,
        }),
        (_, _, _, Some(_)) => Err(Error::member("code", "does not go with another proof")),
        (_, Some(_), Some(_), None) => Err(Error::member(
            "id_token",
            "does not go with an access_token_secret",
        )),
        (access_token, None, Some(id_token), None) => Ok(Proof::IdToken {
            id_token,
            nonce,
            access_token,
            facts,
        }),
        (Some(_), _, None, None) if nonce.is_some() => Err(Error::member(
            "nonce",
            "goes with an id_token or a code only",
        )),
        (Some(access_token), Some(access_token_secret), None, None) => Ok(Proof::TokenPair {
            access_token,
            access_token_secret,
        }),
        (Some(access_token), None, None, None) => Ok(Proof::AccessToken {
            access_token,
            facts,
        }),
    }
}

/// `201 Created`
#[derive(Serialize)]
struct SocialSignUpBody<'a> {
    #[serde(flatten)]
    user: UserBody<'a>,
    outcome: &'static str,
    social_auth: SocialAuthBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<TokenBody<'a>>,
}

impl<'a> From<&'a SignedUp> for SocialSignUpBody<'a> {
    fn from(signed_up: &'a SignedUp) -> Self {
        Self {
            user: UserBody::from(&signed_up.user),
            outcome: signed_up.outcome.as_str(),
            social_auth: SocialAuthBody::from(&signed_up.social_auth),
            token: signed_up.tokens.as_ref().map(TokenBody::from),
        }
    }
}

/// A social account; `extra_data` never leaves.
#[derive(Serialize)]
struct SocialAuthBody<'a> {
    id: i64,
    provider: &'a str,
    uid: &'a str,
    created_at: String,
    modified_at: String,
}

impl<'a> From<&'a Association> for SocialAuthBody<'a> {
    fn from(social_auth: &'a Association) -> Self {
        Self {
            id: social_auth.id.0,
            provider: social_auth.provider.as_str(),
            uid: social_auth.uid.as_str(),
            created_at: rfc3339(social_auth.created_at),
            modified_at: rfc3339(social_auth.modified_at),
        }
    }
}

/// RFC 6749 §5.1
#[derive(Serialize)]
pub struct TokenBody<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    refresh_token: &'a str,
}

impl<'a> From<&'a TokenSet> for TokenBody<'a> {
    fn from(tokens: &'a TokenSet) -> Self {
        Self {
            access_token: tokens.access_token.expose(),
            token_type: "Bearer",
            expires_in: tokens.expires_in_seconds,
            refresh_token: tokens.refresh_token.expose(),
        }
    }
}
