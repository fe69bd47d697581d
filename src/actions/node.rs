//! What a node tells the others of itself: no security state, so without change number and audit event. And what can be
//! told by that: on which nodes a change is in effect.

use crate::app::App;
use crate::config::Database;
use crate::domain::node::{Effect, Node};
use crate::store::{self, StoreError};
use std::time::Duration;

/// A node that was not heard of for so long is forgotten.
pub const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// Becomes a node of the store: says so, then reads everything. In this order, so that a change which comes in between is
/// not called in effect everywhere before it is so here.
///
/// # Errors
/// [`StoreError`].
pub async fn join(app: &App) -> Result<(), StoreError> {
    if matches!(app.config.database, Database::Sqlite) {
        // Its only node. What another row tells was left by a process that was killed.
        let mut tx = app.store.write_behind().await?;
        store::node::delete_others(&mut tx, &app.identity.id).await?;
        tx.commit().await?;
    }
    report(app).await?;
    app.bootstrap().await
}

/// Says how far this node is.
///
/// # Errors
/// [`StoreError`].
pub async fn report(app: &App) -> Result<(), StoreError> {
    let node = here(app);
    let mut tx = app.store.write_behind().await?;
    store::node::report(&mut tx, &node).await?;
    tx.commit().await?;
    Ok(())
}

/// How far this node is.
#[must_use]
pub fn here(app: &App) -> Node {
    let (applied, applied_at) = app.snapshot.in_effect();
    Node {
        id: app.identity.id.clone(),
        name: app.identity.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: app.identity.started_at,
        applied,
        applied_at,
        polled_at: app.snapshot.last_good_poll(),
        staleness_limit: app.config.timing.staleness_limit,
        seen_at: app.clock.now(),
    }
}

/// Stops being a node: the last act before a stop.
///
/// # Errors
/// [`StoreError`].
pub async fn leave(app: &App) -> Result<(), StoreError> {
    let mut tx = app.store.write_behind().await?;
    store::node::delete(&mut tx, &app.identity.id).await?;
    tx.commit().await?;
    Ok(())
}

/// On which nodes change number `seq` is in effect; `None` if there is no such change.
///
/// # Errors
/// [`StoreError`].
pub async fn effect(app: &App, seq: u64) -> Result<Option<Effect>, StoreError> {
    let mut tx = app.store.read().await?;
    let Some(made) = store::changes::made_at(&mut tx, seq).await? else { return Ok(None) };
    let mut nodes = store::node::all(&mut tx).await?;
    drop(tx);
    let now = app.clock.now();
    let since = app.snapshot.in_effect_since(seq);
    // This node knows it of itself, before its report.
    if let (Some(since), Some(here)) = (since, nodes.iter_mut().find(|node| node.id == app.identity.id)) {
        (here.applied, here.applied_at) = (seq, since);
    }
    // It was committed before it was in effect here.
    let committed = since.unwrap_or(now);
    Ok(Some(Effect::of(seq, made, committed, &nodes, now)))
}

/// How often a command looks whether the nodes have confirmed its change.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until change number `seq`, which is in the store, is in effect on every node that follows the store, at most for
/// `patience`; where no node serves, not at all. Gives where it is in effect then, if a node has not confirmed it that may
/// still obey the state before.
///
/// # Errors
/// [`StoreError`].
pub async fn await_effect(app: &App, seq: u64, patience: Duration) -> Result<Option<Effect>, StoreError> {
    let committed = app.clock.now();
    loop {
        let nodes = store::node::all(&mut app.store.read().await?).await?;
        let now = app.clock.now();
        let awaited = |node: &Node| node.applied < seq && node.will_confirm(now);
        if now.since(committed) >= patience || !nodes.iter().any(awaited) {
            let deciding: Vec<Node> = nodes.into_iter().filter(|node| node.may_decide(now)).collect();
            let effect = Effect::of(seq, committed, committed, &deciding, now);
            return Ok((!effect.is_final()).then_some(effect));
        }
        tokio::time::sleep(LOOK).await;
    }
}
