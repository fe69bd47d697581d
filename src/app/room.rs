//! How much heavy work one node does at once, so that it leaves room for everything else.

use std::sync::Arc;
use tokio::sync::Semaphore;

/// Permits for heavy work. Who finds none waits, or is told to come again.
#[derive(Debug)]
pub struct Room {
    /// Looking at all entities: for summaries and lists of attributes.
    pub walks: Semaphore,
    /// Writing a bulk document: the store has one writer.
    pub loads: Semaphore,
    /// Keeping large bodies, in units of 64 KiB: 160 MiB for all that are in hand.
    pub bodies: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self { walks: Semaphore::new(2), loads: Semaphore::new(1), bodies: Arc::new(Semaphore::new(2_560)) }
    }
}
