//! Creating, changing and deleting applications.

use super::actor::Target;
use super::seen::{self, Seen};
use super::shown_key::{ShownKey, make_secret, submit};
use super::{ActionError, Actor, transact};
use crate::app::App;
use crate::crypto::secret;
use crate::domain::application::{Application, ClientId, StoredSecret};
use crate::domain::name::Name;
use crate::domain::resource::SecurityResource;
use crate::domain::role::{Role, RoleId};
use crate::domain::time::Timestamp;
use crate::store::changes::Change;
use crate::store::{self, StoreError, Tx};
use ipnet::IpNet;
use serde_json::{Value, json};

/// What an administrator says of a new application.
#[derive(Clone, Debug, Default)]
pub struct NewApplication {
    /// Its name, as typed.
    pub name: String,
    /// Its roles' ids; at least one.
    pub roles: Vec<RoleId>,
    /// What it is for.
    pub description: String,
    /// The id of the console user who answers for it.
    pub owner: Option<String>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// From which networks it may come; empty for any.
    pub networks: Vec<IpNet>,
    /// Whether Basic works on gateways.
    pub allow_basic: bool,
    /// The id of the form, if one asked: a repeated submit makes no second key.
    pub submission: Option<String>,
}

/// What is to be changed; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct ApplicationUpdate {
    /// A new name.
    pub name: Option<String>,
    /// Other roles; at least one.
    pub roles: Option<Vec<RoleId>>,
    /// Another description.
    pub description: Option<String>,
    /// Another owner; `Some(None)` for nobody.
    pub owner: Option<Option<String>>,
    /// Another expiry; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
    /// Other networks.
    pub networks: Option<Vec<IpNet>>,
    /// Whether Basic works on gateways.
    pub allow_basic: Option<bool>,
    /// Names the settings in view of which this is asked ([`seen`]); others there now are left as they are.
    pub seen: Option<Seen>,
}

/// Names an application's present settings.
#[must_use]
pub fn seen(application: &Application) -> Seen {
    let Application { name, description, owner, roles, expires_at, networks, allow_basic, .. } = application;
    Seen::of(&format!("{:?}", (name, description, owner, roles, expires_at, networks, allow_basic)))
}

/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 1_000;

/// Creates an application with its API key. The secret is in the answer and nowhere else.
///
/// # Errors
/// [`ActionError::Invalid`] names the field; [`ActionError::Forbidden`] if the roles are more than the actor has.
pub async fn create(app: &App, actor: &Actor, new: &NewApplication) -> Result<ShownKey, ActionError> {
    actor.require_edit(SecurityResource::Applications)?;
    let name = Name::parse(&new.name)?;
    check_description(&new.description)?;
    let client_id = new_client_id(app)?;
    transact!(app, async |tx| {
        let now = app.clock.now();
        check_expiry(new.expires_at, now)?;
        let roles = read_roles(tx, &new.roles).await?;
        actor.require_covers(&roles)?;
        check_owner(tx, new.owner.as_deref()).await?;
        if let Some(submission) = &new.submission {
            submit(tx, submission, &client_id, now).await?;
        }
        if store::application::by_name(tx, &name).await?.is_some() {
            return Err(ActionError::name_taken("an application", &name));
        }
        let (stored, shown) = make_secret(app, tx, now).await?;
        let application = made(actor, new, client_id.clone(), name.clone(), &roles, stored);
        store::application::insert(tx, &application).await.map_err(|error| taken(error, &name))?;
        let event =
            actor.event(app, "application.create", target(&application), Value::Null, describe(&application, &roles));
        tx.record(Change::Application(client_id.clone()), event);
        Ok(ShownKey::new(&application, &roles, shown))
    })
}

/// An id that no application has had.
pub(super) fn new_client_id(app: &App) -> Result<ClientId, ActionError> {
    ClientId::parse(&secret::client_id(&app.randomness))
        .ok_or_else(|| ActionError::Conflict("no client_id could be made; try again".to_owned()))
}

/// The application as it is when it is new, made when its secret was.
pub(super) fn made(
    actor: &Actor,
    new: &NewApplication,
    client_id: ClientId,
    name: Name,
    roles: &[Role],
    secret: StoredSecret,
) -> Application {
    Application {
        client_id,
        name,
        description: new.description.trim().to_owned(),
        roles: roles.iter().map(|role| role.id.clone()).collect(),
        enabled: true,
        networks: new.networks.clone(),
        allow_basic: new.allow_basic,
        expires_at: new.expires_at,
        min_seq: 0,
        created_at: secret.created_at,
        created_by: actor.name().to_owned(),
        owner: new.owner.clone(),
        secrets: vec![secret],
    }
}

/// Changes an application.
///
/// # Errors
/// [`ActionError`]; rule 10 holds for the roles it has and for those it gets. [`ActionError::Conflict`] if it is not any
/// more what was seen.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: &ClientId,
    update: &ApplicationUpdate,
) -> Result<Application, ActionError> {
    actor.require_edit(SecurityResource::Applications)?;
    let name = update.name.as_deref().map(Name::parse).transpose()?;
    if let Some(description) = &update.description {
        check_description(description)?;
    }
    transact!(app, async |tx| {
        let (before, roles_before) = existing(tx, actor, id).await?;
        seen::check(update.seen.as_ref(), &seen(&before))?;
        let mut after = before.clone();
        let mut roles = roles_before.clone();
        if let Some(wanted) = &update.roles {
            roles = read_roles(tx, wanted).await?;
            actor.require_covers(&roles)?;
            after.roles = roles.iter().map(|role| role.id.clone()).collect();
        }
        if let Some(name) = &name {
            if store::application::by_name(tx, name).await?.is_some_and(|other| other.client_id != *id) {
                return Err(ActionError::name_taken("an application", name));
            }
            after.name = name.clone();
        }
        if let Some(expires_at) = update.expires_at {
            check_expiry(expires_at, app.clock.now())?;
            after.expires_at = expires_at;
        }
        if let Some(description) = &update.description {
            description.trim().clone_into(&mut after.description);
        }
        if let Some(owner) = &update.owner {
            check_owner(tx, owner.as_deref()).await?;
            after.owner.clone_from(owner);
        }
        if let Some(networks) = &update.networks {
            after.networks.clone_from(networks);
        }
        after.allow_basic = update.allow_basic.unwrap_or(before.allow_basic);
        store::application::update(tx, &after).await.map_err(|error| taken(error, &after.name))?;
        let states = (describe(&before, &roles_before), describe(&after, &roles));
        let event = actor.event(app, "application.update", target(&after), states.0, states.1);
        tx.record(Change::Application(id.clone()), event);
        Ok(after)
    })
}

/// Disables an application: its key and all its tokens are dead, and enabling it again revives no token.
///
/// # Errors
/// [`ActionError`].
pub async fn disable(app: &App, actor: &Actor, id: &ClientId) -> Result<(), ActionError> {
    set_enabled(app, actor, id, false).await
}

/// Enables an application again.
///
/// # Errors
/// [`ActionError`].
pub async fn enable(app: &App, actor: &Actor, id: &ClientId) -> Result<(), ActionError> {
    set_enabled(app, actor, id, true).await
}

async fn set_enabled(app: &App, actor: &Actor, id: &ClientId, enabled: bool) -> Result<(), ActionError> {
    actor.require_edit(SecurityResource::Applications)?;
    transact!(app, async |tx| {
        let (before, _) = existing(tx, actor, id).await?;
        if before.enabled == enabled {
            return Ok(());
        }
        let mut after = before;
        after.enabled = enabled;
        store::application::update(tx, &after).await?;
        let action = if enabled { "application.enable" } else { "application.disable" };
        let states = (json!({ "enabled": !enabled }), json!({ "enabled": enabled }));
        let event = actor.event(app, action, target(&after), states.0, states.1);
        let change = if enabled { Change::Application(id.clone()) } else { Change::ApplicationTokens(id.clone()) };
        tx.record(change, event);
        Ok(())
    })
}

/// Deletes an application for ever: the key and all its tokens are dead, its `client_id` is never used again, its name
/// is free.
///
/// # Errors
/// [`ActionError::NotFound`], for one if it was deleted before.
pub async fn delete(app: &App, actor: &Actor, id: &ClientId) -> Result<(), ActionError> {
    actor.require_edit(SecurityResource::Applications)?;
    transact!(app, async |tx| {
        let (before, roles) = existing(tx, actor, id).await?;
        store::application::delete(tx, &before, app.clock.now()).await?;
        let event = actor.event(app, "application.delete", target(&before), describe(&before, &roles), Value::Null);
        tx.record(Change::Application(id.clone()), event);
        Ok(())
    })
}

/// The application and its roles, if the actor may touch it: nobody regenerates or changes what allows more than they
/// have themselves.
pub(super) async fn existing(
    tx: &mut Tx,
    actor: &Actor,
    id: &ClientId,
) -> Result<(Application, Vec<Role>), ActionError> {
    let found = store::application::get(tx, id).await?;
    let application = found.ok_or_else(|| ActionError::not_found("application", id))?;
    let mut roles = Vec::new();
    for role in &application.roles {
        roles.extend(store::role::get(tx, role).await?);
    }
    actor.require_covers(&roles)?;
    Ok((application, roles))
}

/// The roles of these ids, each once.
pub(super) async fn read_roles(tx: &mut Tx, ids: &[RoleId]) -> Result<Vec<Role>, ActionError> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(ActionError::invalid("roles", "choose at least one role"));
    }
    let mut roles = Vec::with_capacity(ids.len());
    for id in &ids {
        let role = store::role::get(tx, id).await?;
        roles.push(
            role.ok_or_else(|| ActionError::invalid("roles", "one of the chosen roles was deleted; choose again"))?,
        );
    }
    Ok(roles)
}

pub(super) fn check_description(description: &str) -> Result<(), ActionError> {
    if description.chars().count() > MAX_DESCRIPTION {
        return Err(ActionError::invalid("description", format!("at most {MAX_DESCRIPTION} characters")));
    }
    if description.contains('\0') {
        return Err(ActionError::invalid("description", "can't contain the character NUL"));
    }
    Ok(())
}

pub(super) fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), ActionError> {
    match expires_at {
        Some(end) if end <= now => Err(ActionError::invalid("expires", "lies in the past; choose a later instant")),
        _ => Ok(()),
    }
}

pub(super) async fn check_owner(tx: &mut Tx, owner: Option<&str>) -> Result<(), ActionError> {
    match owner {
        Some(id) if store::console_user::get(tx, id).await?.is_none() => {
            Err(ActionError::invalid("owner", "there is no such console user any more; choose another"))
        }
        _ => Ok(()),
    }
}

fn taken(error: StoreError, name: &Name) -> ActionError {
    match error {
        StoreError::Duplicate { what } if what.contains("name_key") => ActionError::name_taken("an application", name),
        StoreError::Dangling => ActionError::invalid("roles", "one of the chosen roles was deleted; choose again"),
        error => error.into(),
    }
}

pub(super) fn target(application: &Application) -> Target<'_> {
    Target { kind: "application", id: application.client_id.as_str(), name: application.name.as_str() }
}

pub(super) fn describe(application: &Application, roles: &[Role]) -> Value {
    json!({
        "name": application.name.as_str(),
        "description": application.description,
        "owner": application.owner,
        "roles": roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(),
        "enabled": application.enabled,
        "networks": application.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "allow_basic": application.allow_basic,
        "expires_at": application.expires_at.map(|end| end.to_string()),
    })
}
