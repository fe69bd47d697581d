//! Revoked access tokens, kept until they expire.

use super::{StoreError, Tx, on, statements};
use crate::domain::time::Timestamp;

statements! {
    INSERT = "INSERT INTO revoked_token (jti, client_id, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    ALL = "SELECT jti, expires_at FROM revoked_token WHERE expires_at > $1";
    GET = "SELECT jti, expires_at FROM revoked_token WHERE jti = $1";
    PRUNE = "DELETE FROM revoked_token WHERE expires_at <= $1";
}

/// A revoked token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// Its `jti`.
    pub jti: String,
    /// When it would have expired, and the row may go.
    pub expires_at: Timestamp,
}

fn token((jti, expires_at): (String, i64)) -> RevokedToken {
    RevokedToken { jti, expires_at: Timestamp::from_micros(expires_at) }
}

/// Adds a revoked token; `false` if it was revoked already.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, token: &RevokedToken, client_id: &str) -> Result<bool, StoreError> {
    let rows = on!(tx, connection => sqlx::query(INSERT).bind(&token.jti).bind(client_id)
        .bind(token.expires_at.micros()).execute(connection).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// All that have not expired at `now`.
///
/// # Errors
/// [`StoreError`].
pub async fn all(tx: &mut Tx, now: Timestamp) -> Result<Vec<RevokedToken>, StoreError> {
    let rows: Vec<(String, i64)> =
        on!(tx, connection => sqlx::query_as(ALL).bind(now.micros()).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(token).collect())
}

/// The revoked token of that `jti`.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, jti: &str) -> Result<Option<RevokedToken>, StoreError> {
    let row: Option<(String, i64)> =
        on!(tx, connection => sqlx::query_as(GET).bind(jti).fetch_optional(connection).await)?;
    Ok(row.map(token))
}

/// Drops those that expired by `now`; gives how many.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    Ok(on!(tx, connection => sqlx::query(PRUNE).bind(now.micros()).execute(connection).await
        .map(|done| done.rows_affected()))?)
}
