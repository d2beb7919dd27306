//! Looking at a database as it is, for commands that must not change anything.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use super::super::connection::Connection;
use super::super::target::{HAS_TLS, Target};
use super::super::{Reader, StorageError, Unavailability, pg, sqlite};
use super::Db;

impl Db {
    /// Runs `work` on the database at `url` as it is: it is neither created nor migrated, and cannot be changed. `None` if there is
    /// no such file. Blocks.
    ///
    /// # Errors
    /// Those of `work`, which may meet an older schema; otherwise as for [`Db::open`].
    pub fn look<T>(
        url: &str,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, StorageError>,
    ) -> Result<Option<T>, StorageError> {
        match Target::parse(url, HAS_TLS)? {
            Target::Sqlite { path } => {
                if !Path::new(&path).is_file() {
                    return Ok(None);
                }
                let mut connection = sqlite::open_to_look(&path)?;
                work(&mut Reader::new(Connection::Sqlite(&mut connection))).map(Some)
            }
            Target::Postgres { url } => {
                let mut connection = PgConnection::establish(&url).map_err(|error| {
                    StorageError::unavailable(Unavailability::CannotConnect, error)
                })?;
                pg::set_up(&mut connection)?;
                connection.batch_execute("SET default_transaction_read_only = on")?;
                work(&mut Reader::new(Connection::Postgres(&mut connection))).map(Some)
            }
        }
    }
}
