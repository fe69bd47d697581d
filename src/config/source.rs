//! Where the strings come from: flags, the environment, the TOML file, in this order.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{
    error::{ConfigError, Fault},
    setting::Setting,
};

/// Where a value was given, printed as the operator wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command.
    Flag(Setting),
    /// A variable of the environment.
    Variable(Setting),
    /// A key of the file.
    File(PathBuf, Setting),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(setting) => f.write_str(&setting.flag()),
            Self::Variable(setting) => f.write_str(&setting.variable()),
            Self::File(file, setting) => write!(f, "`{}` in {}", setting.key(), file.display()),
        }
    }
}

/// The strings of all sources, still unread.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    flags: BTreeMap<Setting, Vec<String>>,
    variables: BTreeMap<String, String>,
    file: Option<(PathBuf, BTreeMap<Setting, Vec<String>>)>,
    faults: Vec<Fault>,
}

impl Sources {
    /// Adds one value of a flag; a repeatable flag is added once per value.
    pub fn add_flag(&mut self, setting: Setting, value: impl Into<String>) {
        self.flags.entry(setting).or_default().push(value.into());
    }

    /// Takes the environment; only names that are a setting's are ever looked at, and an empty value counts as absent.
    pub fn set_variables(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        self.variables = variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    }

    /// Reads the TOML file.
    ///
    /// # Errors
    /// The file can't be read or is not TOML. Unknown keys are reported with all other faults by `Config::parse`.
    pub fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|error| ConfigError::file(path.to_path_buf(), error.to_string()))?;
        self.add_file(path, &text)
    }

    /// Takes the text of a TOML file that stands at `path`.
    ///
    /// # Errors
    /// The text is not TOML.
    pub fn add_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            // The parser's own picture of the line could show a password; the message and the line number are enough.
            ConfigError::file(path.to_path_buf(), format!("line {line}: {}", error.message().replace('\n', " ")))
        })?;
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let Some(setting) = Setting::ALL.into_iter().find(|s| s.key() == key && s.allowed_in_file()) else {
                self.faults.push(if key == Setting::Key.key() {
                    Fault::rule(format!(
                        "{}: the hub's key is a secret and does not belong in a configuration file: \
                         set GATEWAY_HUB_KEY in the environment, or `key_file`",
                        path.display()
                    ))
                } else {
                    Fault::UnknownKey {
                        file: path.to_path_buf(),
                        suggestion: Setting::nearest(&key).map(Setting::key),
                        key,
                    }
                });
                continue;
            };
            match strings(&value) {
                Some(list) => {
                    values.insert(setting, list);
                }
                None => self.faults.push(Fault::BadValue {
                    origin: Origin::File(path.to_path_buf(), setting),
                    value: Some(value.type_str().to_owned()),
                    expected: "a text in quotes, or a list of them for a setting that can be given several times"
                        .to_owned(),
                }),
            }
        }
        self.file = Some((path.to_path_buf(), values));
        Ok(())
    }

    /// The values of the first source that has the setting.
    fn find(&self, setting: Setting) -> Option<(Origin, Vec<String>)> {
        if let Some(values) = self.flags.get(&setting) {
            return Some((Origin::Flag(setting), values.clone()));
        }
        if let Some(value) = self.variables.get(&setting.variable()) {
            let values = if setting == Setting::BehindProxy {
                value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
            } else {
                vec![value.clone()]
            };
            return Some((Origin::Variable(setting), values));
        }
        let (path, values) = self.file.as_ref()?;
        Some((Origin::File(path.clone(), setting), values.get(&setting)?.clone()))
    }
}

/// The texts of a TOML value; numbers and booleans are read as they are written.
fn strings(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(switch) => Some(vec![switch.to_string()]),
        toml::Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Reads settings one after the other and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    sources: &'a Sources,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self { sources, faults: sources.faults.clone() }
    }

    /// The one value of a setting; `parse` answers what would have been right.
    pub(super) fn value<T>(&mut self, setting: Setting, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let (origin, values) = self.sources.find(setting)?;
        if let [value] = values.as_slice() {
            return self.parsed(&origin, setting, value, &parse);
        }
        let value = Some(format!("{} values", values.len()));
        self.fault(Fault::BadValue { origin, value, expected: "exactly one value".to_owned() });
        None
    }

    /// All the values of a setting that can be given several times.
    pub(super) fn values<T>(&mut self, setting: Setting, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let Some((origin, values)) = self.sources.find(setting) else { return Vec::new() };
        values.iter().filter_map(|value| self.parsed(&origin, setting, value, &parse)).collect()
    }

    /// Where a setting is given, if it is.
    pub(super) fn origin(&self, setting: Setting) -> Option<Origin> {
        self.sources.find(setting).map(|(origin, _)| origin)
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(super) fn finish(self) -> Result<(), ConfigError> {
        ConfigError::unless_empty(self.faults)
    }

    fn parsed<T>(
        &mut self,
        origin: &Origin,
        setting: Setting,
        value: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(expected) => {
                let shown = match setting {
                    Setting::Key => None,
                    Setting::DatabaseUrl => Some(super::database::redacted(value)),
                    Setting::PublicUrl if value.contains('@') => None,
                    _ => Some(value.to_owned()),
                };
                self.fault(Fault::BadValue { origin: origin.clone(), value: shown, expected });
                None
            }
        }
    }
}
