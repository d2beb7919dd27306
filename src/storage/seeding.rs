//! Made-up rows in bulk, for development: `latchkey seed`. Nothing else may write past the flows.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, SqliteConnection};
use serde_json::Value;

use super::{Backend, Db, StorageError, pg, sqlite};
use crate::domain::{ProviderId, SocialAuthId, Uid, UserId};

/// A user.
#[derive(Debug, Clone)]
pub struct SeededUser {
    /// The row; ids are given, so that the other rows can name it.
    pub id: UserId,
    /// Unique without regard to case.
    pub username: String,
    /// Address, if any.
    pub email: Option<String>,
    /// Whether a provider vouched for it.
    pub email_verified: bool,
    /// Given name.
    pub first_name: &'static str,
    /// Family name.
    pub last_name: &'static str,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// When the user signed up.
    pub date_joined: DateTime<Utc>,
    /// How many social accounts follow.
    pub social_accounts: i32,
    /// The latest sign-in, if there was any.
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// A social account.
#[derive(Debug, Clone)]
pub struct SeededSocialAuth {
    /// The row.
    pub id: SocialAuthId,
    /// Whose it is.
    pub user_id: UserId,
    /// At which provider.
    pub provider: ProviderId,
    /// The provider's id of the person.
    pub uid: Uid,
    /// Address at the provider, vouched for.
    pub email: Option<String>,
    /// A JSON object, secrets sealed.
    pub extra_data: Value,
    /// When it was associated.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    pub modified_at: DateTime<Utc>,
}

/// A session.
#[derive(Debug, Clone)]
pub struct SeededSession {
    /// Whose it is.
    pub user_id: UserId,
    /// What it was opened with.
    pub social_auth_id: SocialAuthId,
    /// Stands for the hash of a refresh token that nobody has.
    pub refresh_hash: [u8; 32],
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// The client's address.
    pub address: String,
    /// What the client calls itself.
    pub user_agent: &'static str,
}

/// An audit entry of a user's own doing.
#[derive(Debug, Clone)]
pub struct SeededAuditEntry {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What kind of actor, see [`crate::domain::Actor::kind`].
    pub actor_kind: &'static str,
    /// Who acted, see [`crate::domain::Actor::id`].
    pub actor_id: Option<i64>,
    /// What was done, see [`crate::domain::AuditAction::as_str`].
    pub action: &'static str,
    /// The code of a refusal.
    pub reason: Option<&'static str>,
    /// To whom.
    pub user_id: UserId,
    /// To which social account.
    pub social_auth_id: SocialAuthId,
    /// The provider.
    pub provider: ProviderId,
    /// The provider's id of the person.
    pub uid: Uid,
    /// The request.
    pub request_id: String,
    /// The client's address.
    pub address: String,
}

/// Rows that are stored together.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Users.
    pub users: Vec<SeededUser>,
    /// Social accounts of these or earlier users.
    pub social_auths: Vec<SeededSocialAuth>,
    /// Sessions.
    pub sessions: Vec<SeededSession>,
    /// Audit entries.
    pub audit: Vec<SeededAuditEntry>,
}

/// The first ids that are free.
#[derive(Debug, Clone, Copy)]
pub struct FreeIds {
    /// For users.
    pub user: i64,
    /// For social accounts.
    pub social_auth: i64,
}

/// Writes batches on a connection of its own. Blocks.
pub struct Seeder(Connection);

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

macro_rules! on_either {
    ($seeder:expr, $name:ident ( $($argument:expr),* )) => {
        match &mut $seeder.0 {
            Connection::Sqlite(connection) => sqlite::seeding::$name(connection, $($argument),*),
            Connection::Postgres(connection) => pg::own::seeding::$name(connection, $($argument),*),
        }
    };
}

impl Db {
    /// A seeder of this database, which is migrated.
    ///
    /// # Errors
    /// [`StorageError`] when the database cannot be reached.
    pub fn seeder(&self) -> Result<Seeder, StorageError> {
        let address = self.address();
        Ok(Seeder(match self.backend() {
            Backend::Sqlite => Connection::Sqlite(sqlite::seeding::open(address)?),
            Backend::Postgres => Connection::Postgres(pg::own::seeding::open(address)?),
        }))
    }
}

impl Seeder {
    /// The first ids that are free.
    ///
    /// # Errors
    /// [`StorageError`] when the database fails.
    pub fn free_ids(&mut self) -> Result<FreeIds, StorageError> {
        let (user, social_auth) = on_either!(self, free_ids())?;
        Ok(FreeIds { user, social_auth })
    }

    /// Stores a batch, in one transaction with some of its neighbours.
    ///
    /// # Errors
    /// [`StorageError`] when the database fails, such as when a row is there already.
    pub fn insert(&mut self, batch: &Batch) -> Result<(), StorageError> {
        on_either!(self, insert(batch))
    }

    /// Leaves the database as if the rows had come one by one: counters of ids, statistics, the log copied.
    ///
    /// # Errors
    /// [`StorageError`] when the database fails.
    pub fn finish(mut self) -> Result<(), StorageError> {
        on_either!(self, finish())
    }
}
