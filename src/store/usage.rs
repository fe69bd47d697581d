//! What applications do: counts per day, the grants they used, and when application and secret were last used.

use super::rows::{ROWS, widened};
use super::{StoreError, Tx, on, statements};
use crate::domain::application::{ClientId, CredentialId};
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::LazyLock;

statements! {
    // An application that was deleted meanwhile gets no row; nor does the empty client_id that fills up a statement.
    ADD = "WITH f (client_id, day, tokens, requests, refusals, grants) AS (VALUES (CAST($1 AS TEXT), \
        CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS TEXT))) \
        INSERT INTO usage_day (client_id, day, tokens, requests, refusals, grants) \
        SELECT f.client_id, f.day, f.tokens, f.requests, f.refusals, f.grants FROM f \
        JOIN application a ON a.client_id = f.client_id WHERE f.client_id <> '' \
        ON CONFLICT (client_id, day) DO UPDATE SET tokens = usage_day.tokens + excluded.tokens, \
        requests = usage_day.requests + excluded.requests, refusals = usage_day.refusals + excluded.refusals, \
        grants = CASE WHEN usage_day.grants LIKE '%' || excluded.grants || '%' THEN usage_day.grants \
        ELSE usage_day.grants || excluded.grants END";
    TOUCH = "WITH f (client_id, at) AS (VALUES (CAST($1 AS TEXT), CAST($2 AS BIGINT))) UPDATE application \
        SET last_used_at = f.at FROM f WHERE application.client_id = f.client_id \
        AND (application.last_used_at IS NULL OR application.last_used_at < f.at)";
    TOUCH_SECRET = "WITH f (id, at) AS (VALUES (CAST($1 AS TEXT), CAST($2 AS BIGINT))) UPDATE api_secret \
        SET last_used_at = f.at FROM f WHERE api_secret.id = f.id \
        AND (api_secret.last_used_at IS NULL OR api_secret.last_used_at < f.at)";
    OF_APPLICATION = "SELECT client_id, day, tokens, requests, refusals, grants FROM usage_day \
        WHERE client_id = $1 AND day >= $2 ORDER BY day";
    LAST_USED = "SELECT last_used_at FROM application WHERE client_id = $1";
    SECRETS_LAST_USED = "SELECT id, last_used_at FROM api_secret WHERE client_id = $1";
    PRUNE = "DELETE FROM usage_day WHERE (client_id, day) IN \
        (SELECT client_id, day FROM usage_day WHERE day < $1 LIMIT $2)";
}

static ADD_MANY: LazyLock<String> = LazyLock::new(|| widened(ADD));
static TOUCH_MANY: LazyLock<String> = LazyLock::new(|| widened(TOUCH));
static TOUCH_SECRET_MANY: LazyLock<String> = LazyLock::new(|| widened(TOUCH_SECRET));

/// What an application did on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayUsage {
    /// The application.
    pub client_id: String,
    /// The day, counted from 1970-01-01, in UTC.
    pub day: i32,
    /// Access tokens issued to it.
    pub tokens: u64,
    /// Its requests that were let through.
    pub requests: u64,
    /// What it was refused: token requests and requests.
    pub refusals: u64,
    /// The grants that its requests used, such as `entities:view`.
    pub grants: BTreeSet<String>,
}

/// The day in which an instant lies, counted from 1970-01-01, in UTC.
#[must_use]
pub fn day_of(at: Timestamp) -> i32 {
    i32::try_from(at.seconds().div_euclid(86_400)).unwrap_or_default()
}

/// Adds to the days' counts; grants are united. At most one entry for an application and day.
///
/// # Errors
/// [`StoreError`]; [`StoreError::Dangling`] if an application was deleted in this very moment: try again.
pub async fn add(tx: &mut Tx, days: &[DayUsage]) -> Result<(), StoreError> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    for chunk in days.chunks(ROWS) {
        // The statement unites with one grant at a time, so the second grant of a day goes into a second one, and so on.
        let rounds = chunk.iter().map(|day| day.grants.len()).max().unwrap_or(0).max(1);
        for round in 0..rounds {
            let rows: Vec<&DayUsage> = chunk.iter().filter(|day| round == 0 || day.grants.len() > round).collect();
            on!(tx, connection => {
                let mut query = sqlx::query(ADD_MANY.as_str());
                for day in &rows {
                    let grant = day.grants.iter().nth(round).map_or_else(String::new, |grant| format!(" {grant}"));
                    let counts = if round == 0 { [day.tokens, day.requests, day.refusals] } else { [0; 3] };
                    query = query.bind(&day.client_id).bind(i64::from(day.day));
                    query = query.bind(number(counts[0])).bind(number(counts[1])).bind(number(counts[2])).bind(grant);
                }
                for _ in rows.len()..ROWS {
                    query = query.bind("").bind(0_i64).bind(0_i64).bind(0_i64).bind(0_i64).bind("");
                }
                query.execute(connection).await.map(|_| ())
            })?;
        }
    }
    Ok(())
}

/// Notes when applications were last used, if that is later than what is known.
///
/// # Errors
/// [`StoreError`].
pub async fn touch(tx: &mut Tx, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
    touch_many(tx, TOUCH_MANY.as_str(), uses).await
}

/// The same of secrets, by their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn touch_secrets(tx: &mut Tx, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
    touch_many(tx, TOUCH_SECRET_MANY.as_str(), uses).await
}

async fn touch_many(tx: &mut Tx, sql: &'static str, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
    for chunk in uses.chunks(ROWS) {
        on!(tx, connection => {
            let mut query = sqlx::query(sql);
            for (id, at) in chunk {
                query = query.bind(id).bind(at.micros());
            }
            for _ in chunk.len()..ROWS {
                query = query.bind("").bind(0_i64);
            }
            query.execute(connection).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// What an application did from that day on, by day; days without use have no entry.
///
/// # Errors
/// [`StoreError`].
pub async fn of_application(tx: &mut Tx, client_id: &ClientId, from_day: i32) -> Result<Vec<DayUsage>, StoreError> {
    let rows: Vec<(String, i64, i64, i64, i64, String)> = on!(tx, connection => sqlx::query_as(OF_APPLICATION)
        .bind(client_id.as_str()).bind(i64::from(from_day)).fetch_all(connection).await)?;
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    let usage = |(client_id, day, tokens, requests, refusals, grants): (String, i64, i64, i64, i64, String)| DayUsage {
        client_id,
        day: i32::try_from(day).unwrap_or_default(),
        tokens: count(tokens),
        requests: count(requests),
        refusals: count(refusals),
        grants: grants.split_ascii_whitespace().map(ToOwned::to_owned).collect(),
    };
    Ok(rows.into_iter().map(usage).collect())
}

/// When each of these applications was last used, in their order; `None` for never.
///
/// # Errors
/// [`StoreError`].
pub async fn last_used(tx: &mut Tx, client_ids: &[ClientId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
    let mut uses = Vec::with_capacity(client_ids.len());
    for client_id in client_ids {
        let row: Option<(Option<i64>,)> =
            on!(tx, connection => sqlx::query_as(LAST_USED).bind(client_id.as_str()).fetch_optional(connection).await)?;
        uses.push(row.and_then(|(at,)| at).map(Timestamp::from_micros));
    }
    Ok(uses)
}

/// When each secret of an application was last used; `None` for never.
///
/// # Errors
/// [`StoreError`].
pub async fn secrets_last_used(
    tx: &mut Tx,
    client_id: &ClientId,
) -> Result<Vec<(CredentialId, Option<Timestamp>)>, StoreError> {
    let rows: Vec<(String, Option<i64>)> = on!(tx, connection => sqlx::query_as(SECRETS_LAST_USED)
        .bind(client_id.as_str()).fetch_all(connection).await)?;
    let parsed = rows.into_iter().filter_map(|(id, at)| Some((CredentialId::parse(&id)?, at)));
    Ok(parsed.map(|(id, at)| (id, at.map(Timestamp::from_micros))).collect())
}

/// Drops at most `limit` rows of days before `before`; gives how many.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(tx: &mut Tx, before: i32, limit: u32) -> Result<u64, StoreError> {
    Ok(on!(tx, connection => sqlx::query(PRUNE).bind(i64::from(before)).bind(i64::from(limit))
        .execute(connection).await.map(|done| done.rows_affected()))?)
}
