//! What runs beside the requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::{sync::watch, time::MissedTickBehavior};

use crate::actions::usage::{self, Pace};
use crate::actions::{hub, upkeep};
use crate::app::App;

/// How often secrets whose overlap has ended are removed; they are dead at their second without it.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Every so many times, what has expired is dropped too.
const PRUNE_EVERY: u64 = 60;
/// How often what was counted is stored. A flush takes at most as long again, so that counts are durable within 10 s.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);
/// Every so many flushes, usage that is too old is dropped.
const PRUNE_USAGE_EVERY: u64 = 12;

/// Sees to the upkeep of the store until told to stop.
pub async fn keep_up(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    if let Err(fault) = hub::ensure_signing_key(&app).await {
        tracing::warn!(%fault, "no signing key of the configured algorithm could be made");
    }
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 0_u64.. {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        // A store that is away is reported by the poll; here the next round tries again.
        if let Err(fault) = upkeep::end_secrets(&app).await {
            tracing::debug!(%fault, "ended secrets could not be removed");
        }
        if round % PRUNE_EVERY == 0
            && let Err(fault) = upkeep::prune(&app).await
        {
            tracing::debug!(%fault, "what has expired could not be dropped");
        }
    }
}

/// Stores what was counted until told to stop. Whoever stops flushes once more when the last request is answered.
pub async fn count(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(FLUSH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for round in 0_u64.. {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        // What could not be stored waits for the next round.
        if let Err(fault) = usage::flush(&app, Pace::Gentle).await {
            tracing::debug!(%fault, "usage could not be stored");
        }
        if round % PRUNE_USAGE_EVERY == 0
            && let Err(fault) = usage::prune(&app).await
        {
            tracing::debug!(%fault, "usage that is too old could not be dropped");
        }
    }
}

/// Stores what was counted, without pauses: the last act before a stop.
pub async fn count_the_rest(app: &App) {
    if let Err(fault) = usage::flush(app, Pace::AtOnce).await {
        tracing::warn!(%fault, "the usage of the last seconds could not be stored");
    }
}

/// Follows the store until told to stop: every poll interval, the changes of other nodes and of the command line.
pub async fn follow(app: Arc<App>, mut stop: watch::Receiver<bool>) {
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
