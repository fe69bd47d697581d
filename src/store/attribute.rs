//! The attributes of all entities together: their names, their values, and how many have each. For callers who may view
//! every entity; for others only memory can tell what is visible.

use super::entity_search::{INDEXED, indexed};
use super::{StoreError, Tx, on, statements};

statements! {
    // Each step of the recursion goes to the next name in the index, so that its cost is that of what it gives.
    NAMES = "WITH RECURSIVE n (key) AS (SELECT (SELECT a.key FROM entity_attribute a WHERE a.key > $1 ORDER BY a.key \
        LIMIT 1) UNION ALL SELECT (SELECT a.key FROM entity_attribute a WHERE a.key > n.key ORDER BY a.key LIMIT 1) \
        FROM n WHERE n.key IS NOT NULL) SELECT n.key FROM n WHERE n.key IS NOT NULL LIMIT $2";
    // The same for the beginnings of a name's values.
    BEGINNINGS = "WITH RECURSIVE n (v) AS (SELECT (SELECT substr(a.value, 1, 100) FROM entity_attribute a \
        WHERE a.key = $1 AND substr(a.value, 1, 100) >= $2 ORDER BY substr(a.value, 1, 100) LIMIT 1) \
        UNION ALL SELECT (SELECT substr(a.value, 1, 100) FROM entity_attribute a WHERE a.key = $1 \
        AND substr(a.value, 1, 100) > n.v ORDER BY substr(a.value, 1, 100) LIMIT 1) FROM n WHERE n.v IS NOT NULL) \
        SELECT n.v FROM n WHERE n.v IS NOT NULL LIMIT $3";
    VALUES = "SELECT DISTINCT a.value FROM entity_attribute a WHERE a.key = $1 AND substr(a.value, 1, 100) = $2 \
        AND a.value > $3 ORDER BY a.value LIMIT $4";
    // Between two beginnings, and without a limit: SQLite counts in the index alone. PostgreSQL can't, because it wants the
    // value itself for that; asked for the first so many it would go through the index and read a row of the table for each
    // entry, in the order of values. So it reads each page of the table once.
    BEGINNING_COUNTS = "SELECT substr(a.value, 1, 100) AS v, COUNT(*) AS n FROM entity_attribute a WHERE a.key = $1 \
        AND substr(a.value, 1, 100) >= $2 AND substr(a.value, 1, 100) <= $3 GROUP BY substr(a.value, 1, 100) \
        ORDER BY substr(a.value, 1, 100)";
    COUNTS = "SELECT a.value, COUNT(*) AS n FROM entity_attribute a WHERE a.key = $1 \
        AND substr(a.value, 1, 100) = $2 AND a.value > $3 GROUP BY a.value ORDER BY a.value LIMIT $4";
    ALL = "SELECT COUNT(*) AS n FROM entity";
    WITH = "SELECT COUNT(*) AS n FROM entity_attribute a WHERE a.key = $1";
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// At most `limit` names of attributes after this one, in their order.
///
/// # Errors
/// [`StoreError`].
pub async fn names(tx: &mut Tx, after: &str, limit: usize) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> =
        on!(tx, connection => sqlx::query_as(NAMES).bind(after).bind(whole(limit)).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// The longest prefix that [`values`] takes, in characters.
pub const MAX_PREFIX: usize = INDEXED;

/// At most `limit` values of an attribute after this one, in their order, of those that begin with `prefix`.
///
/// # Errors
/// [`StoreError`].
pub async fn values(
    tx: &mut Tx,
    key: &str,
    prefix: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let mut found: Vec<String> = Vec::new();
    // One more: the first may be the value that this begins after.
    for beginning in beginnings(tx, key, indexed(after).max(prefix), limit + 1).await? {
        if !beginning.starts_with(prefix) {
            break;
        }
        if beginning.chars().count() < INDEXED {
            // It is the whole value.
            found.extend((beginning.as_str() > after).then_some(beginning));
        } else {
            let values: Vec<(String,)> = on!(tx, connection => sqlx::query_as(VALUES).bind(key).bind(&beginning)
                .bind(after).bind(whole(limit)).fetch_all(connection).await)?;
            found.extend(values.into_iter().map(|(value,)| value));
        }
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    Ok(found)
}

/// At most `limit` beginnings of an attribute's values from this one on.
async fn beginnings(tx: &mut Tx, key: &str, from: &str, limit: usize) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> = on!(tx, connection => sqlx::query_as(BEGINNINGS).bind(key).bind(from)
        .bind(whole(limit)).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(beginning,)| beginning).collect())
}

/// At most `limit` values of an attribute after this one, in their order, each with how many entities have it.
///
/// # Errors
/// [`StoreError`].
pub async fn counts(tx: &mut Tx, key: &str, after: &str, limit: usize) -> Result<Vec<(String, u64)>, StoreError> {
    let mut found: Vec<(String, u64)> = Vec::new();
    let from = indexed(after);
    // One more: the first may be the value that this begins after.
    let Some(last) = beginnings(tx, key, from, limit + 1).await?.pop() else { return Ok(found) };
    let rows: Vec<(String, i64)> = on!(tx, connection => sqlx::query_as(BEGINNING_COUNTS).bind(key).bind(from)
        .bind(&last).fetch_all(connection).await)?;
    for (beginning, count) in rows {
        if beginning.chars().count() < INDEXED {
            // It is the whole value.
            found.extend((beginning.as_str() > after).then_some((beginning, number(count))));
        } else {
            let values: Vec<(String, i64)> = on!(tx, connection => sqlx::query_as(COUNTS).bind(key).bind(&beginning)
                .bind(after).bind(whole(limit)).fetch_all(connection).await)?;
            found.extend(values.into_iter().map(|(value, count)| (value, number(count))));
        }
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    Ok(found)
}

/// How many entities do not have the attribute; `with` is how many have it, if that is known.
///
/// # Errors
/// [`StoreError`].
pub async fn without(tx: &mut Tx, key: &str, with: Option<u64>) -> Result<u64, StoreError> {
    let (all,): (i64,) = on!(tx, connection => sqlx::query_as(ALL).fetch_one(connection).await)?;
    let with = if let Some(with) = with {
        with
    } else {
        let (with,): (i64,) = on!(tx, connection => sqlx::query_as(WITH).bind(key).fetch_one(connection).await)?;
        number(with)
    };
    Ok(number(all).saturating_sub(with))
}
