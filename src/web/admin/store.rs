//! The store behind the session cookie: our database, so that every instance sees a revocation at once.
//!
//! Sessions are opened, re-keyed and ended by flows, in the transaction of the audit entry. The flow's key travels to the cookie in
//! the state under [`KEY`]; what the store itself writes is what a session remembers between two requests, which is notices.

use std::collections::HashMap;

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration;
use actix_web::web::Data;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::storage::{StorageError, staff_sessions};

/// Under this name the state has the session's row.
pub const SESSION_ID: &str = "session_id";
/// Under this name a flow's new key waits for the answer.
pub const KEY: &str = "key";
/// Under this name the state says that the database could not be asked.
pub const UNAVAILABLE: &str = "unavailable";

type State = HashMap<String, String>;

/// See the module.
pub struct StaffSessionStore {
    app: Data<App>,
}

impl StaffSessionStore {
    /// A store in the database of `app`.
    #[must_use]
    pub const fn new(app: Data<App>) -> Self {
        Self { app }
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<State>, StorageError> {
        let hash = hash_of(key.as_ref());
        let found = self
            .app
            .db
            .read(move |reader| staff_sessions::find_by_key(reader, &hash))
            .await?;
        let (policy, now) = (&self.app.staff_policy, self.app.clock.now());
        Ok(found
            .filter(|(session, _)| session.is_live(policy, now))
            .map(|(session, stored)| {
                let mut state = state_of(stored);
                state.insert(SESSION_ID.to_owned(), session.id.to_string());
                state
            }))
    }

    async fn set_state(&self, key: &SessionKey, state: State) {
        let (hash, stored) = (hash_of(key.as_ref()), stored_of(state));
        let written = self
            .app
            .db
            .write(move |tx| staff_sessions::set_state(tx, &hash, &stored))
            .await;
        if let Err(error) = written {
            // The request has done its work; only a notice to its sender is lost.
            tracing::error!(error = %error, "Could not keep what a staff session remembers");
        }
    }
}

fn hash_of(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

fn state_of(stored: Value) -> State {
    let Value::Object(members) = stored else {
        return State::new();
    };
    members
        .into_iter()
        .map(|(name, value)| (name, value.to_string()))
        .collect()
}

/// What is worth storing of the state: neither the row, nor the key, nor what does not parse.
fn stored_of(state: State) -> Value {
    let members: Map<String, Value> = state
        .into_iter()
        .filter(|(name, _)| !matches!(name.as_str(), SESSION_ID | KEY | UNAVAILABLE))
        .filter_map(|(name, text)| Some((name, serde_json::from_str(&text).ok()?)))
        .collect();
    Value::Object(members)
}

impl SessionStore for StaffSessionStore {
    async fn load(&self, session_key: &SessionKey) -> Result<Option<State>, LoadError> {
        Ok(self.find(session_key).await.unwrap_or_else(|error| {
            // An error here would be answered by the middleware, without a page; the guard makes one of the state.
            tracing::error!(error = %error, "Could not load a staff session");
            Some(State::from([(UNAVAILABLE.to_owned(), "true".to_owned())]))
        }))
    }

    async fn save(&self, mut state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        let key = state
            .remove(KEY)
            .and_then(|text| serde_json::from_str::<String>(&text).ok())
            .and_then(|key| SessionKey::try_from(key).ok());
        let Some(key) = key else {
            return Err(SaveError::Other(anyhow::anyhow!(
                "no flow has opened this session"
            )));
        };
        if state.keys().any(|name| name != SESSION_ID) {
            self.set_state(&key, state).await;
        }
        Ok(key)
    }

    async fn update(
        &self,
        session_key: SessionKey,
        state: State,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        self.set_state(&session_key, state).await;
        Ok(session_key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        // How long a session lasts is the policy's, and the guard notes its use.
        Ok(())
    }

    async fn delete(&self, session_key: &SessionKey) -> Result<(), anyhow::Error> {
        let hash = hash_of(session_key.as_ref());
        let cleared = self
            .app
            .db
            .write(move |tx| staff_sessions::clear_key_hash(tx, &hash))
            .await;
        if let Err(error) = cleared {
            // The flow has ended the session, or given it another key: this one opens nothing.
            tracing::error!(error = %error, "Could not clear the key of a staff session");
        }
        Ok(())
    }
}
