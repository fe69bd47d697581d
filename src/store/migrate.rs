//! Schema migrations: numbered files, applied in order, one process at a time.

use super::db::Db;
use super::tx::Inner;
use super::{StoreError, Tx};
use sqlx::AssertSqlSafe;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number, counted from 1.
    pub version: i64,
    /// Programs that know fewer versions than this can't read the schema any more.
    pub minimum_reader: i64,
    /// Its text.
    pub sql: &'static str,
}

/// The steps of the security state.
pub(super) const SECURITY: &[Migration] = &[
    Migration { version: 1, minimum_reader: 1, sql: include_str!("../../migrations/security/0001_first.sql") },
    Migration { version: 2, minimum_reader: 1, sql: include_str!("../../migrations/security/0002_usage.sql") },
    Migration { version: 3, minimum_reader: 1, sql: include_str!("../../migrations/security/0003_keys.sql") },
    // A program that does not know gateways reads on; it forwards nothing.
    Migration { version: 4, minimum_reader: 1, sql: include_str!("../../migrations/security/0004_gateways.sql") },
    Migration { version: 5, minimum_reader: 1, sql: include_str!("../../migrations/security/0005_nodes.sql") },
    Migration { version: 6, minimum_reader: 1, sql: include_str!("../../migrations/security/0006_last_use.sql") },
];

/// The steps of the entity inventory.
pub(super) const ENTITIES: &[Migration] = &[
    Migration { version: 1, minimum_reader: 1, sql: include_str!("../../migrations/entities/0001_first.sql") },
    Migration { version: 2, minimum_reader: 1, sql: include_str!("../../migrations/entities/0002_by_value.sql") },
];

/// How many steps were applied, and by that whether there was anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationReport {
    /// To the security state.
    pub security: usize,
    /// To the entities.
    pub entities: usize,
}

/// The number that all hubs agree on for PostgreSQL's advisory lock: "ghub" in ASCII.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_xact_lock(1734898018)";

pub(super) async fn run(db: &Db, family: &'static str, migrations: &[Migration]) -> Result<usize, StoreError> {
    let mut tx = db.write().await?; // on SQLite this is the lock
    if let Inner::Postgres(transaction) = tx.inner() {
        sqlx::raw_sql("SET LOCAL lock_timeout = '60s'").execute(&mut **transaction).await?;
        sqlx::raw_sql(ADVISORY_LOCK).execute(&mut **transaction).await?;
    }
    execute(
        &mut tx,
        "CREATE TABLE IF NOT EXISTS schema_migration (family TEXT NOT NULL, version BIGINT NOT NULL, \
         minimum_reader BIGINT NOT NULL, PRIMARY KEY (family, version))",
    )
    .await?;
    let (applied, minimum_reader) = state(&mut tx, family).await?;
    readable(family, minimum_reader, migrations)?;
    let mut count = 0;
    for migration in migrations.iter().filter(|migration| migration.version > applied) {
        execute(&mut tx, migration.sql).await?;
        let note = format!(
            "INSERT INTO schema_migration (family, version, minimum_reader) VALUES ('{family}', {}, {})",
            migration.version, migration.minimum_reader
        );
        execute(&mut tx, &note).await?;
        count += 1;
    }
    tx.commit().await?;
    Ok(count)
}

const FAMILIES: [(&str, &[Migration]); 2] = [("security", SECURITY), ("entities", ENTITIES)];

/// Checks that a newer program has not changed the schema beyond what this one can read, while this one runs.
///
/// # Errors
/// [`StoreError::Unreadable`] if so.
pub async fn check_readable(tx: &mut Tx) -> Result<(), StoreError> {
    const MINIMUM: &str = "SELECT family, MAX(minimum_reader) FROM schema_migration GROUP BY family";
    let rows: Vec<(String, i64)> = super::on!(tx, connection => sqlx::query_as(MINIMUM).fetch_all(connection).await)?;
    for (family, migrations) in FAMILIES {
        let minimum = rows.iter().find(|(name, _)| name == family).map_or(0, |(_, minimum)| *minimum);
        readable(family, minimum, migrations)?;
    }
    Ok(())
}

fn readable(family: &str, minimum_reader: i64, migrations: &[Migration]) -> Result<(), StoreError> {
    let known = migrations.last().map_or(0, |last| last.version);
    if minimum_reader <= known {
        return Ok(());
    }
    Err(StoreError::Unreadable(format!(
        "its {family} schema needs a program that knows version {minimum_reader}, this one knows {known}: \
         start the newer gateway-hub"
    )))
}

async fn state(tx: &mut Tx, family: &'static str) -> Result<(i64, i64), StoreError> {
    const STATE: &str =
        "SELECT COALESCE(MAX(version), 0), COALESCE(MAX(minimum_reader), 0) FROM schema_migration WHERE family = $1";
    Ok(super::on!(tx, connection => sqlx::query_as(STATE).bind(family).fetch_one(connection).await)?)
}

/// Runs a text of this program's own: nothing in it comes from outside.
async fn execute(tx: &mut Tx, sql: &str) -> Result<(), StoreError> {
    match tx.inner() {
        Inner::Sqlite(transaction) => {
            let sql = sql.replace(" COLLATE \"C\"", "");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **transaction).await?;
        }
        Inner::Postgres(transaction) => {
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut **transaction).await?;
        }
    }
    Ok(())
}
