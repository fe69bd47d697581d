//! Opening a hub: its store, its key, and on the first start everything that a hub begins with.

use super::actor::Target;
use super::{ActionError, Actor, transact};
use crate::ambient::{Clock, Randomness};
use crate::app::App;
use crate::app::live_keys::{pepper_context, signing_key_context};
use crate::config::{Config, Database, KeySource, SigningAlgorithm};
use crate::crypto::key_file::{KeyFile, KeyFileError};
use crate::crypto::keyring::{Keyring, KeyringError};
use crate::crypto::secret::Pepper;
use crate::crypto::token::{Algorithm, SigningKey};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::store::changes::Change;
use crate::store::keys::{WrappedPepper, WrappedSigningKey};
use crate::store::{self, MigrationReport, Store, StoreError, StoreSettings, Tx, meta};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Why a hub can't be opened. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder can't be made or used.
    #[error("the data folder {path} can't be used: {reason}", path = .0.display(), reason = .1)]
    DataFolder(PathBuf, std::io::Error),
    /// The key's file can't be read or made.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// `GATEWAY_HUB_KEY` holds no key.
    #[error("GATEWAY_HUB_KEY: {0}")]
    Key(#[from] KeyringError),
    /// The database has a key, and it is not here.
    #[error(
        "this database belongs to a hub whose key is missing: copy the hub.key that was made with it to {0}, or name it \
         with GATEWAY_HUB_KEY_FILE. No new key is made, because it could read nothing of what is stored"
    )]
    KeyMissing(String),
    /// The database has another key.
    #[error(
        "the key from {0} is not the one that this database was made with: copy the hub.key that was made with it there. \
         Nothing was changed"
    )]
    KeyDiffers(String),
    /// The database.
    #[error(transparent)]
    Action(#[from] ActionError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Action(error.into())
    }
}

/// Signing keys of another algorithm are published for so long before they sign (SECURITY 17).
const PUBLISHED_BEFORE: Duration = Duration::from_mins(10);

/// Opens the store alone and brings it to this program's schema.
///
/// # Errors
/// [`OpenError`].
pub async fn migrate(config: &Config) -> Result<MigrationReport, OpenError> {
    let (_, report) = open_store(config).await?;
    Ok(report)
}

async fn open_store(config: &Config) -> Result<(Store, MigrationReport), OpenError> {
    let settings = match &config.database {
        Database::Sqlite => StoreSettings::Folder(config.data_dir.clone()),
        Database::Postgres(url) => StoreSettings::Postgres(url.clone()),
    };
    if matches!(config.database, Database::Sqlite) || matches!(config.key, KeySource::DataDir) {
        make_folder(config).map_err(|error| OpenError::DataFolder(config.data_dir.clone(), error))?;
    }
    let store = Store::open(&settings).await?.notifying(config.database_notify);
    let report = migrate_patiently(&store).await?;
    Ok((store, report))
}

/// Several processes may start on one empty store at once.
async fn migrate_patiently(store: &Store) -> Result<MigrationReport, StoreError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match store.migrate().await {
            Err(StoreError::Contention) if attempt < 10 => tokio::time::sleep(Duration::from_millis(200)).await,
            outcome => return outcome,
        }
    }
}

fn make_folder(config: &Config) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    // 0700: the databases and the key are nobody else's business on this host.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir)
}

/// Opens a hub: the store at this program's schema and the right key; an empty database gets its key's check value, a
/// pepper, a signing key and the built-in roles.
///
/// # Errors
/// [`OpenError`], for one if the key is missing or another one.
pub async fn open(config: Config, clock: Clock, randomness: Randomness) -> Result<Arc<App>, OpenError> {
    let (store, _) = open_store(&config).await?;
    let place = describe_key_place(&config);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let check = meta::get(&mut store.read().await?, meta::KEY_CHECK).await?;
        let keyring = read_key(&config)?;
        let keyring = match (check, keyring) {
            (Some(_), None) => return Err(OpenError::KeyMissing(place)),
            (Some(check), Some(keyring)) if !keyring.matches_check_value(&check) => {
                return Err(OpenError::KeyDiffers(place));
            }
            (Some(_), Some(keyring)) => {
                return Ok(Arc::new(App::new(config, store, clock, randomness, keyring)));
            }
            (None, Some(keyring)) => keyring,
            (None, None) => make_key(&config, &place, &randomness)?,
        };
        let app = App::new(config.clone(), store.clone(), clock.clone(), randomness.clone(), keyring);
        match initialise(&app).await {
            Ok(()) => return Ok(Arc::new(app)),
            // Another process was first: go by what it wrote.
            Err(ActionError::Store(StoreError::Duplicate { .. })) if attempt < 3 => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn describe_key_place(config: &Config) -> String {
    match &config.key {
        KeySource::Environment(_) => "GATEWAY_HUB_KEY".to_owned(),
        KeySource::File(path) => path.display().to_string(),
        KeySource::DataDir => config.data_dir.join("hub.key").display().to_string(),
    }
}

fn key_file(config: &Config) -> Option<KeyFile> {
    match &config.key {
        KeySource::Environment(_) => None,
        KeySource::File(path) => Some(KeyFile::at(path)),
        KeySource::DataDir => Some(KeyFile::at(config.data_dir.join("hub.key"))),
    }
}

fn read_key(config: &Config) -> Result<Option<Keyring>, OpenError> {
    match (&config.key, key_file(config)) {
        (KeySource::Environment(text), _) => Ok(Some(Keyring::parse(text)?)),
        (_, Some(file)) => Ok(file.read()?),
        (_, None) => Ok(None),
    }
}

fn make_key(config: &Config, place: &str, randomness: &Randomness) -> Result<Keyring, OpenError> {
    match (&config.key, key_file(config)) {
        (KeySource::DataDir, Some(file)) => Ok(file.create(randomness)?),
        // A file that the operator named and that is not there is a mistake, not a wish for a new key.
        _ => Err(OpenError::KeyMissing(place.to_owned())),
    }
}

async fn initialise(app: &App) -> Result<(), ActionError> {
    transact!(app, async |tx| {
        let now = app.clock.now();
        meta::insert(tx, meta::KEY_CHECK, app.keyring.check_value()).await?;
        let (pepper, bytes) = Pepper::generate(&app.randomness);
        let wrapped = app.keyring.wrap(&pepper_context(pepper.id()), bytes.as_slice(), &app.randomness);
        store::keys::insert_pepper(tx, &WrappedPepper { id: pepper.id().to_owned(), wrapped }, now).await?;
        let kid = add_signing_key(app, tx, app.config.token.algorithm, now).await?;
        let mut changes = vec![Change::Keys];
        for role in Role::built_in() {
            store::role::insert(tx, &role, now).await?;
            changes.push(Change::Role(role.id));
        }
        let target = Target { kind: "hub", id: "", name: "gateway-hub" };
        let event = Actor::system().event(app, "hub.initialise", target, Value::Null, json!({ "signing_key": kid }));
        tx.record_all(changes, event);
        Ok(())
    })
}

/// Sees to a signing key of the configured algorithm. One that is added to others is published first and signs later.
///
/// # Errors
/// [`ActionError::Store`].
pub async fn ensure_signing_key(app: &App) -> Result<(), ActionError> {
    let algorithm = app.config.token.algorithm;
    if app.snapshot.keys().has_signing_key(algorithm) {
        return Ok(());
    }
    transact!(app, async |tx| {
        let stored = store::keys::signing_keys(tx).await?;
        if stored.iter().any(|key| key.algorithm == algorithm.name()) {
            return Ok(());
        }
        let kid = add_signing_key(app, tx, algorithm, app.clock.now().plus(PUBLISHED_BEFORE)).await?;
        let target = Target { kind: "signing_key", id: &kid, name: algorithm.name() };
        let event = Actor::system().event(app, "signing_key.create", target, Value::Null, json!({ "kid": kid }));
        tx.record(Change::Keys, event);
        Ok(())
    })
}

async fn add_signing_key(
    app: &App,
    tx: &mut Tx,
    algorithm: SigningAlgorithm,
    signs_from: Timestamp,
) -> Result<String, ActionError> {
    let failed = |why: String| ActionError::Conflict(format!("no signing key could be made: {why}"));
    let algorithm =
        Algorithm::named(algorithm.name()).ok_or_else(|| failed(format!("unknown algorithm {}", algorithm.name())))?;
    let (key, pkcs8) = SigningKey::generate(algorithm, &app.randomness).map_err(|error| failed(error.to_string()))?;
    let stored = WrappedSigningKey {
        kid: key.kid().to_owned(),
        algorithm: algorithm.name().to_owned(),
        wrapped: app.keyring.wrap(&signing_key_context(key.kid()), &pkcs8, &app.randomness),
        signs_from,
        ends_at: None,
    };
    store::keys::insert_signing_key(tx, &stored, app.clock.now()).await?;
    Ok(stored.kid)
}
