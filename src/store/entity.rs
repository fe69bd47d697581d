//! The entity inventory. Speaks of transactions from `Store::read_entities` and `Store::write_entities` only.

use super::{StoreError, Tx, on, statements};
use crate::domain::entity::{Attributes, Entity, EntityId, EntityVersion};
use crate::domain::time::Timestamp;
use sqlx::FromRow;
use std::collections::BTreeMap;

statements! {
    GET = "SELECT id, version, attributes FROM entity WHERE id = $1";
    ANY = "SELECT id, version, attributes FROM entity LIMIT 1";
    INSERT = "INSERT INTO entity (id, version, attributes, updated_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING";
    UPDATE = "UPDATE entity SET version = $1, attributes = $2, updated_at = $3 WHERE id = $4 AND version = $5";
    DELETE = "DELETE FROM entity WHERE id = $1 AND version = $2";
    INSERT_ATTRIBUTE = "INSERT INTO entity_attribute (entity_id, key, value) VALUES ($1, $2, $3)";
    DELETE_ATTRIBUTES = "DELETE FROM entity_attribute WHERE entity_id = $1";
}

#[derive(FromRow)]
pub(super) struct Row {
    id: String,
    version: String,
    attributes: String,
}

impl TryFrom<Row> for Entity {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable = |what: String| StoreError::Unreadable(format!("entity {:?}: {what}", row.id));
        let attributes: BTreeMap<String, String> =
            serde_json::from_str(&row.attributes).map_err(|error| unreadable(error.to_string()))?;
        let attributes = Attributes::new(attributes).map_err(|fault| unreadable(fault.to_string()))?;
        let id = EntityId::parse(row.id.as_str()).map_err(|fault| unreadable(fault.to_string()))?;
        Ok(Self { id, attributes, version: EntityVersion::new(row.version) })
    }
}

/// The entity of that id.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, id: &EntityId) -> Result<Option<Entity>, StoreError> {
    let row: Option<Row> =
        on!(tx, connection => sqlx::query_as(GET).bind(id.as_str()).fetch_optional(connection).await)?;
    row.map(Entity::try_from).transpose()
}

/// Whether there are no entities at all.
///
/// # Errors
/// [`StoreError`].
pub async fn is_empty(tx: &mut Tx) -> Result<bool, StoreError> {
    let row: Option<Row> = on!(tx, connection => sqlx::query_as(ANY).fetch_optional(connection).await)?;
    Ok(row.is_none())
}

/// Adds an entity.
///
/// # Errors
/// [`StoreError::Contention`] if its id was taken meanwhile.
pub async fn insert(tx: &mut Tx, entity: &Entity, now: Timestamp) -> Result<(), StoreError> {
    let inserted = on!(tx, connection => sqlx::query(INSERT)
        .bind(entity.id.as_str())
        .bind(entity.version.as_str())
        .bind(document(entity)?)
        .bind(now.micros())
        .execute(connection).await.map(|done| done.rows_affected()))?;
    only_once(inserted)?;
    insert_attributes(tx, entity).await
}

/// Replaces an entity whose version was `before`.
///
/// # Errors
/// [`StoreError::Contention`] if it was changed or deleted meanwhile.
pub async fn replace(tx: &mut Tx, before: &EntityVersion, entity: &Entity, now: Timestamp) -> Result<(), StoreError> {
    let updated = on!(tx, connection => sqlx::query(UPDATE)
        .bind(entity.version.as_str())
        .bind(document(entity)?)
        .bind(now.micros())
        .bind(entity.id.as_str())
        .bind(before.as_str())
        .execute(connection).await.map(|done| done.rows_affected()))?;
    only_once(updated)?;
    on!(tx, connection => sqlx::query(DELETE_ATTRIBUTES).bind(entity.id.as_str())
        .execute(connection).await.map(|_| ()))?;
    insert_attributes(tx, entity).await
}

/// Removes an entity whose version was `before`.
///
/// # Errors
/// [`StoreError::Contention`] if it was changed or deleted meanwhile.
pub async fn delete(tx: &mut Tx, id: &EntityId, before: &EntityVersion) -> Result<(), StoreError> {
    let deleted = on!(tx, connection => sqlx::query(DELETE)
        .bind(id.as_str())
        .bind(before.as_str())
        .execute(connection).await.map(|done| done.rows_affected()))?;
    only_once(deleted)
}

/// On PostgreSQL two writers read the same state at once; the second to write finds that it is no longer so.
fn only_once(rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Contention) }
}

pub(super) fn document(entity: &Entity) -> Result<String, StoreError> {
    serde_json::to_string(&entity.attributes).map_err(|error| StoreError::Refused(error.to_string()))
}

async fn insert_attributes(tx: &mut Tx, entity: &Entity) -> Result<(), StoreError> {
    for (key, value) in entity.attributes.as_map() {
        on!(tx, connection => sqlx::query(INSERT_ATTRIBUTE)
            .bind(entity.id.as_str())
            .bind(key.as_str())
            .bind(value.as_str())
            .execute(connection).await.map(|_| ()))?;
    }
    Ok(())
}
