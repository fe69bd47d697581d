//! Where the hub's key comes from: the key that wraps every secret in the database.

use std::{fmt, path::PathBuf};

use zeroize::Zeroizing;

use super::{error::Fault, parse_path, setting::Setting, source::Reader};

/// The source of the hub's key. The keys themselves are read and checked when the store is opened.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `GATEWAY_HUB_KEY`: base64 of 32 bytes, or several, separated by commas, newest first.
    Environment(Zeroizing<String>),
    /// `GATEWAY_HUB_KEY_FILE`: a file with the same text.
    File(PathBuf),
    /// `hub.key` in the data folder, made there when the database is empty.
    DataDir,
}

impl KeySource {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let text = reader.value(Setting::Key, |text| Ok(Zeroizing::new(text.to_owned())));
        let file = reader.value(Setting::KeyFile, parse_path);
        match (text, file) {
            (Some(_), Some(_)) => {
                let files = reader.origin(Setting::KeyFile).map(|origin| origin.to_string()).unwrap_or_default();
                reader.fault(Fault::rule(format!(
                    "GATEWAY_HUB_KEY and {files} are both set: keep the one that holds the key"
                )));
                Self::DataDir
            }
            (Some(text), None) => Self::Environment(text),
            (None, Some(file)) => Self::File(file),
            (None, None) => Self::DataDir,
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(_) => f.write_str("Environment(…)"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::DataDir => f.write_str("DataDir"),
        }
    }
}
