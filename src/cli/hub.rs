//! Opening the hub for one command.

use tokio::runtime::{Builder, Runtime};

use super::failure::Failure;
use crate::{
    actions::hub::{self, OpenError},
    ambient::{Clock, Randomness},
    app::App,
    config::Config,
};

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::refused(error)
    }
}

/// Opens the hub as `serve` would, an empty data folder included, does `command`, and closes it again.
///
/// The snapshot stays unread: a command decides nothing by it, and a million applications need not be loaded to change
/// one.
pub(super) fn with_hub<T>(config: Config, command: impl AsyncFnOnce(&App) -> Result<T, Failure>) -> Result<T, Failure> {
    runtime(Builder::new_current_thread())?.block_on(async {
        let app = hub::open(config, Clock::system(), Randomness::system()).await?;
        let outcome = command(&app).await;
        app.store.close().await;
        outcome
    })
}

/// A runtime with timers and sockets.
pub(super) fn runtime(mut builder: Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(|error| Failure::refused(format!("can't start the runtime: {error}")))
}
