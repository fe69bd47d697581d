//! One change, from its transaction to its effect on this node.

use super::ActionError;
use crate::app::App;
use crate::store::{StoreError, Tx};
use std::time::Duration;

/// How often a change that got into another's way is done again, with growing pauses.
const MOST: u32 = 12;

/// Counts how often a change was tried.
#[derive(Debug, Default)]
pub(super) struct Attempts(u32);

impl Attempts {
    /// Whether the whole change should be done again; waits before it says so.
    pub(super) async fn again(&mut self, app: &App, error: &ActionError) -> bool {
        matches!(error, ActionError::Store(StoreError::Contention)) && self.left(app).await
    }

    /// Whether there are attempts left after one that got into another's way; waits before it says so.
    pub(super) async fn left(&mut self, app: &App) -> bool {
        self.0 += 1;
        if self.0 >= MOST {
            return false;
        }
        let spread = u64::from(app.randomness.bytes::<1>()[0]) / 8;
        tokio::time::sleep(Duration::from_millis((5 << self.0.min(6)) + spread)).await;
        true
    }
}

/// Commits, and waits until the change is in effect on this node.
pub(super) async fn finish(app: &App, tx: Tx) -> Result<(), ActionError> {
    if let Some(seq) = tx.commit().await? {
        app.note_change(seq);
        app.catch_up(seq).await?;
    }
    Ok(())
}

/// Tells the compiler which error a block gives.
pub(super) fn fallible<T, F: Future<Output = Result<T, ActionError>>>(work: F) -> F {
    work
}

/// Runs a block in one transaction, commits, and waits until the change is in effect on this node. Contention runs the
/// whole of it again. (A macro, because a function that takes an async closure makes futures that can't be told to be
/// `Send`, and handlers' must be.)
macro_rules! transact {
    ($app:expr, async |$tx:ident| $work:block) => {{
        let app: &crate::app::App = $app;
        let mut attempts = crate::actions::transact::Attempts::default();
        loop {
            let outcome = async {
                let mut transaction = app.store.write().await?;
                let $tx = &mut transaction;
                let value = crate::actions::transact::fallible(async { $work }).await?;
                crate::actions::transact::finish(app, transaction).await?;
                Ok::<_, crate::actions::ActionError>(value)
            }
            .await;
            match outcome {
                Err(error) if attempts.again(app, &error).await => {}
                outcome => break outcome,
            }
        }
    }};
}
pub(super) use transact;

#[cfg(test)]
mod tests {
    use crate::actions::{Actor, application, console_user};
    use crate::app::App;

    fn is_send<T: Send>(_: &T) {}

    /// Handlers run on any thread: this does not compile if an action's future can't move between them.
    #[expect(dead_code, reason = "compiling it is the test")]
    fn actions_are_send(app: &App, actor: &Actor, new: &application::NewApplication) {
        is_send(&application::create(app, actor, new));
        is_send(&console_user::make_first_run_token(app));
    }
}
