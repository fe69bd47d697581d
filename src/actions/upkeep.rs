//! What time does to security state: secrets whose overlap has ended go for good, and what has expired is dropped.

use super::application::target;
use super::session::{ABSOLUTE_TIMEOUT, IDLE_TIMEOUT};
use super::{ActionError, Actor, node, transact};
use crate::app::App;
use crate::store;
use crate::store::changes::Change;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a submitted form is remembered: far longer than a session lives.
const SUBMISSIONS_KEPT: Duration = Duration::from_hours(168);

/// Removes the secrets that have ended. A secret is dead at its second without this; but once it is gone from the
/// store, no clock that jumps back can revive it, not even after a restart.
///
/// # Errors
/// [`ActionError::Store`].
pub async fn end_secrets(app: &App) -> Result<usize, ActionError> {
    {
        let mut tx = app.store.read().await?;
        if store::application::with_ended_secret(&mut tx, app.clock.now()).await?.is_empty() {
            return Ok(0);
        }
    }
    transact!(app, async |tx| {
        let now = app.clock.now();
        let mut ended = 0;
        for id in store::application::with_ended_secret(tx, now).await? {
            let Some(application) = store::application::get(tx, &id).await? else { continue };
            for secret in application.secrets.iter().filter(|secret| !secret.is_live(now)) {
                store::application::delete_secret(tx, secret.id).await?;
                let before = json!({ "credential": secret.id.to_string() });
                let event =
                    Actor::system().event(app, "api_key.secret_ended", target(&application), before, Value::Null);
                tx.record(Change::Application(id.clone()), event);
                ended += 1;
            }
        }
        Ok(ended)
    })
}

/// Drops revoked tokens, sessions, links, submissions and nodes that no longer matter.
///
/// # Errors
/// [`ActionError::Store`].
pub async fn prune(app: &App) -> Result<(), ActionError> {
    transact!(app, async |tx| {
        let now = app.clock.now();
        store::token::prune(tx, now).await?;
        store::session::prune(tx, now.minus(ABSOLUTE_TIMEOUT), now.minus(IDLE_TIMEOUT)).await?;
        store::console_user::prune_links(tx, now).await?;
        store::node::prune(tx, now.minus(node::FORGOTTEN_AFTER)).await?;
        store::application::forget_submissions(tx, now.minus(SUBMISSIONS_KEPT)).await?;
        Ok(())
    })
}
