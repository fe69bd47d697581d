//! The one applier of a node: reads the feed of changes in order and brings the snapshot to it.

use super::App;
use super::live_gateway::{self, UpstreamCredentials};
use super::live_keys::LiveKeys;
use crate::domain::application::{Application, ClientId};
use crate::domain::gateway::{Gateway, GatewayId};
use crate::domain::role::RoleId;
use crate::store::changes::{Change, Cursor, FeedEntry};
use crate::store::gateway::StoredGateway;
use crate::store::live_application::LiveRow;
use crate::store::{
    StoreError, Tx, application, application_bulk, changes, check_readable, gateway, keys, live_application, meta,
    role, token,
};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::sync::Mutex;

/// How many changes are read at once.
const BATCH: u32 = 1_000;
/// How long a look at the feed may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// From how many changed applications on they are read together.
const TOGETHER: usize = 10;

/// The snapshot is not known to be up to date: nothing may be decided by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this node has lost touch with its database and refuses until it is back")]
pub struct Stale;

/// Holds the place up to which this node has read. Its lock makes it the only writer of the snapshot.
#[derive(Debug, Default)]
pub struct Applier {
    cursor: Mutex<Option<Cursor>>,
}

impl Applier {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) async fn reload(&self, app: &App) -> Result<(), StoreError> {
        let mut cursor = self.cursor.lock().await;
        *cursor = Some(read_all(app).await?);
        Ok(())
    }

    pub(super) async fn poll(&self, app: &App) -> Result<(), StoreError> {
        let mut cursor = self.cursor.lock().await;
        self.follow(app, &mut cursor).await
    }

    pub(super) async fn catch_up(&self, app: &App, seq: u64) -> Result<(), Stale> {
        if app.snapshot.seq() >= seq {
            return Ok(());
        }
        let mut cursor = self.cursor.lock().await;
        if cursor.is_none() {
            return Ok(()); // a command: it never decides by the snapshot
        }
        if app.snapshot.seq() < seq {
            self.follow(app, &mut cursor).await.map_err(|_| Stale)?;
        }
        if app.snapshot.seq() >= seq { Ok(()) } else { Err(Stale) }
    }

    async fn follow(&self, app: &App, cursor: &mut Option<Cursor>) -> Result<(), StoreError> {
        loop {
            let Some(at) = cursor.as_ref() else {
                *cursor = Some(read_all(app).await?);
                return Ok(());
            };
            let began = app.clock.now();
            let (mut tx, entries) = in_time(look(app, at)).await?;
            let Some(new) = following(at, &entries) else {
                // Not the feed that this node has read so far: a restored or failed-over store.
                tracing::warn!(seq = at.seq, "the store was put back to another state: reading all of it");
                drop(tx);
                app.snapshot.refuse_all();
                *cursor = None;
                *cursor = Some(read_all(app).await?);
                return Ok(());
            };
            let reached = new.last().map_or_else(|| at.clone(), |entry| entry.cursor.clone());
            if new.iter().any(|entry| entry.change == Change::Unknown) {
                drop(tx);
                *cursor = Some(read_all(app).await?);
                return Ok(());
            }
            apply(app, &mut tx, new).await?;
            app.snapshot.confirm(reached.seq, began, app.clock.now());
            let more = entries.len() == BATCH as usize;
            *cursor = Some(reached);
            if !more {
                return Ok(());
            }
        }
    }
}

/// The entries from `at` on, and the state of the store that they belong to.
async fn look(app: &App, at: &Cursor) -> Result<(Tx, Vec<FeedEntry>), StoreError> {
    let mut tx = app.store.read().await?;
    readable(app, &mut tx).await?;
    let entries = changes::from(&mut tx, at.seq.max(1), BATCH).await?;
    Ok((tx, entries))
}

/// Gives up on a store that does not answer, so that the next poll can try another connection.
async fn in_time<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = |_| Err(StoreError::Unavailable(format!("no answer within {} s", PATIENCE.as_secs())));
    tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(late)
}

/// Checks that this program still understands the schema. If it does not, it can't know what a change means: from here
/// on it refuses.
async fn readable(app: &App, tx: &mut Tx) -> Result<(), StoreError> {
    let outcome = check_readable(tx).await;
    if matches!(outcome, Err(StoreError::Unreadable(_))) {
        app.snapshot.refuse_all();
    }
    outcome
}

/// The entries after `at`, if the feed still contains `at` and goes on from there without a gap.
fn following<'a>(at: &Cursor, entries: &'a [FeedEntry]) -> Option<&'a [FeedEntry]> {
    let new = if at.seq == 0 {
        entries
    } else {
        let (first, rest) = entries.split_first()?;
        if first.cursor != *at {
            return None;
        }
        rest
    };
    let consecutive = new.iter().zip(at.seq + 1..).all(|(entry, expected)| entry.cursor.seq == expected);
    consecutive.then_some(new)
}

/// Replaces the entries that the changes name: keys first, then roles, then the applications that refer to them.
async fn apply(app: &App, tx: &mut Tx, entries: &[FeedEntry]) -> Result<(), StoreError> {
    let mut applications: BTreeSet<&ClientId> = BTreeSet::new();
    let mut roles: BTreeSet<&RoleId> = BTreeSet::new();
    let mut gateways: BTreeSet<&GatewayId> = BTreeSet::new();
    let mut tokens: BTreeSet<&str> = BTreeSet::new();
    let mut keys_changed = false;
    for entry in entries {
        match &entry.change {
            Change::Application(id) | Change::ApplicationTokens(id) => _ = applications.insert(id),
            Change::Role(id) => _ = roles.insert(id),
            Change::Gateway(id) => _ = gateways.insert(id),
            Change::Token(jti) => _ = tokens.insert(jti),
            Change::Keys | Change::Unknown => keys_changed = true,
            Change::ConsoleUser(_) => {} // sessions and users are read from the store at each console request
        }
    }
    if keys_changed {
        app.snapshot.set_keys(read_keys(app, tx).await?);
    }
    for id in roles {
        app.snapshot.replace_role(id, role::get(tx, id).await?);
    }
    for id in gateways {
        let stored = gateway::get(tx, id).await?.map(|stored| open_gateway(app, stored)).transpose()?;
        app.snapshot.replace_gateway(id, stored);
    }
    if applications.len() < TOGETHER {
        for id in applications {
            let found = application::get(tx, id).await?;
            app.snapshot.replace_application(id.as_str(), found.as_ref().map(LiveRow::of).as_ref());
        }
    } else {
        replace_many(app, tx, &applications).await?;
    }
    for jti in tokens {
        if let Some(revoked) = token::get(tx, jti).await? {
            app.snapshot.revoke(revoked);
        }
    }
    app.snapshot.forget_expired_tokens(app.clock.now());
    Ok(())
}

/// Many at once, as after an import: a node must not fall behind whoever makes keys, because what is to be dead comes
/// through the same feed.
async fn replace_many(app: &App, tx: &mut Tx, ids: &BTreeSet<&ClientId>) -> Result<(), StoreError> {
    let ids: Vec<&ClientId> = ids.iter().copied().collect();
    let found = application_bulk::get(tx, &ids).await?;
    let found: HashMap<&ClientId, &Application> = found.iter().map(|one| (&one.client_id, one)).collect();
    for id in ids {
        let row = found.get(id).map(|application| LiveRow::of(application));
        app.snapshot.replace_application(id.as_str(), row.as_ref());
    }
    Ok(())
}

async fn read_keys(app: &App, tx: &mut Tx) -> Result<LiveKeys, StoreError> {
    let peppers = keys::peppers(tx).await?;
    let signing = keys::signing_keys(tx).await?;
    let assertion = meta::get(tx, meta::ASSERTION_KEY).await?;
    LiveKeys::open(&app.keyring, &app.clock, &peppers, &signing)
        .and_then(|keys| keys.with_assertion_key(&app.keyring, assertion.as_deref()))
        .map_err(|fault| StoreError::Unreadable(fault.to_string()))
}

fn open_gateway(app: &App, stored: StoredGateway) -> Result<(Gateway, UpstreamCredentials), StoreError> {
    let credentials =
        live_gateway::open(&app.keyring, &stored).map_err(|fault| StoreError::Unreadable(fault.to_string()))?;
    Ok((stored.gateway, credentials))
}

/// Reads the place and all tables in transactions that see one state of the store.
async fn read_all(app: &App) -> Result<Cursor, StoreError> {
    let began = app.clock.now();
    let View { cursor, mut tx, others, count } = view(app).await?;
    let live_keys = read_keys(app, &mut tx).await?;
    let roles = role::all(&mut tx).await?;
    let gateways = gateway::all(&mut tx).await?;
    let gateways = gateways.into_iter().map(|stored| open_gateway(app, stored)).collect::<Result<Vec<_>, _>>()?;
    let revoked = token::all(&mut tx, began).await?;
    let mut picture = app.snapshot.begin(live_keys, roles);
    let transactions = others.into_iter().chain([tx]).collect();
    live_application::for_each(transactions, count, |row| picture.add(row)).await?;
    app.snapshot.refuse_all();
    app.snapshot.replace_all(picture, revoked);
    app.snapshot.replace_gateways(gateways);
    app.snapshot.confirm(cursor.seq, began, app.clock.now());
    Ok(cursor)
}

/// One state of the store: a place in the feed, and transactions that see the store as it was there.
struct View {
    cursor: Cursor,
    tx: Tx,
    others: Vec<Tx>,
    /// How many applications there are, about.
    count: usize,
}

/// From how many applications on their tables are read side by side.
const MANY: usize = 10_000;
/// How often it is tried to begin several transactions between two changes.
const TRIES: usize = 5;
/// How long the others may take to begin: a pooler may have no connection to spare while this one is kept.
const BESIDE: Duration = Duration::from_secs(1);

/// All security state changes with the place in the feed, so transactions that see the same place see the same state,
/// whatever the database. If changes come too fast for that, one transaction reads everything.
async fn view(app: &App) -> Result<View, StoreError> {
    let (mut tx, mut cursor) = begin(app).await?;
    let count = usize::try_from(application::count(&mut tx).await?).unwrap_or_default();
    if count < MANY {
        return Ok(View { cursor, tx, others: Vec::new(), count });
    }
    for _ in 0..TRIES {
        drop(tx);
        (tx, cursor) = begin(app).await?;
        let beside = async { tokio::try_join!(begin(app), begin(app)) };
        match tokio::time::timeout(BESIDE, beside).await {
            Ok(Ok((first, second))) if first.1 == cursor && second.1 == cursor => {
                return Ok(View { cursor, tx, others: vec![first.0, second.0], count });
            }
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    Ok(View { cursor, tx, others: Vec::new(), count })
}

/// Begins a transaction and asks for its place in the feed, by which it sees one state from then on.
async fn begin(app: &App) -> Result<(Tx, Cursor), StoreError> {
    let mut tx = app.store.read().await?;
    readable(app, &mut tx).await?;
    let cursor = changes::head(&mut tx).await?;
    Ok((tx, cursor))
}
