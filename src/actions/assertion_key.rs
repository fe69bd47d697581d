//! The key that signs assertions of who calls, for upstreams.

use super::actor::Target;
use super::{ActionError, Actor};
use crate::app::App;
use crate::app::live_keys::{ASSERTION_ALGORITHM, ASSERTION_KEY_CONTEXT};
use crate::crypto::token::SigningKey;
use crate::store::changes::Change;
use crate::store::{Tx, meta};
use serde_json::{Value, json};

/// Makes the key with the first gateway that needs it, in the same transaction.
pub(super) async fn ensure(app: &App, tx: &mut Tx) -> Result<(), ActionError> {
    if meta::get(tx, meta::ASSERTION_KEY).await?.is_some() {
        return Ok(());
    }
    let (key, pkcs8) = SigningKey::generate(ASSERTION_ALGORITHM, &app.randomness)
        .map_err(|error| ActionError::Conflict(format!("no key for assertions could be made: {error}")))?;
    let wrapped = app.keyring.wrap(ASSERTION_KEY_CONTEXT, &pkcs8, &app.randomness);
    meta::insert(tx, meta::ASSERTION_KEY, &wrapped).await?;
    let target = Target { kind: "assertion_key", id: key.kid(), name: ASSERTION_ALGORITHM.name() };
    let event = Actor::system().event(app, "assertion_key.create", target, Value::Null, json!({ "kid": key.kid() }));
    tx.record(Change::Keys, event);
    Ok(())
}
