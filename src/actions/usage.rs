//! Storing what was counted. The one writer that no administrator asks for: no change number, no audit event, and it lets
//! changes of security state go first.

use super::ActionError;
use super::transact::Attempts;
use crate::app::App;
use crate::app::usage::Pending;
use crate::store::usage::day_of;
use crate::store::{StoreError, denial, usage};
use std::time::Duration;

/// At most so many rows in one transaction.
const MOST_ROWS: usize = 1_000;
/// Applications in one statement. Between statements the transaction ends if a change of security state waits.
const APPLICATIONS: usize = 64;
/// The most rows that one statement for each table comes to.
const ROWS_OF_A_CHUNK: usize = 3 * (APPLICATIONS + 8);
/// The shortest pause between two transactions.
const PAUSE: Duration = Duration::from_millis(1);

/// Counts per day are kept for so many days.
pub const DAYS_KEPT: i32 = 90;
/// Refusals are kept for so long.
pub const DENIALS_KEPT: Duration = Duration::from_hours(30 * 24);
/// At most so many transactions for what is too old, at each call.
const MOST_PRUNED: usize = 20;

/// How a flush treats others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Writes no longer than it pauses, so that other processes find their turn too.
    Gentle,
    /// Without pauses: at a stop.
    AtOnce,
}

/// Stores all that was counted until now; gives how many applications' tallies that were. What can't be stored waits for
/// the next time.
///
/// # Errors
/// [`ActionError::Store`].
pub async fn flush(app: &App, pace: Pace) -> Result<usize, ActionError> {
    let mut pending = app.usage.collect().await;
    let mut stored = 0;
    let mut attempts = Attempts::default();
    loop {
        let began = app.clock.now();
        match write(app, &mut pending).await {
            Ok(0) => break,
            Ok(count) => {
                stored += count;
                attempts = Attempts::default();
            }
            Err(error @ (StoreError::Contention | StoreError::Dangling)) => {
                if !attempts.left(app).await {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        if pace == Pace::Gentle {
            tokio::time::sleep(app.clock.now().since(began).max(PAUSE)).await;
        }
    }
    Ok(stored)
}

/// One transaction; gives how much of what waited it stored.
async fn write(app: &App, pending: &mut Pending) -> Result<usize, StoreError> {
    let denials = pending.denials(MOST_ROWS);
    if !denials.is_empty() {
        let mut tx = app.store.write_behind().await?;
        denial::add(&mut tx, &denials).await?;
        tx.commit().await?;
        pending.denials_stored(denials.len());
        return Ok(denials.len());
    }
    let Some(first) = pending.chunk(0, APPLICATIONS) else { return Ok(0) };
    let mut tx = app.store.write_behind().await?;
    let (mut chunks, mut stored, mut rows) = (Vec::new(), 0, 0);
    let mut next = Some(first);
    while let Some(chunk) = next.take() {
        // The application first, as its deletion does: two that go the same way can't wait for each other.
        usage::touch(&mut tx, &chunk.applications).await?;
        usage::touch_secrets(&mut tx, &chunk.secrets).await?;
        usage::add(&mut tx, &chunk.days).await?;
        stored += chunk.tallies();
        rows += chunk.rows();
        chunks.push(chunk);
        if rows + ROWS_OF_A_CHUNK <= MOST_ROWS && !app.store.is_awaited() {
            next = pending.chunk(stored, APPLICATIONS);
        }
    }
    tx.commit().await?;
    pending.stored(&chunks);
    Ok(stored)
}

/// Drops what is too old, some of it at each call.
///
/// # Errors
/// [`ActionError::Store`].
pub async fn prune(app: &App) -> Result<(), ActionError> {
    let now = app.clock.now();
    let limit = u32::try_from(MOST_ROWS).unwrap_or(u32::MAX);
    for _ in 0..MOST_PRUNED {
        let mut tx = app.store.write_behind().await?;
        let mut dropped = denial::prune(&mut tx, now.minus(DENIALS_KEPT), limit / 2).await?;
        dropped += usage::prune(&mut tx, day_of(now) - DAYS_KEPT, limit / 2).await?;
        tx.commit().await?;
        if dropped < u64::from(limit / 2) {
            break;
        }
        tokio::time::sleep(10 * PAUSE).await;
    }
    Ok(())
}
