//! Creating, changing and deleting roles: for administrators alone.

use super::actor::Target;
use super::seen::{self, Seen};
use super::{ActionError, Actor, gateway, transact};
use crate::app::App;
use crate::domain::data_filter::DataFilter;
use crate::domain::grant::Grant;
use crate::domain::name::Name;
use crate::domain::role::{Role, RoleFault, RoleId};
use crate::store::changes::Change;
use crate::store::{self, StoreError, Tx};
use serde_json::{Value, json};
use std::sync::Arc;

/// What an administrator says of a role; texts are as typed.
#[derive(Clone, Debug, Default)]
pub struct RoleInput {
    /// Its name.
    pub name: String,
    /// Its grants, each `RESOURCE:view` or `RESOURCE:edit`.
    pub grants: Vec<String>,
    /// Its data filter; empty for none.
    pub filter: String,
}

/// What is to be changed; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct RoleUpdate {
    /// A new name.
    pub name: Option<String>,
    /// Other grants.
    pub grants: Option<Vec<String>>,
    /// Another filter; empty for none.
    pub filter: Option<String>,
    /// Names the role in view of which this is asked ([`seen`]); another one there now is left as it is.
    pub seen: Option<Seen>,
}

/// Names a role as it is.
#[must_use]
pub fn seen(role: &Role) -> Seen {
    Seen::of(&describe(role).to_string())
}

/// Creates a role.
///
/// # Errors
/// [`ActionError::Invalid`] names the field, for a filter with the column.
pub async fn create(app: &App, actor: &Actor, input: &RoleInput) -> Result<Role, ActionError> {
    actor.require_administrator()?;
    let role = Role {
        id: RoleId::new(app.randomness.id("role")),
        name: Name::parse(&input.name)?,
        grants: parse_grants(&input.grants)?,
        filter: parse_filter(&input.filter)?,
        built_in: false,
    };
    check(&role)?;
    transact!(app, async |tx| {
        store::changes::serialise(tx).await?; // of a filter and a gateway saved at once, one sees the other
        gateway::check_role(tx, &role).await?;
        if store::role::by_name(tx, &role.name).await?.is_some() {
            return Err(ActionError::name_taken("a role", &role.name));
        }
        store::role::insert(tx, &role, app.clock.now()).await.map_err(|error| taken(error, &role.name))?;
        let event = actor.event(app, "role.create", target(&role), Value::Null, describe(&role));
        tx.record(Change::Role(role.id.clone()), event);
        Ok(role.clone())
    })
}

/// Changes a role; it holds for every application that has it from the next request on (rule 6).
///
/// # Errors
/// [`ActionError::Forbidden`] for a built-in role; [`ActionError::Conflict`] if it is not any more what was seen.
pub async fn update(app: &App, actor: &Actor, id: &RoleId, update: &RoleUpdate) -> Result<Role, ActionError> {
    actor.require_administrator()?;
    let name = update.name.as_deref().map(Name::parse).transpose()?;
    let grants = update.grants.as_deref().map(parse_grants).transpose()?;
    let filter = update.filter.as_deref().map(parse_filter).transpose()?;
    transact!(app, async |tx| {
        store::changes::serialise(tx).await?;
        let before = editable(tx, id).await?;
        let mut after = before.clone();
        if let Some(name) = &name {
            if store::role::by_name(tx, name).await?.is_some_and(|other| other.id != *id) {
                return Err(ActionError::name_taken("a role", name));
            }
            after.name = name.clone();
        }
        if let Some(grants) = &grants {
            after.grants.clone_from(grants);
        }
        if let Some(filter) = &filter {
            after.filter.clone_from(filter);
        }
        check(&after)?;
        if after == before {
            return Ok(after);
        }
        seen::check(update.seen.as_ref(), &seen(&before))?;
        gateway::check_role(tx, &after).await?;
        store::role::update(tx, &after).await.map_err(|error| taken(error, &after.name))?;
        let event = actor.event(app, "role.update", target(&after), describe(&before), describe(&after));
        tx.record(Change::Role(id.clone()), event);
        Ok(after)
    })
}

/// Deletes a role. Applications and console users that had it lose it; a new role of that name revives nothing.
///
/// # Errors
/// [`ActionError::Forbidden`] for a built-in role.
pub async fn delete(app: &App, actor: &Actor, id: &RoleId) -> Result<(), ActionError> {
    actor.require_administrator()?;
    transact!(app, async |tx| {
        let before = editable(tx, id).await?;
        let members = store::application::with_role(tx, id).await?;
        store::role::delete(tx, id).await?;
        let event = actor.event(app, "role.delete", target(&before), describe(&before), Value::Null);
        let mut changes = vec![Change::Role(id.clone())];
        changes.extend(members.into_iter().map(Change::Application));
        tx.record_all(changes, event);
        Ok(())
    })
}

async fn editable(tx: &mut Tx, id: &RoleId) -> Result<Role, ActionError> {
    let role = store::role::get(tx, id).await?.ok_or_else(|| ActionError::not_found("role", id.as_str()))?;
    if role.built_in {
        return Err(ActionError::Forbidden(format!("{} is built in and can be neither edited nor removed", role.name)));
    }
    Ok(role)
}

fn parse_grants(texts: &[String]) -> Result<Vec<Grant>, ActionError> {
    let parse = |text: &String| text.trim().parse::<Grant>().map_err(|fault| ActionError::invalid("grant", fault));
    let mut grants = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    grants.sort_unstable();
    grants.dedup();
    Ok(grants)
}

fn parse_filter(text: &str) -> Result<Option<Arc<DataFilter>>, ActionError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    DataFilter::parse(text).map(|filter| Some(Arc::new(filter))).map_err(|fault| ActionError::invalid("filter", fault))
}

fn check(role: &Role) -> Result<(), ActionError> {
    Role::check(&role.grants, role.filter.as_deref()).map_err(|fault| match fault {
        RoleFault::NoGrant => ActionError::invalid("grant", fault),
        RoleFault::FilteredSecurity(_) => ActionError::invalid("filter", fault),
    })
}

fn taken(error: StoreError, name: &Name) -> ActionError {
    match error {
        StoreError::Duplicate { what } if what.contains("name_key") => ActionError::name_taken("a role", name),
        error => error.into(),
    }
}

fn target(role: &Role) -> Target<'_> {
    Target { kind: "role", id: role.id.as_str(), name: role.name.as_str() }
}

fn describe(role: &Role) -> Value {
    json!({
        "name": role.name.as_str(),
        "grants": role.grants.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "filter": role.filter.as_ref().map(ToString::to_string),
    })
}
