//! `keys find`: whose secret is this?

use super::{ApplicationView, store};
use crate::{
    actions::{
        Actor,
        api_key::{FoundSecret, find_by_secret},
    },
    app::App,
    cli::{
        failure::Failure,
        output::{Answer, Output},
        stdin::read_secret,
    },
};

/// Reads a secret and says which application has it. The secret itself is not repeated.
pub(super) async fn run(app: &App, output: Output) -> Result<Answer, Failure> {
    let text = read_secret("client_secret")?;
    let refused = |why: &str| Err(Failure::refused(why));
    let owner = match find_by_secret(app, &Actor::operator(), &text).await? {
        FoundSecret::Of(application) => application,
        FoundSecret::Mistyped => {
            return refused("this client_secret was mistyped or cut short: its checksum does not fit");
        }
        FoundSecret::Foreign => {
            return refused("this is not a client_secret of a Gateway Hub: those begin with ghs_");
        }
        FoundSecret::Nobodys => {
            return refused(
                "no application has this client_secret now: it was regenerated, or its application deleted",
            );
        }
    };
    let mut tx = app.store.read().await?;
    let roles = store::role::all(&mut tx).await?;
    let mut view = ApplicationView::of(&owner, &roles, app.clock.now());
    view.last_used_at = store::usage::last_used(&mut tx, &[owner.client_id]).await?.into_iter().next().flatten();
    output.answer(&view, || format!("This client_secret works. It belongs to:\n\n{}", view.describe()))
}
