//! The audit log: appended to with every change, and never altered.

use super::rows::{ROWS, widened};
use super::{StoreError, Tx, on, statements};
use crate::domain::audit_event::AuditEvent;
use crate::domain::time::Timestamp;
use sqlx::FromRow;
use std::sync::LazyLock;

statements! {
    APPEND = "INSERT INTO audit_event (sequence, at, actor_kind, actor_id, actor_name, source, action, target_kind, \
        target_id, target_name, before_state, after_state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    PAGE = "SELECT sequence, at, actor_kind, actor_id, actor_name, source, action, target_kind, target_id, target_name, \
        before_state, after_state FROM audit_event WHERE sequence < $1 ORDER BY sequence DESC LIMIT $2";
    OF_TARGET = "SELECT sequence, at, actor_kind, actor_id, actor_name, source, action, target_kind, target_id, \
        target_name, before_state, after_state FROM audit_event WHERE target_kind = $1 AND target_id = $2 \
        AND sequence < $3 ORDER BY sequence DESC LIMIT $4";
}

static APPEND_MANY: LazyLock<String> = LazyLock::new(|| widened(APPEND));

#[derive(FromRow)]
struct Row {
    sequence: i64,
    at: i64,
    actor_kind: String,
    actor_id: String,
    actor_name: String,
    source: String,
    action: String,
    target_kind: String,
    target_id: String,
    target_name: String,
    before_state: String,
    after_state: String,
}

impl From<Row> for AuditEvent {
    fn from(row: Row) -> Self {
        Self {
            sequence: row.sequence,
            nonce: 0,
            at: Timestamp::from_micros(row.at),
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            source: row.source,
            action: row.action,
            target_kind: row.target_kind,
            target_id: row.target_id,
            target_name: row.target_name,
            before: row.before_state,
            after: row.after_state,
        }
    }
}

/// Appends under these numbers; called by [`Tx::commit`] alone.
pub(super) async fn append(tx: &mut Tx, events: &[(i64, &AuditEvent)]) -> Result<(), StoreError> {
    for chunk in events.chunks(ROWS) {
        let chunks = if chunk.len() == ROWS { vec![chunk] } else { chunk.chunks(1).collect() };
        for chunk in chunks {
            on!(tx, connection => {
                let mut query = sqlx::query(if chunk.len() == ROWS { APPEND_MANY.as_str() } else { APPEND });
                for (sequence, event) in chunk {
                    query = query
                        .bind(*sequence)
                        .bind(event.at.micros())
                        .bind(&event.actor_kind)
                        .bind(&event.actor_id)
                        .bind(&event.actor_name)
                        .bind(&event.source)
                        .bind(&event.action)
                        .bind(&event.target_kind)
                        .bind(&event.target_id)
                        .bind(&event.target_name)
                        .bind(&event.before)
                        .bind(&event.after);
                }
                query.execute(connection).await.map(|_| ())
            })?;
        }
    }
    Ok(())
}

/// At most `limit` events before number `before` (`None`: from the newest on), newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn page(tx: &mut Tx, before: Option<i64>, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
    let before = before.unwrap_or(i64::MAX);
    let rows: Vec<Row> =
        on!(tx, connection => sqlx::query_as(PAGE).bind(before).bind(i64::from(limit)).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(AuditEvent::from).collect())
}

/// At most `limit` events about one thing before number `before` (`None`: from the newest on), newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of_target(
    tx: &mut Tx,
    kind: &str,
    id: &str,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<AuditEvent>, StoreError> {
    let before = before.unwrap_or(i64::MAX);
    let rows: Vec<Row> = on!(tx, connection => sqlx::query_as(OF_TARGET).bind(kind).bind(id).bind(before)
        .bind(i64::from(limit)).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(AuditEvent::from).collect())
}
