//! Finding entities in the order of their ids: by the index of values where a filter allows it, else by looking at a stretch
//! of the table. Either way one step reads a bounded number of rows, and a step far into the table costs what the first does.

use super::entity::Row;
use super::{StoreError, Tx, on, statements};
use crate::domain::data_filter::{DataFilter, Equalities};
use crate::domain::entity::{Entity, EntityId};
use sqlx::AssertSqlSafe;

statements! {
    /// How many entities have a value, counted up to a limit: what to look up first.
    COUNT = "SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM entity_attribute a WHERE a.key = $1 \
        AND substr(a.value, 1, 100) = $2 AND a.value = $3 AND a.entity_id > $4 LIMIT $5) AS few";
    STRETCH_END = "SELECT id FROM entity WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";
}

/// Characters of a value that stand in the index (`migrations/entities/0002_by_value.sql`).
pub(super) const INDEXED: usize = 100;
/// How many rows of the table one step looks at where no index helps.
const STRETCH: usize = 10_000;
/// How far rows are counted to tell a rare value from a frequent one.
const COUNTED: usize = 1_000;

/// What one step found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Entities in the order of their ids: all that the filters select between the place where the step began and
    /// `searched_to`, and perhaps more. Memory decides.
    pub entities: Vec<Entity>,
    /// The id up to which all was looked at; `None` if there is nothing more.
    pub searched_to: Option<EntityId>,
    /// How many rows the database looked at, about.
    pub looked_at: usize,
}

/// One step: entities whose ids follow `after`, at most `limit` of them.
///
/// # Errors
/// [`StoreError`].
pub async fn search(tx: &mut Tx, after: &str, filters: &[&DataFilter], limit: usize) -> Result<Found, StoreError> {
    let sets: Vec<Equalities<'_>> = filters.iter().flat_map(|filter| filter.equalities()).collect();
    let limit = limit.min(1_000_000);
    match rarest(tx, after, sets).await? {
        Some(equalities) => by_value(tx, after, &equalities, limit).await,
        None => by_looking(tx, after, filters, limit).await,
    }
}

/// The set that the fewest entities have.
async fn rarest<'a>(
    tx: &mut Tx,
    after: &str,
    mut sets: Vec<Equalities<'a>>,
) -> Result<Option<Equalities<'a>>, StoreError> {
    sets.sort_by_key(Vec::len);
    sets.dedup();
    if sets.len() < 2 {
        return Ok(sets.pop());
    }
    let mut best: Option<(usize, Equalities<'a>)> = None;
    for set in sets {
        let most = best.as_ref().map_or(COUNTED, |(count, _)| *count);
        let mut count = 0;
        for (key, value) in &set {
            let (more,): (i64,) = on!(tx, connection => sqlx::query_as(COUNT).bind(*key).bind(indexed(value)).bind(*value)
                .bind(after).bind(whole(most - count)).fetch_one(connection).await)?;
            count += usize::try_from(more).unwrap_or_default();
            if count >= most {
                break;
            }
        }
        if best.is_none() || count < most {
            best = Some((count, set));
        }
    }
    Ok(best.map(|(_, set)| set))
}

/// The beginning of a value, as it stands in the index.
pub(super) fn indexed(value: &str) -> &str {
    value.char_indices().nth(INDEXED).map_or(value, |(end, _)| &value[..end])
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Each value's entities stand in the index in the order of their ids, so that a step reads no more than its limit of each.
async fn by_value(tx: &mut Tx, after: &str, equalities: &[(&str, &str)], limit: usize) -> Result<Found, StoreError> {
    let lengths: Vec<Length> = equalities.iter().map(|(_, value)| Length::of(value)).collect();
    let sql = by_value_sql(&lengths);
    let rows: Vec<Row> = on!(tx, connection => {
        // The text is made of our own words and placeholders; every value is bound.
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).persistent(false).bind(after).bind(whole(limit));
        for ((key, value), length) in equalities.iter().zip(&lengths) {
            query = query.bind(*key).bind(indexed(value));
            if *length == Length::Longer {
                query = query.bind(*value);
            }
        }
        query.fetch_all(connection).await
    })?;
    let ended = rows.len() < limit;
    let entities = rows.into_iter().map(Entity::try_from).collect::<Result<Vec<_>, _>>()?;
    let searched_to = if ended { None } else { entities.last().map(|last| last.id.clone()) };
    Ok(Found { searched_to, looked_at: entities.len() * equalities.len().max(1), entities })
}

/// Whether a value stands in the index as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// It does, so that the index alone tells: one more condition would make PostgreSQL expect far fewer rows than there
    /// are, and sort them all for each step.
    Indexed,
    /// Others begin as it does.
    Longer,
}

impl Length {
    fn of(value: &str) -> Self {
        if value.chars().count() < INDEXED { Self::Indexed } else { Self::Longer }
    }
}

/// The statement for values of these lengths.
#[must_use]
pub fn by_value_sql(values: &[Length]) -> String {
    let mut binds = 2;
    let mut bind = || {
        binds += 1;
        binds
    };
    let mut one = |(at, length): (usize, &Length)| {
        let (key, beginning) = (bind(), bind());
        let whole = if *length == Length::Longer { format!(" AND a.value = ${}", bind()) } else { String::new() };
        format!(
            "SELECT * FROM (SELECT a.entity_id FROM entity_attribute a WHERE a.key = ${key} \
             AND substr(a.value, 1, 100) = ${beginning}{whole} AND a.entity_id > $1 ORDER BY a.entity_id LIMIT $2) AS b{at}"
        )
    };
    let all: Vec<String> = values.iter().enumerate().map(&mut one).collect();
    format!(
        "SELECT e.id, e.version, e.attributes FROM (SELECT DISTINCT u.entity_id FROM ({}) AS u ORDER BY u.entity_id \
         LIMIT $2) AS c JOIN entity e ON e.id = c.entity_id ORDER BY e.id",
        all.join(" UNION ALL ")
    )
}

/// Looks at the next stretch of the table.
async fn by_looking(tx: &mut Tx, after: &str, filters: &[&DataFilter], limit: usize) -> Result<Found, StoreError> {
    // No id is empty, so every id follows the empty text.
    let mut binds = vec![after.to_owned()];
    let mut conditions = String::from("e.id > $1");
    for filter in filters {
        if let Some(superset) = filter.sql_superset(binds.len() + 1) {
            conditions.push_str(" AND ");
            conditions.push_str(&superset.sql);
            binds.extend(superset.binds);
        }
    }
    let narrowed = binds.len() > 1;
    let end = if narrowed { stretch_end(tx, after).await? } else { None };
    if let Some(end) = &end {
        binds.push(end.clone());
        conditions += format!(" AND e.id <= ${}", binds.len()).as_str();
    }
    let limit_at = binds.len() + 1;
    let sql = format!(
        "SELECT e.id, e.version, e.attributes FROM entity e WHERE {conditions} ORDER BY e.id LIMIT ${limit_at}"
    );
    // The text is made of our own words and placeholders; every value is bound. It is not worth a place in the cache of
    // prepared statements.
    let rows: Vec<Row> = on!(tx, connection => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).persistent(false);
        for bind in binds {
            query = query.bind(bind);
        }
        query.bind(whole(limit)).fetch_all(connection).await
    })?;
    let full = rows.len() == limit;
    let entities = rows.into_iter().map(Entity::try_from).collect::<Result<Vec<_>, _>>()?;
    let searched_to = if full { entities.last().map(|last| last.id.as_str().to_owned()) } else { end };
    let searched_to = searched_to
        .map(|id| EntityId::parse(id).map_err(|fault| StoreError::Unreadable(format!("an entity's id: {fault}"))));
    Ok(Found {
        searched_to: searched_to.transpose()?,
        looked_at: if narrowed { STRETCH } else { entities.len() },
        entities,
    })
}

/// The last id of the next stretch; `None` if it reaches to the end of the table.
async fn stretch_end(tx: &mut Tx, after: &str) -> Result<Option<String>, StoreError> {
    let row: Option<(String,)> = on!(tx, connection => sqlx::query_as(STRETCH_END).bind(after).bind(whole(STRETCH - 1))
        .fetch_optional(connection).await)?;
    Ok(row.map(|(id,)| id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_value_is_counted_in_characters() {
        assert_eq!(indexed("short"), "short");
        assert_eq!(indexed(&"ä".repeat(101)), "ä".repeat(INDEXED));
        assert!(COUNT.contains(&format!("substr(a.value, 1, {INDEXED})")));
    }
}
