//! Writing many entities at once: all of a document or nothing of it, by the same rules as one after the other.

use super::entity::new_version;
use super::transact::Attempts;
use crate::app::App;
use crate::domain::access::{AccessTable, decide_for_person};
use crate::domain::entity::{
    Attributes, BulkDocument, BulkLine, Entity, EntityAccess, EntityId, EntityVersion, LineFault, LineReason,
};
use crate::domain::grant::Action;
use crate::domain::resource::Resource;
use crate::domain::role::Role;
use crate::store::{self, StoreError, Tx};
use std::collections::HashMap;
use std::ops::AddAssign;

/// How many lines are looked up and written together.
const CHUNK_LINES: usize = 512;
/// The bytes after which a chunk is full.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Why nothing of a document was written.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// One of its lines can't be taken.
    #[error(transparent)]
    Line(#[from] LineFault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a document's lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Entities that were not there before.
    pub created: u64,
    /// Entities whose attributes were others.
    pub updated: u64,
    /// Entities that were so already.
    pub unchanged: u64,
}

impl AddAssign for Loaded {
    fn add_assign(&mut self, more: Self) {
        self.created += more.created;
        self.updated += more.updated;
        self.unchanged += more.unchanged;
    }
}

/// What the operator of the host may do with entities: everything.
#[must_use]
pub fn operator_access() -> EntityAccess {
    let table = AccessTable::compile(&Role::built_in());
    let permits =
        [Action::View, Action::Edit].map(|action| decide_for_person(&table, &Resource::Entities, action).ok());
    EntityAccess::of(permits.into_iter().flatten(), table.reach(&Resource::Entities, Action::View))
}

/// Creates or replaces each of the document's entities, in the order of its lines: what a PUT of each would do, but all in
/// one transaction. It is read and checked as far as possible before that begins, and done again as a whole if another
/// writer got in its way.
///
/// # Errors
/// [`BulkError::Line`] names the line that can't be taken; nothing was changed then.
pub async fn load(app: &App, access: &EntityAccess, document: BulkDocument<'_>) -> Result<Loaded, BulkError> {
    let mut bytes = 0;
    for line in document.lines() {
        let line = line?;
        access.check_after(&line.attributes).map_err(|refusal| at(&line, refusal.into()))?;
        pause(&mut bytes, line.bytes).await;
    }
    let _turn = app.room.loads.acquire().await;
    let mut attempts = Attempts::default();
    loop {
        match load_once(app, access, document).await {
            Err(BulkError::Store(StoreError::Contention)) if attempts.left(app).await => {}
            outcome => return outcome,
        }
    }
}

fn at(line: &BulkLine, reason: LineReason) -> LineFault {
    LineFault { line: line.number, reason }
}

/// Lets others have their turn now and then: reading a large document takes a while.
async fn pause(bytes: &mut usize, more: usize) {
    *bytes += more;
    if *bytes > CHUNK_BYTES / 4 {
        *bytes = 0;
        tokio::task::yield_now().await;
    }
}

async fn load_once(app: &App, access: &EntityAccess, document: BulkDocument<'_>) -> Result<Loaded, BulkError> {
    let mut tx = app.store.write_entities().await?;
    let mut loaded = Loaded::default();
    let mut chunk = Vec::with_capacity(CHUNK_LINES);
    let mut bytes = 0;
    for line in document.lines() {
        let line = line?;
        bytes += line.bytes;
        chunk.push(line);
        if chunk.len() == CHUNK_LINES || bytes > CHUNK_BYTES {
            loaded += write(app, &mut tx, access, std::mem::take(&mut chunk)).await?;
            bytes = 0;
        }
    }
    loaded += write(app, &mut tx, access, chunk).await?;
    tx.commit().await?;
    Ok(loaded)
}

/// An entity of a chunk: as it was stored, if it was, and as it is to be, if that is something else.
#[derive(Default)]
struct Pending {
    before: Option<Entity>,
    after: Option<Attributes>,
}

/// Checks and writes the lines of a chunk, which may name an entity more than once.
async fn write(app: &App, tx: &mut Tx, access: &EntityAccess, lines: Vec<BulkLine>) -> Result<Loaded, BulkError> {
    let mut pending: HashMap<EntityId, Pending> =
        lines.iter().map(|line| (line.id.clone(), Pending::default())).collect();
    let ids: Vec<&EntityId> = pending.keys().collect();
    for entity in store::entity_bulk::get(tx, &ids).await? {
        pending.insert(entity.id.clone(), Pending { before: Some(entity), after: None });
    }
    let mut loaded = Loaded::default();
    for line in lines {
        let Some(entity) = pending.get_mut(&line.id) else { continue };
        let existing = entity.after.as_ref().or(entity.before.as_ref().map(|before| &before.attributes));
        access.check_replaced(existing).map_err(|refusal| at(&line, refusal.into()))?;
        match existing {
            None => loaded.created += 1,
            Some(attributes) if *attributes == line.attributes => {
                loaded.unchanged += 1;
                continue;
            }
            Some(_) => loaded.updated += 1,
        }
        entity.after = Some(line.attributes);
    }
    let mut made = Vec::new();
    let mut changed: Vec<(EntityVersion, Entity)> = Vec::new();
    for (id, Pending { before, after }) in pending {
        let Some(attributes) = after else { continue };
        let entity = Entity { id, attributes, version: new_version(app) };
        match before {
            None => made.push(entity),
            Some(before) => changed.push((before.version, entity)),
        }
    }
    // In the order of ids, so that two documents don't wait for each other in a circle.
    made.sort_unstable_by(|left, right| left.id.cmp(&right.id));
    changed.sort_unstable_by(|(_, left), (_, right)| left.id.cmp(&right.id));
    let now = app.clock.now();
    store::entity_bulk::insert(tx, &made.iter().collect::<Vec<_>>(), now).await?;
    let changed: Vec<_> = changed.iter().map(|(before, entity)| (before, entity)).collect();
    store::entity_bulk::replace(tx, &changed, now).await?;
    Ok(loaded)
}
