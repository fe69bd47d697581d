//! Slows down guessing of passwords, without ever locking the real person out.
//!
//! Failures are counted per user name and source. After a few, each further wrong answer is held back for longer, and few
//! attempts of one pair run at a time, so that guessing in parallel gains nothing. The right password is answered at once,
//! and somebody who comes from elsewhere is not slowed at all.

use crate::domain::time::Timestamp;
use quick_cache::sync::Cache;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many pairs are remembered; the ones unused for longest are forgotten first.
const PAIRS: usize = 10_000;
/// So many wrong answers are not held back.
const FREE: u32 = 4;
/// The first pause; each failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// After so long without a failure, all is forgotten.
const FORGET: Duration = Duration::from_mins(15);
/// How many attempts of one pair run at a time.
const AT_A_TIME: u32 = 3;

/// How many passwords are hashed at a time.
const HASHES_AT_A_TIME: usize = 4;
/// How long an attempt waits for that.
const PATIENCE: Duration = Duration::from_secs(10);

type Pair = (String, IpAddr);

/// What is known of one pair.
#[derive(Debug, Default)]
struct Record {
    failures: AtomicU32,
    last: AtomicI64,
    running: AtomicU32,
}

/// The table of failures, and the room for password hashes.
#[derive(Debug)]
pub(crate) struct Throttle {
    failures: Cache<Pair, Arc<Record>>,
    hashing: Semaphore,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { failures: Cache::new(PAIRS), hashing: Semaphore::new(HASHES_AT_A_TIME) }
    }
}

/// An attempt that may run; it counts as running until dropped.
#[derive(Debug)]
pub(crate) struct Attempt(Arc<Record>);

impl Throttle {
    /// Begins an attempt; `None` if too many of the same pair run already.
    pub(crate) fn begin(&self, user: &str, source: IpAddr) -> Option<Attempt> {
        // A name longer than any user's is one pair with all others of its beginning: the table stays bounded in bytes.
        let user: String = user.chars().take(64).flat_map(char::to_lowercase).collect();
        let made = self
            .failures
            .get_or_insert_with(&(user, neighbourhood(source)), || Ok::<_, std::convert::Infallible>(Arc::default()));
        let record = made.unwrap_or_default();
        let attempt = Attempt(Arc::clone(&record));
        let before = record.running.fetch_add(1, Ordering::AcqRel);
        (before < AT_A_TIME).then_some(attempt)
    }

    /// Room to hash one password: each takes 19 MiB and tens of milliseconds, so that a crowd of them must queue. `None`
    /// if the queue did not move in time.
    pub(crate) async fn room_to_hash(&self) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(PATIENCE, self.hashing.acquire()).await.ok()?.ok()
    }
}

/// An IPv6 host commonly has a whole /64 to choose its addresses from.
fn neighbourhood(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}

impl Attempt {
    /// Counts a failure and tells how long its answer is held back.
    pub(crate) fn failed(&self, now: Timestamp) -> Duration {
        let record = &self.0;
        let last = Timestamp::from_micros(record.last.swap(now.micros(), Ordering::AcqRel));
        if now.since(last) >= FORGET {
            record.failures.store(0, Ordering::Release);
        }
        let failures = record.failures.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        match failures.checked_sub(FREE + 1) {
            None => Duration::ZERO,
            Some(beyond) => FIRST_PAUSE.saturating_mul(1 << beyond.min(10)).min(LONGEST_PAUSE),
        }
    }

    /// Forgets the pair's failures: the person is who they say.
    pub(crate) fn succeeded(&self) {
        self.0.failures.store(0, Ordering::Release);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

    fn fail(throttle: &Throttle, source: IpAddr, at: i64) -> Duration {
        throttle.begin("Maria", source).expect("room").failed(Timestamp::from_seconds(at))
    }

    #[test]
    fn pauses_grow_to_a_limit_and_are_forgotten() {
        let throttle = Throttle::default();
        let pauses: Vec<u128> = (0..12).map(|at| fail(&throttle, HERE, 1_000_000 + at).as_millis()).collect();
        assert_eq!(pauses, [0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(fail(&throttle, ELSEWHERE, 1_000_020), Duration::ZERO, "another source is not slowed");
        assert_eq!(fail(&throttle, HERE, 1_002_000), Duration::ZERO, "after a quarter of an hour all is forgotten");
    }

    #[test]
    fn a_host_is_its_network() {
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(neighbourhood(parse("2001:db8::1:2:3:4")), neighbourhood(parse("2001:db8::9")));
        assert_ne!(neighbourhood(parse("2001:db8:0:1::1")), neighbourhood(parse("2001:db8::1")));
        assert_eq!(neighbourhood(parse("::ffff:192.0.2.7")), ELSEWHERE);
        let throttle = Throttle::default();
        let _running: Vec<_> = (0..3).map(|_| throttle.begin("maria", parse("2001:db8::1")).expect("room")).collect();
        assert!(throttle.begin("maria", parse("2001:db8::2")).is_none());
    }

    #[test]
    fn a_success_clears_the_count() {
        let throttle = Throttle::default();
        for at in 0..9 {
            fail(&throttle, HERE, 1_000_000 + at);
        }
        throttle.begin("maria", HERE).expect("room").succeeded();
        assert_eq!(fail(&throttle, HERE, 1_000_010), Duration::ZERO);
    }

    #[test]
    fn few_attempts_of_a_pair_run_at_a_time() {
        let throttle = Throttle::default();
        let running: Vec<_> = (0..3).map(|_| throttle.begin("maria", HERE).expect("room")).collect();
        assert!(throttle.begin("MARIA", HERE).is_none());
        assert!(throttle.begin("maria", ELSEWHERE).is_some());
        drop(running);
        assert!(throttle.begin("maria", HERE).is_some());
    }
}
