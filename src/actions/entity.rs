//! Reading and writing entities for a caller: what it may not see is not there, and check and write share one transaction.

use super::transact::Attempts;
use crate::app::App;
use crate::domain::access::Reach;
use crate::domain::data_filter::DataFilter;
use crate::domain::entity::{
    AttributeFault, Attributes, Entity, EntityAccess, EntityId, EntityPatch, EntityRefusal, EntityVersion, Precondition,
};
use crate::store::{self, StoreError, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;

/// How many rows are read at once while a page is filled.
const BATCH: usize = 250;
/// How much is done for one page before it is answered shorter than asked for: rows that the database looks at count one,
/// those that come into memory [`READ_EFFORT`] more.
const MOST_EFFORT: usize = 100_000;
/// How many rows a database looks at in the time that one takes to come into memory, about.
const READ_EFFORT: usize = 10;
/// The bytes of attributes after which a page is full.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Why a request about an entity was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum EntityError {
    /// The caller may not.
    #[error(transparent)]
    Refused(#[from] EntityRefusal),
    /// The entity's state is not the one that the caller asked for (RFC 9110 §13).
    #[error("the entity's state is not the one that the request asks for")]
    PreconditionFailed,
    /// The attributes can't be kept.
    #[error(transparent)]
    Invalid(#[from] AttributeFault),
    /// The store failed; nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which entities are asked for.
#[derive(Clone, Copy, Debug)]
pub struct EntityQuery<'a> {
    /// Those that the filter selects; `None` for all.
    pub filter: Option<&'a DataFilter>,
    /// Those whose ids follow this one; empty for the beginning.
    pub after: &'a str,
    /// At most so many.
    pub limit: usize,
}

/// A page of entities in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityPage {
    /// The entities. There may be fewer than asked for, even none, although more follow.
    pub items: Vec<Entity>,
    /// What the next page comes after; `None` if this is the last. It may be the id of an entity that the caller may not
    /// know of: whoever answers with it conceals it.
    pub next_after: Option<EntityId>,
}

/// What a write did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whether the entity was not there before.
    pub created: bool,
    /// The entity as it is now, if it still is and the caller may view it.
    pub entity: Option<Entity>,
}

/// A page of what the caller may view.
///
/// # Errors
/// [`StoreError`].
pub async fn list(app: &App, access: &EntityAccess, query: EntityQuery<'_>) -> Result<EntityPage, StoreError> {
    let mut page = EntityPage { items: Vec::new(), next_after: None };
    let Some(reach) = access.view() else { return Ok(page) };
    let viewable = match reach {
        Reach::All => None,
        Reach::Filtered(filters) => DataFilter::any(filters.clone()),
    };
    let filters: Vec<&DataFilter> = viewable.iter().map(Arc::as_ref).chain(query.filter).collect();
    let batch = (query.limit + 1).clamp(50, BATCH);
    let mut after = query.after.to_owned();
    let mut bytes = 0;
    let mut effort = 0;
    loop {
        // A transaction each: a long list holds up nobody, and ids keep their order whatever is written meanwhile.
        let found =
            store::entity_search::search(&mut app.store.read_entities().await?, &after, &filters, batch).await?;
        effort += found.looked_at + found.entities.len() * READ_EFFORT;
        for entity in found.entities.into_iter().filter(|entity| access.may_view(&entity.attributes)) {
            if query.filter.is_none_or(|filter| filter.matches(entity.attributes.as_map())) {
                if page.items.len() == query.limit || bytes > PAGE_BYTES {
                    page.next_after = page.items.last().map(|entity| entity.id.clone());
                    return Ok(page);
                }
                bytes += entity.attributes.bytes();
                page.items.push(entity);
            }
        }
        let Some(searched_to) = found.searched_to else { return Ok(page) };
        if effort >= MOST_EFFORT {
            page.next_after = Some(searched_to);
            return Ok(page);
        }
        searched_to.as_str().clone_into(&mut after);
    }
}

/// The entity, if the caller may view it.
///
/// # Errors
/// [`EntityRefusal::NotFound`].
pub async fn get(app: &App, access: &EntityAccess, id: &EntityId) -> Result<Entity, EntityError> {
    let entity = store::entity::get(&mut app.store.read_entities().await?, id).await?;
    entity.filter(|entity| access.may_view(&entity.attributes)).ok_or(EntityError::Refused(EntityRefusal::NotFound))
}

/// A change of one entity.
#[derive(Clone, Copy, Debug)]
pub enum EntityChange<'a> {
    /// Creates it or replaces all of its attributes.
    Put(&'a Attributes),
    /// Changes some of its attributes.
    Patch(&'a EntityPatch),
    /// Deletes it.
    Delete,
}

/// Makes a change; done again as a whole if another writer got in its way. There is nothing to wait for afterwards: entities
/// decide nothing, so that no node needs to hear of it.
///
/// # Errors
/// [`EntityError`].
pub async fn change(
    app: &App,
    access: &EntityAccess,
    id: &EntityId,
    change: EntityChange<'_>,
    precondition: &Precondition,
) -> Result<Written, EntityError> {
    let mut attempts = Attempts::default();
    loop {
        match change_once(app, access, id, change, precondition).await {
            Err(EntityError::Store(StoreError::Contention)) if attempts.left(app).await => {}
            outcome => return outcome,
        }
    }
}

/// Check and write in one transaction.
async fn change_once(
    app: &App,
    access: &EntityAccess,
    id: &EntityId,
    change: EntityChange<'_>,
    precondition: &Precondition,
) -> Result<Written, EntityError> {
    if let EntityChange::Put(attributes) = change {
        // Whether or not there is such an entity, so before looking.
        access.check_after(attributes)?;
    }
    let mut tx = app.store.write_entities().await?;
    let before = store::entity::get(&mut tx, id).await?;
    let existing = before.as_ref().map(|before| &before.attributes);
    let known = match change {
        EntityChange::Put(_) => access.check_replaced(existing).map(|()| existing),
        EntityChange::Patch(_) | EntityChange::Delete => access.check_before(existing).map(Some),
    }?;
    if !precondition.holds(before.as_ref().map(|before| &before.version)) {
        return Err(EntityError::PreconditionFailed);
    }
    let after = match change {
        EntityChange::Put(attributes) => Some(attributes.clone()),
        EntityChange::Patch(patch) => {
            let after = patch.apply(known.unwrap_or(&Attributes::default()))?;
            access.check_after(&after)?;
            Some(after)
        }
        EntityChange::Delete => None,
    };
    let created = before.is_none();
    let entity = write(app, &mut tx, id, before, after).await?;
    tx.commit().await?;
    Ok(Written { created, entity: entity.filter(|entity| access.may_view(&entity.attributes)) })
}

/// Makes the entity what it is to be, and gives it as it is then.
async fn write(
    app: &App,
    tx: &mut Tx,
    id: &EntityId,
    before: Option<Entity>,
    after: Option<Attributes>,
) -> Result<Option<Entity>, StoreError> {
    let (before, attributes) = match (before, after) {
        (None, None) => return Ok(None),
        (Some(before), None) => {
            store::entity::delete(tx, id, &before.version).await?;
            return Ok(None);
        }
        // A synchronisation that says what is known already costs no write, and the entity tag stays good.
        (Some(before), Some(attributes)) if before.attributes == attributes => return Ok(Some(before)),
        (before, Some(attributes)) => (before, attributes),
    };
    let entity = Entity { id: id.clone(), attributes, version: new_version(app) };
    match before {
        None => store::entity::insert(tx, &entity, app.clock.now()).await?,
        Some(before) => store::entity::replace(tx, &before.version, &entity, app.clock.now()).await?,
    }
    Ok(Some(entity))
}

pub(super) fn new_version(app: &App) -> EntityVersion {
    EntityVersion::new(URL_SAFE_NO_PAD.encode(app.randomness.bytes::<12>()))
}
