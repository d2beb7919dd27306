//! The handle of one database.

mod attempt;
mod gather;
mod look;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use diesel::r2d2::R2D2Connection as _;
use diesel::{PgConnection, SqliteConnection};
use tracing::Span;

use gather::Gatherers;

use super::connection::{Connection, Failure};
use super::disk::{DiskSpace, disk_space};
use super::pool::Pool;
use super::stats::Counters;
use super::target::{HAS_TLS, Target};
use super::writer::Writer;
use super::{
    Reader, Settings, Stats, StorageError, StorageFailure, Tx, Unavailability, migrations, pg,
    sqlite,
};

/// How long a caller waits for PostgreSQL, connection and all. A server that stands still, or whose network is gone, says
/// nothing; the thread that waits for it keeps its connection until it does, but its caller is told in time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Embedded, one file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Backend {
    /// The name for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A database. Clones are handles of the same one.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    counters: Arc<Counters>,
}

enum Store {
    Sqlite {
        path: String,
        readers: Pool<SqliteConnection>,
        writer: Writer,
    },
    Postgres {
        url: String,
        pool: Pool<PgConnection>,
        gatherers: Gatherers,
    },
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Db({})", self.backend().as_str())
    }
}

impl Db {
    /// Opens the database, which for SQLite creates the file if there is none. Blocks. Migrates nothing.
    ///
    /// # Errors
    /// [`StorageError::UrlRefused`] with the remedy; [`StorageError::Unavailable`] when it cannot be reached.
    pub fn open(settings: &Settings) -> Result<Self, StorageError> {
        let counters = Arc::new(Counters::default());
        let store = match Target::parse(&settings.url, HAS_TLS)? {
            Target::Sqlite { path } => open_sqlite(path, settings, &counters)?,
            Target::Postgres { url } => Store::Postgres {
                pool: Pool::open(
                    &url,
                    settings.max_connections,
                    settings.wait_timeout,
                    pg::set_up,
                    false,
                )?,
                gatherers: Gatherers::new(settings.max_connections),
                url,
            },
        };
        Ok(Self {
            inner: Arc::new(Inner { store, counters }),
        })
    }

    /// Applies the migrations that are pending, and returns their names. Blocks. Any number of processes may do so at once.
    /// With nothing pending it is one query and takes no lock.
    ///
    /// # Errors
    /// [`StorageError`] when the database fails. Each migration is applied entirely or not at all.
    pub fn migrate(&self) -> Result<Vec<String>, StorageError> {
        if self.pending_migrations()?.is_empty() {
            return Ok(Vec::new());
        }
        match &self.inner.store {
            Store::Sqlite { path, .. } => migrations::migrate_sqlite(path),
            Store::Postgres { url, .. } => migrations::migrate_postgres(url),
        }
    }

    /// The names of the migrations that were not applied yet. Blocks; one query.
    ///
    /// # Errors
    /// [`StorageError`] when the database fails.
    pub fn pending_migrations(&self) -> Result<Vec<String>, StorageError> {
        match &self.inner.store {
            Store::Sqlite { readers, .. } => {
                let applied = migrations::list_applied_sqlite(&mut *readers.get()?)?;
                migrations::pending::<diesel::sqlite::Sqlite>(&migrations::SQLITE, applied)
            }
            Store::Postgres { pool, .. } => {
                let applied = migrations::list_applied_postgres(&mut *pool.get()?)?;
                migrations::pending::<diesel::pg::Pg>(&migrations::POSTGRES, applied)
            }
        }
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self.inner.store {
            Store::Sqlite { .. } => Backend::Sqlite,
            Store::Postgres { .. } => Backend::Postgres,
        }
    }

    /// The room that an SQLite file has. `None` on PostgreSQL, whose disk is its own. Blocks.
    #[must_use]
    pub fn disk_space(&self) -> Option<DiskSpace> {
        match &self.inner.store {
            Store::Sqlite { path, .. } => disk_space(path),
            Store::Postgres { .. } => None,
        }
    }

    /// What the backend's driver opens: a path or a URL.
    pub(super) fn address(&self) -> &str {
        match &self.inner.store {
            Store::Sqlite { path, .. } => path,
            Store::Postgres { url, .. } => url,
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if there is none within the deadlines.
    pub async fn ping(&self) -> Result<(), StorageError> {
        self.read(|reader| {
            let pinged = match reader.connection() {
                Connection::Sqlite(connection) => connection.ping(),
                Connection::Postgres(connection) => connection.ping(),
            };
            reader.note(pinged.map_err(StorageError::from))
        })
        .await
    }

    /// How busy it is and what it has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        self.inner.counters.fill(&mut stats);
        (stats.connections, stats.idle_connections) = match &self.inner.store {
            Store::Sqlite {
                readers, writer, ..
            } => {
                stats.writer_queue_depth = writer.depth();
                readers.sizes()
            }
            Store::Postgres { pool, .. } => pool.sizes(),
        };
        stats
    }

    /// Lets nobody in any more, and returns when what is queued for the SQLite writer is committed and answered.
    pub async fn close(&self) {
        match &self.inner.store {
            Store::Sqlite {
                readers, writer, ..
            } => {
                readers.close();
                writer.stop().await;
            }
            Store::Postgres { pool, .. } => pool.close(),
        }
    }

    /// Runs `work`, which only reads, on a thread where it may block.
    ///
    /// # Errors
    /// Those of `work`; [`StorageError::Unavailable`] when no connection becomes free in time.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Reader<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let asked_at = Instant::now();
        let reading = async {
            let permit = match &self.inner.store {
                Store::Sqlite { readers, .. } => readers.permit().await,
                Store::Postgres { pool, .. } => pool.permit().await,
            }
            .inspect_err(|_| Counters::add(&self.inner.counters.refused, 1))?;
            let inner = Arc::clone(&self.inner);
            blocking(move || {
                let result = inner.read(asked_at, work);
                drop(permit);
                result
            })
            .await
        };
        match &self.inner.store {
            Store::Sqlite { .. } => reading.await,
            Store::Postgres { .. } => in_time(reading, Unavailability::Busy).await,
        }
    }

    /// As [`Db::read`] on this thread, which blocks: for the start, before anybody else asks.
    ///
    /// # Errors
    /// Those of `work`; [`StorageError::Unavailable`] when no connection becomes free in time.
    pub fn read_blocking<T, E>(
        &self,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StorageError>,
    {
        self.inner.read(Instant::now(), work)
    }

    /// As [`Db::read`], with one state of the database for all of `work`, which may take long: nobody waits for it with a deadline.
    ///
    /// # Errors
    /// Those of `work`; [`StorageError::Unavailable`] when no connection becomes free in time.
    pub async fn read_snapshot<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Reader<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let permit = match &self.inner.store {
            Store::Sqlite { readers, .. } => readers.permit().await,
            Store::Postgres { pool, .. } => pool.permit().await,
        }
        .inspect_err(|_| Counters::add(&self.inner.counters.refused, 1))?;
        let inner = Arc::clone(&self.inner);
        let asked_at = Instant::now();
        blocking(move || {
            let result = inner.read(asked_at, |reader| {
                reader.begin_snapshot()?;
                let result = work(reader);
                reader.end_snapshot();
                result
            });
            drop(permit);
            result
        })
        .await
    }

    /// Runs `work` in one transaction and commits it. When this returns `Ok`, the work is durable; when it returns an error of
    /// `work`, nothing of it is stored.
    ///
    /// `work` is run again when it lost a race ([`StorageError::Restart`]), and once when the connection broke before COMMIT
    /// was sent. So it must not change anything outside the database.
    ///
    /// # Errors
    /// Those of `work`; [`StorageError::Unavailable`] when the database cannot serve or the outcome of COMMIT is unknown.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: StorageFailure + Send + 'static,
    {
        let result = match &self.inner.store {
            Store::Sqlite { writer, .. } => writer.write(work).await,
            Store::Postgres { pool, .. } => {
                let asked_at = Instant::now();
                let writing = async {
                    let permit = pool.permit().await?;
                    let inner = Arc::clone(&self.inner);
                    blocking(move || {
                        let result = inner.write_postgres(asked_at, &work);
                        drop(permit);
                        result
                    })
                    .await
                };
                in_time(writing, Unavailability::CommitUnknown).await
            }
        };
        if let Err(error) = &result
            && matches!(
                error.storage_error(),
                Some(StorageError::Unavailable { .. })
            )
        {
            self.inner.counters.refused.fetch_add(1, Relaxed);
        }
        result
    }
}

fn open_sqlite(
    path: String,
    settings: &Settings,
    counters: &Arc<Counters>,
) -> Result<Store, StorageError> {
    create_private(&path);
    let connection = sqlite::open_writer(&path)?;
    let readers = Pool::open(
        &path,
        settings.max_connections,
        settings.wait_timeout,
        sqlite::set_up_reader,
        true,
    )?;
    let writer = Writer::start(
        path.clone(),
        connection,
        settings.wait_timeout,
        Arc::clone(counters),
    )?;
    Ok(Store::Sqlite {
        path,
        readers,
        writer,
    })
}

/// Creates the file for its owner alone, if there is none; SQLite gives the files beside it the same permissions. If it cannot
/// be created, SQLite will say so.
fn create_private(path: &str) {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(path));
}

/// Gives up on PostgreSQL when nobody should wait any longer.
async fn in_time<T, E: From<StorageError>>(
    work: impl Future<Output = Result<T, E>>,
    why: Unavailability,
) -> Result<T, E> {
    match tokio::time::timeout(ANSWER_TIMEOUT, work).await {
        Ok(result) => result,
        Err(elapsed) => Err(StorageError::unavailable(why, elapsed).into()),
    }
}

/// Runs `work` on the blocking pool within the current span.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
{
    let span = Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(StorageError::Panicked.into()),
        Err(error) => Err(StorageError::unavailable(Unavailability::Closed, error).into()),
    }
}

impl Inner {
    fn read<T, E>(
        &self,
        asked_at: Instant,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StorageError>,
    {
        match &self.store {
            Store::Sqlite { readers, .. } => {
                let mut connection = readers.get()?;
                self.counters.waited(asked_at.elapsed());
                work(&mut Reader::new(Connection::Sqlite(&mut connection)))
            }
            Store::Postgres { pool, .. } => {
                let mut connection = pool.get()?;
                self.counters.waited(asked_at.elapsed());
                let mut reader = Reader::new(Connection::Postgres(&mut connection));
                let result = work(&mut reader);
                if reader.failure() == Some(Failure::ConnectionLost) {
                    pool.note_break();
                }
                result
            }
        }
    }
}
