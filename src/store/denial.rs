//! Refusals, counted per minute, reason, application and source.

use super::rows::{ROWS, widened};
use super::{StoreError, Tx, on, statements};
use crate::domain::denial::DenialReason;
use crate::domain::time::Timestamp;
use std::sync::LazyLock;

statements! {
    // `at` is never 0 but in rows that fill up a statement.
    ADD = "WITH f (client_id, at, reason, source, times) AS (VALUES (CAST($1 AS TEXT), CAST($2 AS BIGINT), \
        CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT))) \
        INSERT INTO denial (client_id, at, reason, source, times) \
        SELECT f.client_id, f.at, f.reason, f.source, f.times FROM f WHERE f.at > 0 \
        ON CONFLICT (client_id, at, reason, source) DO UPDATE SET times = denial.times + excluded.times";
    RECENT = "SELECT at, reason, source, times FROM denial WHERE client_id = $1 AND at >= $2 \
        ORDER BY at DESC, reason, source LIMIT $3";
    PRUNE = "DELETE FROM denial WHERE (client_id, at, reason, source) IN \
        (SELECT client_id, at, reason, source FROM denial WHERE at < $1 LIMIT $2)";
}

static ADD_MANY: LazyLock<String> = LazyLock::new(|| widened(ADD));

/// Refusals of one reason from one source within one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The application, or empty where none of ours was named.
    pub client_id: String,
    /// The start of the minute.
    pub at: Timestamp,
    /// Why; `None` for a reason that a newer program wrote.
    pub reason: Option<DenialReason>,
    /// The caller's address, or empty for several together.
    pub source: String,
    /// How many.
    pub times: u64,
}

/// Adds to what is counted. No two of them may share application, minute, reason and source.
///
/// # Errors
/// [`StoreError`].
pub async fn add(tx: &mut Tx, denials: &[Denial]) -> Result<(), StoreError> {
    for chunk in denials.chunks(ROWS) {
        on!(tx, connection => {
            let mut query = sqlx::query(ADD_MANY.as_str());
            for denial in chunk {
                let reason = denial.reason.map_or("", DenialReason::as_str);
                let times = i64::try_from(denial.times).unwrap_or(i64::MAX);
                query = query.bind(&denial.client_id).bind(denial.at.micros()).bind(reason).bind(&denial.source).bind(times);
            }
            for _ in chunk.len()..ROWS {
                query = query.bind("").bind(0_i64).bind("").bind("").bind(0_i64);
            }
            query.execute(connection).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// The refusals of an application since then, newest first, at most `limit` rows. An empty `client_id` asks for those
/// that named none of ours.
///
/// # Errors
/// [`StoreError`].
pub async fn recent(tx: &mut Tx, client_id: &str, since: Timestamp, limit: u32) -> Result<Vec<Denial>, StoreError> {
    let rows: Vec<(i64, String, String, i64)> = on!(tx, connection => sqlx::query_as(RECENT).bind(client_id)
        .bind(since.micros()).bind(i64::from(limit)).fetch_all(connection).await)?;
    let denial = |(at, reason, source, times): (i64, String, String, i64)| Denial {
        client_id: client_id.to_owned(),
        at: Timestamp::from_micros(at),
        reason: DenialReason::named(&reason),
        source,
        times: u64::try_from(times).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(denial).collect())
}

/// Drops at most `limit` of those before `before`; gives how many.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    Ok(on!(tx, connection => sqlx::query(PRUNE).bind(before.micros()).bind(i64::from(limit))
        .execute(connection).await.map(|done| done.rows_affected()))?)
}
