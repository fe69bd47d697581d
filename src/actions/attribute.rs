//! What entities have in common: the names of their attributes, the values, and how many have each. Everything is told from
//! the entities that the caller may view, and from nothing else.

use crate::app::App;
use crate::domain::access::Reach;
use crate::domain::data_filter::DataFilter;
use crate::domain::entity::{Entity, EntityAccess};
use crate::store::{self, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many entities are read at once.
const BATCH: usize = 1_000;

/// A value of an attribute and how many entities have it; the empty value stands for those without the attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The value.
    pub value: String,
    /// How many.
    pub entities: u64,
}

/// Whether the caller may view every entity, so that the store can answer by itself.
fn views_all(access: &EntityAccess) -> bool {
    matches!(access.view(), Some(Reach::All))
}

/// At most `limit` names of attributes that follow `after`, in their order.
///
/// # Errors
/// [`StoreError`].
pub async fn names(app: &App, access: &EntityAccess, after: &str, limit: usize) -> Result<Vec<String>, StoreError> {
    if views_all(access) {
        return store::attribute::names(&mut app.store.read_entities().await?, after, limit).await;
    }
    let mut found = BTreeSet::new();
    walk(app, access, None, |entity| {
        for key in entity.attributes.as_map().keys().filter(|key| key.as_str() > after) {
            if !found.contains(key) {
                found.insert(key.clone());
                if found.len() > limit {
                    found.pop_last();
                }
            }
        }
    })
    .await?;
    Ok(found.into_iter().collect())
}

/// At most `limit` values of an attribute that follow `after` and begin with `prefix`, in their order.
///
/// # Errors
/// [`StoreError`].
pub async fn values(
    app: &App,
    access: &EntityAccess,
    key: &str,
    prefix: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    if views_all(access) {
        return store::attribute::values(&mut app.store.read_entities().await?, key, prefix, after, limit).await;
    }
    let mut found = BTreeSet::new();
    walk(app, access, None, |entity| {
        let Some(value) = entity.attributes.as_map().get(key) else { return };
        if value.as_str() > after && value.starts_with(prefix) && !found.contains(value) {
            found.insert(value.clone());
            if found.len() > limit {
                found.pop_last();
            }
        }
    })
    .await?;
    Ok(found.into_iter().collect())
}

/// How many entities have each value of an attribute, of those that the filter selects: at most `limit` values that follow
/// `after`, in their order; from the beginning if that is `None`. Those without the attribute have the empty value, which
/// comes first.
///
/// # Errors
/// [`StoreError`].
pub async fn summary(
    app: &App,
    access: &EntityAccess,
    key: &str,
    filter: Option<&DataFilter>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Count>, StoreError> {
    let follows = |value: &str| after.is_none_or(|after| value > after);
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    if filter.is_none() && views_all(access) {
        let mut tx = app.store.read_entities().await?;
        found.extend(store::attribute::counts(&mut tx, key, after.unwrap_or_default(), limit).await?);
        if after.is_none() {
            // A page that is not full holds every value, and so everybody who has one.
            let with = (found.len() < limit).then(|| found.values().sum());
            let without = store::attribute::without(&mut tx, key, with).await?;
            found.extend((without > 0).then(|| (String::new(), without)));
        }
    } else {
        walk(app, access, filter, |entity| {
            let value = entity.attributes.as_map().get(key).map_or("", String::as_str);
            match found.get_mut(value) {
                Some(count) => *count += 1,
                // A value beyond the page never comes back: those before it stay.
                None if follows(value) => {
                    if found.len() < limit || found.last_key_value().is_some_and(|(last, _)| value < last.as_str()) {
                        found.insert(value.to_owned(), 1);
                    }
                    if found.len() > limit {
                        found.pop_last();
                    }
                }
                None => {}
            }
        })
        .await?;
    }
    Ok(found.into_iter().take(limit).map(|(value, entities)| Count { value, entities }).collect())
}

/// Shows every entity that the caller may view and the filter selects. A few such walks at once, in many short transactions:
/// nobody waits for them, and nothing is counted twice.
async fn walk(
    app: &App,
    access: &EntityAccess,
    filter: Option<&DataFilter>,
    mut visit: impl FnMut(&Entity) + Send,
) -> Result<(), StoreError> {
    let Some(reach) = access.view() else { return Ok(()) };
    let viewable = match reach {
        Reach::All => None,
        Reach::Filtered(filters) => DataFilter::any(filters.clone()),
    };
    let filters: Vec<&DataFilter> = viewable.iter().map(Arc::as_ref).chain(filter).collect();
    let _turn = app.room.walks.acquire().await;
    let mut after = String::new();
    loop {
        let found =
            store::entity_search::search(&mut app.store.read_entities().await?, &after, &filters, BATCH).await?;
        let viewed = found.entities.iter().filter(|entity| access.may_view(&entity.attributes));
        viewed
            .filter(|entity| filter.is_none_or(|filter| filter.matches(entity.attributes.as_map())))
            .for_each(&mut visit);
        match found.searched_to {
            Some(searched_to) => searched_to.as_str().clone_into(&mut after),
            None => return Ok(()),
        }
    }
}
