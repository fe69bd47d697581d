//! Reading and writing many entities at once. The same transactions as in [`super::entity`].

use super::entity::{Row, document};
use super::rows::{ROWS, widened};
use super::{StoreError, Tx, on, statements};
use crate::domain::entity::{Entity, EntityId, EntityVersion};
use crate::domain::time::Timestamp;
use std::sync::LazyLock;

statements! {
    GET = "WITH f (id) AS (VALUES (CAST($1 AS TEXT))) SELECT e.id, e.version, e.attributes FROM f \
        JOIN entity e ON e.id = f.id";
    // No id is empty, so the rows that fill up a statement insert and change nothing.
    INSERT = "WITH f (id, version, attributes, updated_at) AS (VALUES (CAST($1 AS TEXT), CAST($2 AS TEXT), \
        CAST($3 AS TEXT), CAST($4 AS BIGINT))) INSERT INTO entity (id, version, attributes, updated_at) \
        SELECT f.id, f.version, f.attributes, f.updated_at FROM f WHERE f.id <> '' ON CONFLICT (id) DO NOTHING";
    UPDATE = "WITH f (id, before, version, attributes, updated_at) AS (VALUES (CAST($1 AS TEXT), CAST($2 AS TEXT), \
        CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT))) UPDATE entity SET version = f.version, \
        attributes = f.attributes, updated_at = f.updated_at FROM f WHERE entity.id = f.id AND entity.version = f.before";
    DELETE_ATTRIBUTES = "WITH f (id) AS (VALUES (CAST($1 AS TEXT))) DELETE FROM entity_attribute \
        WHERE entity_id IN (SELECT f.id FROM f)";
    INSERT_ATTRIBUTE = "WITH f (entity_id, key, value) AS (VALUES (CAST($1 AS TEXT), CAST($2 AS TEXT), \
        CAST($3 AS TEXT))) INSERT INTO entity_attribute (entity_id, key, value) \
        SELECT f.entity_id, f.key, f.value FROM f WHERE f.entity_id <> ''";
}

static GET_MANY: LazyLock<String> = LazyLock::new(|| widened(GET));
static INSERT_MANY: LazyLock<String> = LazyLock::new(|| widened(INSERT));
static UPDATE_MANY: LazyLock<String> = LazyLock::new(|| widened(UPDATE));
static DELETE_ATTRIBUTES_MANY: LazyLock<String> = LazyLock::new(|| widened(DELETE_ATTRIBUTES));
static INSERT_ATTRIBUTE_MANY: LazyLock<String> = LazyLock::new(|| widened(INSERT_ATTRIBUTE));

/// The entities of these ids, in no order; each id once.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, ids: &[&EntityId]) -> Result<Vec<Entity>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(ROWS) {
        let rows: Vec<Row> = on!(tx, connection => {
            let mut query = sqlx::query_as(GET_MANY.as_str());
            for at in 0..ROWS {
                query = query.bind(chunk.get(at).map_or("", |id| id.as_str()));
            }
            query.fetch_all(connection).await
        })?;
        for row in rows {
            found.push(row.try_into()?);
        }
    }
    Ok(found)
}

/// Adds entities, each id once.
///
/// # Errors
/// [`StoreError::Contention`] if one of their ids was taken meanwhile.
pub async fn insert(tx: &mut Tx, entities: &[&Entity], now: Timestamp) -> Result<(), StoreError> {
    for chunk in entities.chunks(ROWS) {
        let inserted = on!(tx, connection => {
            let mut query = sqlx::query(INSERT_MANY.as_str());
            for entity in chunk {
                query = query.bind(entity.id.as_str()).bind(entity.version.as_str()).bind(document(entity)?)
                    .bind(now.micros());
            }
            for _ in chunk.len()..ROWS {
                query = query.bind("").bind("").bind(String::new()).bind(0_i64);
            }
            query.execute(connection).await.map(|done| done.rows_affected())
        })?;
        all_of(chunk.len(), inserted)?;
    }
    insert_attributes(tx, entities).await
}

/// Replaces entities whose versions were as given, each id once.
///
/// # Errors
/// [`StoreError::Contention`] if one of them was changed or deleted meanwhile.
pub async fn replace(tx: &mut Tx, entities: &[(&EntityVersion, &Entity)], now: Timestamp) -> Result<(), StoreError> {
    for chunk in entities.chunks(ROWS) {
        let updated = on!(tx, connection => {
            let mut query = sqlx::query(UPDATE_MANY.as_str());
            for (before, entity) in chunk {
                query = query.bind(entity.id.as_str()).bind(before.as_str()).bind(entity.version.as_str())
                    .bind(document(entity)?).bind(now.micros());
            }
            for _ in chunk.len()..ROWS {
                query = query.bind("").bind("").bind("").bind(String::new()).bind(0_i64);
            }
            query.execute(connection).await.map(|done| done.rows_affected())
        })?;
        all_of(chunk.len(), updated)?;
        on!(tx, connection => {
            let mut query = sqlx::query(DELETE_ATTRIBUTES_MANY.as_str());
            for at in 0..ROWS {
                query = query.bind(chunk.get(at).map_or("", |(_, entity)| entity.id.as_str()));
            }
            query.execute(connection).await.map(|_| ())
        })?;
    }
    let entities: Vec<&Entity> = entities.iter().map(|(_, entity)| *entity).collect();
    insert_attributes(tx, &entities).await
}

async fn insert_attributes(tx: &mut Tx, entities: &[&Entity]) -> Result<(), StoreError> {
    let of = |entity: &&Entity| {
        let id = entity.id.as_str().to_owned();
        let attributes = entity.attributes.as_map().clone();
        attributes.into_iter().map(move |(key, value)| (id.clone(), key, value))
    };
    let mut rows = entities.iter().flat_map(of).peekable();
    while rows.peek().is_some() {
        on!(tx, connection => {
            let mut query = sqlx::query(INSERT_ATTRIBUTE_MANY.as_str());
            for _ in 0..ROWS {
                let (id, key, value) = rows.next().unwrap_or_default();
                query = query.bind(id).bind(key).bind(value);
            }
            query.execute(connection).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// On PostgreSQL two writers read the same state at once; the second to write finds that it is no longer so.
fn all_of(wanted: usize, done: u64) -> Result<(), StoreError> {
    if u64::try_from(wanted).is_ok_and(|wanted| wanted == done) { Ok(()) } else { Err(StoreError::Contention) }
}
