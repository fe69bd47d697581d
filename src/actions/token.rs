//! Revoking an access token (RFC 7009): what an application may end is its own.

use super::actor::Target;
use super::{ActionError, Actor, transact};
use crate::app::App;
use crate::crypto::token::Claims;
use crate::domain::time::Timestamp;
use crate::store;
use crate::store::changes::Change;
use crate::store::token::RevokedToken;
use serde_json::{Value, json};

/// Revokes a token that was verified as the caller's own; revoking it again changes nothing.
///
/// # Errors
/// [`ActionError::Store`].
pub async fn revoke(app: &App, actor: &Actor, claims: &Claims, name: &str) -> Result<(), ActionError> {
    if app.snapshot.is_revoked(&claims.jti) {
        return Ok(());
    }
    let revoked = RevokedToken { jti: claims.jti.clone(), expires_at: Timestamp::from_seconds(claims.exp) };
    transact!(app, async |tx| {
        if store::token::insert(tx, &revoked, &claims.client_id).await? {
            let target = Target { kind: "token", id: &claims.jti, name };
            let after = json!({ "client_id": claims.client_id, "expires_at": revoked.expires_at.to_string() });
            let event = actor.event(app, "token.revoke", target, Value::Null, after);
            tx.record(Change::Token(claims.jti.clone()), event);
        }
        Ok(())
    })
}
