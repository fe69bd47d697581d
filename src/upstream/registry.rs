//! All upstreams of this node: what is kept of each between requests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, header};
use tokio::{sync::watch::Receiver, time::MissedTickBehavior};
use zeroize::Zeroizing;

use super::TICK;
use super::health::{Health, Record};
use super::place::Place;
use super::watch::Watch;
use crate::app::{App, LiveGateway};
use crate::domain::gateway::{GatewayId, UpstreamAuthentication};
use crate::domain::time::Timestamp;

/// The upstreams of this node: connections, health, and the watch over long answers. One value, shared by all that need it.
pub struct Upstreams {
    pub(super) own: Vec<SocketAddr>,
    pub(super) watch: Watch,
    pub(super) beat: AtomicU32,
    known: ArcSwap<BTreeMap<GatewayId, Arc<Upstream>>>,
    changing: Mutex<()>,
}

/// One gateway's upstream as its settings are now.
pub(super) struct Upstream {
    pub(super) live: Arc<LiveGateway>,
    pub(super) places: Vec<Arc<Place>>,
    /// Headers that every request gets: the gateway's own and the hub's credentials.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) kept: Arc<Kept>,
}

/// What outlives a change of settings.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) under_way: AtomicU32,
    pub(super) record: Record,
}

impl Default for Upstreams {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Upstreams {
    /// No upstreams yet; `own` are the hub's listeners, which no gateway may lead to.
    #[must_use]
    pub fn new(own: Vec<SocketAddr>) -> Self {
        Self {
            own,
            watch: Watch::default(),
            beat: AtomicU32::new(0),
            known: ArcSwap::default(),
            changing: Mutex::default(),
        }
    }

    /// The hub's listeners, which no gateway may lead to.
    #[must_use]
    pub fn own_listeners(&self) -> &[SocketAddr] {
        &self.own
    }

    /// How a gateway's upstream is doing on this node.
    #[must_use]
    pub fn health(&self, id: &GatewayId) -> Health {
        self.known.load().get(id).map_or_else(Health::default, |upstream| upstream.kept.record.health())
    }

    /// Notes what a test of the connection found: `Err` with the reason, in words for administrators.
    pub fn note(&self, live: &Arc<LiveGateway>, found: Result<(), &str>, now: Timestamp) {
        let upstream = self.upstream(live);
        match found {
            Ok(()) => upstream.kept.record.good(|| now),
            Err(reason) => upstream.kept.record.bad(reason, now),
        }
    }

    /// What is kept for that gateway; connections made by older settings are not used again.
    pub(super) fn upstream(&self, live: &Arc<LiveGateway>) -> Arc<Upstream> {
        let id = &live.gateway.id;
        if let Some(known) = self.known.load().get(id)
            && known.live.version >= live.version
        {
            return Arc::clone(known);
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load_full();
        let before = known.get(id);
        if let Some(before) = before
            && before.live.version >= live.version
        {
            return Arc::clone(before);
        }
        let kept = before.map_or_else(Arc::default, |before| Arc::clone(&before.kept));
        let upstream = Arc::new(Upstream::new(Arc::clone(live), kept));
        let mut all = BTreeMap::clone(&known);
        all.insert(id.clone(), Arc::clone(&upstream));
        self.known.store(Arc::new(all));
        upstream
    }

    /// Forgets the upstreams of gateways that are gone, and closes connections that are of no use.
    fn sweep(&self, app: &App) {
        let beat = self.beat.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let known = self.known.load_full();
        let present: Vec<_> = app.snapshot.all_gateways();
        let is_there = |id: &GatewayId| present.iter().any(|live| live.gateway.id == *id);
        if known.keys().any(|id| !is_there(id)) {
            let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
            let mut all = BTreeMap::clone(&self.known.load());
            all.retain(|id, _| is_there(id));
            self.known.store(Arc::new(all));
        }
        for place in known.values().flat_map(|upstream| &upstream.places) {
            place.sweep(beat);
        }
    }
}

impl Upstream {
    fn new(live: Arc<LiveGateway>, kept: Arc<Kept>) -> Self {
        let places = live.gateway.addresses.iter().map(|address| Arc::new(Place::new(address.clone()))).collect();
        let headers = headers(&live);
        Self { live, places, headers, kept }
    }

    /// Whether the hub proves itself there.
    pub(super) fn has_credentials(&self) -> bool {
        self.live.gateway.authentication.has_secret() || self.live.gateway.client_certificate.is_some()
    }
}

/// What the gateway adds to each request. A value that can't stand in a header is left out: the upstream then refuses.
fn headers(live: &LiveGateway) -> Vec<(HeaderName, HeaderValue)> {
    let gateway = &live.gateway;
    let mut headers: Vec<(HeaderName, HeaderValue)> = gateway
        .headers
        .iter()
        .filter_map(|fixed| {
            Some((HeaderName::try_from(fixed.name.as_str()).ok()?, HeaderValue::try_from(&fixed.value).ok()?))
        })
        .collect();
    let Some(secret) = &live.credentials.secret else { return headers };
    let (name, text) = match &gateway.authentication {
        UpstreamAuthentication::None => return headers,
        UpstreamAuthentication::Basic { user } => {
            let pair = Zeroizing::new(format!("{user}:{}", secret.as_str()));
            (Some(header::AUTHORIZATION), Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))))
        }
        UpstreamAuthentication::Bearer => {
            (Some(header::AUTHORIZATION), Zeroizing::new(format!("Bearer {}", secret.as_str())))
        }
        UpstreamAuthentication::Header { name } => (HeaderName::try_from(name.as_str()).ok(), secret.clone()),
    };
    if let (Some(name), Ok(mut value)) = (name, HeaderValue::from_str(&text)) {
        value.set_sensitive(true);
        headers.push((name, value));
    }
    headers
}

/// Watches over long answers and keeps the pools clean, until told to stop.
pub async fn follow(app: Arc<App>, upstreams: Arc<Upstreams>, mut stop: Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 0_u32.. {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        upstreams.watch.look();
        if round % 4 == 0 {
            upstreams.sweep(&app);
        }
    }
}
