//! Opening the hub for one command.

use std::{io::Write as _, sync::Arc, time::Duration};

use tokio::runtime::{Builder, Runtime};

use super::{failure::Failure, output::Answer};
use crate::{
    actions::{
        ActionError,
        hub::{self, OpenError},
        node,
    },
    ambient::{Clock, Randomness},
    app::App,
    config::{Config, Database},
    store::StoreError,
};

/// Opens the hub, an empty data folder included. A database that is out of reach is named, without its password.
pub(super) async fn open(config: Config) -> Result<Arc<App>, Failure> {
    let database = config.database.clone();
    hub::open(config, Clock::system(), Randomness::system()).await.map_err(|error| explain(&database, &error))
}

/// The reason for people, with the place that it is about.
pub(super) fn explain(database: &Database, error: &OpenError) -> Failure {
    match (database, error) {
        (Database::Postgres(url), OpenError::Action(ActionError::Store(StoreError::Unavailable(_)))) => {
            Failure::refused(format!("{url}: {error}; is the server running, and are user, password and name right?"))
        }
        _ => Failure::refused(error),
    }
}

/// Opens the hub as `serve` would, an empty data folder included, does `command`, and closes it again.
///
/// The snapshot stays unread: a command decides nothing by it, and a million applications need not be loaded to change
/// one. It answers when the nodes that serve obey what it changed.
pub(super) fn with_hub(
    config: Config,
    command: impl AsyncFnOnce(&App) -> Result<Answer, Failure>,
) -> Result<(), Failure> {
    runtime(Builder::new_current_thread())?.block_on(async {
        let app = open(config).await?;
        let outcome = command(&app).await;
        if outcome.is_ok() {
            await_effect(&app).await;
        }
        app.store.close().await;
        outcome?.write()
    })
}

/// How long a command waits for the nodes: a node that follows the store needs a second at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits until what the command changed is in effect on the nodes that serve. Where that can't be confirmed the change is
/// made nevertheless, and standard error says what is known.
async fn await_effect(app: &App) {
    let seq = app.last_change();
    if seq == 0 {
        return;
    }
    let told = match node::await_effect(app, seq, PATIENCE).await {
        Ok(None) => return,
        Ok(Some(effect)) => format!("{effect} Until then what was so before may still be obeyed there."),
        Err(fault) => format!("Where it is in effect can't be told: {fault}."),
    };
    // Where standard error is gone, nobody reads a warning.
    let _ = writeln!(std::io::stderr().lock(), "warning: the change is made. {told}");
}

/// A runtime with timers and sockets.
pub(super) fn runtime(mut builder: Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(|error| Failure::refused(format!("can't start the runtime: {error}")))
}
