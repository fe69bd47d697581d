//! The nodes of this store, as they report themselves.

use super::{StoreError, Tx, on, statements};
use crate::domain::node::Node;
use crate::domain::time::Timestamp;
use std::time::Duration;

statements! {
    REPORT = "INSERT INTO node (id, name, version, started_at, applied, applied_at, polled_at, staleness_limit, seen_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET applied = excluded.applied, \
        applied_at = excluded.applied_at, polled_at = excluded.polled_at, seen_at = excluded.seen_at";
    ALL = "SELECT id, name, version, started_at, applied, applied_at, polled_at, staleness_limit, seen_at \
        FROM node ORDER BY name, started_at, id";
    DELETE = "DELETE FROM node WHERE id = $1";
    DELETE_OTHERS = "DELETE FROM node WHERE id <> $1";
    PRUNE = "DELETE FROM node WHERE seen_at < $1";
}

/// Puts a node's report in place of its last one.
///
/// # Errors
/// [`StoreError`].
pub async fn report(tx: &mut Tx, node: &Node) -> Result<(), StoreError> {
    let micros = i64::try_from(node.staleness_limit.as_micros()).unwrap_or(i64::MAX);
    on!(tx, connection => sqlx::query(REPORT)
        .bind(&node.id)
        .bind(&node.name)
        .bind(&node.version)
        .bind(node.started_at.micros())
        .bind(i64::try_from(node.applied).unwrap_or(i64::MAX))
        .bind(node.applied_at.micros())
        .bind(node.polled_at.map_or(0, Timestamp::micros))
        .bind(micros)
        .bind(node.seen_at.micros())
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// All nodes, by name.
///
/// # Errors
/// [`StoreError`].
pub async fn all(tx: &mut Tx) -> Result<Vec<Node>, StoreError> {
    type Row = (String, String, String, i64, i64, i64, i64, i64, i64);
    let rows: Vec<Row> = on!(tx, connection => sqlx::query_as(ALL).fetch_all(connection).await)?;
    let node = |(id, name, version, started_at, applied, applied_at, polled_at, staleness_limit, seen_at): Row| Node {
        id,
        name,
        version,
        started_at: Timestamp::from_micros(started_at),
        applied: u64::try_from(applied).unwrap_or_default(),
        applied_at: Timestamp::from_micros(applied_at),
        polled_at: (polled_at != 0).then(|| Timestamp::from_micros(polled_at)),
        staleness_limit: Duration::from_micros(u64::try_from(staleness_limit).unwrap_or_default()),
        seen_at: Timestamp::from_micros(seen_at),
    };
    Ok(rows.into_iter().map(node).collect())
}

/// Removes a node that stops.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(DELETE).bind(id).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Removes every node but this one.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_others(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(DELETE_OTHERS).bind(id).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Drops the nodes that were last heard of before `before`.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(PRUNE).bind(before.micros()).execute(connection).await.map(|_| ()))?;
    Ok(())
}
