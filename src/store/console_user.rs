//! Console users, their memberships and password hashes, and the first-run links.

use super::{StoreError, Tx, on, statements};
use crate::domain::console_user::ConsoleUser;
use crate::domain::name::Name;
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use sqlx::FromRow;

statements! {
    ALL = "SELECT u.id, u.name, u.created_at, COALESCE((SELECT string_agg(m.role_id, ' ') FROM console_user_role m \
        WHERE m.user_id = u.id), '') AS roles FROM console_user u ORDER BY u.name_key";
    GET = "SELECT u.id, u.name, u.created_at, COALESCE((SELECT string_agg(m.role_id, ' ') FROM console_user_role m \
        WHERE m.user_id = u.id), '') AS roles FROM console_user u WHERE u.id = $1";
    BY_NAME = "SELECT u.id, u.name, u.created_at, COALESCE((SELECT string_agg(m.role_id, ' ') FROM console_user_role m \
        WHERE m.user_id = u.id), '') AS roles FROM console_user u WHERE u.name_key = $1";
    ADMINISTRATORS = "SELECT COUNT(*) AS n FROM console_user_role WHERE role_id = 'role_administrator'";
    PASSWORD_HASH = "SELECT password_hash FROM console_user WHERE id = $1";
    INSERT = "INSERT INTO console_user (id, name, name_key, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)";
    INSERT_ROLE = "INSERT INTO console_user_role (user_id, role_id) VALUES ($1, $2)";
    SET_PASSWORD = "UPDATE console_user SET password_hash = $1 WHERE id = $2";
    DELETE = "DELETE FROM console_user WHERE id = $1";
    INSERT_LINK = "INSERT INTO first_run_link (token_hash, expires_at) VALUES ($1, $2)";
    LINK = "SELECT expires_at FROM first_run_link WHERE token_hash = $1";
    DELETE_LINKS = "DELETE FROM first_run_link";
    PRUNE_LINKS = "DELETE FROM first_run_link WHERE expires_at <= $1";
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    created_at: i64,
    roles: String,
}

impl TryFrom<Row> for ConsoleUser {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let name = Name::parse(&row.name)
            .map_err(|fault| StoreError::Unreadable(format!("console user {}: {fault}", row.id)))?;
        let mut roles: Vec<RoleId> = row.roles.split_ascii_whitespace().map(RoleId::new).collect();
        roles.sort_unstable();
        Ok(Self { id: row.id, name, roles, created_at: Timestamp::from_micros(row.created_at) })
    }
}

/// All console users, by name.
///
/// # Errors
/// [`StoreError`].
pub async fn all(tx: &mut Tx) -> Result<Vec<ConsoleUser>, StoreError> {
    let rows: Vec<Row> = on!(tx, connection => sqlx::query_as(ALL).fetch_all(connection).await)?;
    rows.into_iter().map(ConsoleUser::try_from).collect()
}

/// The console user of that id.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<ConsoleUser>, StoreError> {
    let row: Option<Row> = on!(tx, connection => sqlx::query_as(GET).bind(id).fetch_optional(connection).await)?;
    row.map(ConsoleUser::try_from).transpose()
}

/// The console user of that name, case-folded.
///
/// # Errors
/// [`StoreError`].
pub async fn by_name(tx: &mut Tx, name: &Name) -> Result<Option<ConsoleUser>, StoreError> {
    let row: Option<Row> =
        on!(tx, connection => sqlx::query_as(BY_NAME).bind(name.key()).fetch_optional(connection).await)?;
    row.map(ConsoleUser::try_from).transpose()
}

/// How many console users have the built-in role Administrator.
///
/// # Errors
/// [`StoreError`].
pub async fn administrators(tx: &mut Tx) -> Result<u64, StoreError> {
    let (count,): (i64,) = on!(tx, connection => sqlx::query_as(ADMINISTRATORS).fetch_one(connection).await)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The hash of a user's password.
///
/// # Errors
/// [`StoreError`].
pub async fn password_hash(tx: &mut Tx, id: &str) -> Result<Option<String>, StoreError> {
    let row: Option<(String,)> =
        on!(tx, connection => sqlx::query_as(PASSWORD_HASH).bind(id).fetch_optional(connection).await)?;
    Ok(row.map(|(hash,)| hash))
}

/// Adds a console user.
///
/// # Errors
/// [`StoreError::Duplicate`] for a name that is taken, [`StoreError::Dangling`] for a role that is gone.
pub async fn insert(tx: &mut Tx, user: &ConsoleUser, password_hash: &str) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(INSERT)
        .bind(&user.id)
        .bind(user.name.as_str())
        .bind(user.name.key())
        .bind(password_hash)
        .bind(user.created_at.micros())
        .execute(connection).await.map(|_| ()))?;
    for role in &user.roles {
        on!(tx, connection => sqlx::query(INSERT_ROLE).bind(&user.id).bind(role.as_str())
            .execute(connection).await.map(|_| ()))?;
    }
    Ok(())
}

/// Sets a user's password.
///
/// # Errors
/// [`StoreError`].
pub async fn set_password(tx: &mut Tx, id: &str, password_hash: &str) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(SET_PASSWORD).bind(password_hash).bind(id)
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Removes a console user, with memberships and sessions.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(DELETE).bind(id).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Adds a first-run link.
///
/// # Errors
/// [`StoreError`].
pub async fn insert_link(tx: &mut Tx, token_hash: &str, expires_at: Timestamp) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(INSERT_LINK).bind(token_hash).bind(expires_at.micros())
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// When the first-run link of that token expires; `None` if there is no such link.
///
/// # Errors
/// [`StoreError`].
pub async fn link_expiry(tx: &mut Tx, token_hash: &str) -> Result<Option<Timestamp>, StoreError> {
    let row: Option<(i64,)> =
        on!(tx, connection => sqlx::query_as(LINK).bind(token_hash).fetch_optional(connection).await)?;
    Ok(row.map(|(expiry,)| Timestamp::from_micros(expiry)))
}

/// Removes all first-run links.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_links(tx: &mut Tx) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(DELETE_LINKS).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Removes the first-run links that expired by `now`.
///
/// # Errors
/// [`StoreError`].
pub async fn prune_links(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(PRUNE_LINKS).bind(now.micros()).execute(connection).await.map(|_| ()))?;
    Ok(())
}
