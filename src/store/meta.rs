//! Single values that belong to the whole store, such as the check value of its key.

use super::{StoreError, Tx, on, statements};

statements! {
    GET = "SELECT value FROM meta WHERE name = $1";
    INSERT = "INSERT INTO meta (name, value) VALUES ($1, $2)";
}

/// Names of the values.
pub const KEY_CHECK: &str = "key_check";
/// The name under which a demonstration marks its store.
pub const DEMO: &str = "demo";

/// The wrapped key that signs assertions for upstreams.
pub const ASSERTION_KEY: &str = "assertion_key";

/// The value of that name.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<String>, StoreError> {
    let row: Option<(String,)> =
        on!(tx, connection => sqlx::query_as(GET).bind(name).fetch_optional(connection).await)?;
    Ok(row.map(|(value,)| value))
}

/// Sets a value that is not there yet.
///
/// # Errors
/// [`StoreError::Duplicate`] if it is.
pub async fn insert(tx: &mut Tx, name: &str, value: &str) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(INSERT).bind(name).bind(value).execute(connection).await.map(|_| ()))?;
    Ok(())
}
