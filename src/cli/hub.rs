//! Opening the hub for one command.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use super::failure::Failure;
use crate::{
    actions::{
        ActionError,
        hub::{self, OpenError},
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
/// one.
pub(super) fn with_hub<T>(config: Config, command: impl AsyncFnOnce(&App) -> Result<T, Failure>) -> Result<T, Failure> {
    runtime(Builder::new_current_thread())?.block_on(async {
        let app = open(config).await?;
        let outcome = command(&app).await;
        app.store.close().await;
        outcome
    })
}

/// A runtime with timers and sockets.
pub(super) fn runtime(mut builder: Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(|error| Failure::refused(format!("can't start the runtime: {error}")))
}
