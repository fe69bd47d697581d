//! A hub in this process, with an administrator who can sign in.

use super::postgres::PostgresDatabase;
use gateway_hub::actions::{self, Actor};
use gateway_hub::ambient::{Clock, Randomness};
use gateway_hub::app::App;
use gateway_hub::config::{Config, Database, DatabaseUrl};
use gateway_hub::domain::role::RoleId;
use gateway_hub::server::{Listeners, Running, Server};
use serde_json::Value;
use std::sync::Arc;

/// The administrator's name.
pub(crate) const ADMINISTRATOR: &str = "maria.lopez";
/// The password of every person here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A running hub on a free port, with a folder of its own.
pub(crate) struct Hub {
    pub(crate) app: Arc<App>,
    running: Running,
    _folder: tempfile::TempDir,
}

impl Hub {
    /// Starts one without any console user.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same on PostgreSQL, where it may have company.
    pub(crate) async fn start_on(database: &PostgresDatabase) -> Self {
        let url = DatabaseUrl::parse(&database.url).expect("an address");
        Self::start_with(|config| config.database = Database::Postgres(url)).await
    }

    async fn start_with(settle: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::Builder::new().prefix("gateway-hub-e2e-").tempdir().expect("a temporary folder");
        let mut config = Config::local(folder.path());
        settle(&mut config);
        let listeners = Listeners::bind(&config).await.expect("a free port");
        let config = config.bound_to(listeners.address);
        let app = actions::hub::open(config, Clock::system(), Randomness::system()).await.expect("a hub");
        let running = Server::start_on(Arc::clone(&app), listeners).await.expect("a server");
        Self { app, running, _folder: folder }
    }

    /// Makes the administrator.
    pub(crate) async fn administrator(&self) {
        self.user(ADMINISTRATOR, RoleId::ADMINISTRATOR).await;
    }

    /// Makes a console user with a built-in role.
    pub(crate) async fn user(&self, name: &str, role: &str) {
        let roles = [RoleId::new(role)];
        actions::console_user::create(&self.app, &Actor::operator(), name, &roles, PASSWORD).await.expect("a user");
    }

    /// An address of the hub.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    /// Asks for a token; `None` if the key is refused.
    pub(crate) async fn token(&self, client_id: &str, client_secret: &str) -> Option<String> {
        let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", client_secret)];
        let answer =
            reqwest::Client::new().post(self.url("/oauth2/token")).form(&form).send().await.expect("an answer");
        if answer.status() == 401 {
            return None;
        }
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.expect("JSON");
        body["access_token"].as_str().map(str::to_owned)
    }

    /// Whether a token is good.
    pub(crate) async fn accepts(&self, token: &str) -> bool {
        let request = reqwest::Client::new().get(self.url("/api/v1/whoami")).bearer_auth(token);
        request.send().await.expect("an answer").status() == 200
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.running.shutdown().await;
        self.app.store.close().await;
    }
}
