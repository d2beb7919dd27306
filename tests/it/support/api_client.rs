//! An API client: what a program of the operator's sends to the admin API.

use latchkey::domain::api_client::{ClientTitle, Scopes};
use latchkey::domain::{Actor, RequestContext};
use latchkey::flows::clients::create_client;
use serde_json::Value;

use super::staff::with_form;
use super::{Answer, TestApp};

/// A registered client.
pub(crate) struct ApiClient {
    pub(crate) client_id: String,
    pub(crate) secret: String,
}

impl TestApp {
    /// Registers a client with these scopes, or with none.
    pub(crate) async fn api_client(&self, scopes: &str) -> ApiClient {
        let scopes = Scopes::parse(scopes).unwrap_or_default();
        let title = ClientTitle::parse("Support desk").unwrap();
        let context = RequestContext {
            request_id: "command".to_owned(),
            address: None,
            user_agent: None,
        };
        let created = create_client(&self.app, Actor::System, title, scopes, context);
        let created = created.await.unwrap();
        ApiClient {
            client_id: created.client_id,
            secret: created.secret.expose().to_owned(),
        }
    }

    /// `POST /oauth/token` with the client's id and secret in the body.
    pub(crate) async fn client_token(&self, client: &ApiClient, more: &[(&str, &str)]) -> Answer {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &client.client_id),
            ("client_secret", &client.secret),
        ];
        let fields: Vec<_> = fields.iter().chain(more).copied().collect();
        self.send(with_form(self.request("POST", "/oauth/token"), &fields))
            .await
    }

    /// The access token of a new client with these scopes.
    pub(crate) async fn api_token(&self, scopes: &str) -> String {
        let client = self.api_client(scopes).await;
        let answer = self.client_token(&client, &[]).await;
        token_of(&answer)
    }
}

/// The access token in an answer of the token endpoint.
#[track_caller]
pub(crate) fn token_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let token = answer.body["access_token"].as_str();
    assert_eq!(answer.body["refresh_token"], Value::Null);
    token.unwrap().to_owned()
}
