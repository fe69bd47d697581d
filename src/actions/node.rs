//! What a node tells the others of itself: no security state, so without change number and audit event.

use crate::app::App;
use crate::domain::node::Node;
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
