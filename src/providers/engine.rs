//! Runs an entry's requests and reads their answers.

use futures_util::future::join_all;
use tokio::time::Instant;
use url::form_urlencoded;

use super::entry::{Format, Method, SignatureAlgorithm, TokenPlace, Verdict};
use super::error::{Outage, ProviderError};
use super::expression::{Sources, Value};
use super::oauth1::{Credentials, authorization_header};
use super::outbound::{Answer, OutboundRequest};
use super::plan::{ErrorPlan, Pairs, RequestPlan, RunPlan, SignaturePlan};
use super::provider::{HandInContext, Provider};
use super::template::{Missing, Values, hmac_sha256_hex, md5_hex};
use crate::domain::json::Json;

/// What a run brought.
#[derive(Debug)]
pub(super) struct Run {
    /// The answers by the index of their request; those that were not asked for, or failed, are missing.
    pub(super) answers: Vec<Option<Json>>,
    /// The mandatory requests that failed.
    pub(super) failures: Vec<(usize, ProviderError)>,
}

/// The failure that tells most: a definite refusal before an outage, the audience's before another's.
pub(super) fn telling_failure(
    failures: Vec<(usize, ProviderError)>,
    audience: Option<usize>,
) -> Option<ProviderError> {
    failures
        .into_iter()
        .min_by_key(|(request, error)| {
            let is_outage = matches!(error, ProviderError::Unavailable { .. });
            (is_outage, Some(*request) != audience)
        })
        .map(|(_, error)| error)
}

impl From<Missing> for ProviderError {
    fn from(Missing(what): Missing) -> Self {
        Outage::Malformed(what).into()
    }
}

impl Provider {
    /// Runs the requests of `run`, those of one wave at the same time, and stops after a wave in which a mandatory one failed.
    pub(super) async fn run(
        &self,
        run: &RunPlan,
        values: Values<'_>,
        context: HandInContext<'_>,
    ) -> Run {
        let mut answers: Vec<Option<Json>> = Vec::new();
        answers.resize_with(self.plan.requests.len(), || None);
        let mut failures = Vec::new();
        for wave in &run.waves {
            let sources = Sources {
                answers: &answers,
                ..values.sources
            };
            let values = Values { sources, ..values };
            let requests = wave
                .iter()
                .filter_map(|index| Some((*index, self.plan.requests.get(*index)?)));
            let results = join_all(requests.map(|(index, request)| async move {
                (
                    index,
                    request.optional,
                    self.ask(request, &values, context).await,
                )
            }))
            .await;
            for (index, optional, result) in results {
                match (result, answers.get_mut(index)) {
                    (Ok(answer), Some(slot)) => *slot = Some(answer),
                    (Err(error), _) if !optional => failures.push((index, error)),
                    _ => {}
                }
            }
            if !failures.is_empty() {
                break;
            }
        }
        Run { answers, failures }
    }

    /// One request, through the bulkhead and the circuit breaker; what it answers.
    async fn ask(
        &self,
        request: &RequestPlan,
        values: &Values<'_>,
        context: HandInContext<'_>,
    ) -> Result<Json, ProviderError> {
        self.exchange_one(request, values, context, read_answer)
            .await
    }

    /// One request whose answer says nothing beyond that it was done; it may be empty.
    pub(super) async fn command(
        &self,
        request: &RequestPlan,
        values: &Values<'_>,
        context: HandInContext<'_>,
    ) -> Result<(), ProviderError> {
        self.exchange_one(request, values, context, read_receipt)
            .await
    }

    async fn exchange_one<T>(
        &self,
        request: &RequestPlan,
        values: &Values<'_>,
        context: HandInContext<'_>,
        read: impl FnOnce(&RequestPlan, &Answer) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        let outbound = build(request, values, context)?;
        let deadline = if request.optional {
            // Half of what is left, so that a hanging extra never costs the hand-in.
            let left = context.deadline.duration_since(Instant::now());
            context.deadline - left / 2
        } else {
            context.deadline
        };
        let permit = self.guard.enter(deadline).await?;
        let result = match self.outbound.send(outbound, deadline).await {
            Ok(answer) => read(request, &answer),
            Err(outage) => match outage {
                Outage::Status { code, .. } => match verdict_of_status(request, code) {
                    Some(verdict) => Err(error_of(verdict)),
                    None => Err(outage.into()),
                },
                _ => Err(outage.into()),
            },
        };
        permit.report(match &result {
            Err(ProviderError::Unavailable { outage, .. }) => Err(*outage),
            _ => Ok(()),
        });
        result
    }
}

/// What a provider's refusal means.
pub(super) fn error_of(verdict: Verdict) -> ProviderError {
    match verdict {
        Verdict::InvalidToken => ProviderError::InvalidToken("refused by the provider"),
        Verdict::ExpiredToken => ProviderError::ExpiredToken,
        Verdict::WrongAudience => ProviderError::WrongAudience,
        Verdict::Rejected => ProviderError::Rejected("refused by the provider"),
        Verdict::Unavailable => Outage::Malformed("it says that it is unavailable").into(),
    }
}

/// The verdict of the first rule that matches `body`.
pub(super) fn verdict_of_body(rules: &[ErrorPlan], body: &Json) -> Option<Verdict> {
    let sources = Sources {
        this: Some(body),
        ..Sources::default()
    };
    rules
        .iter()
        .find(|rule| matches_rule(rule, &sources))
        .map(|rule| rule.verdict)
}

fn matches_rule(rule: &ErrorPlan, sources: &Sources<'_>) -> bool {
    let value = rule.when.eval(sources);
    if rule.is.is_empty() && rule.not.is_empty() {
        return value.is_some_and(|value| value.is_truthy());
    }
    let text = value.and_then(Value::into_text);
    let listed = |list: &[String]| {
        text.as_deref()
            .is_some_and(|text| list.iter().any(|listed| listed == text))
    };
    (rule.is.is_empty() || listed(&rule.is)) && (rule.not.is_empty() || !listed(&rule.not))
}

fn verdict_of_status(request: &RequestPlan, status: u16) -> Option<Verdict> {
    request
        .statuses
        .iter()
        .find(|(listed, _)| *listed == status)
        .map(|(_, verdict)| *verdict)
}

fn read_answer(request: &RequestPlan, answer: &Answer) -> Result<Json, ProviderError> {
    if matches!(answer.status, 200 | 201) {
        let body = parse(request.format, &answer.body).map_err(Outage::Malformed)?;
        return match verdict_of_body(&request.errors, &body) {
            Some(verdict) => Err(error_of(verdict)),
            None => Ok(body),
        };
    }
    Err(failure_of(request, answer))
}

/// Whether it was done. Most answers to that are empty.
fn read_receipt(request: &RequestPlan, answer: &Answer) -> Result<(), ProviderError> {
    if !matches!(answer.status, 200..=204) {
        return Err(failure_of(request, answer));
    }
    match verdict_of_any_body(request, answer) {
        Some(verdict) => Err(error_of(verdict)),
        None => Ok(()),
    }
}

fn verdict_of_any_body(request: &RequestPlan, answer: &Answer) -> Option<Verdict> {
    if request.errors.is_empty() {
        return None;
    }
    let body = Json::parse(&answer.body).ok()?;
    verdict_of_body(&request.errors, &body)
}

/// What an answer with a bad status means.
fn failure_of(request: &RequestPlan, answer: &Answer) -> ProviderError {
    let status = answer.status;
    if let Some(verdict) = verdict_of_status(request, status) {
        return error_of(verdict);
    }
    if let Some(verdict) = verdict_of_any_body(request, answer) {
        return error_of(verdict);
    }
    match status {
        // RFC 7662 §2.3: with Basic, 401 is about us, not about the token.
        401 if request.basic_auth => Outage::Malformed("our client credentials are refused").into(),
        400 | 401 => error_of(Verdict::InvalidToken),
        402..=499 => error_of(Verdict::Rejected),
        _ => Outage::Malformed("a status that is no answer").into(),
    }
}

/// Reads a body. A JSON answer is an object or an array.
pub(super) fn parse(format: Format, body: &[u8]) -> Result<Json, &'static str> {
    let json = match format {
        Format::Json => Json::parse(body)?,
        Format::Jsonp => Json::parse(unwrap_jsonp(body).ok_or("no callback")?)?,
        Format::Form => return parse_form(body),
    };
    match json {
        Json::Object(_) | Json::Array(_) => Ok(json),
        _ => Err("neither an object nor an array"),
    }
}

/// The argument of `name( ... );`.
fn unwrap_jsonp(body: &[u8]) -> Option<&[u8]> {
    let start = body.iter().position(|b| *b == b'(')?;
    let end = body.iter().rposition(|b| *b == b')')?;
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b" \r\n\t._$".contains(b);
    let (name, tail) = (body.get(..start)?, body.get(end + 1..)?);
    let is_call =
        name.iter().all(is_name) && tail.iter().all(|b| b" \r\n\t;".contains(b)) && start < end;
    is_call.then(|| body.get(start + 1..end)).flatten()
}

fn parse_form(body: &[u8]) -> Result<Json, &'static str> {
    let is_form = body.contains(&b'=')
        && body
            .iter()
            .all(|b| (0x21..0x7f).contains(b) && !b"<>\"{}".contains(b));
    if !is_form {
        return Err("no form");
    }
    let mut members: Vec<(String, Json)> = Vec::new();
    for (name, value) in form_urlencoded::parse(body) {
        if members.iter().any(|(other, _)| *other == name) {
            return Err("a name is there twice");
        }
        members.push((name.into_owned(), Json::String(value.into_owned())));
    }
    Ok(Json::Object(members))
}

/// Writes a request.
fn build(
    plan: &RequestPlan,
    values: &Values<'_>,
    context: HandInContext<'_>,
) -> Result<OutboundRequest, ProviderError> {
    let mut url = plan.url.render(values)?;
    let mut headers = render_pairs(&plan.headers, values)?;
    let mut query = render_pairs(&plan.query, values)?;
    let mut form = render_pairs(&plan.form, values)?;
    let token = || values.access_token.ok_or(Missing("no access token"));
    let is_signed = match plan.token {
        TokenPlace::Oauth1 => true,
        TokenPlace::BearerOrOauth1 => values.access_token_secret.is_some(),
        _ => false,
    };
    match &plan.token {
        TokenPlace::BearerOrOauth1 if !is_signed => headers.push(bearer("Bearer", token()?)),
        TokenPlace::Bearer => headers.push(bearer("Bearer", token()?)),
        TokenPlace::Scheme(scheme) => headers.push(bearer(scheme, token()?)),
        TokenPlace::Header(name) => headers.push((name.clone(), token()?.to_owned())),
        TokenPlace::Query(name) => query.push((name.clone(), token()?.to_owned())),
        TokenPlace::Form(name) => form.push((name.clone(), token()?.to_owned())),
        TokenPlace::Oauth1 | TokenPlace::BearerOrOauth1 | TokenPlace::None => {}
    }
    if let Some(signature) = &plan.signature {
        let signed = sign(signature, &query, &form, values)?;
        let into_form = plan.method == Method::Post && !form.is_empty();
        let place = if into_form { &mut form } else { &mut query };
        place.push((signature.param.clone(), signed));
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(&query);
    }
    if plan.basic_auth {
        headers.push(basic(values)?);
    }
    if is_signed {
        let header = oauth1_header(plan.method, &url, &form, values, context)?;
        headers.push(("Authorization".to_owned(), header));
    }
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("accept"))
    {
        headers.push(("Accept".to_owned(), "application/json".to_owned()));
    }
    if headers
        .iter()
        .any(|(_, value)| value.bytes().any(|b| !(0x20..0x7f).contains(&b)))
    {
        return Err(Missing("a value cannot stand in a header").into());
    }
    Ok(OutboundRequest {
        method: plan.method,
        url,
        headers,
        body: body(plan, &form, values)?,
    })
}

fn bearer(scheme: &str, token: &str) -> (String, String) {
    ("Authorization".to_owned(), format!("{scheme} {token}"))
}

/// HTTP Basic (RFC 7617), both parts form-encoded first as RFC 6749 §2.3.1 has it.
fn basic(values: &Values<'_>) -> Result<(String, String), Missing> {
    use base64::Engine as _;
    let id = values.client_id.ok_or(Missing("no client id"))?;
    let secret = values.client_secret.ok_or(Missing("no client secret"))?;
    let encode =
        |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = format!("{}:{}", encode(id), encode(secret));
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    Ok(("Authorization".to_owned(), format!("Basic {encoded}")))
}

fn body(
    plan: &RequestPlan,
    form: &[(String, String)],
    values: &Values<'_>,
) -> Result<Option<(&'static str, Vec<u8>)>, Missing> {
    if !plan.json.is_empty() {
        let members: serde_json::Map<_, _> = render_pairs(&plan.json, values)?
            .into_iter()
            .map(|(name, text)| (name, serde_json::Value::String(text)))
            .collect();
        let text = serde_json::Value::Object(members).to_string();
        return Ok(Some(("application/json", text.into_bytes())));
    }
    if plan.method != Method::Post && form.is_empty() {
        return Ok(None);
    }
    let text = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    Ok(Some((
        "application/x-www-form-urlencoded",
        text.into_bytes(),
    )))
}

pub(super) fn render_pairs(
    pairs: &Pairs,
    values: &Values<'_>,
) -> Result<Vec<(String, String)>, Missing> {
    pairs
        .iter()
        .map(|(name, template)| Ok((name.clone(), template.render(values)?.into_owned())))
        .collect()
}

fn oauth1_header(
    method: Method,
    url: &url::Url,
    form: &[(String, String)],
    values: &Values<'_>,
    context: HandInContext<'_>,
) -> Result<String, Missing> {
    let credentials = Credentials {
        consumer_key: values.client_id.ok_or(Missing("no client id"))?,
        consumer_secret: values.client_secret.ok_or(Missing("no client secret"))?,
        token: values.access_token.ok_or(Missing("no access token"))?,
        token_secret: values
            .access_token_secret
            .ok_or(Missing("no access token secret"))?,
    };
    let nonce = format!("{:032x}", rand::random::<u128>());
    let timestamp = context.now.timestamp();
    Ok(authorization_header(
        method,
        url,
        form,
        credentials,
        &nonce,
        timestamp,
    ))
}

fn sign(
    signature: &SignaturePlan,
    query: &[(String, String)],
    form: &[(String, String)],
    values: &Values<'_>,
) -> Result<String, Missing> {
    let mut pairs: Vec<String> = query
        .iter()
        .chain(form)
        .filter(|(name, _)| !signature.skip.contains(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.sort_unstable();
    let text = pairs.join(&signature.separator);
    let secret = signature.secret.render(values)?;
    match signature.algorithm {
        SignatureAlgorithm::Md5 => Ok(md5_hex(&(text + &secret))),
        SignatureAlgorithm::HmacSha256 => hmac_sha256_hex(&secret, &text).ok_or(Missing("no key")),
    }
}

#[cfg(test)]
mod tests;
