//! What is wrong with a configuration, said so that it can be put right.

use std::{error::Error, fmt, path::PathBuf};

use super::source::Origin;

/// All the faults of one configuration; each is one line of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one fault, in the order in which the settings are read.
    pub faults: Vec<Fault>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A value that cannot be used.
    BadValue {
        /// The key as the operator wrote it.
        origin: Origin,
        /// The value as given, without its secrets; `None` when the value is itself a secret.
        value: Option<String>,
        /// What would be right.
        expected: String,
    },
    /// A key in the file that is no setting.
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The unknown key.
        key: String,
        /// The setting that was probably meant.
        suggestion: Option<&'static str>,
    },
    /// The file can't be read, or is not TOML.
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// Settings that do not go together.
    Rule {
        /// What does not hold and what would.
        message: String,
    },
}

impl Fault {
    pub(super) fn rule(message: String) -> Self {
        Self::Rule { message }
    }
}

impl ConfigError {
    pub(super) fn unless_empty(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self { faults }) }
    }

    /// An error with one fault about the configuration file.
    #[must_use]
    pub fn file(file: PathBuf, reason: String) -> Self {
        Self { faults: vec![Fault::File { file, reason }] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadValue { origin, value: Some(value), expected } => {
                write!(f, "{origin}: {value:?} is not right: expected {expected}")
            }
            Self::BadValue { origin, value: None, expected } => {
                write!(f, "{origin}: the value (not shown) is not right: expected {expected}")
            }
            Self::UnknownKey { file, key, suggestion } => {
                write!(f, "{}: unknown key {key:?}", file.display())?;
                match suggestion {
                    Some(suggestion) => write!(f, ": did you mean `{suggestion}`?"),
                    None => write!(f, ": the keys are {}", super::setting::file_keys().join(", ")),
                }
            }
            Self::File { file, reason } => write!(f, "configuration file {}: {reason}", file.display()),
            Self::Rule { message } => f.write_str(message),
        }
    }
}

impl Error for ConfigError {}
