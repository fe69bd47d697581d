//! A new API key: its secret is made here, stored as a hash, and handed on to be shown once.

use super::ActionError;
use crate::app::App;
use crate::app::live_keys::pepper_context;
use crate::crypto::secret::{ClientSecret, Pepper};
use crate::domain::application::{Application, ClientId, CredentialId, StoredSecret};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::store::{self, StoreError, Tx};

/// A new key, to be shown once: the only value that ever holds a secret in the clear.
#[derive(Debug)]
pub struct ShownKey {
    /// The application's `client_id`.
    pub client_id: ClientId,
    /// The new `client_secret`.
    pub client_secret: ClientSecret,
    /// The application's name.
    pub name: String,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// Until when the secret before it works too, if an overlap was chosen.
    pub old_secret_ends_at: Option<Timestamp>,
}

impl ShownKey {
    pub(super) fn new(application: &Application, roles: &[Role], client_secret: ClientSecret) -> Self {
        Self {
            client_id: application.client_id.clone(),
            client_secret,
            name: application.name.to_string(),
            roles: roles.iter().map(|role| role.name.to_string()).collect(),
            old_secret_ends_at: None,
        }
    }
}

/// Makes a secret and its keyed hash.
pub(super) async fn make_secret(
    app: &App,
    tx: &mut Tx,
    now: Timestamp,
) -> Result<(StoredSecret, ClientSecret), ActionError> {
    Ok(secret_under(app, &newest_pepper(app, tx).await?, now))
}

/// The same under a pepper that was read before.
pub(super) fn secret_under(app: &App, pepper: &Pepper, now: Timestamp) -> (StoredSecret, ClientSecret) {
    let secret = ClientSecret::generate(&app.randomness);
    let stored = StoredSecret {
        id: CredentialId::new(u128::from_be_bytes(app.randomness.bytes())),
        hash: pepper.hash(secret.expose()).0,
        pepper: pepper.id().to_owned(),
        created_at: now,
        ends_at: None,
    };
    (stored, secret)
}

/// Reads the pepper from the store rather than from the snapshot, which a command does not have.
pub(super) async fn newest_pepper(app: &App, tx: &mut Tx) -> Result<Pepper, ActionError> {
    let unreadable = |why: String| ActionError::Store(StoreError::Unreadable(format!("the pepper: {why}")));
    let wrapped = store::keys::peppers(tx).await?.pop().ok_or_else(|| unreadable("there is none".to_owned()))?;
    let bytes = app
        .keyring
        .unwrap(&pepper_context(&wrapped.id), &wrapped.wrapped)
        .map_err(|error| unreadable(error.to_string()))?;
    let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| unreadable("not 32 bytes".to_owned()))?;
    Ok(Pepper::new(wrapped.id, bytes))
}

/// Notes that a form was submitted; a second time is refused.
pub(super) async fn submit(tx: &mut Tx, submission: &str, id: &ClientId, now: Timestamp) -> Result<(), ActionError> {
    match store::application::submit(tx, submission, id, now).await {
        Err(StoreError::Duplicate { .. }) => Err(ActionError::AlreadySubmitted),
        outcome => Ok(outcome?),
    }
}
