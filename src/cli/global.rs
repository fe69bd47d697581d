//! The flags that every command has.

use std::{io::Write as _, path::PathBuf};

use clap::Args;

use super::{failure::Failure, output::Output};
use crate::config::{Config, Setting, Sources};

/// Flags that stand before or after the command.
#[derive(Args)]
pub(super) struct Global {
    /// Read settings from this TOML file, after flags and environment [env: GATEWAY_HUB_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// Keep state and key in this folder [env: GATEWAY_HUB_DATA_DIR] [default: gateway-hub-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    data_dir: Option<String>,
    /// Keep the state in PostgreSQL, postgres://… [env: GATEWAY_HUB_DATABASE_URL] [default: SQLite in the data folder]
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

/// A misspelt variable would silently do nothing. Not an error: Kubernetes sets variables such as
/// `GATEWAY_HUB_SERVICE_HOST` in every container beside a service of that name.
pub(super) fn warn_of_unknown_variables() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut stderr = std::io::stderr().lock();
    for (name, meant) in names.filter_map(|name| misspelt(&name).map(|meant| (name, meant))) {
        // Where standard error is gone, nobody reads a warning.
        let _ = writeln!(stderr, "warning: {name} is no setting: did you mean {meant}?");
    }
}

/// The variable that was probably meant by one that nobody reads.
fn misspelt(name: &str) -> Option<String> {
    const OTHERS: [&str; 3] = ["GATEWAY_HUB_CONFIG", "GATEWAY_HUB_JSON", "GATEWAY_HUB_LOG"];
    let key = name.strip_prefix("GATEWAY_HUB_")?.to_ascii_lowercase();
    if OTHERS.contains(&name) || Setting::ALL.iter().any(|setting| setting.key() == key) {
        return None;
    }
    Setting::nearest(&key).map(Setting::variable)
}

#[cfg(test)]
mod tests {
    use super::misspelt;

    #[test]
    fn only_what_looks_like_a_setting_is_called_misspelt() {
        assert_eq!(misspelt("GATEWAY_HUB_PUBLICURL").as_deref(), Some("GATEWAY_HUB_PUBLIC_URL"));
        for name in ["GATEWAY_HUB_LISTEN", "GATEWAY_HUB_LOG", "GATEWAY_HUB_SERVICE_HOST", "GATEWAY_HUB_PORT", "HOME"] {
            assert_eq!(misspelt(name), None, "{name}");
        }
    }
}
