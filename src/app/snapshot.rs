//! What a node decides by: all applications, roles and keys in memory. Deciding never touches the database.

use super::Stale;
use super::live_application::{ClientKey, LiveApplication, client_key};
use super::live_gateway::{LiveGateway, LiveGateways, UpstreamCredentials};
use super::live_keys::LiveKeys;
use super::role_set::{RoleSet, RoleSetId, RoleSets};
use crate::domain::gateway::{Gateway, GatewayId};
use crate::domain::role::{Role, RoleId};
use crate::domain::time::Timestamp;
use crate::store::live_application::LiveRow;
use crate::store::token::RevokedToken;
use arc_swap::ArcSwap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// One node's picture of the security state.
#[derive(Debug)]
pub struct Snapshot {
    applications: papaya::HashMap<ClientKey, LiveApplication>,
    roles: ArcSwap<RoleSets>,
    gateways: ArcSwap<LiveGateways>,
    gateway_version: AtomicU64,
    keys: ArcSwap<LiveKeys>,
    key_generation: AtomicU64,
    revoked: papaya::HashMap<Box<str>, Timestamp>,
    seq: AtomicU64,
    last_good_poll: AtomicI64,
    /// Which change was in effect since when, the newest last.
    history: Mutex<VecDeque<(u64, Timestamp)>>,
    applied: watch::Sender<u64>,
}

/// How far back [`Snapshot::in_effect_since`] knows.
const HISTORY: usize = 1_000;

/// The value of `last_good_poll` while nothing may be decided.
const NEVER: i64 = i64::MIN;

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

impl Snapshot {
    /// An empty picture, by which nothing may be decided.
    #[must_use]
    pub fn new() -> Self {
        Self {
            applications: papaya::HashMap::new(),
            roles: ArcSwap::default(),
            gateways: ArcSwap::default(),
            gateway_version: AtomicU64::new(0),
            keys: ArcSwap::default(),
            key_generation: AtomicU64::new(0),
            revoked: papaya::HashMap::new(),
            seq: AtomicU64::new(0),
            last_good_poll: AtomicI64::new(NEVER),
            history: Mutex::default(),
            applied: watch::Sender::new(0),
        }
    }

    /// The number of the last change that is in effect here.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq.load(Ordering::Acquire)
    }

    /// Reads the application of that `client_id` in place; `None` if there is none.
    pub fn with_application<R>(&self, client_id: &str, read: impl FnOnce(&LiveApplication) -> R) -> Option<R> {
        let key = client_key(client_id)?;
        self.applications.pin().get(&key).map(read)
    }

    /// How many applications there are.
    #[must_use]
    pub fn application_count(&self) -> usize {
        self.applications.len()
    }

    /// What the roles of that set allow now.
    #[must_use]
    pub fn role_set(&self, id: RoleSetId) -> Arc<RoleSet> {
        // A set that is not there allows nothing.
        self.roles.load().get(id).cloned().unwrap_or_default()
    }

    /// The role of that id.
    #[must_use]
    pub fn role(&self, id: &RoleId) -> Option<Arc<Role>> {
        self.roles.load().role(id).cloned()
    }

    /// All roles, in no order.
    #[must_use]
    pub fn all_roles(&self) -> Vec<Arc<Role>> {
        self.roles.load().roles().cloned().collect()
    }

    /// The gateway of that name.
    #[must_use]
    pub fn gateway(&self, name: &str) -> Option<Arc<LiveGateway>> {
        self.gateways.load().get(name).cloned()
    }

    /// All gateways, in no order.
    #[must_use]
    pub fn all_gateways(&self) -> Vec<Arc<LiveGateway>> {
        self.gateways.load().all().cloned().collect()
    }

    /// The keys in use.
    #[must_use]
    pub fn keys(&self) -> arc_swap::Guard<Arc<LiveKeys>> {
        self.keys.load()
    }

    /// Whether the token of that `jti` was revoked.
    #[must_use]
    pub fn is_revoked(&self, jti: &str) -> bool {
        !self.revoked.is_empty() && self.revoked.pin().contains_key(jti)
    }

    /// How many revoked tokens are remembered.
    #[must_use]
    pub fn revoked_count(&self) -> usize {
        self.revoked.len()
    }

    /// When the last good poll began; `None` while nothing may be decided.
    #[must_use]
    pub fn last_good_poll(&self) -> Option<Timestamp> {
        let began = self.last_good_poll.load(Ordering::Acquire);
        (began != NEVER).then(|| Timestamp::from_micros(began))
    }

    pub(super) fn fresh(&self, now: Timestamp, limit: Duration) -> Result<(), Stale> {
        match self.last_good_poll() {
            Some(began) if now.since(began) <= limit => Ok(()),
            _ => Err(Stale),
        }
    }

    /// The number of the last change that is in effect here, and since when.
    #[must_use]
    pub fn in_effect(&self) -> (u64, Timestamp) {
        self.history().back().copied().unwrap_or_default()
    }

    /// Since when, at the latest, the change of that number is in effect here; `None` if it is not.
    #[must_use]
    pub fn in_effect_since(&self, seq: u64) -> Option<Timestamp> {
        let history = self.history();
        history.get(history.partition_point(|(reached, _)| *reached < seq)).map(|(_, since)| *since)
    }

    /// Tells whenever another change is in effect here.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.applied.subscribe()
    }

    fn history(&self) -> MutexGuard<'_, VecDeque<(u64, Timestamp)>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything up to change number `seq` is in effect at `now`, by a poll that began at `began`.
    pub(super) fn confirm(&self, seq: u64, began: Timestamp, now: Timestamp) {
        let before = self.seq.swap(seq, Ordering::AcqRel);
        self.last_good_poll.store(began.micros(), Ordering::Release);
        let mut history = self.history();
        if seq == before && !history.is_empty() {
            return;
        }
        if seq < before {
            history.clear(); // the store was put back
        }
        if history.len() == HISTORY {
            history.pop_front();
        }
        history.push_back((seq, now));
        drop(history);
        self.applied.send_replace(seq);
    }

    pub(super) fn refuse_all(&self) {
        self.last_good_poll.store(NEVER, Ordering::Release);
    }

    pub(super) fn set_keys(&self, mut keys: LiveKeys) {
        keys.generation = self.key_generation.fetch_add(1, Ordering::Relaxed) + 1;
        self.keys.store(Arc::new(keys));
    }

    pub(super) fn replace_role(&self, id: &RoleId, role: Option<Role>) {
        let mut sets = RoleSets::clone(&self.roles.load());
        sets.replace(id, role);
        self.roles.store(Arc::new(sets));
    }

    /// Puts a gateway in place of the one with the same id, or removes that one.
    pub(super) fn replace_gateway(&self, id: &GatewayId, gateway: Option<(Gateway, UpstreamCredentials)>) {
        let mut gateways = LiveGateways::clone(&self.gateways.load());
        gateways.remove(id);
        if let Some((gateway, credentials)) = gateway {
            gateways.insert(self.live_gateway(gateway, credentials));
        }
        self.gateways.store(Arc::new(gateways));
    }

    /// Replaces all gateways. Nobody decides by them meanwhile: see [`Snapshot::refuse_all`].
    pub(super) fn replace_gateways(&self, all: Vec<(Gateway, UpstreamCredentials)>) {
        let mut gateways = LiveGateways::default();
        for (gateway, credentials) in all {
            gateways.insert(self.live_gateway(gateway, credentials));
        }
        self.gateways.store(Arc::new(gateways));
    }

    fn live_gateway(&self, gateway: Gateway, credentials: UpstreamCredentials) -> LiveGateway {
        let version = self.gateway_version.fetch_add(1, Ordering::Relaxed) + 1;
        LiveGateway { gateway, version, credentials }
    }

    pub(super) fn replace_application(&self, client_id: &str, row: Option<&LiveRow<'_>>) {
        let Some(key) = client_key(client_id) else { return };
        match row {
            Some(row) => {
                let role_set = self.intern(row.roles);
                let live = LiveApplication::of(row, role_set, &self.keys.load());
                self.applications.pin().insert(key, live);
            }
            None => {
                self.applications.pin().remove(&key);
            }
        }
    }

    fn intern(&self, roles: &[RoleId]) -> RoleSetId {
        let current = self.roles.load();
        if let Some(known) = current.find(roles) {
            return known;
        }
        let mut sets = RoleSets::clone(&current);
        let id = sets.intern(roles);
        self.roles.store(Arc::new(sets));
        id
    }

    pub(super) fn revoke(&self, token: RevokedToken) {
        self.revoked.pin().insert(token.jti.into_boxed_str(), token.expires_at);
    }

    pub(super) fn forget_expired_tokens(&self, now: Timestamp) {
        self.revoked.pin().retain(|_, expires_at| *expires_at > now);
    }

    /// Begins another picture, beside the one that decisions read.
    pub(super) fn begin(&self, keys: LiveKeys, roles: Vec<Role>) -> NewPicture {
        NewPicture { keys, sets: self.roles.load().with_roles(roles), applications: Vec::new() }
    }

    /// Replaces the whole picture. Nobody decides by it meanwhile: see [`Snapshot::refuse_all`].
    pub(super) fn replace_all(&self, picture: NewPicture, revoked: Vec<RevokedToken>) {
        let applications = self.applications.pin();
        applications.clear();
        applications.reserve(picture.applications.iter().map(Vec::len).sum());
        let put = |part: Vec<(ClientKey, LiveApplication)>| {
            let applications = self.applications.pin();
            for (key, application) in part {
                applications.insert(key, application);
            }
        };
        std::thread::scope(|threads| {
            let mut parts = picture.applications.into_iter();
            let last = parts.next_back();
            for part in parts {
                threads.spawn(move || put(part));
            }
            last.map(put)
        });
        self.roles.store(Arc::new(picture.sets));
        self.set_keys(picture.keys);
        self.revoked.pin().clear();
        for token in revoked {
            self.revoke(token);
        }
    }
}

/// A picture that is being read.
pub(super) struct NewPicture {
    keys: LiveKeys,
    sets: RoleSets,
    /// In parts, so that the memory of each is free again before the next one is put in place.
    applications: Vec<Vec<(ClientKey, LiveApplication)>>,
}

/// How many applications a part of a new picture has: so many that the memory is the system's again as soon as it is free.
const PART: usize = 262_144;

impl NewPicture {
    pub(super) fn add(&mut self, row: &LiveRow<'_>) {
        let Some(key) = client_key(row.client_id) else { return };
        let live = LiveApplication::of(row, self.sets.intern(row.roles), &self.keys);
        match self.applications.last_mut() {
            Some(part) if part.len() < PART => part.push((key, live)),
            _ => {
                let mut part = Vec::with_capacity(PART);
                part.push((key, live));
                self.applications.push(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_counts_from_when_it_began() {
        let at = Timestamp::from_seconds;
        let snapshot = Snapshot::new();
        assert!(snapshot.fresh(at(1_000), Duration::from_secs(30)).is_err(), "nothing was read yet");
        // A poll that takes long knows nothing of a change that came after its beginning.
        snapshot.confirm(7, at(1_000), at(1_025));
        assert!(snapshot.fresh(at(1_030), Duration::from_secs(30)).is_ok());
        assert!(snapshot.fresh(at(1_031), Duration::from_secs(30)).is_err());
    }

    #[test]
    fn it_is_known_since_when_a_change_is_in_effect() {
        let at = Timestamp::from_seconds;
        let snapshot = Snapshot::new();
        assert_eq!(snapshot.in_effect_since(1), None);
        for (seq, now) in [(5, 10), (5, 11), (9, 12), (10, 13)] {
            snapshot.confirm(seq, at(now), at(now));
        }
        assert_eq!(snapshot.in_effect(), (10, at(13)));
        let since: Vec<_> = [3, 5, 6, 9, 10].map(|seq| snapshot.in_effect_since(seq)).into();
        assert_eq!(since, [Some(at(10)), Some(at(10)), Some(at(12)), Some(at(12)), Some(at(13))]);
        assert_eq!(snapshot.in_effect_since(11), None);
        snapshot.confirm(4, at(14), at(14));
        assert_eq!((snapshot.in_effect(), snapshot.in_effect_since(5)), ((4, at(14)), None), "the store was put back");
        for seq in 5..5 + 2 * HISTORY as u64 {
            snapshot.confirm(seq, at(15), at(15));
        }
        assert_eq!(snapshot.history().len(), HISTORY);
    }
}
