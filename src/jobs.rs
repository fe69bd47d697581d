//! What runs beside the requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::actions::usage::{self, Pace};
use crate::actions::{hub, node, upkeep};
use crate::app::App;
use crate::domain::node::REPORT_INTERVAL;
use crate::store::{Listener, StoreError};

/// How often secrets whose overlap has ended are removed; they are dead at their second without it.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Every so many times, what has expired is dropped too.
const PRUNE_EVERY: u64 = 60;
/// How often what was counted is stored. A flush takes at most as long again, so that counts are durable within 10 s.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);
/// Where more applications are active, the interval for every so many of them, ...
const PER_INTERVAL: usize = 1_000;
/// ... and so many intervals at most: a minute, to which last uses are kept anyway.
const MOST_INTERVALS: usize = 12;
/// How often usage that is too old is dropped.
const PRUNE_USAGE_INTERVAL: Duration = Duration::from_mins(1);

/// A node reports itself at most so often.
const REPORT_PAUSE: Duration = Duration::from_millis(100);
/// How long after a lost connection it is tried to hear of changes again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// How long after a connection that hears nothing.
const LISTEN_LATER: Duration = Duration::from_mins(5);

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
    let (mut pause, mut unpruned) = (Duration::ZERO, PRUNE_USAGE_INTERVAL);
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let began = app.clock.now();
        // What could not be stored waits for the next round.
        let stored = usage::flush(&app, Pace::Gentle).await.unwrap_or_else(|fault| {
            tracing::debug!(%fault, "usage could not be stored");
            0
        });
        if unpruned >= PRUNE_USAGE_INTERVAL {
            unpruned = Duration::ZERO;
            if let Err(fault) = usage::prune(&app).await {
                tracing::debug!(%fault, "usage that is too old could not be dropped");
            }
        }
        let interval = flush_interval(stored);
        unpruned += interval;
        pause = interval.saturating_sub(app.clock.now().since(began));
    }
}

/// How long after the beginning of a flush of so much the next one begins: storing costs by the application and not by
/// the request, so with many of them it is done less often. A crash costs at most what was counted in this time and in
/// the flush itself.
fn flush_interval(stored: usize) -> Duration {
    let intervals = stored.div_ceil(PER_INTERVAL).clamp(1, MOST_INTERVALS);
    FLUSH_INTERVAL * u32::try_from(intervals).unwrap_or(1)
}

/// Stores what was counted, without pauses: the last act before a stop.
pub async fn count_the_rest(app: &App) {
    if let Err(fault) = usage::flush(app, Pace::AtOnce).await {
        tracing::warn!(%fault, "the usage of the last seconds could not be stored");
    }
}

/// Follows the store until told to stop: the changes of other nodes and of the command line, at every poll interval and
/// whenever there is a hint.
pub async fn follow(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(app.config.timing.poll_interval);
    // After a slow poll the next one comes a whole interval later, not at once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = app.hint.notified() => ticks.reset(),
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
                    let refuses = app.fresh().is_err();
                    tracing::warn!(%fault, refuses, "the store can't be read; this node refuses once that lasts longer than the staleness limit");
                }
                failing = true;
            }
        }
    }
}

/// Tells the other nodes how far this one is, until told to stop: after each change, and now and then.
pub async fn report(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut applied = app.snapshot.watch();
    applied.mark_changed();
    loop {
        tokio::select! {
            _ = applied.changed() => {}
            () = tokio::time::sleep(REPORT_INTERVAL) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if let Err(fault) = node::report(&app).await {
            tracing::debug!(%fault, "this node could not report itself");
        }
        tokio::select! {
            () = tokio::time::sleep(REPORT_PAUSE) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Takes this node off the list: nothing is decided here any more.
pub async fn report_no_more(app: &App) {
    if let Err(fault) = node::leave(app).await {
        tracing::warn!(%fault, "this node could not be taken off the list of nodes; it goes by itself after a day");
    }
}

/// Hears of changes until told to stop, so that they need not wait for the next poll.
pub async fn listen(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut told = false;
    while app.store.notifies() {
        let listening = async {
            match hear(&app).await {
                Ok(()) => LISTEN_AGAIN,
                Err(StoreError::Refused(why)) => {
                    if !told {
                        tracing::warn!(%why, "changes are not told through the database: each node sees them at its next poll");
                    }
                    told = true;
                    LISTEN_LATER
                }
                Err(fault) => {
                    tracing::debug!(%fault, "can't hear of changes just now");
                    LISTEN_AGAIN
                }
            }
        };
        let pause = tokio::select! {
            pause = listening => pause,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Hears of changes on one connection, as long as it lasts.
async fn hear(app: &App) -> Result<(), StoreError> {
    let word = app.randomness.id("word");
    let Some(mut listener) = app.store.listen(&word).await? else { return Ok(()) };
    app.store.prove(&mut listener, &word).await?;
    wait_for_hints(app, &mut listener).await
}

async fn wait_for_hints(app: &App, listener: &mut Listener) -> Result<(), StoreError> {
    loop {
        // Whatever was sent before this connection listened was not heard.
        app.hint.notify_one();
        if !listener.next().await? {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_there_is_to_store_the_less_often_it_is_stored() {
        let pauses = [0, 1_000, 1_001, 10_000, 12_000, 1_000_000].map(|stored| flush_interval(stored).as_secs());
        assert_eq!(pauses, [5, 5, 10, 50, 60, 60]);
    }
}
