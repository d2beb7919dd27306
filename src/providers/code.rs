//! Authorization codes: redeemed at the token endpoint (RFC 6749 §4.1.3), so always bound to us.

use std::borrow::Cow;
use std::sync::Mutex;

use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, HttpRequest, HttpResponse,
    PkceCodeVerifier, RequestTokenError, TokenResponse, TokenUrl,
};
use url::Url;

use crate::domain::{Proof, ProofKind, Secret};

use super::engine::{error_of, parse, render_pairs, verdict_of_body};
use super::entry::{ClientAuth, Format, Method, Pkce};
use super::error::{Outage, ProviderError};
use super::expression::{Sources, Value};
use super::extract::{TokenRecord, put_fields, scope_text};
use super::id_token_proof::{auth_time_claim, nonce_claim};
use super::outbound::OutboundRequest;
use super::plan::OAuth2Plan;
use super::provider::{HandInContext, Provider, Verified};
use super::settings::Client;
use super::template::Values;
use crate::domain::json::Json;

/// Why a code is not accepted, where the provider has said that it is the code, not us.
pub(super) const CODE_REFUSED: &str = "the code is refused";

/// A token endpoint's answer.
struct TokenAnswer {
    json: Json,
    access_token: String,
}

/// The members of a code hand-in.
struct Code<'a> {
    secret: &'a Secret,
    verifier: Option<&'a Secret>,
    redirect_uri: Option<&'a str>,
}

impl Provider {
    pub(super) async fn verify_code(
        &self,
        proof: &Proof,
        context: HandInContext<'_>,
    ) -> Result<Verified, ProviderError> {
        let (
            Some(plan),
            true,
            Proof::Code {
                code,
                code_verifier,
                redirect_uri,
                nonce,
            },
        ) = (&self.plan.oauth2, self.takes_codes(), proof)
        else {
            return Err(ProviderError::ProofNotTaken(ProofKind::Code));
        };
        if code.is_empty() {
            return Err(ProviderError::InvalidToken("no code could look like this"));
        }
        if plan.pkce == Pkce::Required && code_verifier.is_none() {
            return Err(ProviderError::BadMember {
                member: "code_verifier",
                problem: "needed by this provider (RFC 7636)",
            });
        }
        let code = Code {
            secret: code,
            verifier: code_verifier.as_ref(),
            redirect_uri: redirect_uri.as_deref(),
        };
        // Whose code it is, is for the provider to say: it redeems only codes of the client that asks.
        let client = self.acting_client(context.client, false)?;
        let context = HandInContext {
            client: Some(client),
            ..context
        };
        let answer = self.redeem(plan, client, &code, context).await?;
        self.identify(plan, client, &answer, nonce.as_deref(), context)
            .await
    }

    /// From the token endpoint's answer to an identity.
    async fn identify(
        &self,
        plan: &OAuth2Plan,
        client: &Client,
        answer: &TokenAnswer,
        nonce: Option<&str>,
        context: HandInContext<'_>,
    ) -> Result<Verified, ProviderError> {
        let root = root_of(plan, &answer.json);
        let id_token = [root, &answer.json]
            .into_iter()
            .find_map(|json| json.get("id_token")?.as_str())
            .filter(|_| self.plan.id_token.is_some() && !plan.ignore_id_token);
        let mut record = record_of(root, context);
        let (mut claimed_nonce, mut authenticated_at) = (None, None);
        let (identity, mut extra_data) = if let Some(id_token) = id_token {
            let token = Some(answer.access_token.as_str());
            let proven = self
                .prove_id_token(id_token, nonce, token, Some(&answer.json), context)
                .await?;
            claimed_nonce = nonce_claim(&proven.token.claims);
            authenticated_at = auth_time_claim(&proven.token.claims);
            let mut extra_data = proven.extra_data;
            let sources = Sources {
                token: Some(&answer.json),
                claims: Some(&proven.token.claims),
                ..Sources::default()
            };
            put_fields(&self.plan.extra, &sources, &mut extra_data);
            let whole = Some(&answer.json);
            let identity = self
                .complete(proven.identity, &answer.access_token, whole, context)
                .await?;
            (identity, extra_data)
        } else {
            if nonce.is_some() && self.plan.id_token.is_some() {
                return Err(ProviderError::NonceMismatch(
                    "the code yielded no id token that could carry it",
                ));
            }
            if !self.quirks.allowed_claims.is_empty() {
                return Err(ProviderError::Rejected(
                    "a claim is not among those allowed",
                ));
            }
            let proven = self
                .ask_owner(
                    &answer.access_token,
                    None,
                    Some(&answer.json),
                    None,
                    context,
                )
                .await?;
            (proven.identity, proven.extra_data)
        };
        record.access_token = Some(&answer.access_token);
        record.id_token = id_token;
        record.client_id = Some(&client.id);
        record.put(&mut extra_data, context.now);
        Ok(Verified {
            identity,
            extra_data,
            client_id: Some(client.id.clone()),
            nonce: claimed_nonce,
            authenticated_at,
        })
    }

    /// Redeems a code with the oauth2 crate, which writes the request; what comes back is read here, because providers take
    /// liberties with RFC 6749 §5.1 that its types do not allow.
    async fn redeem(
        &self,
        plan: &OAuth2Plan,
        client: &Client,
        code: &Code<'_>,
        context: HandInContext<'_>,
    ) -> Result<TokenAnswer, ProviderError> {
        let discovery = self.discovery_for(&plan.needs, context).await?;
        let secret = self.secret_of(client, context.now)?;
        let values = Values {
            client_id: Some(&client.id),
            client_secret: secret.as_deref(),
            discovery: discovery.as_deref(),
            ..Values::default()
        };
        let url = token_url(plan, &values)?;
        let params = token_params(plan, code, &values)?;
        let mut oauth2_client = BasicClient::new(ClientId::new(client.id.clone()))
            .set_token_uri(TokenUrl::from_url(url.clone()))
            .set_auth_type(match plan.client_auth {
                ClientAuth::Basic | ClientAuth::BasicAndBody => AuthType::BasicAuth,
                _ => AuthType::RequestBody,
            });
        if let (false, Some(secret)) = (
            matches!(plan.client_auth, ClientAuth::None | ClientAuth::Query),
            &secret,
        ) {
            oauth2_client = oauth2_client.set_client_secret(ClientSecret::new(secret.to_string()));
        }
        let mut request =
            oauth2_client.exchange_code(AuthorizationCode::new(code.secret.expose().to_owned()));
        if let Some(verifier) = code.verifier {
            request =
                request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        }
        for (name, value) in params {
            request = request.add_extra_param(name, value);
        }
        let whole = Mutex::new(None);
        let (url, whole_ref) = (&url, &whole);
        let http_client = move |request: HttpRequest| async move {
            let (json, response) = self.exchange(plan, url, request, context).await?;
            if let Ok(mut slot) = whole_ref.lock() {
                *slot = Some(json);
            }
            Ok::<HttpResponse, ProviderError>(response)
        };
        let tokens = match request.request_async(&http_client).await {
            Ok(tokens) => tokens,
            Err(RequestTokenError::Request(error)) => return Err(error),
            Err(_) => return Err(Outage::Malformed("no token answer").into()),
        };
        let json = whole.into_inner().ok().flatten();
        Ok(TokenAnswer {
            json: json.ok_or(Outage::Malformed("no token answer"))?,
            access_token: tokens.access_token().secret().clone(),
        })
    }

    /// Sends the token request. Gives the whole answer, and what the oauth2 crate needs of it in the form it understands.
    async fn exchange(
        &self,
        plan: &OAuth2Plan,
        url: &Url,
        request: HttpRequest,
        context: HandInContext<'_>,
    ) -> Result<(Json, HttpResponse), ProviderError> {
        let (head, body) = request.into_parts();
        let mut headers = Vec::new();
        for (name, value) in &head.headers {
            if name != oauth2::http::header::CONTENT_TYPE
                && let Ok(value) = value.to_str()
            {
                headers.push((name.as_str().to_owned(), value.to_owned()));
            }
        }
        let outbound = OutboundRequest {
            method: Method::Post,
            url: url.clone(),
            headers,
            body: Some(("application/x-www-form-urlencoded", body)),
        };
        let permit = self.guard.enter(context.deadline).await?;
        let result = match self.outbound.send(outbound, context.deadline).await {
            Ok(answer) => read_token_answer(plan, answer.status, &answer.body),
            Err(outage) => Err(outage.into()),
        };
        permit.report(match &result {
            Err(ProviderError::Unavailable { outage, .. }) => Err(*outage),
            _ => Ok(()),
        });
        let (json, access_token) = result?;
        let normalised =
            serde_json::json!({ "access_token": access_token, "token_type": "bearer" });
        Ok((json, HttpResponse::new(normalised.to_string().into_bytes())))
    }
}

fn token_url(plan: &OAuth2Plan, values: &Values<'_>) -> Result<Url, ProviderError> {
    let mut url = plan.token_url.render(values)?;
    if plan.client_auth == ClientAuth::Query {
        let credentials = [
            ("client_id", values.client_id),
            ("client_secret", values.client_secret),
        ];
        for (name, value) in credentials {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
    }
    Ok(url)
}

/// What the token request holds beside the code, the verifier and the usual credentials.
fn token_params(
    plan: &OAuth2Plan,
    code: &Code<'_>,
    values: &Values<'_>,
) -> Result<Vec<(String, String)>, ProviderError> {
    let mut params = render_pairs(&plan.token_params, values)?;
    let mut push = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            params.push((name.to_owned(), value.to_owned()));
        }
    };
    if plan.client_auth == ClientAuth::BasicAndBody && values.client_secret.is_some() {
        push("client_id", values.client_id);
        push("client_secret", values.client_secret);
    }
    // Not through the crate's type: some providers take values that are no address, such as Google's `postmessage`.
    push("redirect_uri", code.redirect_uri);
    Ok(params)
}

/// The members that RFC 6749 §5.1 names, where the entry says they are.
fn root_of<'a>(plan: &'a OAuth2Plan, json: &'a Json) -> &'a Json {
    let sources = Sources {
        this: Some(json),
        ..Sources::default()
    };
    match plan.token_root.as_ref().map(|root| root.eval(&sources)) {
        None => json,
        Some(Some(Value::Json(root))) => root,
        Some(_) => &Json::Null,
    }
}

fn read_token_answer(
    plan: &OAuth2Plan,
    status: u16,
    body: &[u8],
) -> Result<(Json, String), ProviderError> {
    let json = parse_token_answer(body);
    let error = json
        .as_ref()
        .ok()
        .and_then(|json| json.get("error"))
        .and_then(Json::as_str);
    // RFC 6749 §5.2, and GitHub's word for it. The operator is told by the metrics, the caller can do nothing.
    if let Some("invalid_client" | "unauthorized_client" | "incorrect_client_credentials") = error {
        return Err(Outage::Malformed("our client credentials are refused").into());
    }
    if let Ok(json) = &json
        && let Some(verdict) = verdict_of_body(&plan.errors, json)
    {
        return Err(error_of(verdict));
    }
    let names_error = error.is_some();
    // RFC 6749 §5.2, and GitHub's word for it: whoever says so has accepted who we are.
    let is_about_the_code = matches!(error, Some("invalid_grant" | "bad_verification_code"));
    match (status, json) {
        _ if is_about_the_code => Err(ProviderError::InvalidToken(CODE_REFUSED)),
        (400..=499, _) => Err(ProviderError::InvalidToken("the token endpoint refuses")),
        (200 | 201, Ok(json)) => {
            let token = root_of(plan, &json)
                .get("access_token")
                .and_then(Json::as_str)
                .filter(|token| !token.is_empty())
                .map(str::to_owned);
            match token {
                Some(token) => Ok((json, token)),
                None if names_error => Err(ProviderError::InvalidToken("the code is refused")),
                None => Err(Outage::Malformed("no access token").into()),
            }
        }
        (200 | 201, Err(problem)) => Err(Outage::Malformed(problem).into()),
        _ => Err(Outage::Malformed("a status that is no answer").into()),
    }
}

/// JSON as RFC 6749 §5.1 has it, or the form that some providers answer.
fn parse_token_answer(body: &[u8]) -> Result<Json, &'static str> {
    match body.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{') => parse(Format::Json, body),
        Some(b'c') if body.starts_with(b"callback") => parse(Format::Jsonp, body),
        Some(_) => parse(Format::Form, body.trim_ascii()),
        None => Err("an empty answer"),
    }
}

fn record_of<'a>(root: &'a Json, context: HandInContext<'_>) -> TokenRecord<'a> {
    let text = |name: &str| root.get(name).and_then(Json::as_str);
    let seconds = |name: &str| Value::Json(root.get(name)?).seconds();
    let now = context.now.timestamp();
    let expires_at = seconds("expires_in")
        .filter(|left| *left > 0)
        .and_then(|left| now.checked_add(left));
    TokenRecord {
        refresh_token: text("refresh_token"),
        token_type: Some(match text("token_type") {
            Some(kind) if !kind.eq_ignore_ascii_case("bearer") => Cow::Borrowed(kind),
            _ => Cow::Borrowed("Bearer"),
        }),
        expires_at: expires_at.or_else(|| seconds("expires_at")),
        scope: root.get("scope").and_then(scope_text),
        ..TokenRecord::default()
    }
}
