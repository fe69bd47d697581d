//! Making many API keys: batch by batch, each one transaction, whose secrets are safe before it is committed.

use super::application::{
    NewApplication, check_description, check_expiry, check_owner, describe, made, new_client_id, target,
};
use super::shown_key::{ShownKey, newest_pepper, secret_under};
use super::transact::{Attempts, finish};
use super::{ActionError, Actor};
use crate::app::App;
use crate::domain::name::Name;
use crate::domain::resource::SecurityResource;
use crate::domain::role::{Role, RoleId};
use crate::store::changes::Change;
use crate::store::{self, StoreError, Tx};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Where the secrets go: shown once, as everywhere, and here before the keys exist, so that none is lost.
pub trait Keeper {
    /// Keeps the keys of one batch; what was kept is durable when this returns.
    ///
    /// # Errors
    /// Any failure: the batch is not made then.
    fn keep(&mut self, keys: &[ShownKey]) -> std::io::Result<()>;

    /// Takes back the last batch, of which nothing was made.
    ///
    /// # Errors
    /// Any failure.
    fn take_back(&mut self) -> std::io::Result<()>;
}

/// Why a batch was not made.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// One of its applications can't be made; nothing of the batch was.
    #[error("{error}")]
    Application {
        /// Which one, counted from 0.
        position: usize,
        /// Why not.
        error: ActionError,
    },
    /// The secrets could not be kept; nothing of the batch was made.
    #[error("the secrets can't be kept: {0}")]
    Keeper(#[from] std::io::Error),
    /// The store failed; nothing of the batch was made.
    #[error(transparent)]
    Store(#[from] ActionError),
    /// The connection broke in the very commit: the batch was made or was not. Its secrets were kept.
    #[error("the database was lost in the very moment of the change, so that nobody knows whether it was made: {0}")]
    Unknown(ActionError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

/// Creates the applications of one batch with their API keys, an audit event each; all of them or none.
///
/// # Errors
/// [`ImportError`].
pub async fn create_batch(
    app: &App,
    actor: &Actor,
    batch: &[NewApplication],
    keeper: &mut (dyn Keeper + Send),
) -> Result<(), ImportError> {
    actor.require_edit(SecurityResource::Applications)?;
    let mut attempts = Attempts::default();
    loop {
        let mut tx = app.store.write().await?;
        let keys = match prepare(app, actor, &mut tx, batch).await {
            Err(ImportError::Store(error)) if attempts.again(app, &error).await => continue,
            prepared => prepared?,
        };
        keeper.keep(&keys)?;
        match finish(app, tx).await {
            Ok(()) | Err(ActionError::Unconfirmed(_)) => return Ok(()),
            Err(error @ ActionError::Store(StoreError::Unavailable(_))) => return Err(ImportError::Unknown(error)),
            Err(error) => {
                keeper.take_back()?;
                if !attempts.again(app, &error).await {
                    return Err(error.into());
                }
            }
        }
    }
}

async fn prepare(
    app: &App,
    actor: &Actor,
    tx: &mut Tx,
    batch: &[NewApplication],
) -> Result<Vec<ShownKey>, ImportError> {
    let now = app.clock.now();
    let mut roles_by_id: BTreeMap<RoleId, Role> = BTreeMap::new();
    let mut applications = Vec::with_capacity(batch.len());
    let mut keys = Vec::with_capacity(batch.len());
    let pepper = newest_pepper(app, tx).await?;
    let mut owners: BTreeSet<&str> = BTreeSet::new();
    for (position, new) in batch.iter().enumerate() {
        let refused = |error| ImportError::Application { position, error };
        let name = Name::parse(&new.name).map_err(|fault| refused(fault.into()))?;
        check_description(&new.description).map_err(refused)?;
        check_expiry(new.expires_at, now).map_err(refused)?;
        if let Some(owner) = new.owner.as_deref().filter(|owner| owners.insert(owner)) {
            check_owner(tx, Some(owner)).await.map_err(refused)?;
        }
        let roles = roles_of(tx, &new.roles, &mut roles_by_id).await.map_err(refused)?;
        actor.require_covers(&roles).map_err(refused)?;
        let client_id = new_client_id(app).map_err(refused)?;
        let (stored, shown) = secret_under(app, &pepper, now);
        let application = made(actor, new, client_id, name, &roles, stored);
        keys.push(ShownKey::new(&application, &roles, shown));
        let state = describe(&application, &roles);
        let event = actor.event(app, "application.create", target(&application), Value::Null, state);
        tx.record(Change::Application(application.client_id.clone()), event);
        applications.push(application);
    }
    let names: Vec<String> = applications.iter().map(|application| application.name.key()).collect();
    let taken: BTreeSet<String> = store::application_bulk::taken(tx, &names).await?.into_iter().collect();
    let mut seen = BTreeSet::new();
    for (position, (application, key)) in applications.iter().zip(&names).enumerate() {
        if taken.contains(key) || !seen.insert(key) {
            let error = ActionError::name_taken("an application", &application.name);
            return Err(ImportError::Application { position, error });
        }
    }
    store::application_bulk::insert(tx, &applications).await?;
    Ok(keys)
}

/// The roles of these ids, each read once for the whole batch.
async fn roles_of(tx: &mut Tx, ids: &[RoleId], known: &mut BTreeMap<RoleId, Role>) -> Result<Vec<Role>, ActionError> {
    let unknown: Vec<RoleId> = ids.iter().filter(|id| !known.contains_key(id)).cloned().collect();
    if !unknown.is_empty() || ids.is_empty() {
        for role in super::application::read_roles(tx, &unknown).await? {
            known.insert(role.id.clone(), role);
        }
    }
    let ids: BTreeSet<&RoleId> = ids.iter().collect();
    Ok(ids.into_iter().filter_map(|id| known.get(id).cloned()).collect())
}
