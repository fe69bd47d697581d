//! A hub in this process: the real server on a free port, with a folder, a database and, where wanted, a clock of its
//! own. What an administrator does goes through the actions, as from the command line.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gateway_hub::{
    actions::{
        ActionError, Actor,
        api_key::{self, Regeneration},
        application::{self, ApplicationUpdate, NewApplication},
        console_user,
        gateway::{self, GatewayInput},
        hub as hub_actions,
        role::{self, RoleInput, RoleUpdate},
        upkeep,
        usage::{self, Pace},
    },
    ambient::{Clock, ManualClock, Randomness},
    app::{App, live_keys::signing_key_context},
    config::{Config, Database, DatabaseUrl, Tls},
    domain::{application::ClientId, gateway::GatewayId, role::RoleId, time::Timestamp},
    server::{Listeners, Running, Server},
};
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    callers::{Application, ConsoleUser},
    certificates::Certificate,
    postgres::PostgresDatabase,
    rows::Rows,
    upstream::Upstream,
    wire::Site,
};

/// The password of every console user in tests.
pub const PASSWORD: &str = "correct horse battery staple";

/// When a manual clock starts: 2026-01-01.
const START: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// What several nodes of one test share.
struct Shared {
    folder: tempfile::TempDir,
    postgres: Option<PostgresDatabase>,
    names: AtomicU32,
    /// The wall clock as a restarted process would find it.
    wall: AtomicI64,
}

/// A running hub.
pub struct Hub {
    pub site: Site,
    pub app: Arc<App>,
    config: Config,
    clock: Option<ManualClock>,
    running: Running,
    shared: Arc<Shared>,
}

/// The content of `hub.key`.
pub struct HubKey {
    pub text: String,
    pub bytes: Vec<u8>,
}

impl Hub {
    /// On SQLite, with the host's clock.
    pub async fn start() -> Self {
        Self::launch(None, None, false).await
    }

    /// On SQLite, with a clock that stands still.
    pub async fn with_manual_clock() -> Self {
        Self::launch(None, None, true).await
    }

    /// On a PostgreSQL database of its own.
    pub async fn start_on_postgres() -> Self {
        let database = PostgresDatabase::create();
        let url = database.url.clone();
        Self::launch(Some(url), Some(database), false).await
    }

    /// On a PostgreSQL database that the test keeps, with a clock that stands still.
    pub async fn on_postgres_with_manual_clock(database: &PostgresDatabase) -> Self {
        Self::launch(Some(database.url.clone()), None, true).await
    }

    async fn launch(url: Option<String>, postgres: Option<PostgresDatabase>, manual: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("gateway-hub-test-").tempdir().expect("a temporary folder");
        let mut config = Config::local(&folder.path().join("data"));
        if let Some(url) = url {
            config.database = Database::Postgres(DatabaseUrl::parse(&url).expect("an address"));
        }
        let (names, wall) = (AtomicU32::new(0), AtomicI64::new(START.micros()));
        let shared = Arc::new(Shared { folder, postgres, names, wall });
        let listeners = Listeners::bind(&config).await.expect("a free port");
        let config = config.bound_to(listeners.address);
        let clock = manual.then(|| Clock::manual(START));
        Self::run(config, clock, listeners, shared).await
    }

    async fn run(
        config: Config,
        clock: Option<(Clock, ManualClock)>,
        listeners: Listeners,
        shared: Arc<Shared>,
    ) -> Self {
        let (clock, hand) = clock.map_or_else(|| (Clock::system(), None), |(clock, hand)| (clock, Some(hand)));
        let app = hub_actions::open(config.clone(), clock, Randomness::system()).await.expect("the hub opens");
        let site = Site::new(listeners.address, app.issuer());
        let running = Server::start_on(Arc::clone(&app), listeners).await.expect("the server starts");
        Self { site, app, config, clock: hand, running, shared }
    }

    /// Another node on the same store, with the same clock.
    pub async fn second_node(&self) -> Self {
        let clock = self.clock.clone().map(|hand| (self.app.clock.clone(), hand));
        let listeners = bind(&self.config).await;
        Self::run(self.config.clone(), clock, listeners, Arc::clone(&self.shared)).await
    }

    /// Another node that speaks TLS with this certificate; its applications are those of the first.
    pub async fn tls_node(&self, certificate: &Certificate) -> Self {
        let mut config = self.config.clone();
        config.tls = Some(Tls { certificate: certificate.chain.clone(), key: certificate.key.clone() });
        let listeners = bind(&config).await;
        Self::run(config, None, listeners, Arc::clone(&self.shared)).await
    }

    /// Stops as a service manager stops it.
    pub async fn stop(self) {
        self.running.shutdown().await;
        self.app.store.close().await;
    }

    /// Stops it and starts it again, as a new process would find things: with the wall clock as it stands.
    pub async fn restart(self) -> Self {
        let Self { app, config, clock, running, shared, .. } = self;
        running.shutdown().await;
        app.store.close().await;
        drop(app);
        let wall = Timestamp::from_micros(shared.wall.load(Ordering::Relaxed));
        let clock = clock.map(|_| Clock::manual(wall));
        let listeners = bind(&config).await;
        Self::run(config, clock, listeners, shared).await
    }

    // Gateways.

    /// A gateway of kind `http` to there.
    pub async fn gateway(&self, name: &str, upstream: &Upstream) -> GatewayId {
        self.gateway_with(name, &upstream.url(), GatewayInput::default()).await
    }

    /// A gateway of kind `http`, unless `input` says otherwise.
    pub async fn gateway_with(&self, name: &str, url: &str, mut input: GatewayInput) -> GatewayId {
        input.kind.get_or_insert_with(|| "http".to_owned());
        input.addresses.get_or_insert_with(|| vec![url.to_owned()]);
        gateway::create(&self.app, &Actor::operator(), name, &input).await.expect("a gateway").gateway.id
    }

    /// Changes a gateway.
    pub async fn change_gateway(&self, id: &GatewayId, input: GatewayInput) {
        gateway::update(&self.app, &Actor::operator(), id, &input).await.expect("the gateway changes");
    }

    /// No gateway passes filters on any more, although roles count on it: a state that can't be saved.
    pub async fn forget_forward_filter(&self) {
        self.overwrite_gateways("$.forward_filter", "false").await;
    }

    /// No gateway maps labels any more, although roles count on them: a state that can't be saved.
    pub async fn forget_labels(&self) {
        self.overwrite_gateways("$.labels", "{}").await;
    }

    async fn overwrite_gateways(&self, setting: &str, json: &str) {
        let options = SqliteConnectOptions::new().filename(self.config.data_dir.join("gateway-hub.db"));
        let mut connection = SqliteConnection::connect_with(&options).await.expect("the database opens");
        let overwrite = "UPDATE gateway SET settings = json_set(settings, $1, json($2))";
        sqlx::query(overwrite).bind(setting).bind(json).execute(&mut connection).await.expect("an update");
        connection.close().await.expect("the database closes");
        self.app.bootstrap().await.expect("everything is read anew");
    }

    pub async fn delete_gateway(&self, id: &GatewayId) {
        gateway::delete(&self.app, &Actor::operator(), id).await.expect("the gateway goes");
    }

    // The clock.

    #[track_caller]
    fn hand(&self) -> &ManualClock {
        self.clock.as_ref().expect("this hub has the host's clock")
    }

    /// Lets so many seconds pass; the node polls its store meanwhile, if it can.
    pub async fn advance(&self, seconds: u64) {
        let by = Duration::from_secs(seconds);
        self.shared.wall.fetch_add(i64::try_from(by.as_micros()).expect("short"), Ordering::Relaxed);
        self.hand().advance(by);
        let _ = self.app.poll().await;
    }

    /// Sets the wall clock back, as a wrong time server does.
    pub fn turn_back(&self, seconds: u64) {
        let micros = i64::try_from(seconds).expect("short") * 1_000_000;
        let wall = self.shared.wall.fetch_sub(micros, Ordering::Relaxed) - micros;
        self.hand().set_wall(Timestamp::from_micros(wall));
    }

    /// Lets the jobs have their turn.
    pub async fn settle(&self) {
        upkeep::end_secrets(&self.app).await.expect("the job runs");
    }

    /// Stores what was counted, without waiting for the job; gives how much that was.
    pub async fn flush_usage(&self) -> usize {
        usage::flush(&self.app, Pace::Gentle).await.expect("usage is stored")
    }

    /// Reads the feed now, without waiting for the next poll.
    pub async fn poll(&self) {
        self.app.poll().await.expect("the store answers");
    }

    // What is stored.

    pub async fn rows(&self) -> Rows {
        match (&self.config.database, &self.shared.postgres) {
            (Database::Postgres(_), Some(database)) => Rows::of_postgres(database),
            _ => Rows::of_folder(&self.config.data_dir).await,
        }
    }

    /// The files of the database, with their content.
    pub fn database_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = std::fs::read_dir(&self.config.data_dir).expect("the folder").flatten().map(|entry| entry.path());
        let files = files.filter(|path| path.file_name().is_some_and(|name| name != "hub.key"));
        files.map(|path| (path.clone(), std::fs::read(&path).expect("a file"))).collect()
    }

    pub fn hub_key(&self) -> HubKey {
        let text = std::fs::read_to_string(self.config.data_dir.join("hub.key")).expect("hub.key").trim().to_owned();
        HubKey { bytes: STANDARD.decode(&text).expect("base64"), text }
    }

    /// The private signing key in PKCS#8, as only the hub's key can unwrap it.
    pub async fn signing_key(&self) -> Vec<u8> {
        let keys = self.rows().await.table("signing_key");
        let kid = keys[0]["kid"].as_str().expect("a kid");
        let wrapped = keys[0]["wrapped"].as_str().expect("a wrapped key");
        self.app.keyring.unwrap(&signing_key_context(kid), wrapped).expect("the hub's key unwraps it").to_vec()
    }

    /// From now on no audit event can be written.
    pub async fn break_audit(&self) {
        let options = SqliteConnectOptions::new().filename(self.config.data_dir.join("gateway-hub.db"));
        let mut connection = SqliteConnection::connect_with(&options).await.expect("the database opens");
        let trigger = "CREATE TRIGGER broken BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'broken'); END";
        sqlx::query(trigger).execute(&mut connection).await.expect("a trigger");
        connection.close().await.expect("the database closes");
    }

    // Callers.

    fn name(&self, what: &str) -> String {
        format!("{what} {}", self.shared.names.fetch_add(1, Ordering::Relaxed))
    }

    /// An application with a key and a token.
    pub async fn application(&self, roles: &[&str]) -> Application {
        let mut made = self.application_without_token(roles).await;
        made.sign_in().await;
        made
    }

    pub async fn application_without_token(&self, roles: &[&str]) -> Application {
        self.make(NewApplication { name: self.name("application"), ..self.new_application(roles) }).await
    }

    pub async fn application_named(&self, name: &str, roles: &[&str]) -> Application {
        let mut made = self.make(NewApplication { name: name.to_owned(), ..self.new_application(roles) }).await;
        made.sign_in().await;
        made
    }

    /// One that ends in so many seconds.
    pub async fn application_until(&self, roles: &[&str], seconds: u64) -> Application {
        let end = self.app.clock.now().plus(Duration::from_secs(seconds));
        let name = self.name("application");
        self.make(NewApplication { name, expires_at: Some(end), ..self.new_application(roles) }).await
    }

    /// One that may only come from these networks.
    pub async fn application_in(&self, roles: &[&str], networks: &[&str]) -> Application {
        let networks = networks.iter().map(|network| network.parse().expect("a network")).collect();
        self.make(NewApplication { name: self.name("application"), networks, ..self.new_application(roles) }).await
    }

    fn new_application(&self, roles: &[&str]) -> NewApplication {
        NewApplication { roles: roles.iter().map(|role| self.role_id(role)).collect(), ..NewApplication::default() }
    }

    async fn make(&self, new: NewApplication) -> Application {
        let made = application::create(&self.app, &Actor::operator(), &new).await.expect("an application");
        Application::with_key(&self.site, &new.name, made.client_id.as_str(), made.client_secret.expose())
    }

    /// A signed-in console user with that role.
    pub async fn console_user(&self, role: &str) -> ConsoleUser {
        let name = self.name("person");
        let roles = [self.role_id(role)];
        console_user::create(&self.app, &Actor::operator(), &name, &roles, PASSWORD).await.expect("a user");
        ConsoleUser::sign_in(&self.site, &name, PASSWORD).await
    }

    /// The password of that console user.
    #[expect(clippy::unused_self, reason = "reads as the story of this hub's people")]
    pub fn password(&self, _name: &str) -> String {
        PASSWORD.to_owned()
    }

    /// The actor that a console user with that role is.
    pub async fn actor(&self, role: &str) -> Actor {
        let name = self.name("actor");
        let id = self.role_id(role);
        let roles = [id.clone()];
        let user = console_user::create(&self.app, &Actor::operator(), &name, &roles, PASSWORD).await.expect("a user");
        let role = self.app.snapshot.role(&id).expect("the role");
        Actor::console_user(&user, [&*role], "127.0.0.1")
    }

    /// The actor that this console user is.
    pub async fn actor_of(&self, name: &str) -> Actor {
        let users = self.rows().await.table("console_user");
        let user = users.iter().find(|user| user["name"] == name).and_then(|user| user["id"].as_str());
        let id = user.expect("the user").to_owned();
        let mut tx = self.app.store.read().await.expect("the store answers");
        let user =
            gateway_hub::store::console_user::get(&mut tx, &id).await.expect("the store answers").expect("the user");
        let roles: Vec<_> = user.roles.iter().filter_map(|role| self.app.snapshot.role(role)).collect();
        Actor::console_user(&user, roles.iter().map(|role| &**role), "127.0.0.1")
    }

    pub fn application_actor(client_id: &str) -> Actor {
        Actor::application(client_id, "application", "127.0.0.1")
    }

    /// A token whose application may no longer come from here.
    pub async fn token_from_elsewhere(&self) -> String {
        let application = self.application(&["Administrator"]).await;
        self.set_networks(&application.client_id, &["192.0.2.0/24"]).await;
        application.token
    }

    /// What introspection tells an administrator's application of this token.
    pub async fn introspect(&self, token: &str) -> Value {
        let asker = self.application_without_token(&["Administrator"]).await;
        let answer = asker.client_post("/oauth2/introspect", &[("token", token)]).await.expect(200).json();
        self.delete(&asker.client_id).await;
        answer
    }

    /// The one-time link for the first administrator.
    pub async fn first_run_link(&self) -> String {
        let token = console_user::make_first_run_token(&self.app).await.expect("a link").expect("no administrator yet");
        format!("{}/console/first-run#{token}", self.app.issuer())
    }

    // What the operator does.

    pub async fn delete(&self, client_id: &str) {
        self.try_delete(client_id).await.expect("deleted");
    }

    pub async fn try_delete(&self, client_id: &str) -> Result<(), ActionError> {
        application::delete(&self.app, &Actor::operator(), &id(client_id)).await
    }

    pub async fn disable(&self, client_id: &str) {
        application::disable(&self.app, &Actor::operator(), &id(client_id)).await.expect("disabled");
    }

    pub async fn enable(&self, client_id: &str) {
        self.try_enable(client_id).await.expect("enabled");
    }

    pub async fn try_enable(&self, client_id: &str) -> Result<(), ActionError> {
        application::enable(&self.app, &Actor::operator(), &id(client_id)).await
    }

    /// A new secret; the old one goes on for so many seconds.
    pub async fn regenerate(&self, client_id: &str, overlap: Option<u64>) -> String {
        let how = overlap.map_or(Regeneration::AtOnce, |seconds| Regeneration::Overlap(Duration::from_secs(seconds)));
        self.regenerate_as(&Actor::operator(), client_id, how).await.expect("regenerated")
    }

    pub async fn try_regenerate(&self, client_id: &str) -> Result<String, ActionError> {
        self.regenerate_as(&Actor::operator(), client_id, Regeneration::AtOnce).await
    }

    /// *It leaked*.
    pub async fn leaked(&self, client_id: &str) -> String {
        self.regenerate_as(&Actor::operator(), client_id, Regeneration::Leaked).await.expect("regenerated")
    }

    async fn regenerate_as(&self, actor: &Actor, client_id: &str, how: Regeneration) -> Result<String, ActionError> {
        let shown = api_key::regenerate(&self.app, actor, &id(client_id), how, None).await?;
        Ok(shown.client_secret.expose().to_owned())
    }

    pub async fn set_networks(&self, client_id: &str, networks: &[&str]) {
        let networks = Some(networks.iter().map(|network| network.parse().expect("a network")).collect());
        self.update(client_id, ApplicationUpdate { networks, ..ApplicationUpdate::default() }).await;
    }

    pub async fn allow_basic(&self, client_id: &str, allowed: bool) {
        self.update(client_id, ApplicationUpdate { allow_basic: Some(allowed), ..ApplicationUpdate::default() }).await;
    }

    pub async fn set_roles(&self, client_id: &str, roles: &[&str]) {
        let roles = Some(roles.iter().map(|role| self.role_id(role)).collect());
        self.update(client_id, ApplicationUpdate { roles, ..ApplicationUpdate::default() }).await;
    }

    pub async fn update(&self, client_id: &str, update: ApplicationUpdate) {
        application::update(&self.app, &Actor::operator(), &id(client_id), &update).await.expect("updated");
    }

    /// A new role; gives its id.
    pub async fn role(&self, name: &str, grants: &[&str], filter: Option<&str>) -> String {
        self.make_role(name, grants, filter).await.expect("a role")
    }

    pub async fn try_role(&self, name: &str, grants: &[&str]) -> Result<String, ActionError> {
        self.make_role(name, grants, None).await
    }

    pub async fn try_role_with(&self, grants: &[&str], filter: Option<&str>) -> Result<String, ActionError> {
        self.make_role(&self.name("role"), grants, filter).await
    }

    async fn make_role(&self, name: &str, grants: &[&str], filter: Option<&str>) -> Result<String, ActionError> {
        let input =
            RoleInput { name: name.to_owned(), grants: texts(grants), filter: filter.unwrap_or_default().to_owned() };
        let role = role::create(&self.app, &Actor::operator(), &input).await?;
        Ok(role.id.as_str().to_owned())
    }

    pub async fn set_role(&self, name: &str, grants: &[&str], filter: Option<&str>) {
        self.change_role(name, grants, filter).await.expect("the role changes");
    }

    pub async fn try_set_role(&self, name: &str, grants: &[&str]) -> Result<(), ActionError> {
        self.change_role(name, grants, None).await
    }

    async fn change_role(&self, name: &str, grants: &[&str], filter: Option<&str>) -> Result<(), ActionError> {
        let filter = Some(filter.unwrap_or_default().to_owned());
        let update = RoleUpdate { grants: Some(texts(grants)), filter, ..RoleUpdate::default() };
        role::update(&self.app, &Actor::operator(), &self.role_id(name), &update).await.map(drop)
    }

    pub async fn delete_role(&self, name: &str) {
        self.try_delete_role(name).await.expect("deleted");
    }

    pub async fn try_delete_role(&self, name: &str) -> Result<(), ActionError> {
        role::delete(&self.app, &Actor::operator(), &self.role_id(name)).await
    }

    pub async fn try_delete_user(&self, name: &str) -> Result<(), ActionError> {
        let users = self.rows().await.table("console_user");
        let user = users.iter().find(|user| user["name"] == name).expect("the user");
        console_user::delete(&self.app, &Actor::operator(), user["id"].as_str().expect("an id")).await
    }

    /// The id of the role with that name.
    #[track_caller]
    pub fn role_id(&self, name: &str) -> RoleId {
        let roles = self.app.snapshot.all_roles();
        let role = roles.iter().find(|role| role.name.as_str() == name);
        role.unwrap_or_else(|| panic!("no role {name}")).id.clone()
    }

    /// Tries everything that changes security state, in the name of this actor.
    pub async fn every_action_as(
        &self,
        actor: &Actor,
        victim: &str,
        powerful: &str,
    ) -> Vec<(&'static str, Result<(), String>)> {
        let app = &*self.app;
        let (victim, powerful) = (&id(victim), &id(powerful));
        let operator = self.role_id("Operator");
        let administrator = self.role_id("Administrator");
        let spare = self.app.snapshot.all_roles().into_iter().find(|role| !role.built_in);
        let spare = spare.map_or_else(|| operator.clone(), |role| role.id.clone());
        let person =
            self.rows().await.table("console_user").first().and_then(|user| user["id"].as_str().map(str::to_owned));
        let person = person.unwrap_or_default();
        let mut tried: BTreeMap<&'static str, Result<(), ActionError>> = BTreeMap::new();
        let new = |name: &str, role: &RoleId| NewApplication {
            name: name.to_owned(),
            roles: vec![role.clone()],
            ..NewApplication::default()
        };
        tried.insert("create", application::create(app, actor, &new("New", &operator)).await.map(drop));
        tried.insert("create high", application::create(app, actor, &new("High", &administrator)).await.map(drop));
        let widen = ApplicationUpdate { roles: Some(vec![administrator.clone()]), ..ApplicationUpdate::default() };
        tried.insert("widen", application::update(app, actor, victim, &widen).await.map(drop));
        let rename = ApplicationUpdate { name: Some("Other".to_owned()), ..ApplicationUpdate::default() };
        tried.insert("rename", application::update(app, actor, powerful, &rename).await.map(drop));
        for (name, how) in [
            ("regenerate", Regeneration::AtOnce),
            ("overlap", Regeneration::Overlap(Duration::from_mins(1))),
            ("leaked", Regeneration::Leaked),
        ] {
            tried.insert(name, api_key::regenerate(app, actor, victim, how, None).await.map(drop));
        }
        tried.insert(
            "regenerate high",
            api_key::regenerate(app, actor, powerful, Regeneration::AtOnce, None).await.map(drop),
        );
        tried.insert("disable", application::disable(app, actor, victim).await);
        tried.insert("delete high", application::delete(app, actor, powerful).await);
        tried.insert("delete", application::delete(app, actor, victim).await);
        let input = RoleInput { name: "Mine".to_owned(), grants: texts(&["entities:edit"]), filter: String::new() };
        tried.insert("create role", role::create(app, actor, &input).await.map(drop));
        let more = RoleUpdate { grants: Some(texts(&["applications:edit"])), ..RoleUpdate::default() };
        tried.insert("widen role", role::update(app, actor, &spare, &more).await.map(drop));
        tried.insert("delete role", role::delete(app, actor, &spare).await);
        let connect = GatewayInput {
            kind: Some("http".to_owned()),
            addresses: Some(texts(&["http://192.0.2.1"])),
            ..GatewayInput::default()
        };
        tried.insert("create gateway", gateway::create(app, actor, "mine", &connect).await.map(drop));
        let there = GatewayId::new("gateway_there");
        tried.insert("lead a gateway elsewhere", gateway::update(app, actor, &there, &connect).await.map(drop));
        tried.insert("delete gateway", gateway::delete(app, actor, &there).await.map(drop));
        let person_made = console_user::create(app, actor, "mallory", &[administrator], PASSWORD).await;
        tried.insert("create user", person_made.map(drop));
        if !person.is_empty() {
            tried.insert("reset password", console_user::reset_password(app, actor, &person, PASSWORD).await);
        }
        tried.into_iter().map(|(name, result)| (name, result.map_err(|error| format!("{error:?}")))).collect()
    }
}

/// A free port, whatever the configuration says; the public URL stays.
async fn bind(config: &Config) -> Listeners {
    let mut config = config.clone();
    config.listen = ([127, 0, 0, 1], 0).into();
    Listeners::bind(&config).await.expect("a free port")
}

#[track_caller]
fn id(client_id: &str) -> ClientId {
    ClientId::parse(client_id).expect("a client_id")
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}
