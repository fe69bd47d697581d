//! The clock, the randomness and the host's name: the only place that asks the system for any of them.

use crate::domain::time::Timestamp;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The current time. It never runs backwards, whatever happens to the host's wall clock, so that what has ended stays
/// ended.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Readings>);

#[derive(Debug)]
struct Readings {
    source: Source,
    /// Wall clock minus boot clock, at its highest so far; the boot clock goes on while the host sleeps.
    offset: AtomicI64,
}

#[derive(Debug)]
enum Source {
    /// The host's two clocks.
    System,
    /// What a test sets.
    Manual { wall: AtomicI64, boot: AtomicI64 },
}

impl Clock {
    /// The host's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::of(Source::System)
    }

    /// A clock that stands still until its handle moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        let clock = Self::of(Source::Manual { wall: AtomicI64::new(start.micros()), boot: AtomicI64::new(0) });
        (clock.clone(), ManualClock(clock))
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(Readings { source, offset: AtomicI64::new(i64::MIN) }))
    }

    /// The instant now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let (wall, boot) = match &self.0.source {
            // The wall first: a pause between the two reads then makes the offset smaller, which the highest ignores.
            Source::System => (wall_micros(), boot_micros()),
            Source::Manual { wall, boot } => (wall.load(Ordering::Relaxed), boot.load(Ordering::Relaxed)),
        };
        let seen = wall.saturating_sub(boot);
        let highest = self.0.offset.fetch_max(seen, Ordering::Relaxed).max(seen);
        Timestamp::from_micros(boot.saturating_add(highest))
    }
}

/// The instant now by the runtime's timers: for limits in time within this process, which no test moves.
#[must_use]
pub fn timer_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// The handle of a clock that stands still.
#[derive(Clone, Debug)]
pub struct ManualClock(Clock);

impl ManualClock {
    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual { wall, boot } = &self.0.0.source {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            wall.fetch_add(micros, Ordering::Relaxed);
            boot.fetch_add(micros, Ordering::Relaxed);
        }
    }

    /// Sets the host's wall clock, backwards too, without any time passing.
    pub fn set_wall(&self, to: Timestamp) {
        if let Source::Manual { wall, .. } = &self.0.0.source {
            wall.store(to.micros(), Ordering::Relaxed);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall_micros() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}

fn boot_micros() -> i64 {
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    boot.tv_sec.saturating_mul(1_000_000).saturating_add(boot.tv_nsec / 1_000)
}

/// The name of the host.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The system's random generator.
#[derive(Clone, Debug, Default)]
pub struct Randomness(SystemRandom);

impl Randomness {
    /// The system's generator.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// Fills the buffer.
    ///
    /// # Panics
    /// If the system gives no randomness: nothing secret can be made then, and nothing must be.
    pub fn fill(&self, buffer: &mut [u8]) {
        self.0.fill(buffer).expect("the system's random generator works");
    }

    /// So many random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.fill(&mut buffer);
        buffer
    }

    /// A new id: a prefix and 128 random bits in hexadecimal.
    #[must_use]
    pub fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{:032x}", u128::from_be_bytes(self.bytes()))
    }

    /// The generator itself, for signatures.
    #[must_use]
    pub const fn source(&self) -> &SystemRandom {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_runs_backwards() {
        let (clock, hand) = Clock::manual(Timestamp::from_seconds(1_000));
        assert_eq!(clock.now(), Timestamp::from_seconds(1_000));
        hand.set_wall(Timestamp::from_seconds(10));
        assert_eq!(clock.now(), Timestamp::from_seconds(1_000), "the wall clock jumped back");
        hand.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), Timestamp::from_seconds(1_005), "and goes on from where it was");
        hand.set_wall(Timestamp::from_seconds(2_000));
        assert_eq!(clock.now(), Timestamp::from_seconds(2_000), "a jump forward counts");
    }
}
