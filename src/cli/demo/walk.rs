//! The demo's steps. Each prints what it sends and what came back, and fails unless that is what the contract promises.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::Credentials;
use crate::cli::Failure;
use crate::providers::entry::Method;
use crate::providers::outbound::{Outbound, OutboundRequest, OutboundSettings};
use crate::web::error::{ALREADY_IN_USE, SOCIAL_AUTH_FAILED};

/// How long a step may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs every step against the service at `base`.
pub(super) async fn walk(base: &str) -> Result<(), Failure> {
    let client = Client::new(base)?;

    step(
        1,
        "Ada’s app gets a token from the provider (here: the built-in fake) …",
    );
    let ada = client.mint(&json!({ "sub": "ada", "name": "Ada Okafor", "email": "ada@example.org", "email_verified": true })).await?;
    step(2, "… hands it in, and Ada is signed up:");
    let signed_up = client.hand_in(&ada, None, 201).await?;
    expect(&signed_up, "outcome", "signed_up")?;
    let bearer = text(&signed_up, "/token/access_token")?;

    step(3, "The same call again signs Ada in:");
    let signed_in = client.hand_in(&ada, None, 201).await?;
    expect(&signed_in, "outcome", "signed_in")?;
    same_user(&signed_up, &signed_in)?;

    step(
        4,
        "With Ada’s bearer, the same call associates a second social account with her:",
    );
    let work = client.mint(&json!({ "sub": "ada-at-work" })).await?;
    let associated = client.hand_in(&work, Some(&bearer), 201).await?;
    expect(&associated, "outcome", "associated")?;
    same_user(&signed_up, &associated)?;

    step(
        5,
        "Bob signs up, tries to associate Ada’s account, and is refused:",
    );
    let bob = client
        .mint(&json!({ "sub": "bob", "name": "Bob Lindqvist" }))
        .await?;
    let bob = client.hand_in(&bob, None, 201).await?;
    let refused = client
        .hand_in(&ada, Some(&text(&bob, "/token/access_token")?), 400)
        .await?;
    expect(&refused, "errors", ALREADY_IN_USE)?;
    expect(&refused, "code", "already_in_use")?;

    step(
        6,
        "A token that was issued to another app is refused, whoever it belongs to:",
    );
    let foreign = client
        .mint(&json!({ "sub": "ada", "behaviour": "wrong_audience" }))
        .await?;
    let refused = client.hand_in(&foreign, None, 400).await?;
    expect(&refused, "errors", SOCIAL_AUTH_FAILED)?;
    expect(&refused, "code", "wrong_audience")?;

    step(7, "Who is Ada?");
    let me = client
        .call(Method::Get, "/me", None, Some(&bearer), 200)
        .await?;
    expect(&me, "username", "ada")?;

    println!("\nEvery step held: signed up, signed in, associated, refused twice.");
    Ok(())
}

/// What to try next, while the service keeps running.
pub(super) fn print_farewell(base: &str, credentials: &Credentials) {
    println!("The service keeps running; stop it with Ctrl-C. Try it yourself:");
    println!("  {base}/            what is on, in a browser");
    println!("  {base}/providers   the same as JSON");
    println!("  {base}/metrics     what Prometheus would scrape");
    println!("  {base}/admin       the pages for staff; this password is for this demo alone:");
    println!(
        "    {} / {}",
        Credentials::EMAIL,
        credentials.password.expose()
    );
    println!("The README tells how to switch on a real provider.");
}

struct Client {
    base: String,
    outbound: Outbound,
}

impl Client {
    fn new(base: &str) -> Result<Self, Failure> {
        let outbound = Outbound::new(OutboundSettings::default()).map_err(Failure::new)?;
        Ok(Self {
            base: base.to_owned(),
            outbound,
        })
    }

    /// Lets the fake provider make an access token; gives the body to hand in.
    async fn mint(&self, person: &Value) -> Result<Value, Failure> {
        let mut body = person.clone();
        if let Value::Object(members) = &mut body {
            members.insert("kind".to_owned(), "access_token".into());
        }
        self.call(Method::Post, "/fake/mint", Some(&body), None, 200)
            .await
    }

    async fn hand_in(
        &self,
        body: &Value,
        bearer: Option<&str>,
        status: u16,
    ) -> Result<Value, Failure> {
        self.call(Method::Post, "/social_sign_up/", Some(body), bearer, status)
            .await
    }

    /// Sends a request, prints it as curl with its answer, and checks the status.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        bearer: Option<&str>,
        status: u16,
    ) -> Result<Value, Failure> {
        let address = format!("{}{path}", self.base);
        print_curl(&address, body, bearer);
        let url = Url::parse(&address).map_err(|error| Failure::new(error.to_string()))?;
        let mut request = OutboundRequest::new(method, url);
        request.body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        request
            .headers
            .extend(bearer.map(|bearer| ("Authorization".to_owned(), format!("Bearer {bearer}"))));
        let answer = self
            .outbound
            .send(request, Instant::now() + STEP_TIMEOUT)
            .await
            .map_err(|outage| Failure::new(format!("{path} did not answer: {outage}")))?;
        let value: Value = serde_json::from_slice(&answer.body)
            .map_err(|error| Failure::new(format!("{path} did not answer in JSON: {error}")))?;
        println!("  → {} {}", answer.status, shortened(&value));
        if answer.status == status {
            Ok(value)
        } else {
            Err(Failure::new(format!(
                "{path} answered {} instead of {status}",
                answer.status
            )))
        }
    }
}

fn step(number: u32, what: &str) {
    println!("\n{number}. {what}");
}

fn print_curl(address: &str, body: Option<&Value>, bearer: Option<&str>) {
    let bearer = bearer.map(|bearer| format!(" -H 'Authorization: Bearer {bearer}'"));
    let body = body.map(|body| format!(" -H 'Content-Type: application/json' -d '{body}'"));
    let (bearer, body) = (bearer.unwrap_or_default(), body.unwrap_or_default());
    println!("  curl -s {address}{bearer}{body}");
}

/// The answer with its long texts cut, so that a terminal shows it whole.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > 60 => {
            Value::String(text.chars().take(24).collect::<String>() + "…")
        }
        Value::Array(items) => items.iter().map(shortened).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), shortened(value)))
            .collect(),
        other => other.clone(),
    }
}

fn text(value: &Value, pointer: &str) -> Result<String, Failure> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("the answer lacks {pointer}")))
}

fn expect(value: &Value, member: &str, wanted: &str) -> Result<(), Failure> {
    let found = value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default();
    if found == wanted {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "{member} is {found:?} instead of {wanted:?}"
        )))
    }
}

fn same_user(one: &Value, other: &Value) -> Result<(), Failure> {
    if one.get("id").is_some() && one.get("id") == other.get("id") {
        Ok(())
    } else {
        Err(Failure::new("the answer is about another user"))
    }
}
