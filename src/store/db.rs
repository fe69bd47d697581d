//! The databases: an embedded SQLite in two files, or one PostgreSQL.

use super::tx::Inner;
use super::{MigrationReport, StoreError, Tx, migrate};
use crate::config::DatabaseUrl;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Where the state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreSettings {
    /// `gateway-hub.db` and `entities.db` in this folder.
    Folder(PathBuf),
    /// A PostgreSQL.
    Postgres(DatabaseUrl),
}

/// The store: security state, and apart from it the entities.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) security: Db,
    pub(super) entities: Db,
    pub(super) notify: bool,
    awaited: Arc<AtomicUsize>,
}

#[derive(Clone, Debug)]
pub(super) enum Db {
    /// One writer, because SQLite has one; readers beside it never wait for it (WAL).
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres {
        pool: PgPool,
        /// Whether prepared statements outlive their transaction.
        prepared: bool,
    },
}

/// How long a writer waits for another process's write (the command line works while the server runs).
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a request waits for a connection to PostgreSQL before the store counts as away.
const AWAY_AFTER: Duration = Duration::from_secs(2);
/// How long a request waits for its turn at SQLite.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(25);

impl Store {
    /// Opens the databases, without looking at what is in them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if they can't be opened or reached.
    pub async fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        match settings {
            StoreSettings::Folder(folder) => Ok(Self {
                security: sqlite(&folder.join("gateway-hub.db")).await?,
                entities: sqlite(&folder.join("entities.db")).await?,
                notify: false,
                awaited: Arc::default(),
            }),
            StoreSettings::Postgres(url) => {
                let options = PgConnectOptions::from_str(url.expose()).map_err(StoreError::from)?;
                // Poolers refuse start parameters that they do not know, and nothing here is a floating-point number.
                let options = options.application_name("gateway-hub").extra_float_digits(None);
                let prepared = url.may_prepare();
                let pool = |connections| {
                    PgPoolOptions::new()
                        .max_connections(connections)
                        .acquire_timeout(AWAY_AFTER)
                        .connect_lazy_with(options.clone())
                };
                // One more for the listener.
                let security = Db::Postgres { pool: pool(9), prepared };
                let entities = Db::Postgres { pool: pool(8), prepared };
                Ok(Self { security, entities, notify: true, awaited: Arc::default() })
            }
        }
    }

    /// The same store, whose nodes tell each other of changes or leave that to the poll. PostgreSQL only.
    #[must_use]
    pub fn notifying(mut self, notify: bool) -> Self {
        self.notify &= notify;
        self
    }

    /// Brings both databases to this program's schema, one process at a time.
    ///
    /// # Errors
    /// [`StoreError`], for one if a newer program has changed the schema beyond what this one can read.
    pub async fn migrate(&self) -> Result<MigrationReport, StoreError> {
        let security = migrate::run(&self.security, "security", migrate::SECURITY).await?;
        let entities = migrate::run(&self.entities, "entities", migrate::ENTITIES).await?;
        Ok(MigrationReport { security, entities })
    }

    /// A transaction that sees one state of the security tables and changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn read(&self) -> Result<Tx, StoreError> {
        self.security.read().await
    }

    /// A transaction that changes security state.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contention`].
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let _waiting = Waiting::new(&self.awaited);
        Ok(self.security.write().await?.notifying(self.notify))
    }

    /// A transaction that writes to the same database what is no security state, such as usage, and lets others go first:
    /// it asks [`Store::is_awaited`] again and again and commits early.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contention`].
    pub async fn write_behind(&self) -> Result<Tx, StoreError> {
        self.security.write().await
    }

    /// Whether a change of security state waits for its turn in this process.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.awaited.load(Ordering::Relaxed) > 0
    }

    /// A transaction that sees one state of the entities and changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn read_entities(&self) -> Result<Tx, StoreError> {
        self.entities.read().await
    }

    /// A transaction that changes entities.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contention`].
    pub async fn write_entities(&self) -> Result<Tx, StoreError> {
        self.entities.begin_writing(WRITE_ENTITIES, WRITE_ENTITIES_POOLED).await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.security.close().await;
        self.entities.close().await;
    }
}

/// Counts somebody who waits for the writer, for as long as they do.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn sqlite(file: &Path) -> Result<Db, StoreError> {
    make_private(file).map_err(|error| StoreError::Unavailable(format!("{}: {error}", file.display())))?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .optimize_on_close(false, None);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Db::Sqlite { writer, readers })
}

/// Makes the file before SQLite does, for its owner alone: SQLite gives its other files (`-wal`, `-shm`) the same mode.
fn make_private(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Whatever the server's defaults: what is acknowledged is on disk, and no writer waits for ever. `SET LOCAL` holds for the
/// transaction alone, so that it is right behind a pooler too.
const WRITE: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '5s'";
// Behind a pooler the connection may have been another client's a moment ago, whose statements have the same names as ours.
const READ_POOLED: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; DEALLOCATE ALL";
const WRITE_POOLED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; \
    SET LOCAL lock_timeout = '5s'; DEALLOCATE ALL";
// Whoever writes entities looks them up by their ids, and never otherwise. A plan made while the table was nearly empty, or
// without statistics, would read all of it for each lookup from then on, and is kept as long as the statement.
const WRITE_ENTITIES: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; \
    SET LOCAL lock_timeout = '5s'; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
    SET LOCAL enable_mergejoin = off";
const WRITE_ENTITIES_POOLED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; \
    SET LOCAL lock_timeout = '5s'; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
    SET LOCAL enable_mergejoin = off; DEALLOCATE ALL";

impl Db {
    async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx::new(match self {
            Self::Sqlite { readers, .. } => Inner::Sqlite(readers.begin().await.map_err(no_transaction)?),
            Self::Postgres { pool, prepared: true } => {
                Inner::Postgres(pool.begin_with(READ).await.map_err(no_transaction)?)
            }
            Self::Postgres { pool, prepared: false } => {
                Inner::Postgres(pool.begin_with(READ_POOLED).await.map_err(no_transaction)?)
            }
        }))
    }

    pub(super) async fn write(&self) -> Result<Tx, StoreError> {
        self.begin_writing(WRITE, WRITE_POOLED).await
    }

    /// Begins with one of these texts on PostgreSQL.
    async fn begin_writing(&self, prepared: &'static str, pooled: &'static str) -> Result<Tx, StoreError> {
        Ok(Tx::new(match self {
            Self::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await.map_err(no_transaction)?)
            }
            Self::Postgres { pool, prepared: true } => {
                Inner::Postgres(pool.begin_with(prepared).await.map_err(no_transaction)?)
            }
            Self::Postgres { pool, prepared: false } => {
                Inner::Postgres(pool.begin_with(pooled).await.map_err(no_transaction)?)
            }
        }))
    }

    async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// Whatever the database says to a caller who wants in, it is not there for this one.
fn no_transaction(error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Refused(why) => StoreError::Unavailable(why),
        error => error,
    }
}
