//! `serve`: the program itself.

use std::{fmt::Write as _, sync::Arc};

use clap::Args;
use serde::Serialize;
use tokio::runtime::Builder;

use super::{
    demo::{self, Demo},
    failure::Failure,
    global::{Global, warn_of_unknown_variables},
    hub,
    output::Output,
    table::facts,
};
use crate::{
    actions::{console_user, node},
    app::App,
    config::{Config, Setting, Sources},
    server::{Listeners, Server, Stop, Termination},
};

/// Start the hub
///
/// A fresh machine needs nothing: the data folder, the database and the keys are made at the first start, and a one-time
/// link to choose the first administrator's password is printed.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: ServeSettings,
}

const EXAMPLES: &str = "\
Examples:
  gateway-hub serve
  gateway-hub serve --demo --data-dir /tmp/demo
  gateway-hub serve --listen 0.0.0.0:8443 --tls-cert hub.crt --tls-key hub.pem --public-url https://hub.example.com:8443
  gateway-hub serve --listen 10.0.0.5:8080 --behind-proxy 10.0.0.2 --public-url https://hub.example.com

Each option is also a variable (--public-url: GATEWAY_HUB_PUBLIC_URL) and a key of the --config file (public_url).
The hub's key comes from GATEWAY_HUB_KEY, from the file that GATEWAY_HUB_KEY_FILE names, or from hub.key in the data
folder, where it is made for an empty database. Keep a copy of it apart from the backups.";

/// The settings of `serve` as flags.
#[derive(Args)]
pub(super) struct ServeSettings {
    /// Answer on this address; beyond loopback this needs TLS or --behind-proxy, and --public-url [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The address under which people and applications reach the hub, the same on all nodes: the issuer of its tokens
    /// [default on loopback: the listen address]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Answer /metrics, and /readyz with details, without a token on this second address
    #[arg(long, value_name = "ADDRESS")]
    ops_listen: Option<String>,
    /// Speak TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Believe X-Forwarded-For of reverse proxies in this network; once per network
    #[arg(long, value_name = "CIDR")]
    behind_proxy: Vec<String>,
    /// Sign access tokens with ES256, EdDSA or RS256 [default: ES256]
    #[arg(long, value_name = "NAME")]
    signing_algorithm: Option<String>,
    /// Let access tokens live this long, 30s to 1d [default: 10m]
    #[arg(long, value_name = "TIME")]
    token_lifetime: Option<String>,
    /// Read the changes made by other nodes and by commands this often, 10ms to 500ms [default: 250ms]
    #[arg(long, value_name = "TIME")]
    poll_interval: Option<String>,
    /// Refuse everything once the store has been out of reach for this long, 1s to 10m [default: 30s]
    #[arg(long, value_name = "TIME")]
    staleness_limit: Option<String>,
    /// After SIGTERM go on serving this long while /readyz says 503, so that a load balancer turns away first, up to 10m
    /// [default: stop at once]
    #[arg(long, value_name = "TIME")]
    drain_time: Option<String>,
    /// Call this node so in the Web Console, in readiness and in metrics [default: the name of the host]
    #[arg(long, value_name = "NAME")]
    node_name: Option<String>,
    /// Whether nodes tell each other of changes through PostgreSQL's NOTIFY, besides polling [default: true]
    #[arg(long, value_name = "BOOL")]
    database_notify: Option<String>,
    /// Fill an empty database with sample entities, roles, applications and a console user, and print commands to paste;
    /// on loopback only
    #[arg(long)]
    demo: bool,
}

impl ServeSettings {
    pub(super) fn add_to(&self, sources: &mut Sources) {
        let single = [
            (Setting::Listen, &self.listen),
            (Setting::PublicUrl, &self.public_url),
            (Setting::OpsListen, &self.ops_listen),
            (Setting::TlsCert, &self.tls_cert),
            (Setting::TlsKey, &self.tls_key),
            (Setting::SigningAlgorithm, &self.signing_algorithm),
            (Setting::TokenLifetime, &self.token_lifetime),
            (Setting::PollInterval, &self.poll_interval),
            (Setting::StalenessLimit, &self.staleness_limit),
            (Setting::DrainTime, &self.drain_time),
            (Setting::NodeName, &self.node_name),
            (Setting::DatabaseNotify, &self.database_notify),
        ];
        for (setting, value) in single {
            if let Some(value) = value {
                sources.add_flag(setting, value);
            }
        }
        for network in &self.behind_proxy {
            sources.add_flag(Setting::BehindProxy, network);
        }
        if self.demo {
            sources.add_flag(Setting::Demo, "true");
        }
    }
}

impl Serve {
    pub(super) fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = global.config(|sources| self.settings.add_to(sources))?;
        config.check_serving()?;
        warn_of_unknown_variables();
        hub::runtime(Builder::new_multi_thread())?.block_on(serve(config, output))
    }
}

/// Binds first, so that nothing is made where nothing can be served and a default public URL knows its port; a caller who
/// is early waits in the listener's queue.
async fn serve(config: Config, output: Output) -> Result<(), Failure> {
    let listeners = Listeners::bind(&config).await.map_err(Failure::refused)?;
    let config = config.bound_to(listeners.address);
    let app = hub::open(config).await?;
    node::join(&app).await?;
    let demo = if app.config.demo { Some(demo::fill(&app).await?) } else { None };
    let first_run_link = console_user::make_first_run_token(&app)
        .await?
        .map(|token| app.config.public_url.join(&format!("/console/first-run#{token}")));
    // Before anybody can know that the hub runs: who asks it to stop at once gets a graceful stop too.
    let mut termination = Termination::listen()
        .map_err(|error| Failure::refused(format!("can't listen for SIGTERM and SIGINT: {error}")))?;
    let started = Started::of(&app, listeners.ops_address, first_run_link, demo);
    output.answer(&started, || started.describe())?.write()?;
    let running = Server::start_on(Arc::clone(&app), listeners).await.map_err(Failure::refused)?;
    if termination.asked().await == Stop::Gently {
        running.drain(app.config.drain_time, termination.asked()).await;
    }
    running.shutdown().await;
    app.store.close().await;
    Ok(())
}

/// What is told before the first request is answered: whoever gets an answer can read it.
#[derive(Serialize)]
struct Started {
    version: &'static str,
    address: String,
    public_url: String,
    console: String,
    ops_address: Option<String>,
    data_dir: String,
    database: String,
    first_run_link: Option<String>,
    demo: Option<Demo>,
}

impl Started {
    fn of(
        app: &App,
        ops_address: Option<std::net::SocketAddr>,
        first_run_link: Option<String>,
        demo: Option<Demo>,
    ) -> Self {
        let config = &app.config;
        // People start `serve` in one folder and look for the data in another.
        let data_dir = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
        Self {
            version: env!("CARGO_PKG_VERSION"),
            address: config.listen.to_string(),
            public_url: config.public_url.to_string(),
            console: config.public_url.join("/console"),
            ops_address: ops_address.map(|address| address.to_string()),
            data_dir: data_dir.display().to_string(),
            database: config.database.describe(),
            first_run_link,
            demo,
        }
    }

    /// How the commands are called for this hub from any folder.
    fn command(&self) -> String {
        format!("gateway-hub --data-dir '{}'", self.data_dir.replace('\'', r"'\''"))
    }

    fn describe(&self) -> String {
        let mut lines = vec![
            ("  Address", self.public_url.clone()),
            ("  Web Console", self.console.clone()),
            ("  Listening on", self.address.clone()),
        ];
        if let Some(address) = &self.ops_address {
            lines.push(("  Operations", address.clone()));
        }
        lines.push(("  Data folder", self.data_dir.clone()));
        lines.push(("  Database", self.database.clone()));
        let mut text = format!("Gateway Hub {}\n\n{}\n", self.version, facts(&lines));
        if let Some(link) = &self.first_run_link {
            let _ = write!(
                text,
                "There is no administrator yet. Within the next hour, open this link once to become the first:\n\n  {link}\n\n"
            );
        }
        if let Some(demo) = &self.demo {
            text.push_str(&demo.sheet(&self.public_url, &self.command()));
        }
        text
    }
}
