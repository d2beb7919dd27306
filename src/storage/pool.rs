//! A pool of connections, and the permits that keep blocking threads from piling up in front of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use diesel::prelude::*;
use diesel::r2d2::{
    self, ConnectionManager, CustomizeConnection, HandleError, PooledConnection, R2D2Connection,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{StorageError, Unavailability};

type Pooled<C> = PooledConnection<ConnectionManager<C>>;

/// Connections of one backend.
pub(super) struct Pool<C: R2D2Connection + Send + 'static> {
    connections: r2d2::Pool<ConnectionManager<C>>,
    /// As many as connections: whoever has one never waits inside a blocking thread while the database is well.
    permits: Arc<Semaphore>,
    wait_timeout: Duration,
    /// How often a connection was found broken. One broken connection makes all others suspect.
    breaks: AtomicU64,
}

/// Kept with a connection: it was known to work when `breaks` had this value.
struct WorkedAt(u64);

impl<C: R2D2Connection + Send + 'static> Pool<C> {
    /// Opens a pool with one connection, and more as they are needed.
    pub(super) fn open(
        url: &str,
        max_connections: u32,
        wait_timeout: Duration,
        set_up: fn(&mut C) -> QueryResult<()>,
        keep_forever: bool,
    ) -> Result<Self, StorageError> {
        let max_connections = max_connections.max(1);
        let mut builder = r2d2::Pool::builder()
            .max_size(max_connections)
            .min_idle(Some(1))
            .connection_timeout(wait_timeout)
            .test_on_check_out(false)
            .error_handler(Box::new(Log))
            .connection_customizer(Box::new(SetUp(set_up)));
        if keep_forever {
            builder = builder.max_lifetime(None).idle_timeout(None);
        }
        let connections = builder
            .build(ConnectionManager::new(url))
            .map_err(|error| StorageError::unavailable(Unavailability::CannotConnect, error))?;
        Ok(Self {
            connections,
            permits: Arc::new(Semaphore::new(
                usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            wait_timeout,
            breaks: AtomicU64::new(0),
        })
    }

    /// Waits for the right to use one connection.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, StorageError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let permit = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.wait_timeout, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(closed)) => Err(StorageError::unavailable(Unavailability::Closed, closed)),
            Err(elapsed) => Err(StorageError::unavailable(
                Unavailability::Overloaded,
                elapsed,
            )),
        }
    }

    /// A connection that works, as far as is known. Blocks; call it with a permit in hand.
    ///
    /// Connections are not tested each time. But once one was found broken, the others are tested before their next use, so
    /// that a restarted server costs at most the requests that were under way.
    pub(super) fn get(&self) -> Result<Pooled<C>, StorageError> {
        // Each round takes one broken connection out of the pool.
        for _ in 0..=self.connections.max_size() {
            let mut connection = self
                .connections
                .get()
                .map_err(|error| StorageError::unavailable(Unavailability::CannotConnect, error))?;
            let breaks = self.breaks.load(Relaxed);
            let worked_at = PooledConnection::extensions(&connection)
                .get::<WorkedAt>()
                .map(|worked| worked.0);
            if worked_at == Some(breaks) {
                return Ok(connection);
            }
            if connection.ping().is_ok() {
                PooledConnection::extensions_mut(&mut connection).insert(WorkedAt(breaks));
                return Ok(connection);
            }
        }
        Err(StorageError::unavailable(
            Unavailability::ConnectionLost,
            "every connection of the pool is broken",
        ))
    }

    /// Tells that a connection broke.
    pub(super) fn note_break(&self) {
        self.breaks.fetch_add(1, Relaxed);
    }

    /// Open connections, and those of them that are idle.
    pub(super) fn sizes(&self) -> (u32, u32) {
        let state = self.connections.state();
        (state.connections, state.idle_connections)
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        self.permits.close();
    }
}

struct SetUp<C: 'static>(fn(&mut C) -> QueryResult<()>);

impl<C> fmt::Debug for SetUp<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetUp")
    }
}

impl<C: R2D2Connection + Send + 'static> CustomizeConnection<C, r2d2::Error> for SetUp<C> {
    fn on_acquire(&self, connection: &mut C) -> Result<(), r2d2::Error> {
        (self.0)(connection).map_err(r2d2::Error::QueryError)
    }
}

#[derive(Debug)]
struct Log;

impl HandleError<r2d2::Error> for Log {
    fn handle_error(&self, error: r2d2::Error) {
        tracing::warn!(%error, "Cannot open a database connection");
    }
}
