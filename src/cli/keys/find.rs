//! `keys find`: whose secret is this?

use super::{ApplicationView, store};
use crate::{
    app::{App, LiveKeys},
    cli::{failure::Failure, output::Output, stdin::read_secret},
    crypto::secret::{SecretHash, SecretShape},
};

/// Reads a secret, hashes it under every pepper, and looks for the hash. The secret itself is not repeated.
pub(super) async fn run(app: &App, output: Output) -> Result<(), Failure> {
    let secret = read_secret("client_secret")?;
    match SecretShape::of(&secret) {
        SecretShape::WellFormed => {}
        SecretShape::Mistyped => {
            return Err(Failure::refused("this client_secret was mistyped or cut short: its checksum does not fit"));
        }
        SecretShape::Foreign => {
            return Err(Failure::refused("this is not a client_secret of a Gateway Hub: those begin with ghs_"));
        }
    }
    let mut tx = app.store.read().await?;
    let peppers = store::keys::peppers(&mut tx).await?;
    let keys = LiveKeys::open(&app.keyring, &app.clock, &peppers, &[]).map_err(Failure::refused)?;
    let now = app.clock.now();
    let applications = store::application::all(&mut tx).await?;
    let owner = applications.iter().find(|application| {
        application.secrets.iter().filter(|stored| stored.is_live(now)).any(|stored| {
            let pepper = keys.pepper_index(&stored.pepper).and_then(|index| keys.pepper(index));
            pepper.is_some_and(|pepper| pepper.hash(&secret).matches(&SecretHash(stored.hash)))
        })
    });
    let owner = owner.ok_or_else(|| {
        Failure::refused("no application has this client_secret now: it was regenerated, or its application deleted")
    })?;
    let roles = store::role::all(&mut tx).await?;
    let view = ApplicationView::of(owner, &roles, now);
    output.answer(&view, || format!("This client_secret works. It belongs to:\n\n{}", view.describe()))
}
