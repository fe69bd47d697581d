//! `check-config`: reads the configuration as `serve` would, certificate included, and makes nothing.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use super::{
    failure::Failure,
    global::{Global, warn_of_unknown_variables},
    output::Output,
    serve::ServeSettings,
    table::facts,
};
use crate::{
    config::{Config, KeySource, Span},
    server::Listeners,
};

/// Check the configuration that `serve` would start with, and show it
///
/// The certificate and its key are read; nothing is made or bound. Secrets are not shown.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CheckConfig {
    #[command(flatten)]
    settings: ServeSettings,
}

const EXAMPLES: &str = "\
Examples:
  gateway-hub check-config --config /etc/gateway-hub.toml
  GATEWAY_HUB_LISTEN=0.0.0.0:8443 gateway-hub check-config     says what else is needed beyond loopback";

#[derive(Serialize)]
struct Effective {
    listen: String,
    public_url: String,
    ops_listen: Option<String>,
    tls: bool,
    behind_proxy: Vec<String>,
    data_dir: String,
    database: String,
    key: String,
    signing_algorithm: &'static str,
    token_lifetime: String,
    poll_interval: String,
    staleness_limit: String,
    drain_time: String,
    node_name: Option<String>,
    database_notify: bool,
    demo: bool,
}

impl CheckConfig {
    pub(super) fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = global.config(|sources| self.settings.add_to(sources))?;
        Listeners::check(&config).map_err(Failure::refused)?;
        warn_of_unknown_variables();
        let effective = Effective::of(&config);
        output.answer(&effective, || effective.describe())?.write()
    }
}

impl Effective {
    fn of(config: &Config) -> Self {
        Self {
            listen: config.listen.to_string(),
            public_url: config.public_url.to_string(),
            ops_listen: config.ops_listen.map(|address| address.to_string()),
            tls: config.tls.is_some(),
            behind_proxy: config.behind_proxy.iter().map(ToString::to_string).collect(),
            data_dir: config.data_dir.display().to_string(),
            database: config.database.describe(),
            key: match &config.key {
                KeySource::Environment(_) => "GATEWAY_HUB_KEY".to_owned(),
                KeySource::File(file) => file.display().to_string(),
                KeySource::DataDir => config.data_dir.join("hub.key").display().to_string(),
            },
            signing_algorithm: config.token.algorithm.name(),
            token_lifetime: Span::from(config.token.lifetime).to_string(),
            poll_interval: Span::from(config.timing.poll_interval).to_string(),
            staleness_limit: Span::from(config.timing.staleness_limit).to_string(),
            drain_time: Span::from(config.drain_time).to_string(),
            node_name: config.node_name.clone(),
            database_notify: config.database_notify,
            demo: config.demo,
        }
    }

    fn describe(&self) -> String {
        let switch = |on: bool| if on { "yes" } else { "no" }.to_owned();
        let mut text = "The configuration is good.\n\n".to_owned();
        let _ = write!(
            text,
            "{}",
            facts(&[
                ("listen", self.listen.clone()),
                ("public_url", self.public_url.clone()),
                ("ops_listen", self.ops_listen.clone().unwrap_or_default()),
                ("tls", switch(self.tls)),
                ("behind_proxy", self.behind_proxy.join(", ")),
                ("data_dir", self.data_dir.clone()),
                ("database", self.database.clone()),
                ("key", self.key.clone()),
                ("signing_algorithm", self.signing_algorithm.to_owned()),
                ("token_lifetime", self.token_lifetime.clone()),
                ("poll_interval", self.poll_interval.clone()),
                ("staleness_limit", self.staleness_limit.clone()),
                ("drain_time", self.drain_time.clone()),
                ("node_name", self.node_name.clone().unwrap_or_default()),
                ("database_notify", switch(self.database_notify)),
                ("demo", switch(self.demo)),
            ])
        );
        text
    }
}
