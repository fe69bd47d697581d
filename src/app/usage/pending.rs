//! What was counted and waits to be stored.

use super::NOBODY;
use super::denials::DenialCount;
use super::tally::{GatewayGrant, Tally, TallyKey, grants};
use crate::app::live_application::ClientKey;
use crate::domain::application::CredentialId;
use crate::domain::time::Timestamp;
use crate::store::denial::Denial;
use crate::store::usage::DayUsage;
use std::collections::{BTreeSet, HashSet};

/// How many refusals wait at most; beyond, the oldest are dropped (the store has been away for long).
const MOST_DENIALS: usize = 10_000;

/// What was counted and waits to be stored.
#[derive(Debug, Default)]
pub struct Pending {
    /// Sorted downwards, so that the first to be stored is taken from the end.
    tallies: Vec<(TallyKey, Tally)>,
    /// Sorted.
    gateway_grants: Vec<GatewayGrant>,
    denials: Vec<DenialCount>,
    /// The newest minute that was stored as somebody's last use, and the secrets that it was stored for: their rows need
    /// not be looked at again before the next minute.
    touched: (i64, HashSet<CredentialId>),
}

/// Rows that belong into one statement each, of whole applications.
#[derive(Debug, Default)]
pub struct Chunk {
    /// What to add to the days.
    pub days: Vec<DayUsage>,
    /// When applications were last used.
    pub applications: Vec<(String, Timestamp)>,
    /// When secrets were last used, by their ids.
    pub secrets: Vec<(String, Timestamp)>,
    /// The same, for [`Pending::stored`].
    uses: Vec<(CredentialId, i64)>,
    tallies: usize,
}

impl Chunk {
    /// How many rows it writes.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.days.len() + self.applications.len() + self.secrets.len()
    }

    /// How much of what waits it stores.
    #[must_use]
    pub const fn tallies(&self) -> usize {
        self.tallies
    }
}

impl Pending {
    pub(super) fn take_in(
        &mut self,
        tallies: Vec<(TallyKey, Tally)>,
        grants: Vec<GatewayGrant>,
        denials: Vec<DenialCount>,
    ) {
        self.tallies.extend(tallies);
        self.tallies.sort_unstable_by(|(left, _), (right, _)| right.cmp(left));
        self.tallies.dedup_by(|(key, tally), (kept, sum)| {
            let same = key == kept;
            if same {
                sum.add(tally);
            }
            same
        });
        self.gateway_grants.extend(grants);
        self.gateway_grants.sort_unstable();
        self.gateway_grants.dedup();
        self.denials.extend(denials);
        self.denials.sort_unstable_by_key(|count| (count.minute, count.key));
        self.denials.dedup_by(|count, kept| {
            let same = (count.minute, count.key) == (kept.minute, kept.key);
            if same {
                kept.times += count.times;
            }
            same
        });
        let surplus = self.denials.len().saturating_sub(MOST_DENIALS);
        self.denials.drain(..surplus);
    }

    /// The rows of about `size` tallies, after leaving out the first `stored`; `None` when there are no more.
    #[must_use]
    pub fn chunk(&self, stored: usize, size: usize) -> Option<Chunk> {
        let rest = &self.tallies[..self.tallies.len().checked_sub(stored)?];
        let mut chunk = Chunk::default();
        let mut current: Option<(ClientKey, i64)> = None;
        for (key, tally) in rest.iter().rev() {
            if current.is_none_or(|(client, _)| client != key.client) {
                if chunk.tallies >= size {
                    break;
                }
                chunk.touch(current.take());
                current = Some((key.client, 0));
            }
            chunk.tallies += 1;
            self.add(&mut chunk, key, tally);
            if let Some(credential) = key.credential
                && !self.is_touched(credential, tally.minute)
            {
                current = current.map(|(client, minute)| (client, minute.max(tally.minute)));
                chunk.uses.push((credential, tally.minute));
            }
        }
        chunk.touch(current);
        chunk.uses.sort_unstable();
        // Of two days' uses of a secret the later one counts; no row may be named twice.
        chunk.uses.dedup_by(|(credential, minute), (kept, latest)| {
            let same = credential == kept;
            if same {
                *latest = *minute;
            }
            same
        });
        chunk.secrets =
            chunk.uses.iter().map(|(credential, minute)| (credential.to_string(), start(*minute))).collect();
        (chunk.tallies > 0).then_some(chunk)
    }

    fn add(&self, chunk: &mut Chunk, key: &TallyKey, tally: &Tally) {
        let client_id = text(&key.client);
        if chunk.days.last().is_none_or(|last| last.client_id != client_id || last.day != key.day) {
            let day =
                DayUsage { client_id, day: key.day, tokens: 0, requests: 0, refusals: 0, grants: BTreeSet::new() };
            chunk.days.push(DayUsage { grants: self.gateway_grants_of(key).collect(), ..day });
        }
        if let Some(day) = chunk.days.last_mut() {
            day.tokens += tally.tokens;
            day.requests += tally.requests;
            day.refusals += tally.refusals;
            day.grants.extend(grants(tally.grants));
        }
    }

    fn gateway_grants_of(&self, key: &TallyKey) -> impl Iterator<Item = String> {
        let start = self.gateway_grants.partition_point(|used| (used.client, used.day) < (key.client, key.day));
        let (client, day) = (key.client, key.day);
        let own = self.gateway_grants[start..].iter().take_while(move |used| (used.client, used.day) == (client, day));
        own.map(|used| used.text.clone())
    }

    fn is_touched(&self, credential: CredentialId, minute: i64) -> bool {
        minute <= self.touched.0 && self.touched.1.contains(&credential)
    }

    /// These chunks, the first ones, are stored for good.
    pub fn stored(&mut self, chunks: &[Chunk]) {
        let count: usize = chunks.iter().map(|chunk| chunk.tallies).sum();
        self.tallies.truncate(self.tallies.len().saturating_sub(count));
        if self.tallies.is_empty() {
            self.tallies.shrink_to(1_000);
            self.gateway_grants.clear();
        }
        for (credential, minute) in chunks.iter().flat_map(|chunk| &chunk.uses) {
            if *minute > self.touched.0 {
                self.touched = (*minute, HashSet::new());
            }
            if *minute == self.touched.0 {
                self.touched.1.insert(*credential);
            }
        }
    }

    /// At most `most` refusals that wait.
    #[must_use]
    pub fn denials(&self, most: usize) -> Vec<Denial> {
        let mut denials: Vec<Denial> = Vec::new();
        for count in self.denials.iter().take(most) {
            denials.push(Denial {
                client_id: if count.key.client == NOBODY { String::new() } else { text(&count.key.client) },
                at: start(count.minute),
                reason: Some(count.key.reason),
                source: count.key.source.map_or_else(String::new, |source| source.to_string()),
                times: count.times,
            });
        }
        denials
    }

    /// The first `count` refusals are stored for good.
    pub fn denials_stored(&mut self, count: usize) {
        self.denials.drain(..count.min(self.denials.len()));
    }
}

impl Chunk {
    fn touch(&mut self, used: Option<(ClientKey, i64)>) {
        if let Some((client, minute)) = used
            && minute > 0
        {
            self.applications.push((text(&client), start(minute)));
        }
    }
}

/// The `client_id`.
fn text(client: &ClientKey) -> String {
    format!("gh_{}", String::from_utf8_lossy(client))
}

/// The first instant of a minute.
fn start(minute: i64) -> Timestamp {
    Timestamp::from_seconds(minute * 60)
}
