//! How a gateway's upstream is doing, seen by the traffic and by tests of the connection.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::domain::time::Timestamp;

/// How an upstream is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum HealthState {
    /// Nobody asked it yet.
    #[default]
    Unknown,
    /// The last request was answered.
    Up,
    /// The last request was not.
    Down,
}

/// A change of an upstream's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthChange {
    /// When.
    pub at: Timestamp,
    /// To what.
    pub state: HealthState,
    /// Why, in words for administrators; empty when all is well.
    pub reason: String,
}

/// An upstream's health on this node.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Health {
    /// How it is doing.
    pub state: HealthState,
    /// Why, in words for administrators; empty when all is well or unknown.
    pub reason: String,
    /// Since when; `None` while unknown.
    pub since: Option<Timestamp>,
    /// The changes that this process has seen, the newest first.
    pub history: Vec<HealthChange>,
}

/// So many changes are remembered.
const HISTORY: usize = 50;

/// What is remembered of an upstream's health.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The state once more, so that good answers take no lock.
    up: AtomicU8,
    changes: Mutex<VecDeque<HealthChange>>,
}

impl Record {
    /// The upstream answered.
    pub(super) fn good(&self, now: impl FnOnce() -> Timestamp) {
        if self.up.load(Ordering::Relaxed) == 0 {
            self.change(HealthState::Up, String::new(), now());
        }
    }

    /// The upstream did not answer, or not as it should.
    pub(super) fn bad(&self, reason: &str, now: Timestamp) {
        self.change(HealthState::Down, reason.to_owned(), now);
    }

    fn change(&self, state: HealthState, reason: String, at: Timestamp) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        self.up.store(u8::from(state == HealthState::Up), Ordering::Relaxed);
        if changes.front().is_some_and(|last| last.state == state && last.reason == reason) {
            return;
        }
        changes.push_front(HealthChange { at, state, reason });
        changes.truncate(HISTORY);
    }

    pub(super) fn health(&self) -> Health {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = changes.front() else { return Health::default() };
        Health {
            state: last.state,
            reason: last.reason.clone(),
            since: Some(last.at),
            history: changes.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_remembered_and_not_all() {
        let record = Record::default();
        let at = Timestamp::from_seconds;
        assert_eq!(record.health(), Health::default());
        record.good(|| at(1));
        record.good(|| at(2));
        record.bad("no answer in time", at(3));
        record.bad("no answer in time", at(4));
        let health = record.health();
        assert_eq!((health.state, health.since, health.history.len()), (HealthState::Down, Some(at(3)), 2));
        for second in 5..200 {
            record.good(|| at(second));
            record.bad("broken", at(second));
        }
        assert_eq!(record.health().history.len(), HISTORY);
    }
}
