//! What runs beside the requests.

use std::sync::Arc;

use tokio::{sync::watch, time::MissedTickBehavior};

use crate::app::App;

/// Follows the store until told to stop: every poll interval, the changes of other nodes and of the command line.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(app.config.timing.poll_interval);
    // After a slow poll the next one comes a whole interval later, not at once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match app.poll().await {
            Ok(()) => {
                if failing {
                    tracing::info!("the store can be read again");
                }
                failing = false;
            }
            Err(fault) => {
                // Said once, not four times a second.
                if !failing {
                    tracing::warn!(%fault, "the store can't be read; this node refuses once that lasts longer than the staleness limit");
                }
                failing = true;
            }
        }
    }
}
