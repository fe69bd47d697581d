//! The configuration: parsed completely from strings, before anything is opened or bound.
//!
//! A setting comes from a flag, else from the environment (`GATEWAY_HUB_…`), else from the TOML file, else it has its
//! default. A bad value is reported with its key as the operator wrote it, its value, and what would be right; all bad
//! values are reported at once.

mod database;
mod duration;
mod error;
mod key;
mod listen;
mod network;
mod public_url;
mod setting;
mod size;
mod source;
mod timing;
mod token;

#[cfg(test)]
mod tests;

pub use database::{Database, DatabaseUrl};
pub use duration::Span;
pub use error::{ConfigError, Fault};
pub use key::KeySource;
pub use listen::{Tls, parse_listen};
pub use network::parse_network;
pub use public_url::PublicUrl;
pub use setting::Setting;
pub use size::Size;
pub use source::{Origin, Sources};
pub use timing::Timing;
pub use token::{SigningAlgorithm, TokenConfig};

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;

use source::Reader;

/// Everything that the operator can set, checked and with the defaults filled in.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address on which `serve` answers; port 0 asks the system for a free one (see [`Config::bound_to`]).
    pub listen: SocketAddr,
    /// The address under which applications and people reach the hub: the `iss` of every token.
    pub public_url: PublicUrl,
    /// A second address for operations (`/metrics` and `/readyz` in detail, without a token), if any.
    pub ops_listen: Option<SocketAddr>,
    /// The certificate and its key, when the hub itself speaks TLS.
    pub tls: Option<Tls>,
    /// The reverse proxies whose `X-Forwarded-For` is believed.
    pub behind_proxy: Vec<IpNet>,
    /// The data folder.
    pub data_dir: PathBuf,
    /// Where the state is kept.
    pub database: Database,
    /// Whether nodes tell each other of changes through PostgreSQL's NOTIFY, besides polling.
    pub database_notify: bool,
    /// What people call this node; `None` for the name of its host.
    pub node_name: Option<String>,
    /// Where the hub's key comes from.
    pub key: KeySource,
    /// Fill an empty database with sample data.
    pub demo: bool,
    /// How access tokens are made.
    pub token: TokenConfig,
    /// How this node follows the store.
    pub timing: Timing,
    /// How long after SIGTERM this node goes on serving, while it says that it is not ready; zero to stop at once.
    pub drain_time: Duration,
    public_url_given: bool,
}

impl Config {
    /// Reads every setting from its source.
    ///
    /// # Errors
    /// All bad values at once, each with its key, its value and what would be right.
    pub fn parse(sources: &Sources) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(sources);
        let listen = reader.value(Setting::Listen, parse_listen).unwrap_or(listen::DEFAULT);
        let ops_listen = reader.value(Setting::OpsListen, parse_listen);
        let tls = Tls::read(&mut reader);
        let public_url = reader.value(Setting::PublicUrl, PublicUrl::parse);
        let behind_proxy = reader.values(Setting::BehindProxy, parse_network);
        let data_dir = reader.value(Setting::DataDir, parse_path).unwrap_or_else(|| PathBuf::from(DEFAULT_DATA_DIR));
        let database =
            reader.value(Setting::DatabaseUrl, DatabaseUrl::parse).map_or(Database::Sqlite, Database::Postgres);
        let database_notify = reader.value(Setting::DatabaseNotify, parse_switch).unwrap_or(true);
        let node_name = reader.value(Setting::NodeName, parse_node_name);
        let key = KeySource::read(&mut reader);
        let demo = reader.value(Setting::Demo, parse_switch).unwrap_or(false);
        let token = TokenConfig::read(&mut reader);
        let timing = Timing::read(&mut reader);
        let drain_time = reader
            .value(Setting::DrainTime, Span::between(Duration::from_millis(1), Duration::from_mins(10)))
            .unwrap_or_default();
        reader.finish()?;
        Ok(Self {
            public_url_given: public_url.is_some(),
            public_url: public_url.unwrap_or_else(|| PublicUrl::of_listener(listen, tls.is_some())),
            listen,
            ops_listen,
            tls,
            behind_proxy,
            data_dir,
            database,
            database_notify,
            node_name,
            key,
            demo,
            token,
            timing,
            drain_time,
        })
    }

    /// A configuration of defaults with its data in `data_dir`, on a free port of 127.0.0.1: for tests and tools.
    #[must_use]
    pub fn local(data_dir: &Path) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen,
            public_url: PublicUrl::of_listener(listen, false),
            ops_listen: None,
            tls: None,
            behind_proxy: Vec::new(),
            data_dir: data_dir.to_path_buf(),
            database: Database::Sqlite,
            database_notify: true,
            node_name: None,
            key: KeySource::DataDir,
            demo: false,
            token: TokenConfig::default(),
            timing: Timing::default(),
            drain_time: Duration::ZERO,
            public_url_given: false,
        }
    }

    /// The same configuration with the address that was really bound. A public URL that was left to its default follows.
    #[must_use]
    pub fn bound_to(mut self, listen: SocketAddr) -> Self {
        self.listen = listen;
        if !self.public_url_given {
            self.public_url = PublicUrl::of_listener(listen, self.tls.is_some());
        }
        self
    }

    /// Checks the rules of starting: beyond loopback, `serve` needs TLS or a reverse proxy, and a public URL.
    ///
    /// # Errors
    /// Every rule that is broken, with the flags that would satisfy it.
    pub fn check_serving(&self) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        if !self.listen.ip().is_loopback() {
            if self.tls.is_none() && self.behind_proxy.is_empty() {
                faults.push(Fault::rule(format!(
                    "listening on {} (beyond loopback) would carry secrets in the clear: give --tls-cert FILE and --tls-key FILE, \
                     or --behind-proxy CIDR with the addresses of the reverse proxy that ends TLS",
                    self.listen
                )));
            }
            if !self.public_url_given {
                faults.push(Fault::rule(format!(
                    "listening on {} (beyond loopback) needs the address under which the hub is reached: give --public-url, \
                     for example --public-url https://hub.example.com",
                    self.listen
                )));
            }
            if self.demo {
                faults.push(Fault::rule(format!(
                    "--demo makes well-known sample data and is for loopback only: leave out --listen {}, or leave out --demo",
                    self.listen
                )));
            }
        }
        if self.ops_listen.is_some_and(|ops| ops.port() != 0 && ops == self.listen) {
            faults.push(Fault::rule(
                "--ops-listen is the same address as --listen: give it another port, for example --ops-listen 127.0.0.1:9090"
                    .to_owned(),
            ));
        }
        ConfigError::unless_empty(faults)
    }
}

const DEFAULT_DATA_DIR: &str = "gateway-hub-data";

fn parse_path(text: &str) -> Result<PathBuf, String> {
    if text.contains('\0') { Err("a path without NUL".to_owned()) } else { Ok(PathBuf::from(text)) }
}

fn parse_node_name(text: &str) -> Result<String, String> {
    let good = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if good { Ok(text.to_owned()) } else { Err("a name of 1 to 100 characters, such as node-a".to_owned()) }
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}
