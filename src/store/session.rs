//! Sessions of the Web Console.

use super::{StoreError, Tx, on, statements};
use crate::domain::console_user::Session;
use crate::domain::time::Timestamp;

statements! {
    GET = "SELECT token_hash, user_id, signed_in_at, seen_at FROM console_session WHERE token_hash = $1";
    INSERT = "INSERT INTO console_session (token_hash, user_id, signed_in_at, seen_at) VALUES ($1, $2, $3, $4)";
    SEEN = "UPDATE console_session SET seen_at = $1 WHERE token_hash = $2";
    DELETE = "DELETE FROM console_session WHERE token_hash = $1";
    DELETE_OF = "DELETE FROM console_session WHERE user_id = $1";
    PRUNE = "DELETE FROM console_session WHERE signed_in_at < $1 OR seen_at < $2";
}

/// The session of that token's hash.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, token_hash: &str) -> Result<Option<Session>, StoreError> {
    let row: Option<(String, String, i64, i64)> =
        on!(tx, connection => sqlx::query_as(GET).bind(token_hash).fetch_optional(connection).await)?;
    Ok(row.map(|(token_hash, user_id, signed_in_at, seen_at)| Session {
        token_hash,
        user_id,
        signed_in_at: Timestamp::from_micros(signed_in_at),
        seen_at: Timestamp::from_micros(seen_at),
    }))
}

/// Adds a session.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, session: &Session) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(INSERT)
        .bind(&session.token_hash)
        .bind(&session.user_id)
        .bind(session.signed_in_at.micros())
        .bind(session.seen_at.micros())
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Notes that a session is in use.
///
/// # Errors
/// [`StoreError`].
pub async fn seen(tx: &mut Tx, token_hash: &str, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(SEEN).bind(now.micros()).bind(token_hash)
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, token_hash: &str) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(DELETE).bind(token_hash).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Ends all sessions of a user.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_of_user(tx: &mut Tx, user_id: &str) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(DELETE_OF).bind(user_id).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Drops the sessions that were begun before `signed_in_before` or last used before `seen_before`.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(tx: &mut Tx, signed_in_before: Timestamp, seen_before: Timestamp) -> Result<u64, StoreError> {
    Ok(on!(tx, connection => sqlx::query(PRUNE).bind(signed_in_before.micros()).bind(seen_before.micros())
        .execute(connection).await.map(|done| done.rows_affected()))?)
}
