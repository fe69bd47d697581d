//! The store's story, told on SQLite and on PostgreSQL: the same acts, the same state, the same refusals.

#[path = "store_story/bulk.rs"]
mod bulk;
#[path = "store_story/gateways.rs"]
mod gateways;
#[path = "store_story/list.rs"]
mod list;
#[path = "store_story/plans.rs"]
mod plans;
#[path = "store_story/start.rs"]
mod start;
#[path = "support/mod.rs"]
mod support;
#[path = "store_story/usage.rs"]
mod usage;

use gateway_hub::actions::api_key::{Regeneration, end_overlap, regenerate};
use gateway_hub::actions::application::{ApplicationUpdate, NewApplication};
use gateway_hub::actions::role::{RoleInput, RoleUpdate};
use gateway_hub::actions::{ActionError, Actor, application, console_user, hub, role, session, upkeep};
use gateway_hub::ambient::{Clock, ManualClock, Randomness};
use gateway_hub::app::App;
use gateway_hub::config::{Config, Database, DatabaseUrl};
use gateway_hub::domain::application::ClientId;
use gateway_hub::domain::role::RoleId;
use gateway_hub::domain::time::Timestamp;
use gateway_hub::store::{self, Store, StoreSettings};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use support::postgres::PostgresDatabase;

/// One store, and as many nodes on it as the story needs.
struct Place {
    config: Config,
    settings: StoreSettings,
    clock: Clock,
    hands: ManualClock,
    folder: tempfile::TempDir,
    database: Option<PostgresDatabase>,
}

impl Place {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = StoreSettings::Folder(folder.path().to_owned());
        Self::new(Config::local(folder.path()), settings, folder, None)
    }

    fn postgres() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = PostgresDatabase::create();
        let mut config = Config::local(folder.path());
        config.database = Database::Postgres(DatabaseUrl::parse(&database.url).expect("an address"));
        let settings = StoreSettings::Postgres(DatabaseUrl::parse(&database.url).expect("an address"));
        Self::new(config, settings, folder, Some(database))
    }

    fn new(
        config: Config,
        settings: StoreSettings,
        folder: tempfile::TempDir,
        database: Option<PostgresDatabase>,
    ) -> Self {
        let (clock, hands) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        Self { config, settings, clock, hands, folder, database }
    }

    async fn node(&self) -> Arc<App> {
        let app = hub::open(self.config.clone(), self.clock.clone(), Randomness::system()).await.expect("a hub");
        app.bootstrap().await.expect("a snapshot");
        app
    }

    async fn store(&self) -> Store {
        Store::open(&self.settings).await.expect("a store")
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Tells one story on each database.
macro_rules! on_both {
    ($($story:ident)*) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $story() { super::$story(super::Place::sqlite()).await; })* }
        mod postgresql { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $story() { super::$story(super::Place::postgres()).await; })* }
    };
}

on_both! {
    a_key_lives_from_creation_to_deletion
    another_node_follows
    a_restored_store_is_noticed
    a_lost_store_makes_the_node_refuse
    roles_act_by_id
    many_writers_lose_nothing
    the_first_administrator_is_made_once
    a_wrong_or_missing_key_stops_the_start
    several_processes_start_on_an_empty_store
    a_newer_schema_is_refused
    a_running_node_stops_deciding_when_the_schema_outgrows_it
    the_list_is_searched_and_filtered
    turning_pages_of_a_changing_list_skips_and_repeats_nothing
    a_secret_leads_to_its_application
    an_owner_is_a_console_user
    gateways_reach_every_node
    a_filter_and_a_gateway_do_not_slip_past_each_other
    usage_is_stored_beside_the_changes
    usage_lets_a_deletion_go_first
    a_start_reads_what_following_tells
    a_start_among_changes_sees_one_state
}

use gateways::{a_filter_and_a_gateway_do_not_slip_past_each_other, gateways_reach_every_node};
use list::{
    a_secret_leads_to_its_application, an_owner_is_a_console_user, the_list_is_searched_and_filtered,
    turning_pages_of_a_changing_list_skips_and_repeats_nothing,
};
use start::{a_start_among_changes_sees_one_state, a_start_reads_what_following_tells};
use usage::{usage_is_stored_beside_the_changes, usage_lets_a_deletion_go_first};

fn new(name: &str, roles: &[&str]) -> NewApplication {
    let roles = roles.iter().map(|role| RoleId::new(*role)).collect();
    NewApplication { name: name.to_owned(), roles, ..NewApplication::default() }
}

fn live_secrets(app: &App, id: &ClientId) -> Option<usize> {
    let now = app.clock.now();
    let count = |application: &gateway_hub::app::LiveApplication| {
        application.secrets().iter().flatten().filter(|secret| secret.is_live(now)).count()
    };
    app.snapshot.with_application(id.as_str(), count)
}

async fn audit(app: &App) -> Vec<String> {
    let mut tx = app.store.read().await.expect("a transaction");
    let mut events = store::audit_event::page(&mut tx, None, 1_000).await.expect("events");
    events.reverse();
    let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..).take(events.len()).collect::<Vec<_>>(), "in order, without gaps");
    events.into_iter().map(|event| event.action).collect()
}

async fn a_key_lives_from_creation_to_deletion(place: Place) {
    let app = place.node().await;
    let operator = Actor::operator();
    let key = application::create(&app, &operator, &new("Grafana", &[RoleId::OPERATOR])).await.expect("a key");
    assert_eq!(live_secrets(&app, &key.client_id), Some(1));

    let again = application::create(&app, &operator, &new(" gRAFANA ", &[RoleId::OPERATOR])).await;
    assert!(
        matches!(again, Err(ActionError::Invalid { field: "name", .. })),
        "names are unique case-folded: {again:?}"
    );
    let none = application::create(&app, &operator, &new("Nobody", &[])).await;
    assert!(matches!(none, Err(ActionError::Invalid { field: "roles", .. })));

    let overlap = Regeneration::Overlap(Duration::from_hours(1));
    let second = regenerate(&app, &operator, &key.client_id, overlap, None).await.expect("a new secret");
    assert_eq!(second.client_id, key.client_id, "the client_id stays");
    assert_ne!(second.client_secret.expose(), key.client_secret.expose());
    assert_eq!(live_secrets(&app, &key.client_id), Some(2));
    regenerate(&app, &operator, &key.client_id, overlap, None).await.expect("a third secret");
    assert_eq!(live_secrets(&app, &key.client_id), Some(2), "the oldest ended");
    place.hands.advance(Duration::from_secs(3599));
    assert_eq!(live_secrets(&app, &key.client_id), Some(2));
    place.hands.advance(Duration::from_secs(1));
    assert_eq!(live_secrets(&app, &key.client_id), Some(1), "dead at the stated second");
    assert_eq!(upkeep::end_secrets(&app).await.expect("upkeep"), 1);
    assert_eq!(upkeep::end_secrets(&app).await.expect("upkeep"), 0);

    regenerate(&app, &operator, &key.client_id, overlap, None).await.expect("a secret with an overlap");
    assert_eq!(live_secrets(&app, &key.client_id), Some(2));
    end_overlap(&app, &operator, &key.client_id).await.expect("ended before its time");
    assert_eq!(live_secrets(&app, &key.client_id), Some(1));
    let again = end_overlap(&app, &operator, &key.client_id).await;
    assert!(matches!(again, Err(ActionError::Conflict(_))), "there is nothing to end: {again:?}");

    let submission = Some("form-1");
    regenerate(&app, &operator, &key.client_id, Regeneration::AtOnce, submission).await.expect("a fourth secret");
    let twice = regenerate(&app, &operator, &key.client_id, Regeneration::AtOnce, submission).await;
    assert!(matches!(twice, Err(ActionError::AlreadySubmitted)), "a repeated submit makes no second key: {twice:?}");
    assert_eq!(live_secrets(&app, &key.client_id), Some(1));

    application::disable(&app, &operator, &key.client_id).await.expect("disabled");
    application::enable(&app, &operator, &key.client_id).await.expect("enabled");
    let min_seq = app.snapshot.with_application(key.client_id.as_str(), |live| live.min_seq).expect("alive");
    assert_eq!(min_seq, app.snapshot.seq() - 1, "tokens from before the disabling stay dead");
    let update = ApplicationUpdate { name: Some("Grafana Cloud".to_owned()), ..ApplicationUpdate::default() };
    application::update(&app, &operator, &key.client_id, &update).await.expect("renamed");

    application::delete(&app, &operator, &key.client_id).await.expect("deleted");
    assert_eq!(live_secrets(&app, &key.client_id), None);
    let gone = application::delete(&app, &operator, &key.client_id).await;
    assert!(matches!(gone, Err(ActionError::NotFound { .. })));
    let mut tx = app.store.read().await.expect("a transaction");
    assert!(store::application::is_buried(&mut tx, &key.client_id).await.expect("a tombstone"));
    drop(tx);
    let reborn = application::create(&app, &operator, &new("Grafana Cloud", &[RoleId::OPERATOR]))
        .await
        .expect("its name is free");
    assert_ne!(reborn.client_id, key.client_id);

    let expected = [
        "hub.initialise",
        "application.create",
        "api_key.regenerate",
        "api_key.regenerate",
        "api_key.secret_ended",
        "api_key.regenerate",
        "api_key.end_overlap",
        "api_key.regenerate",
        "application.disable",
        "application.enable",
        "application.update",
        "application.delete",
        "application.create",
    ];
    assert_eq!(audit(&app).await, expected, "rule 7: every change has its event, every event its change");
}

async fn another_node_follows(place: Place) {
    let (one, other) = (place.node().await, place.node().await);
    let key = application::create(&one, &Actor::operator(), &new("Sync", &[RoleId::OPERATOR])).await.expect("a key");
    assert_eq!(live_secrets(&other, &key.client_id), None, "not polled yet");
    other.poll().await.expect("a poll");
    assert_eq!(live_secrets(&other, &key.client_id), Some(1));
    assert_eq!(other.snapshot.seq(), one.snapshot.seq());
    application::delete(&one, &Actor::operator(), &key.client_id).await.expect("deleted");
    other.catch_up(one.snapshot.seq()).await.expect("a node below a token's seq reads the feed first");
    assert_eq!(live_secrets(&other, &key.client_id), None);
    assert!(
        other.catch_up(one.snapshot.seq() + 1).await.is_err(),
        "a number that the store does not have is never confirmed"
    );
}

async fn a_restored_store_is_noticed(place: Place) {
    let app = place.node().await;
    let key = application::create(&app, &Actor::operator(), &new("Kept", &[RoleId::OPERATOR])).await.expect("a key");
    let lost = application::create(&app, &Actor::operator(), &new("Lost", &[RoleId::OPERATOR])).await.expect("a key");
    // The store goes back to before the second key, and another change takes its number.
    let seq = app.snapshot.seq();
    rewrite(&place, &format!("DELETE FROM application WHERE client_id = '{}'", lost.client_id)).await;
    rewrite(&place, &format!("UPDATE change SET id = 'another', target = '{}' WHERE seq = {seq}", key.client_id)).await;
    app.poll().await.expect("a poll");
    assert_eq!(live_secrets(&app, &lost.client_id), None, "everything was read again");
    assert_eq!(live_secrets(&app, &key.client_id), Some(1));
    // The feed lost its end altogether.
    rewrite(&place, &format!("DELETE FROM change WHERE seq = {seq}")).await;
    rewrite(&place, &format!("UPDATE change_counter SET seq = {} WHERE id = 1", seq - 1)).await;
    app.poll().await.expect("a poll");
    assert_eq!(app.snapshot.seq(), seq - 1);
    assert_eq!(live_secrets(&app, &key.client_id), Some(1));
}

async fn rewrite(place: &Place, sql: &str) {
    use sqlx::{Connection as _, Executor as _};
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    match &place.settings {
        StoreSettings::Folder(folder) => {
            let url = format!("sqlite://{}", folder.join("gateway-hub.db").display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a connection");
            connection.execute(sqlx::raw_sql(sql)).await.expect("a statement");
        }
        StoreSettings::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url.expose()).await.expect("a connection");
            connection.execute(sqlx::raw_sql(sql)).await.expect("a statement");
        }
    }
}

async fn a_lost_store_makes_the_node_refuse(place: Place) {
    let app = place.node().await;
    assert!(app.fresh().is_ok());
    place.hands.advance(Duration::from_secs(30));
    assert!(app.fresh().is_ok(), "up to the staleness limit");
    place.hands.advance(Duration::from_millis(1));
    assert!(app.fresh().is_err(), "never a stale yes");
    app.poll().await.expect("a poll");
    assert!(app.fresh().is_ok(), "back by itself");
}

async fn roles_act_by_id(place: Place) {
    let app = place.node().await;
    let operator = Actor::operator();
    let input = RoleInput {
        name: "FX".to_owned(),
        grants: vec!["entities:view".to_owned()],
        filter: "user.department = fx".to_owned(),
    };
    let fx = role::create(&app, &operator, &input).await.expect("a role");
    let mut application = new("Report", &[]);
    application.roles = vec![fx.id.clone()];
    let key = application::create(&app, &operator, &application).await.expect("a key");
    let scope = || {
        let set = app.snapshot.with_application(key.client_id.as_str(), |live| live.role_set).expect("alive");
        app.snapshot.role_set(set).full_scope_text.clone()
    };
    assert_eq!(scope(), "entities:view");
    let update = RoleUpdate { grants: Some(vec!["entities:edit".to_owned()]), ..RoleUpdate::default() };
    role::update(&app, &operator, &fx.id, &update).await.expect("changed");
    assert_eq!(scope(), "entities:edit", "roles act at the next request");
    role::delete(&app, &operator, &fx.id).await.expect("deleted");
    assert_eq!(scope(), "");
    role::create(&app, &operator, &input).await.expect("the same name");
    assert_eq!(scope(), "", "re-creating a name revives nothing");
    app.bootstrap().await.expect("a snapshot");
    assert_eq!(scope(), "", "not after a restart either");

    for id in [RoleId::ADMINISTRATOR, RoleId::OPERATOR] {
        let id = RoleId::new(id);
        assert!(matches!(role::delete(&app, &operator, &id).await, Err(ActionError::Forbidden(_))));
        assert!(matches!(role::update(&app, &operator, &id, &update).await, Err(ActionError::Forbidden(_))));
    }
    let bad = RoleInput { filter: "user.department >".to_owned(), ..input.clone() };
    let refused = role::create(&app, &operator, &bad).await.expect_err("a filter that does not parse").to_string();
    assert!(refused.contains("column 18"), "{refused}");
}

async fn many_writers_lose_nothing(place: Place) {
    const WRITERS: usize = 8;
    const EACH: usize = 12;
    let (one, other) = (place.node().await, place.node().await);
    let start = one.snapshot.seq();
    let mut tasks = Vec::new();
    for writer in 0..WRITERS {
        // Half of them at each node, as the command line and the server are two processes too.
        let app = Arc::clone(if writer % 2 == 0 { &one } else { &other });
        tasks.push(tokio::spawn(async move {
            let mut keys = Vec::new();
            for number in 0..EACH {
                let name = format!("writer {writer} number {number}");
                let key = application::create(&app, &Actor::operator(), &new(&name, &[RoleId::OPERATOR]))
                    .await
                    .expect("a key");
                assert_eq!(live_secrets(&app, &key.client_id), Some(1), "acknowledged is in effect");
                keys.push(key.client_id);
            }
            keys
        }));
    }
    let mut keys = Vec::new();
    for task in tasks {
        keys.extend(task.await.expect("a writer"));
    }
    for app in [&one, &other] {
        app.poll().await.expect("a poll");
        assert_eq!(app.snapshot.seq(), start + (WRITERS * EACH) as u64, "numbers without gaps");
        assert!(keys.iter().all(|id| live_secrets(app, id) == Some(1)), "no change was missed");
    }
    assert_eq!(audit(&one).await.len(), WRITERS * EACH + 1);
}

async fn the_first_administrator_is_made_once(place: Place) {
    let app = place.node().await;
    let token = console_user::make_first_run_token(&app).await.expect("a token").expect("no administrator yet");
    let later = console_user::make_first_run_token(&app).await.expect("a token").expect("remade at each start");
    let password = "correct horse battery";
    let wrong = console_user::first_administrator(&app, "guessed", "mallory", password, "127.0.0.1").await;
    assert!(matches!(wrong, Err(ActionError::Forbidden(_))));
    let short = console_user::first_administrator(&app, &token, "ada", "short", "127.0.0.1").await;
    assert!(matches!(short, Err(ActionError::Invalid { field: "password", .. })), "and the link is not consumed by it");
    place.hands.advance(Duration::from_hours(1));
    let expired = console_user::first_administrator(&app, &token, "ada", password, "127.0.0.1").await;
    assert!(matches!(expired, Err(ActionError::Forbidden(_))), "valid for one hour");
    let fresh = console_user::make_first_run_token(&app).await.expect("a token").expect("no administrator yet");
    let ada = console_user::first_administrator(&app, &fresh, "ada", password, "127.0.0.1").await.expect("the first");
    for used in [&fresh, &later] {
        let again = console_user::first_administrator(&app, used, "eve", password, "127.0.0.1").await;
        assert!(matches!(again, Err(ActionError::Forbidden(_))), "consumed");
    }
    assert_eq!(console_user::make_first_run_token(&app).await.expect("a token"), None);

    let last = console_user::delete(&app, &Actor::operator(), &ada.id).await;
    assert!(matches!(last, Err(ActionError::Conflict(_))), "the last administrator stays: {last:?}");
    let signed_in = session::sign_in(&app, "ADA", password, "127.0.0.1").await.expect("a session");
    assert!(session::find(&app, &signed_in.token).await.expect("the store").is_some());
    console_user::reset_password(&app, &Actor::operator(), &ada.id, "another long password").await.expect("reset");
    assert!(session::find(&app, &signed_in.token).await.expect("the store").is_none(), "its sessions end");
}

async fn a_wrong_or_missing_key_stops_the_start(place: Place) {
    drop(place.node().await);
    let file = place.folder().join("hub.key");
    let right = std::fs::read(&file).expect("hub.key");
    std::fs::remove_file(&file).expect("removed");
    let open = || hub::open(place.config.clone(), place.clock.clone(), Randomness::system());
    let missing = open().await.expect_err("no key").to_string();
    assert!(missing.contains("copy the hub.key") && missing.contains("hub.key"), "{missing}");
    assert!(!file.exists(), "no new key for a database that has one");
    let (_, another) = gateway_hub::crypto::keyring::Keyring::generate(&Randomness::system());
    std::fs::write(&file, another.as_bytes()).expect("written");
    let differs = open().await.expect_err("another key").to_string();
    assert!(differs.contains("not the one"), "{differs}");
    std::fs::write(&file, right).expect("written");
    open().await.expect("the right key");
}

async fn several_processes_start_on_an_empty_store(place: Place) {
    let open = || {
        let (config, clock) = (place.config.clone(), place.clock.clone());
        tokio::spawn(async move { hub::open(config, clock, Randomness::system()).await })
    };
    let starts = [open(), open(), open(), open()];
    for start in starts {
        start.await.expect("a task").expect("one makes the key, the others go by it");
    }
    let app = place.node().await;
    assert_eq!(audit(&app).await, ["hub.initialise"], "once");
}

async fn a_newer_schema_is_refused(place: Place) {
    drop(place.node().await);
    rewrite(&place, "INSERT INTO schema_migration (family, version, minimum_reader) VALUES ('security', 99, 99)").await;
    let refused = hub::open(place.config.clone(), place.clock.clone(), Randomness::system()).await;
    let refused = refused.expect_err("a newer schema").to_string();
    assert!(refused.contains("newer gateway-hub"), "{refused}");
}

async fn a_running_node_stops_deciding_when_the_schema_outgrows_it(place: Place) {
    let app = place.node().await;
    // An upgrade that this program understands: a rolling upgrade goes on beside it.
    rewrite(&place, "INSERT INTO schema_migration (family, version, minimum_reader) VALUES ('security', 98, 1)").await;
    app.poll().await.expect("read");
    application::create(&app, &Actor::operator(), &new("Grafana", &[RoleId::OPERATOR])).await.expect("a key");
    assert!(app.fresh().is_ok());
    rewrite(&place, "INSERT INTO schema_migration (family, version, minimum_reader) VALUES ('security', 99, 99)").await;
    let refused = application::create(&app, &Actor::operator(), &new("Late", &[RoleId::OPERATOR])).await;
    assert!(refused.expect_err("it can't write any more").to_string().contains("newer gateway-hub"));
    assert!(app.poll().await.expect_err("nor read").to_string().contains("newer gateway-hub"));
    assert!(app.fresh().is_err(), "it refuses at once, not only after the staleness limit");
}

#[tokio::test]
async fn every_statement_is_the_same_on_both_databases() {
    let (sqlite, postgres) = (Place::sqlite(), Place::postgres());
    let mut shapes = Vec::new();
    for place in [&sqlite, &postgres] {
        let store = place.store().await;
        store.migrate().await.expect("a schema");
        assert_eq!(store.migrate().await.expect("a schema").security, 0, "nothing to do the second time");
        shapes.push(store.shapes().await.expect("every statement prepares"));
    }
    println!("{} statements", shapes[0].len());
    assert!(shapes[0].len() > 50);
    for (one, other) in shapes[0].iter().zip(&shapes[1]) {
        assert_eq!(one, other);
    }
}

#[tokio::test]
async fn what_the_hub_writes_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::sqlite();
    // A folder that was there before, open to everyone on the host.
    std::fs::set_permissions(place.folder(), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let app = place.node().await;
    application::create(&app, &Actor::operator(), &new("Grafana", &[RoleId::OPERATOR])).await.expect("a key");
    let mut seen = Vec::new();
    for file in std::fs::read_dir(place.folder()).expect("the folder") {
        let file = file.expect("a file");
        let mode = file.metadata().expect("its mode").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
        seen.push(file.file_name().into_string().expect("a name"));
    }
    for name in ["gateway-hub.db", "gateway-hub.db-wal", "entities.db", "hub.key"] {
        assert!(seen.iter().any(|file| file == name), "{name} in {seen:?}");
    }
}
