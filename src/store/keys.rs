//! Peppers and signing keys, wrapped by the hub's key.

use super::{StoreError, Tx, on, statements};
use crate::domain::time::Timestamp;

statements! {
    PEPPERS = "SELECT id, wrapped FROM pepper ORDER BY created_at, id";
    INSERT_PEPPER = "INSERT INTO pepper (id, wrapped, created_at) VALUES ($1, $2, $3)";
    SIGNING_KEYS = "SELECT kid, algorithm, wrapped, signs_from, ends_at FROM signing_key ORDER BY signs_from, kid";
    INSERT_SIGNING_KEY = "INSERT INTO signing_key (kid, algorithm, wrapped, created_at, signs_from, ends_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
}

/// A pepper as stored.
#[derive(Clone, Debug)]
pub struct WrappedPepper {
    /// Its id.
    pub id: String,
    /// The wrapped key.
    pub wrapped: String,
}

/// A signing key as stored.
#[derive(Clone, Debug)]
pub struct WrappedSigningKey {
    /// Its `kid`.
    pub kid: String,
    /// `ES256`, `EdDSA` or `RS256`.
    pub algorithm: String,
    /// The wrapped PKCS #8 text.
    pub wrapped: String,
    /// From when on it may sign; it is published before.
    pub signs_from: Timestamp,
    /// From when on its signatures count no more.
    pub ends_at: Option<Timestamp>,
}

/// All peppers, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn peppers(tx: &mut Tx) -> Result<Vec<WrappedPepper>, StoreError> {
    let rows: Vec<(String, String)> = on!(tx, connection => sqlx::query_as(PEPPERS).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(id, wrapped)| WrappedPepper { id, wrapped }).collect())
}

/// Adds a pepper.
///
/// # Errors
/// [`StoreError`].
pub async fn insert_pepper(tx: &mut Tx, pepper: &WrappedPepper, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(INSERT_PEPPER).bind(&pepper.id).bind(&pepper.wrapped).bind(now.micros())
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// All signing keys, in the order in which they sign.
///
/// # Errors
/// [`StoreError`].
pub async fn signing_keys(tx: &mut Tx) -> Result<Vec<WrappedSigningKey>, StoreError> {
    let rows: Vec<(String, String, String, i64, Option<i64>)> =
        on!(tx, connection => sqlx::query_as(SIGNING_KEYS).fetch_all(connection).await)?;
    let key = |(kid, algorithm, wrapped, signs_from, ends_at)| WrappedSigningKey {
        kid,
        algorithm,
        wrapped,
        signs_from: Timestamp::from_micros(signs_from),
        ends_at: Option::map(ends_at, Timestamp::from_micros),
    };
    Ok(rows.into_iter().map(key).collect())
}

/// Adds a signing key.
///
/// # Errors
/// [`StoreError`].
pub async fn insert_signing_key(tx: &mut Tx, key: &WrappedSigningKey, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(INSERT_SIGNING_KEY)
        .bind(&key.kid)
        .bind(&key.algorithm)
        .bind(&key.wrapped)
        .bind(now.micros())
        .bind(key.signs_from.micros())
        .bind(key.ends_at.map(Timestamp::micros))
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}
