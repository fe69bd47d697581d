//! What applications do, counted in memory: no request writes a row (DESIGN: rule 8). `actions::usage` stores it.
//!
//! Counting takes no lock and, but for the first time in a round, no memory. What is counted between two flushes is one
//! round: a flush puts an empty one in its place, and looks into the old one until no request holds it any more. Whoever is
//! asked for again and again remembers its place in the round ([`Seat`]): with thousands of active applications, looking it
//! up would take longer than counting.

mod denials;
mod pending;
mod seat;
mod tally;

pub use pending::{Chunk, Pending};
pub use seat::Seat;

use super::live_application::{ClientKey, client_key};
use crate::domain::application::CredentialId;
use crate::domain::denial::DenialReason;
use crate::domain::grant::Action;
use crate::domain::resource::Resource;
use crate::domain::time::Timestamp;
use crate::store::usage::day_of;
use arc_swap::ArcSwap;
use denials::{DenialKey, Denials, minute_of};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tally::{GatewayGrant, Tally, TallyKey, bit};
use tokio::sync::MutexGuard;

/// Stands for the application where none of ours was named.
const NOBODY: ClientKey = [b'-'; 22];

/// One round of counting.
#[derive(Debug, Default)]
struct Round {
    number: u64,
    tallies: papaya::HashMap<TallyKey, Arc<LiveTally>>,
    /// The grants on gateways that were used, by a hash of their text: an application may have any number of them.
    gateway_grants: papaya::HashMap<(ClientKey, i32, u64), Box<str>>,
}

#[derive(Debug, Default)]
struct LiveTally {
    /// The round and the day that it belongs to.
    of: (u64, i32),
    tokens: AtomicU64,
    requests: AtomicU64,
    refusals: AtomicU64,
    /// The grants that were used, one bit each.
    grants: AtomicU32,
    /// The last minute in which the credential was used.
    minute: AtomicI64,
}

/// Something that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The application, if one of ours is known to be concerned; empty otherwise.
    pub client_id: &'a str,
    /// The secret that it has proved to hold, if it has.
    pub credential: Option<CredentialId>,
    /// Why.
    pub reason: DenialReason,
    /// Where it came from.
    pub source: IpAddr,
    /// When.
    pub now: Timestamp,
}

/// The counts of one node.
#[derive(Debug, Default)]
pub struct Usage {
    round: ArcSwap<Round>,
    /// Rounds that were replaced while a request held them.
    held: Mutex<Vec<Arc<Round>>>,
    denials: Mutex<Denials>,
    pending: tokio::sync::Mutex<Pending>,
}

impl Usage {
    /// An access token was issued.
    pub fn token_issued(&self, client_id: &str, credential: CredentialId, now: Timestamp) {
        let Some(client) = client_key(client_id) else { return };
        self.count(None, client, Some(credential), now, |tally| increase(&tally.tokens));
    }

    /// A request was let through. `used` is the grant that it took, if it took one.
    pub fn request(
        &self,
        client_id: &str,
        credential: CredentialId,
        used: Option<(&Resource, Action)>,
        now: Timestamp,
    ) {
        self.request_at(&Seat::default(), client_id, credential, used, now);
    }

    /// The same for a caller that comes again and again with the same secret, and whose place `seat` remembers.
    pub fn request_at(
        &self,
        seat: &Seat,
        client_id: &str,
        credential: CredentialId,
        used: Option<(&Resource, Action)>,
        now: Timestamp,
    ) {
        let Some(client) = client_key(client_id) else { return };
        let bit = used.map_or(Some(0), |(resource, action)| bit(resource, action));
        self.count(Some(seat), client, Some(credential), now, |tally| {
            increase(&tally.requests);
            let bit = bit.unwrap_or(0);
            // Mostly set already: reading leaves the cache line shared.
            if tally.grants.load(Ordering::Relaxed) & bit != bit {
                tally.grants.fetch_or(bit, Ordering::Relaxed);
            }
        });
        if let (None, Some((resource, action))) = (bit, used) {
            self.round.load().used_gateway(client, resource, action, now);
        }
    }

    /// Something was refused. The work is the same whether the application exists or not.
    pub fn refused(&self, refused: &Refused<'_>) {
        let client = client_key(refused.client_id).unwrap_or(NOBODY);
        self.count(None, client, refused.credential, refused.now, |tally| increase(&tally.refusals));
        let source = Some(refused.source.to_canonical());
        let key = DenialKey { client, reason: refused.reason, source };
        self.denials.lock().unwrap_or_else(PoisonError::into_inner).count(key, minute_of(refused.now));
    }

    fn count(
        &self,
        seat: Option<&Seat>,
        client: ClientKey,
        credential: Option<CredentialId>,
        now: Timestamp,
        count: impl FnOnce(&LiveTally),
    ) {
        // Held until it is counted, so that no flush takes this round for done.
        let round = self.round.load();
        let count = |tally: &LiveTally| {
            count(tally);
            if tally.minute.load(Ordering::Relaxed) < minute_of(now) {
                tally.minute.fetch_max(minute_of(now), Ordering::Relaxed);
            }
        };
        let of = (round.number, day_of(now));
        let key = TallyKey { client, day: of.1, credential };
        let tallies = || round.tallies.pin();
        let new = || Arc::new(LiveTally { of, ..LiveTally::default() });
        match seat {
            Some(seat) => seat.with(of, || Arc::clone(tallies().get_or_insert_with(key, new)), count),
            None => count(tallies().get_or_insert_with(key, new)),
        }
    }

    /// Takes all that was counted since the last time into what waits to be stored, and gives that. Whoever holds it is
    /// the only one who stores.
    pub async fn collect(&self) -> MutexGuard<'_, Pending> {
        let mut pending = self.pending.lock().await;
        let next = self.round.load().next();
        let old = self.round.swap(Arc::new(next));
        let (mut tallies, mut grants) = (Vec::with_capacity(old.tallies.len()), Vec::new());
        {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.push(old);
            for round in std::mem::take(&mut *held) {
                match Arc::try_unwrap(round) {
                    Ok(round) => round.drain(&mut tallies, &mut grants),
                    Err(round) => {
                        round.drain(&mut tallies, &mut grants);
                        held.push(round);
                    }
                }
            }
        }
        let denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner).drain();
        pending.take_in(tallies, grants, denials);
        pending
    }
}

fn increase(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Round {
    /// An empty one, with room for as much.
    fn next(&self) -> Self {
        let tallies = papaya::HashMap::with_capacity(self.tallies.len());
        Self { number: self.number + 1, tallies, gateway_grants: papaya::HashMap::new() }
    }

    fn used_gateway(&self, client: ClientKey, resource: &Resource, action: Action, now: Timestamp) {
        let mut hasher = DefaultHasher::new();
        (resource, action).hash(&mut hasher);
        let grants = self.gateway_grants.pin();
        grants.get_or_insert_with((client, day_of(now), hasher.finish()), || format!("{resource}:{action}").into());
    }

    fn drain(&self, tallies: &mut Vec<(TallyKey, Tally)>, grants: &mut Vec<GatewayGrant>) {
        for (key, live) in &self.tallies.pin() {
            let taken = Tally {
                tokens: live.tokens.swap(0, Ordering::Relaxed),
                requests: live.requests.swap(0, Ordering::Relaxed),
                refusals: live.refusals.swap(0, Ordering::Relaxed),
                grants: live.grants.swap(0, Ordering::Relaxed),
                minute: live.minute.swap(0, Ordering::Relaxed),
            };
            if taken != Tally::default() && key.client != NOBODY {
                tallies.push((*key, taken));
            }
        }
        let gateway_grants = self.gateway_grants.pin();
        for (&(client, day, _), text) in &gateway_grants {
            grants.push(GatewayGrant { client, day, text: text.to_string() });
        }
        gateway_grants.clear();
    }
}

#[cfg(test)]
mod tests;
