//! Roles and their grants.

use super::{StoreError, Tx, on, statements};
use crate::domain::data_filter::DataFilter;
use crate::domain::grant::Grant;
use crate::domain::name::Name;
use crate::domain::role::{Role, RoleId};
use crate::domain::time::Timestamp;
use sqlx::FromRow;
use std::sync::Arc;

statements! {
    ALL = "SELECT r.id, r.name, r.filter, r.built_in, COALESCE((SELECT string_agg(g.grant_text, ' ') FROM role_grant g \
        WHERE g.role_id = r.id), '') AS grants FROM role r ORDER BY r.built_in DESC, r.name_key";
    GET = "SELECT r.id, r.name, r.filter, r.built_in, COALESCE((SELECT string_agg(g.grant_text, ' ') FROM role_grant g \
        WHERE g.role_id = r.id), '') AS grants FROM role r WHERE r.id = $1";
    BY_NAME = "SELECT r.id, r.name, r.filter, r.built_in, COALESCE((SELECT string_agg(g.grant_text, ' ') FROM role_grant g \
        WHERE g.role_id = r.id), '') AS grants FROM role r WHERE r.name_key = $1";
    INSERT = "INSERT INTO role (id, name, name_key, filter, built_in, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    UPDATE = "UPDATE role SET name = $1, name_key = $2, filter = $3 WHERE id = $4";
    DELETE = "DELETE FROM role WHERE id = $1";
    INSERT_GRANT = "INSERT INTO role_grant (role_id, grant_text) VALUES ($1, $2)";
    COUNT_APPLICATIONS = "SELECT COUNT(*) AS applications FROM \
        (SELECT 1 AS one FROM application_role WHERE role_id = $1 LIMIT $2) AS few";
    APPLICATIONS = "SELECT a.name, (SELECT COUNT(*) FROM application_role o WHERE o.client_id = a.client_id) AS roles \
        FROM application_role m JOIN application a ON a.client_id = m.client_id WHERE m.role_id = $1 \
        ORDER BY m.client_id LIMIT $2";
    CONSOLE_USERS = "SELECT u.name FROM console_user_role m JOIN console_user u ON u.id = m.user_id WHERE m.role_id = $1 \
        ORDER BY u.name_key";
    DELETE_GRANTS = "DELETE FROM role_grant WHERE role_id = $1";
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    filter: String,
    built_in: bool,
    grants: String,
}

impl TryFrom<Row> for Role {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable = |what: &str| StoreError::Unreadable(format!("role {}: {what}", row.id));
        let mut grants = Vec::new();
        for text in row.grants.split_ascii_whitespace() {
            grants.push(text.parse::<Grant>().map_err(|fault| unreadable(&fault.to_string()))?);
        }
        grants.sort_unstable();
        let filter = match row.filter.as_str() {
            "" => None,
            text => Some(Arc::new(DataFilter::parse(text).map_err(|fault| unreadable(&fault.to_string()))?)),
        };
        let name = Name::parse(&row.name).map_err(|fault| unreadable(&fault.to_string()))?;
        Ok(Self { id: RoleId::new(row.id), name, grants, filter, built_in: row.built_in })
    }
}

fn filter_text(role: &Role) -> String {
    role.filter.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// All roles: the built-in ones first, then by name.
///
/// # Errors
/// [`StoreError`].
pub async fn all(tx: &mut Tx) -> Result<Vec<Role>, StoreError> {
    let rows: Vec<Row> = on!(tx, connection => sqlx::query_as(ALL).fetch_all(connection).await)?;
    rows.into_iter().map(Role::try_from).collect()
}

/// The role of that id.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, id: &RoleId) -> Result<Option<Role>, StoreError> {
    let row: Option<Row> =
        on!(tx, connection => sqlx::query_as(GET).bind(id.as_str()).fetch_optional(connection).await)?;
    row.map(Role::try_from).transpose()
}

/// The role of that name, case-folded.
///
/// # Errors
/// [`StoreError`].
pub async fn by_name(tx: &mut Tx, name: &Name) -> Result<Option<Role>, StoreError> {
    let row: Option<Row> =
        on!(tx, connection => sqlx::query_as(BY_NAME).bind(name.key()).fetch_optional(connection).await)?;
    row.map(Role::try_from).transpose()
}

/// How many applications have the role, counted up to `most`.
///
/// # Errors
/// [`StoreError`].
pub async fn count_applications(tx: &mut Tx, id: &RoleId, most: u32) -> Result<u64, StoreError> {
    let (count,): (i64,) = on!(tx, connection => sqlx::query_as(COUNT_APPLICATIONS).bind(id.as_str())
        .bind(i64::from(most)).fetch_one(connection).await)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The names of some applications that have the role, each with how many roles it has; not in the order of names.
///
/// # Errors
/// [`StoreError`].
pub async fn applications(tx: &mut Tx, id: &RoleId, limit: u32) -> Result<Vec<(String, i64)>, StoreError> {
    on!(tx, connection => sqlx::query_as(APPLICATIONS).bind(id.as_str()).bind(i64::from(limit))
        .fetch_all(connection).await)
    .map_err(StoreError::from)
}

/// The names of the console users who have the role.
///
/// # Errors
/// [`StoreError`].
pub async fn console_users(tx: &mut Tx, id: &RoleId) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String,)> =
        on!(tx, connection => sqlx::query_as(CONSOLE_USERS).bind(id.as_str()).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Adds a role with its grants.
///
/// # Errors
/// [`StoreError::Duplicate`] for a name that is taken.
pub async fn insert(tx: &mut Tx, role: &Role, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(INSERT)
        .bind(role.id.as_str())
        .bind(role.name.as_str())
        .bind(role.name.key())
        .bind(filter_text(role))
        .bind(role.built_in)
        .bind(now.micros())
        .execute(connection).await.map(|_| ()))?;
    insert_grants(tx, role).await
}

/// Replaces a role's name, filter and grants.
///
/// # Errors
/// [`StoreError::Duplicate`] for a name that is taken.
pub async fn update(tx: &mut Tx, role: &Role) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(UPDATE)
        .bind(role.name.as_str())
        .bind(role.name.key())
        .bind(filter_text(role))
        .bind(role.id.as_str())
        .execute(connection).await.map(|_| ()))?;
    on!(tx, connection => sqlx::query(DELETE_GRANTS).bind(role.id.as_str()).execute(connection).await.map(|_| ()))?;
    insert_grants(tx, role).await
}

async fn insert_grants(tx: &mut Tx, role: &Role) -> Result<(), StoreError> {
    for grant in &role.grants {
        on!(tx, connection => sqlx::query(INSERT_GRANT).bind(role.id.as_str()).bind(grant.to_string())
            .execute(connection).await.map(|_| ()))?;
    }
    Ok(())
}

/// Removes a role, with its grants and memberships.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, id: &RoleId) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(DELETE).bind(id.as_str()).execute(connection).await.map(|_| ()))?;
    Ok(())
}
