//! Failed client authentications, counted per source and per (source, client) in tables of a fixed size.
//!
//! Asked only after a failure: a correct secret is never refused, whatever others do from the same address.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::time::Timestamp;

/// Failures per minute of one source with one client before it has to wait.
pub const LIMIT_PER_CLIENT: u32 = 60;
/// Failures per minute of one source with whatever clients before it has to wait.
pub const LIMIT_PER_SOURCE: u32 = 600;

const WINDOW: Duration = Duration::from_mins(1);
/// Clients that do not know the method try Basic and then the body: within this time that is one attempt.
const SECOND_TRY: Duration = Duration::from_secs(2);

/// Each key has one set of slots; when all of them are taken, the least interesting one goes.
const SLOTS_PER_SET: usize = 4;
const SOURCE_SETS: usize = 1024;
const CLIENT_SETS: usize = 2048;

/// Where the credentials stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// In the Authorization header: `client_secret_basic`.
    Basic,
    /// In the body: `client_secret_post`.
    Body,
}

/// A client authentication that failed.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// Where it came from.
    pub source: IpAddr,
    /// Which client it claimed to be.
    pub client_id: &'a str,
    /// A part of the keyed hash of the offered secret, to recognise the same attempt.
    pub fingerprint: u64,
    /// How it was sent.
    pub method: Method,
    /// When.
    pub now: Timestamp,
}

/// The counters of one node, the same for the token endpoint and for HTTP Basic on gateways.
pub struct Throttle {
    hasher: RandomState,
    tables: Mutex<Tables>,
}

struct Tables {
    sources: Table,
    clients: Table,
}

/// A table of a fixed size, filled as needed.
struct Table {
    sets: usize,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy)]
struct Slot {
    /// Zero while the slot is free.
    key: u64,
    /// The start of the minute in which `failures` were counted.
    since: Timestamp,
    failures: u32,
    /// The fingerprint of the last failure by Basic and its time, until the same comes in the body.
    basic: Option<(u64, Timestamp)>,
}

const FREE: Slot = Slot { key: 0, since: Timestamp::from_micros(0), failures: 0, basic: None };

impl Throttle {
    /// Empty tables; they take memory only after the first failure.
    #[must_use]
    pub fn new() -> Self {
        let table = |sets| Table { sets, slots: Vec::new() };
        let tables = Tables { sources: table(SOURCE_SETS), clients: table(CLIENT_SETS) };
        Self { hasher: RandomState::new(), tables: Mutex::new(tables) }
    }

    /// Counts a failure. Gives the whole seconds to wait if there were too many, this one included.
    pub fn failed(&self, failure: &Failure<'_>) -> Option<i64> {
        let network = network(failure.source);
        let source = self.hasher.hash_one(network).max(1);
        let client = self.hasher.hash_one((network, failure.client_id)).max(1);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = tables.clients.slot(client, failure.now);
        let second_try = slot.is_second_try(failure);
        if !second_try {
            slot.failures = slot.failures.saturating_add(1);
        }
        let wait = slot.wait(LIMIT_PER_CLIENT, failure.now);
        let slot = tables.sources.slot(source, failure.now);
        if !second_try {
            slot.failures = slot.failures.saturating_add(1);
        }
        wait.max(slot.wait(LIMIT_PER_SOURCE, failure.now))
    }
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Throttle")
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new()
    }
}

impl Table {
    /// The slot of a key, in its current minute; taken from another key if it has none.
    fn slot(&mut self, key: u64, now: Timestamp) -> &mut Slot {
        if self.slots.is_empty() {
            self.slots = vec![FREE; self.sets * SLOTS_PER_SET];
        }
        #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
        let start = (key as usize % self.sets) * SLOTS_PER_SET;
        let set = &mut self.slots[start..start + SLOTS_PER_SET];
        let at = set.iter().position(|slot| slot.key == key).unwrap_or_else(|| {
            let worth = |slot: &Slot| if slot.is_over(now) { (0, slot.since) } else { (slot.failures, slot.since) };
            (0..SLOTS_PER_SET).min_by_key(|at| worth(&set[*at])).unwrap_or_default()
        });
        let slot = &mut set[at];
        if slot.key != key {
            *slot = Slot { key, since: now, ..FREE };
        } else if slot.is_over(now) {
            *slot = Slot { since: now, failures: 0, ..*slot };
        }
        slot
    }
}

impl Slot {
    /// Whether its minute has passed.
    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.since.plus(WINDOW)
    }

    fn wait(&self, limit: u32, now: Timestamp) -> Option<i64> {
        let end = self.since.plus(WINDOW).seconds();
        (self.failures > limit).then(|| (end - now.seconds()).max(1))
    }

    /// Whether this is the body after the same by Basic just before; each Basic attempt excuses one.
    fn is_second_try(&mut self, failure: &Failure<'_>) -> bool {
        match failure.method {
            Method::Basic => {
                self.basic = Some((failure.fingerprint, failure.now));
                false
            }
            Method::Body => self.basic.take().is_some_and(|(fingerprint, at)| {
                fingerprint == failure.fingerprint && failure.now.since(at) <= SECOND_TRY
            }),
        }
    }
}

/// What counts as one source: an IPv4 address, or an IPv6 network of 64 bits, since whoever has one has all its addresses.
fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn failure(client_id: &str, now: Timestamp) -> Failure<'_> {
        Failure { source: HERE, client_id, fingerprint: 1, method: Method::Body, now }
    }

    #[test]
    fn sec_07_failures_wait_only_beyond_the_limit_and_only_for_a_minute() {
        let throttle = Throttle::new();
        for _ in 0..LIMIT_PER_CLIENT {
            assert_eq!(throttle.failed(&failure("a", at(0))), None);
        }
        assert_eq!(throttle.failed(&failure("a", at(20))), Some(40));
        assert_eq!(throttle.failed(&failure("b", at(20))), None, "another client of the same source");
        let elsewhere = Failure { source: IpAddr::V6(Ipv6Addr::LOCALHOST), ..failure("a", at(20)) };
        assert_eq!(throttle.failed(&elsewhere), None, "the same client from another source");
        assert_eq!(throttle.failed(&failure("a", at(60))), None);
    }

    #[test]
    fn sec_07_a_source_waits_after_many_clients() {
        let throttle = Throttle::new();
        let waits =
            (0..=LIMIT_PER_SOURCE).filter(|n| throttle.failed(&failure(&n.to_string(), at(0))).is_some()).count();
        assert_eq!(waits, 1);
    }

    #[test]
    fn sec_07_the_tables_are_bounded() {
        let throttle = Throttle::new();
        for n in 0..50_000_u32 {
            let source = IpAddr::V4(n.into());
            throttle.failed(&Failure { source, ..failure(&n.to_string(), at(0)) });
        }
        let tables = throttle.tables.lock().expect("not poisoned");
        assert_eq!(tables.sources.slots.len(), SOURCE_SETS * SLOTS_PER_SET);
        assert_eq!(tables.clients.slots.len(), CLIENT_SETS * SLOTS_PER_SET);
    }

    #[test]
    fn a_busy_slot_is_not_pushed_out_by_single_failures() {
        let throttle = Throttle::new();
        for _ in 0..=LIMIT_PER_CLIENT {
            throttle.failed(&failure("a", at(0)));
        }
        for n in 0..50_000_u32 {
            let source = IpAddr::V4(n.into());
            throttle.failed(&Failure { source, ..failure(&n.to_string(), at(1)) });
        }
        assert!(throttle.failed(&failure("a", at(2))).is_some());
    }

    #[test]
    fn sec_07_basic_and_then_the_same_in_the_body_is_one_attempt() {
        let throttle = Throttle::new();
        for n in 0..i64::from(LIMIT_PER_CLIENT) {
            let basic = Failure { method: Method::Basic, ..failure("a", at(n / 2)) };
            assert_eq!(throttle.failed(&basic), None, "{n}");
            assert_eq!(throttle.failed(&failure("a", at(n / 2))), None, "{n}");
        }
        // Another secret, too late, or the body twice: each counts.
        for (fingerprint, later) in [(2, 0), (1, 3), (1, 0)] {
            let throttle = Throttle::new();
            let mut waited = false;
            for _ in 0..=LIMIT_PER_CLIENT / 2 {
                throttle.failed(&Failure { method: Method::Basic, ..failure("a", at(0)) });
                waited |= throttle.failed(&Failure { fingerprint, ..failure("a", at(later)) }).is_some();
                waited |= throttle.failed(&failure("a", at(later))).is_some();
            }
            assert!(waited, "{fingerprint} {later}");
        }
    }

    #[test]
    fn an_ipv6_source_is_its_network_and_a_mapped_one_its_ipv4() {
        let [one, two, other] =
            ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"].map(|text| text.parse().expect("an address"));
        assert_eq!(network(one), network(two));
        assert_ne!(network(one), network(other));
        assert_eq!(network("::ffff:127.0.0.1".parse().expect("an address")), network(HERE));
    }
}
