//! Beginning a demonstration: only in a store that nobody uses yet.

use super::actor::Target;
use super::{ActionError, Actor, transact};
use crate::app::App;
use crate::domain::entity::{Attributes, Entity, EntityId, EntityVersion};
use crate::store::{self, meta};
use serde_json::{Value, json};

/// Marks the store as a demonstration and fills the inventory with samples; the rest of the demonstration is made through
/// the other actions.
///
/// # Errors
/// [`ActionError::Conflict`] if the store holds an application, a console user, a role of somebody's or an entity.
pub async fn begin(app: &App, actor: &Actor, samples: &[(EntityId, Attributes)]) -> Result<(), ActionError> {
    actor.require_administrator()?;
    transact!(app, async |tx| {
        let in_use = store::application::count(tx).await? > 0
            || !store::console_user::all(tx).await?.is_empty()
            || store::role::all(tx).await?.iter().any(|role| !role.built_in)
            || meta::get(tx, meta::DEMO).await?.is_some();
        if in_use {
            return Err(not_empty());
        }
        meta::insert(tx, meta::DEMO, &app.clock.now().to_string()).await?;
        let target = Target { kind: "hub", id: "", name: "gateway-hub" };
        let event = actor.event(app, "hub.demo", target, Value::Null, json!({ "entities": samples.len() }));
        tx.record_all(Vec::new(), event);
        Ok(())
    })?;
    let mut tx = app.store.write_entities().await?;
    if !store::entity::is_empty(&mut tx).await? {
        return Err(not_empty());
    }
    let now = app.clock.now();
    for (id, attributes) in samples {
        let version = EntityVersion::new(app.randomness.id("v"));
        let entity = Entity { id: id.clone(), attributes: attributes.clone(), version };
        store::entity::insert(&mut tx, &entity, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn not_empty() -> ActionError {
    ActionError::Conflict("the sample data needs an empty database, and this one is in use".to_owned())
}
