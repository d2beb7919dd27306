//! What can go wrong in the database, by what a caller can do about it.

use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failure of the storage layer.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database cannot serve just now: come back later. `detail` is technical text for the log, never for a caller.
    #[error("the database is unavailable ({why}): {detail}")]
    Unavailable {
        /// What is in the way.
        why: Unavailability,
        /// The database's own words.
        detail: String,
    },
    /// Somebody else was faster: read again and decide again. [`super::Db::write`] does so by itself.
    #[error("lost a race, the work has to be done again")]
    Restart,
    /// A stored value does not parse. Names the column, not the value.
    #[error("a stored {0} does not parse")]
    Corrupt(&'static str),
    /// A job panicked; its work was rolled back.
    #[error("a job panicked")]
    Panicked,
    /// Any other failed statement: a defect of ours, or a constraint that was hit.
    #[error("a statement failed")]
    Query(#[source] DieselError),
    /// The database's URL cannot be used as it stands. The text says why and what to do.
    #[error("{0}")]
    UrlRefused(String),
}

/// Why the database cannot serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailability {
    /// No connection can be made.
    CannotConnect,
    /// The connection broke before the work was committed.
    ConnectionLost,
    /// No connection, or no place in the writer's queue, became free in time.
    Overloaded,
    /// Somebody else holds a lock for too long, or a statement took too long.
    Busy,
    /// No space left, or memory or files exhausted.
    Exhausted,
    /// The database may only be read.
    ReadOnly,
    /// Reading or writing the file failed.
    Input,
    /// COMMIT failed, and whether the work is stored is unknown.
    CommitUnknown,
    /// The database handle was closed.
    Closed,
}

impl fmt::Display for Unavailability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CannotConnect => "cannot connect",
            Self::ConnectionLost => "connection lost",
            Self::Overloaded => "overloaded",
            Self::Busy => "busy",
            Self::Exhausted => "out of space",
            Self::ReadOnly => "read-only",
            Self::Input => "input or output error",
            Self::CommitUnknown => "the outcome of COMMIT is unknown",
            Self::Closed => "closed",
        })
    }
}

/// An error that may carry a failure of the storage layer, so that [`super::Db`] can tell whether to run the work again.
pub trait StorageFailure: From<StorageError> {
    /// The storage failure in here, if that is what it is.
    fn storage_error(&self) -> Option<&StorageError>;
}

/// Implements [`StorageFailure`] for an error with a variant `Storage(StorageError)`.
macro_rules! storage_failure {
    ($error:ty) => {
        impl $crate::storage::StorageFailure for $error {
            fn storage_error(&self) -> Option<&$crate::storage::StorageError> {
                match self {
                    Self::Storage(error) => Some(error),
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use storage_failure;

impl StorageFailure for StorageError {
    fn storage_error(&self) -> Option<&StorageError> {
        Some(self)
    }
}

impl StorageError {
    pub(super) fn unavailable(why: Unavailability, detail: impl fmt::Display) -> Self {
        Self::Unavailable {
            why,
            detail: detail.to_string(),
        }
    }

    /// Whether the connection broke, so that the work can be done on another one.
    pub(super) fn is_connection_lost(&self) -> bool {
        matches!(
            self,
            Self::Unavailable {
                why: Unavailability::ConnectionLost,
                ..
            }
        )
    }
}

/// Fragments of messages that neither backend gives a kind for, in English as SQLite and a PostgreSQL with its default messages
/// write them (`sqlite3_errstr`; PostgreSQL's errcodes 40P01, 53100, 53200, 55P03, 57014, 57P01 to 57P03).
const MESSAGES: [(&str, Meaning); 22] = {
    use Meaning::{Again, Down};
    use Unavailability::{Busy, ConnectionLost, Exhausted, Input, ReadOnly};
    [
        ("deadlock detected", Again),
        ("database is locked", Down(Busy)),
        ("database table is locked", Down(Busy)),
        ("locking protocol", Down(Busy)),
        ("due to lock timeout", Down(Busy)),
        ("due to statement timeout", Down(Busy)),
        ("database or disk is full", Down(Exhausted)),
        ("No space left on device", Down(Exhausted)),
        ("could not extend file", Down(Exhausted)),
        ("out of memory", Down(Exhausted)),
        ("out of shared memory", Down(Exhausted)),
        ("readonly database", Down(ReadOnly)),
        ("in a read-only transaction", Down(ReadOnly)),
        ("disk I/O error", Down(Input)),
        ("unable to open database file", Down(Input)),
        ("database disk image is malformed", Down(Input)),
        ("file is not a database", Down(Input)),
        ("terminating connection", Down(ConnectionLost)),
        ("server closed the connection", Down(ConnectionLost)),
        ("no connection to the server", Down(ConnectionLost)),
        ("database system is", Down(ConnectionLost)),
        ("connection not open", Down(ConnectionLost)),
    ]
};

#[derive(Clone, Copy)]
enum Meaning {
    Again,
    Down(Unavailability),
}

impl From<DieselError> for StorageError {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(kind, information) => match kind {
                DatabaseErrorKind::SerializationFailure => Self::Restart,
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                    Self::unavailable(Unavailability::ConnectionLost, information.message())
                }
                DatabaseErrorKind::ReadOnlyTransaction => {
                    Self::unavailable(Unavailability::ReadOnly, information.message())
                }
                DatabaseErrorKind::Unknown => {
                    let message = information.message();
                    match MESSAGES.iter().find(|(text, _)| message.contains(text)) {
                        Some((_, Meaning::Again)) => Self::Restart,
                        Some((_, Meaning::Down(why))) => Self::unavailable(*why, message),
                        None => Self::Query(error),
                    }
                }
                _ => Self::Query(error),
            },
            DieselError::BrokenTransactionManager => {
                Self::unavailable(Unavailability::ConnectionLost, &error)
            }
            _ => Self::Query(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(message: &str) -> StorageError {
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned())).into()
    }

    #[test]
    fn a_full_disk_a_lock_and_a_dead_server_are_unavailable_and_not_a_defect() {
        for (message, expected) in [
            ("database or disk is full", Unavailability::Exhausted),
            ("database is locked", Unavailability::Busy),
            (
                "attempt to write a readonly database",
                Unavailability::ReadOnly,
            ),
            (
                "terminating connection due to administrator command",
                Unavailability::ConnectionLost,
            ),
        ] {
            let error = unknown(message);
            assert!(
                matches!(&error, StorageError::Unavailable { why, .. } if *why == expected),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_deadlock_is_run_again_and_a_syntax_error_is_not() {
        assert!(matches!(
            unknown("deadlock detected"),
            StorageError::Restart
        ));
        assert!(matches!(
            unknown("syntax error at or near \"x\""),
            StorageError::Query(_)
        ));
    }
}
