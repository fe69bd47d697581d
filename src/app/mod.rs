//! The running hub of one process: its configuration, store, clock and key, and the snapshot that all decisions read.

mod applier;
pub mod client_auth;
mod live_application;
pub mod live_gateway;
pub mod live_keys;
mod role_set;
pub mod room;
mod snapshot;
pub mod throttle;
pub mod usage;
pub mod verifier;

pub use applier::{Applier, Stale};
pub use live_application::{LiveApplication, LiveSecret};
pub use live_gateway::{LiveGateway, UpstreamCredentials};
pub use live_keys::{KeyFault, LiveKeys};
pub use role_set::{RoleSet, RoleSetId};
pub use snapshot::Snapshot;

use crate::ambient::{self, Clock, Randomness};
use crate::config::Config;
use crate::crypto::keyring::Keyring;
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Notify;

/// Everything that a request or a command needs, made once and passed along; there are no globals.
#[derive(Debug)]
pub struct App {
    /// What the operator set.
    pub config: Config,
    /// The databases.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Random numbers.
    pub randomness: Randomness,
    /// The key that wraps peppers, signing keys and upstream credentials.
    pub keyring: Keyring,
    /// What decisions read.
    pub snapshot: Snapshot,
    /// What keeps the snapshot true.
    pub applier: Applier,
    /// Tokens whose signature was verified lately.
    pub verified_tokens: verifier::Cache,
    /// Failed client authentications.
    pub client_failures: throttle::Throttle,
    /// What applications do, on its way to the store.
    pub usage: usage::Usage,
    /// Which node this is.
    pub identity: Identity,
    /// Rung when the feed may have grown.
    pub hint: Notify,
    draining: AtomicBool,
    made: AtomicU64,
    /// How much heavy work goes on at once.
    pub room: room::Room,
}

/// What tells this process from the other nodes of its store.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Random, made at each start.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was started.
    pub started_at: Timestamp,
}

impl App {
    /// Puts the parts together; nothing is read yet.
    #[must_use]
    pub fn new(config: Config, store: Store, clock: Clock, randomness: Randomness, keyring: Keyring) -> Self {
        let identity = Identity {
            id: randomness.id("node"),
            name: config.node_name.clone().unwrap_or_else(ambient::host_name),
            started_at: clock.now(),
        };
        Self {
            identity,
            hint: Notify::new(),
            snapshot: Snapshot::new(),
            applier: Applier::new(),
            verified_tokens: verifier::Cache::new(),
            client_failures: throttle::Throttle::new(),
            usage: usage::Usage::default(),
            draining: AtomicBool::new(false),
            made: AtomicU64::new(0),
            room: room::Room::default(),
            config,
            store,
            clock,
            randomness,
            keyring,
        }
    }

    /// The issuer of every token: the public URL (RFC 8414 §2).
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.config.public_url.as_str()
    }

    /// Reads everything from the store, and from then on this process follows the changes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bootstrap(&self) -> Result<(), StoreError> {
        self.applier.reload(self).await
    }

    /// Reads what was changed since the last time. Called every [`crate::config::Timing::poll_interval`].
    ///
    /// # Errors
    /// [`StoreError`]; after too long without a success everything is refused.
    pub async fn poll(&self) -> Result<(), StoreError> {
        self.applier.poll(self).await
    }

    /// Notes that this process made change number `seq`.
    pub fn note_change(&self, seq: u64) {
        self.made.fetch_max(seq, Ordering::Relaxed);
    }

    /// The number of the last change that this process made; 0 before the first.
    #[must_use]
    pub fn last_change(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// Makes sure that change number `seq` is in effect here.
    ///
    /// # Errors
    /// [`Stale`] if it can't be confirmed.
    pub async fn catch_up(&self, seq: u64) -> Result<(), Stale> {
        if self.snapshot.seq() >= seq {
            return Ok(());
        }
        // Boxed: nearly every request passes by here, and none of those should carry room for reading the store.
        Box::pin(self.applier.catch_up(self, seq)).await
    }

    /// From now on this node says that it is not ready, though it still answers: it is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether new callers should come here: what load balancers ask.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.draining.load(Ordering::Relaxed) && self.fresh().is_ok()
    }

    /// Whether the snapshot is young enough to decide by, and the instant that was asked about: now.
    ///
    /// # Errors
    /// [`Stale`] once the last good poll began longer ago than the staleness limit, and while the store is read anew.
    pub fn fresh(&self) -> Result<Timestamp, Stale> {
        let now = self.clock.now();
        self.snapshot.fresh(now, self.config.timing.staleness_limit).map(|()| now)
    }
}
