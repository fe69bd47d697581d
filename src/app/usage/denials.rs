//! Refusals of the current minute by reason, application and source, in a table of limited size.

use super::NOBODY;
use crate::app::live_application::ClientKey;
use crate::domain::denial::DenialReason;
use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;

/// So many different refusals are told apart in a minute; as many more without their source; then only the reason counts.
pub(super) const TOLD_APART: usize = 100;

/// What is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DenialKey {
    pub(super) client: ClientKey,
    pub(super) reason: DenialReason,
    pub(super) source: Option<IpAddr>,
}

/// A count of one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DenialCount {
    pub(super) key: DenialKey,
    /// The minute, counted from 1970.
    pub(super) minute: i64,
    pub(super) times: u64,
}

#[derive(Debug, Default)]
pub(super) struct Denials {
    minute: i64,
    /// All of the minute, with what was counted since the last flush.
    counts: HashMap<DenialKey, u64>,
    /// What an earlier minute left behind.
    earlier: Vec<DenialCount>,
}

/// The minute in which an instant lies, counted from 1970.
pub(super) fn minute_of(at: Timestamp) -> i64 {
    at.seconds().div_euclid(60)
}

impl Denials {
    pub(super) fn count(&mut self, mut key: DenialKey, minute: i64) {
        // Another thread may have read the clock just before the minute ended.
        if minute > self.minute {
            let earlier = self.take();
            self.earlier.extend(earlier);
            self.counts.clear();
            self.minute = minute;
        }
        if !self.has_place(&key, TOLD_APART) {
            key.source = None;
        }
        if !self.has_place(&key, 2 * TOLD_APART) {
            key.client = NOBODY;
        }
        *self.counts.entry(key).or_default() += 1;
    }

    fn has_place(&self, key: &DenialKey, limit: usize) -> bool {
        self.counts.len() < limit || self.counts.contains_key(key)
    }

    fn take(&mut self) -> Vec<DenialCount> {
        let minute = self.minute;
        let taken = self.counts.iter_mut().filter(|(_, times)| **times > 0);
        taken.map(|(key, times)| DenialCount { key: *key, minute, times: std::mem::take(times) }).collect()
    }

    /// What was counted since the last time.
    pub(super) fn drain(&mut self) -> Vec<DenialCount> {
        let mut counts = std::mem::take(&mut self.earlier);
        counts.extend(self.take());
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn key(client: u8, reason: DenialReason, source: u32) -> DenialKey {
        DenialKey { client: [client; 22], reason, source: Some(Ipv4Addr::from_bits(source).into()) }
    }

    #[test]
    fn sec_31_the_table_of_refusals_is_bounded_and_loses_no_count() {
        let mut denials = Denials::default();
        let mut counted = 0;
        for source in 0..10_000 {
            denials.count(key(b'a' + (source % 26) as u8, DenialReason::WrongSecret, source), 7);
            counted += 1;
        }
        for client in 0..=255 {
            denials.count(key(client, DenialReason::Disabled, 1), 7);
            counted += 1;
        }
        let drained = denials.drain();
        assert!(drained.len() <= 2 * TOLD_APART + DenialReason::ALL.len(), "{}", drained.len());
        assert_eq!(drained.iter().map(|count| count.times).sum::<u64>(), counted);
        assert!(denials.drain().is_empty());
    }

    #[test]
    fn a_minute_keeps_its_counts() {
        let mut denials = Denials::default();
        let refused = key(b'a', DenialReason::Expired, 1);
        for minute in [7, 7, 8, 7, 8] {
            denials.count(refused, minute);
        }
        let count = |minute, times| DenialCount { key: refused, minute, times };
        assert_eq!(denials.drain(), [count(7, 2), count(8, 3)]);
        denials.count(refused, 8);
        assert_eq!(denials.drain(), [count(8, 1)]);
    }
}
