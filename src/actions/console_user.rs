//! Creating and removing console users, their passwords, and the first administrator.

use super::actor::Target;
use super::application::read_roles;
use super::session::token_hash;
use super::{ActionError, Actor, transact};
use crate::app::App;
use crate::crypto::base62;
use crate::crypto::password;
use crate::domain::console_user::{ConsoleUser, check_password};
use crate::domain::name::Name;
use crate::domain::role::RoleId;
use crate::store::changes::Change;
use crate::store::{self, StoreError, Tx};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a first-run link works.
const LINK_LIFETIME: Duration = Duration::from_hours(1);

/// Creates a console user.
///
/// # Errors
/// [`ActionError::Invalid`] names the field.
pub async fn create(
    app: &App,
    actor: &Actor,
    name: &str,
    roles: &[RoleId],
    password: &str,
) -> Result<ConsoleUser, ActionError> {
    actor.require_administrator()?;
    let name = Name::parse(name)?;
    let hash = hash_password(app, password).await?;
    transact!(app, async |tx| {
        let user = insert(app, tx, &name, roles, &hash).await?;
        let event = actor.event(app, "console_user.create", target(&user), Value::Null, describe(&user));
        tx.record(Change::ConsoleUser(user.id.clone()), event);
        Ok(user)
    })
}

async fn insert(
    app: &App,
    tx: &mut Tx,
    name: &Name,
    roles: &[RoleId],
    password_hash: &str,
) -> Result<ConsoleUser, ActionError> {
    let roles = read_roles(tx, roles).await?;
    if store::console_user::by_name(tx, name).await?.is_some() {
        return Err(ActionError::name_taken("a console user", name));
    }
    let user = ConsoleUser {
        id: app.randomness.id("user"),
        name: name.clone(),
        roles: roles.into_iter().map(|role| role.id).collect(),
        created_at: app.clock.now(),
    };
    store::console_user::insert(tx, &user, password_hash).await.map_err(|error| match error {
        StoreError::Duplicate { .. } => ActionError::name_taken("a console user", name),
        error => error.into(),
    })?;
    Ok(user)
}

/// Sets another password and ends all sessions of the user.
///
/// # Errors
/// [`ActionError`].
pub async fn reset_password(app: &App, actor: &Actor, id: &str, password: &str) -> Result<(), ActionError> {
    actor.require_administrator()?;
    let hash = hash_password(app, password).await?;
    transact!(app, async |tx| {
        let user = existing(tx, id).await?;
        store::console_user::set_password(tx, id, &hash).await?;
        store::session::delete_of_user(tx, id).await?;
        let event = actor.event(app, "console_user.reset_password", target(&user), Value::Null, Value::Null);
        tx.record(Change::ConsoleUser(user.id.clone()), event);
        Ok(())
    })
}

/// Ends all sessions of a console user: they must sign in again everywhere.
///
/// # Errors
/// [`ActionError`].
pub async fn end_sessions(app: &App, actor: &Actor, id: &str) -> Result<(), ActionError> {
    actor.require_administrator()?;
    transact!(app, async |tx| {
        let user = existing(tx, id).await?;
        store::session::delete_of_user(tx, id).await?;
        let event = actor.event(app, "console_user.end_sessions", target(&user), Value::Null, Value::Null);
        tx.record(Change::ConsoleUser(user.id.clone()), event);
        Ok(())
    })
}

/// Removes a console user and their sessions.
///
/// # Errors
/// [`ActionError::Conflict`] for the last administrator (rule 10).
pub async fn delete(app: &App, actor: &Actor, id: &str) -> Result<(), ActionError> {
    actor.require_administrator()?;
    transact!(app, async |tx| {
        // Two administrators who remove each other at once must not both succeed.
        store::changes::serialise(tx).await?;
        let user = existing(tx, id).await?;
        store::console_user::delete(tx, id).await?;
        if user.is_administrator() && store::console_user::administrators(tx).await? == 0 {
            return Err(ActionError::Conflict(format!(
                "{} is the last administrator: create another one before removing this one",
                user.name
            )));
        }
        let event = actor.event(app, "console_user.delete", target(&user), describe(&user), Value::Null);
        tx.record(Change::ConsoleUser(user.id.clone()), event);
        Ok(())
    })
}

/// Makes a one-time link's token, by which the first administrator is made within the hour; `None` if there is an
/// administrator. Only its hash is stored.
///
/// # Errors
/// [`ActionError::Store`].
pub async fn make_first_run_token(app: &App) -> Result<Option<String>, ActionError> {
    let token: String = base62::encode::<43>(&app.randomness.bytes::<32>());
    transact!(app, async |tx| {
        if store::console_user::administrators(tx).await? > 0 {
            return Ok(None);
        }
        let now = app.clock.now();
        store::console_user::prune_links(tx, now).await?;
        store::console_user::insert_link(tx, &token_hash(&token), now.plus(LINK_LIFETIME)).await?;
        Ok(Some(token.clone()))
    })
}

/// Makes the first administrator with the one-time link's token, and consumes all such links.
///
/// # Errors
/// [`ActionError::Forbidden`] for a token that is wrong, expired or consumed.
pub async fn first_administrator(
    app: &App,
    token: &str,
    name: &str,
    password: &str,
    source: &str,
) -> Result<ConsoleUser, ActionError> {
    let expired = || {
        ActionError::Forbidden(
            "this one-time link is wrong, expired or already used; restart the hub for a new one, or use \
             “gateway-hub users create” on its host"
                .to_owned(),
        )
    };
    let hash_of_token = token_hash(token);
    {
        // Before the slow password hash, so that nobody keeps the hub busy without a good link.
        let mut tx = app.store.read().await?;
        check_link(app, &mut tx, &hash_of_token).await?.ok_or_else(expired)?;
    }
    let name = Name::parse(name)?;
    let hash = hash_password(app, password).await?;
    transact!(app, async |tx| {
        store::changes::serialise(tx).await?; // of two people with a link, one becomes the first
        check_link(app, tx, &hash_of_token).await?.ok_or_else(expired)?;
        store::console_user::delete_links(tx).await?;
        let roles = [RoleId::new(RoleId::ADMINISTRATOR)];
        let user = insert(app, tx, &name, &roles, &hash).await?;
        let actor = Actor::console_user(&user, [], source);
        let event = actor.event(app, "console_user.create_first", target(&user), Value::Null, describe(&user));
        tx.record(Change::ConsoleUser(user.id.clone()), event);
        Ok(user)
    })
}

async fn check_link(app: &App, tx: &mut Tx, token_hash: &str) -> Result<Option<()>, ActionError> {
    if store::console_user::administrators(tx).await? > 0 {
        return Ok(None);
    }
    let expiry = store::console_user::link_expiry(tx, token_hash).await?;
    Ok(expiry.filter(|expiry| app.clock.now() < *expiry).map(|_| ()))
}

async fn hash_password(app: &App, text: &str) -> Result<String, ActionError> {
    check_password(text).map_err(|fault| ActionError::invalid("password", fault))?;
    let (text, randomness) = (text.to_owned(), app.randomness.clone());
    let hashed = tokio::task::spawn_blocking(move || password::hash(&text, &randomness)).await;
    match hashed {
        Ok(Ok(hash)) => Ok(hash),
        _ => Err(ActionError::invalid("password", "can't be hashed; choose another one")),
    }
}

async fn existing(tx: &mut Tx, id: &str) -> Result<ConsoleUser, ActionError> {
    store::console_user::get(tx, id).await?.ok_or_else(|| ActionError::not_found("console user", id))
}

fn target(user: &ConsoleUser) -> Target<'_> {
    Target { kind: "console_user", id: &user.id, name: user.name.as_str() }
}

fn describe(user: &ConsoleUser) -> Value {
    json!({ "name": user.name.as_str(), "roles": user.roles.iter().map(RoleId::as_str).collect::<Vec<_>>() })
}
