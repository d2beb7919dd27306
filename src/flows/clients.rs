//! API clients: registering them, giving them access tokens, and knowing them by those.

use serde_json::{Value, json};
use thiserror::Error;

use super::BearerError;
use crate::app::App;
use crate::domain::api_client::{
    ClientTitle, Scopes, client_secret_hash, is_client_secret, new_client_id, new_client_secret,
};
use crate::domain::tokens::{ACCESS_TOKEN_SECONDS, BearerRefused};
use crate::domain::{Actor, AuditAction, AuditEntry, RequestContext, Secret};
use crate::storage::api_clients::{ApiClient, NewApiClient};
use crate::storage::{StorageError, api_clients, audit};

/// Clients that are listed at most; nobody has so many.
const MOST: u32 = 1000;

/// A client that was registered.
#[derive(Debug)]
pub struct CreatedClient {
    /// The public identifier.
    pub client_id: String,
    /// The secret. Only its hash is stored: it cannot be had again.
    pub secret: Secret,
}

/// Registers a confidential client that may do by itself what `scopes` say.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn create_client(
    app: &App,
    actor: Actor,
    title: ClientTitle,
    scopes: Scopes,
    context: RequestContext,
) -> Result<CreatedClient, StorageError> {
    let now = app.clock.now();
    let created = CreatedClient {
        client_id: new_client_id(app.random()),
        secret: new_client_secret(app.random()),
    };
    let new = NewApiClient {
        client_id: created.client_id.clone(),
        title,
        secret_hash: client_secret_hash(&created.secret),
        scopes,
    };
    app.db
        .write(move |tx| {
            let id = api_clients::insert(tx, &new, now)?;
            let names: Vec<&str> = new.scopes.names().collect();
            let detail = json!({
                "api_client_id": id, "client_id": new.client_id, "title": new.title.as_str(), "scopes": names,
            });
            let entry = entry(actor, AuditAction::ApiClientCreated, None, detail, &context);
            audit::insert(tx, &entry, now)
        })
        .await?;
    Ok(created)
}

/// All clients, in the order in which they were registered.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn list_clients(app: &App) -> Result<Vec<ApiClient>, StorageError> {
    app.db.read(|reader| api_clients::list(reader, MOST)).await
}

/// What became of a client that was to be deactivated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeactivatedClient {
    /// It is inactive now: its access tokens are refused from this instant on.
    Now,
    /// It was before.
    Before,
    /// There is none.
    Unknown,
}

/// Makes a client inactive.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn deactivate_client(
    app: &App,
    actor: Actor,
    client_id: String,
    context: RequestContext,
) -> Result<DeactivatedClient, StorageError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            let Some(client) = api_clients::find(tx, &client_id)? else {
                return Ok(DeactivatedClient::Unknown);
            };
            if !api_clients::deactivate(tx, &client_id)? {
                return Ok(DeactivatedClient::Before);
            }
            let detail = json!({ "api_client_id": client.id, "client_id": client_id });
            let entry = entry(
                actor,
                AuditAction::ApiClientDeactivated,
                None,
                detail,
                &context,
            );
            audit::insert(tx, &entry, now)?;
            Ok(DeactivatedClient::Now)
        })
        .await
}

/// Why a client gets no access token (RFC 6749 §5.2).
#[derive(Debug, Error)]
pub enum ClientTokenError {
    /// Unknown, public, inactive, or the secret is wrong. Nobody is told which.
    #[error("the client is not known by that secret")]
    InvalidClient,
    /// It may do nothing by itself.
    #[error("the client has no scope")]
    UnauthorizedClient,
    /// It may not do what it asks for.
    #[error("the client has not all of those scopes")]
    InvalidScope,
    /// Our signing key is unusable.
    #[error("the access token could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

crate::storage::storage_failure!(ClientTokenError);

/// What a client gets (RFC 6749 §4.4.3): no refresh token, since it can always ask again.
#[derive(Debug)]
pub struct ClientToken {
    /// The signed access token.
    pub access_token: Secret,
    /// Its lifetime, in seconds.
    pub expires_in_seconds: i64,
    /// What it is good for.
    pub scopes: Scopes,
}

/// Gives the client `client_id` an access token for `scopes`, or for all that it has.
///
/// # Errors
/// [`ClientTokenError`]; a refusal of somebody who names a registered client is audited.
pub async fn issue_client_token(
    app: &App,
    client_id: String,
    secret: &Secret,
    scopes: Option<Scopes>,
    context: RequestContext,
) -> Result<ClientToken, ClientTokenError> {
    let now = app.clock.now();
    let found = app
        .db
        .read(move |reader| api_clients::find(reader, &client_id))
        .await?;
    let client = found.ok_or(ClientTokenError::InvalidClient)?;
    let granted = grant(&client, secret, scopes);
    let entry = match &granted {
        Ok(scopes) => {
            let names: Vec<&str> = scopes.names().collect();
            let (actor, action) = (Actor::ApiClient(client.id), AuditAction::ClientTokenIssued);
            entry(actor, action, None, json!({ "scopes": names }), &context)
        }
        Err((_, why)) => {
            // Whoever it was has not proven to be the client.
            let (actor, action) = (Actor::Anonymous, AuditAction::ClientTokenRefused);
            let detail = json!({ "client_id": client.client_id });
            entry(actor, action, Some(why), detail, &context)
        }
    };
    app.db
        .write(move |tx| audit::insert(tx, &entry, now))
        .await?;
    let scopes = granted.map_err(|(error, _)| error)?;
    let access_token = app
        .access_tokens
        .mint_client(&client.client_id, &scopes, now, app.random())
        .map_err(ClientTokenError::Signing)?;
    Ok(ClientToken {
        access_token,
        expires_in_seconds: ACCESS_TOKEN_SECONDS,
        scopes,
    })
}

/// The scopes of the token, or why there is none, and the code of that for the audit log.
fn grant(
    client: &ApiClient,
    secret: &Secret,
    asked: Option<Scopes>,
) -> Result<Scopes, (ClientTokenError, &'static str)> {
    let is_known = client
        .secret_hash
        .as_deref()
        .is_some_and(|stored| is_client_secret(secret, stored));
    if !is_known {
        return Err((ClientTokenError::InvalidClient, "wrong_secret"));
    }
    if !client.is_active {
        return Err((ClientTokenError::InvalidClient, "inactive_client"));
    }
    if client.scopes.is_empty() {
        return Err((ClientTokenError::UnauthorizedClient, "no_scope"));
    }
    match asked {
        None => Ok(client.scopes.clone()),
        Some(asked) if client.scopes.has_all(&asked) => Ok(asked),
        Some(_) => Err((ClientTokenError::InvalidScope, "invalid_scope")),
    }
}

/// An API client, known by its access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownClient {
    /// The row.
    pub id: i64,
    /// What it may do in this request: what the token says and the client still may.
    pub scopes: Scopes,
}

/// Recognises an API client's access token: signature and expiry offline, then the client as it is now.
///
/// # Errors
/// [`BearerError::Refused`] for anything but a token of an active client, a user's token included.
pub async fn recognise_client(app: &App, access_token: &str) -> Result<KnownClient, BearerError> {
    let verified = app
        .access_tokens
        .verify_client(access_token, app.clock.now())?;
    let client_id = verified.client_id;
    let found = app
        .db
        .read(move |reader| api_clients::find(reader, &client_id))
        .await
        .map_err(BearerError::Storage)?;
    match found {
        Some(client) if client.is_active => Ok(KnownClient {
            id: client.id,
            scopes: verified.scopes.within(&client.scopes),
        }),
        _ => Err(BearerRefused::Revoked.into()),
    }
}

fn entry(
    actor: Actor,
    action: AuditAction,
    reason: Option<&'static str>,
    detail: Value,
    context: &RequestContext,
) -> AuditEntry {
    AuditEntry {
        actor,
        action,
        reason: reason.map(Into::into),
        detail: Some(detail),
        user_id: None,
        social_auth_id: None,
        provider: None,
        uid: None,
        context: context.clone(),
    }
}
