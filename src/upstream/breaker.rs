//! The circuit breaker of one address: after repeated failures to connect it rests, and a single request tries again.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use crate::domain::time::Timestamp;

/// So many connections in a row must fail before the address rests.
const PATIENCE: u32 = 3;
/// The first rest; each further failure doubles it.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(15);

/// Counts failures to connect, and nothing else: what a caller's request does to the upstream must not shut out others.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: AtomicU32,
    /// Until when it rests, in microseconds since the epoch; zero while it works.
    rests_until: AtomicI64,
}

impl Breaker {
    /// Whether a connection may be tried now; after a rest, one caller gets leave. Otherwise, when the rest ends.
    pub(super) fn leave(&self, now: Timestamp) -> Result<(), Timestamp> {
        let until = self.rests_until.load(Ordering::Relaxed);
        if until == 0 {
            return Ok(());
        }
        if now.micros() < until {
            return Err(Timestamp::from_micros(until));
        }
        // Whoever moves the end may try; the others see the new end.
        let next = now.plus(self.rest()).micros();
        match self.rests_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(other) => Err(Timestamp::from_micros(other)),
        }
    }

    /// A connection was made.
    pub(super) fn connected(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.rests_until.store(0, Ordering::Relaxed);
        }
    }

    /// A connection could not be made.
    pub(super) fn failed(&self, now: Timestamp) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures >= PATIENCE {
            self.rests_until.store(now.plus(self.rest()).micros(), Ordering::Relaxed);
        }
    }

    fn rest(&self) -> Duration {
        let more = self.failures.load(Ordering::Relaxed).saturating_sub(PATIENCE).min(8);
        (FIRST_REST * 2_u32.pow(more)).min(LONGEST_REST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + millis * 1000)
    }

    #[test]
    fn after_some_failures_it_rests_and_one_tries_again() {
        let breaker = Breaker::default();
        for _ in 0..PATIENCE {
            assert_eq!(breaker.leave(at(0)), Ok(()));
            breaker.failed(at(0));
        }
        assert_eq!(breaker.leave(at(999)), Err(at(1000)));
        assert_eq!(breaker.leave(at(1000)), Ok(()));
        assert_eq!(breaker.leave(at(1000)), Err(at(2000)), "only one tries");
        breaker.failed(at(1001));
        assert_eq!(breaker.leave(at(3000)), Err(at(3001)), "each failure doubles the rest");
        assert_eq!(breaker.leave(at(3001)), Ok(()));
        breaker.connected();
        assert_eq!(breaker.leave(at(3002)), Ok(()));
        assert_eq!(breaker.leave(at(3002)), Ok(()));
    }

    #[test]
    fn the_rest_has_an_end() {
        let breaker = Breaker::default();
        for _ in 0..1000 {
            breaker.failed(at(0));
        }
        assert_eq!(breaker.leave(at(0)), Err(at(15_000)));
    }
}
