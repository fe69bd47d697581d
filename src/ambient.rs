//! The clock and the randomness: the only place that asks the system for either.

use crate::domain::time::Timestamp;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The current time. It never runs backwards, whatever happens to the host's wall clock, so that what has ended stays
/// ended.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    /// Wall clock minus boot clock, at its highest so far; the boot clock goes on while the host sleeps.
    System { offset: AtomicI64 },
    /// What a test sets.
    Manual(AtomicI64),
}

impl Clock {
    /// The host's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Source::System { offset: AtomicI64::new(i64::MIN) }))
    }

    /// A clock that stands still until its handle moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        let clock = Self(Arc::new(Source::Manual(AtomicI64::new(start.micros()))));
        (clock.clone(), ManualClock(clock))
    }

    /// The instant now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Source::System { offset } => {
                let boot = boot_micros();
                let seen = wall_micros().saturating_sub(boot);
                let highest = offset.fetch_max(seen, Ordering::Relaxed).max(seen);
                Timestamp::from_micros(boot.saturating_add(highest))
            }
            Source::Manual(now) => Timestamp::from_micros(now.load(Ordering::Relaxed)),
        }
    }
}

/// The handle of a clock that stands still.
#[derive(Clone, Debug)]
pub struct ManualClock(Clock);

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.set(self.0.now().plus(by));
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, to: Timestamp) {
        if let Source::Manual(now) = &*self.0.0 {
            now.store(to.micros(), Ordering::Relaxed);
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
