//! The flags that every command has.

use std::path::PathBuf;

use clap::Args;

use super::{failure::Failure, output::Output};
use crate::config::{Config, Setting, Sources};

/// Flags that stand before or after the command.
#[derive(Args)]
pub(super) struct Global {
    /// Read settings from this TOML file; flags and the environment win over it [env: GATEWAY_HUB_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// Keep the state and the hub's key in this folder [env: GATEWAY_HUB_DATA_DIR] [default: gateway-hub-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    data_dir: Option<String>,
    /// Keep the state in PostgreSQL, postgres://… (better set in the environment, where `ps` doesn't show its password)
    /// [env: GATEWAY_HUB_DATABASE_URL] [default: SQLite in the data folder]
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    database_url: Option<String>,
    /// Print one JSON value on standard output [env: GATEWAY_HUB_JSON]
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) json: bool,
}

impl Global {
    /// How to answer.
    pub(super) fn output(&self) -> Result<Output, Failure> {
        if self.json {
            return Ok(Output::new(true));
        }
        match std::env::var("GATEWAY_HUB_JSON").unwrap_or_default().to_ascii_lowercase().as_str() {
            "" | "false" | "0" | "no" | "off" => Ok(Output::new(false)),
            "true" | "1" | "yes" | "on" => Ok(Output::new(true)),
            other => Err(Failure::refused(format!("GATEWAY_HUB_JSON: {other:?} is not right: expected true or false"))),
        }
    }

    /// The configuration, with the command's own flags added by `add`.
    pub(super) fn config(&self, add: impl FnOnce(&mut Sources)) -> Result<Config, Failure> {
        let mut sources = Sources::default();
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let mut known = Vec::new();
        for (name, value) in variables.filter(|(name, _)| name.starts_with("GATEWAY_HUB_")) {
            let value = value.into_string().map_err(|_| Failure::refused(format!("{name}: the value is not UTF-8")))?;
            known.push((name, value));
        }
        let file = known.iter().find(|(name, value)| name == "GATEWAY_HUB_CONFIG" && !value.is_empty());
        if let Some(path) = self.config.clone().or_else(|| file.map(|(_, value)| PathBuf::from(value))) {
            sources.read_file(&path)?;
        }
        sources.set_variables(known);
        for (setting, value) in [(Setting::DataDir, &self.data_dir), (Setting::DatabaseUrl, &self.database_url)] {
            if let Some(value) = value {
                sources.add_flag(setting, value);
            }
        }
        add(&mut sources);
        Ok(Config::parse(&sources)?)
    }
}
