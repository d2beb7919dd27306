//! What the service says to its database.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

use super::TestApp;

/// The statements of databases that are watched, by their address, to which the service adds parameters.
static LOGS: LazyLock<Mutex<HashMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

/// Writes down what goes through one connection.
#[derive(Default)]
struct Ear {
    url: String,
}

impl Instrumentation for Ear {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                url.clone_into(&mut self.url);
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
                let watched = logs
                    .iter_mut()
                    .find(|(address, _)| self.url.contains(address.as_str()));
                if let Some((_, log)) = watched {
                    log.push(query.to_string());
                }
            }
            _ => {}
        }
    }
}

/// Listens to every connection that is opened from now on.
pub(crate) fn listen() {
    set_default_instrumentation(|| Some(Box::new(Ear::default()))).unwrap();
}

impl TestApp {
    /// Begins the list of statements anew, and gives those so far.
    pub(crate) fn statements(&self) -> Vec<String> {
        let url = self.database_url();
        let address = url.trim_start_matches("sqlite://").to_owned();
        let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
        logs.insert(address, Vec::new()).unwrap_or_default()
    }
}
