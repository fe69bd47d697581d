//! `hub.key`: the file that holds the hub's own key, readable by its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::base62;
use super::keyring::{Keyring, KeyringError};
use crate::ambient::Randomness;

/// More than any list of keys needs; a larger file is some other file.
const LARGEST: u64 = 4096;

/// A place for the hub's key in the file system.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

/// Why a key file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file system refused.
    #[error("the key file {} could not be {action}: {error}", path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// What was tried: `read` or `created`.
        action: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// There is something in it that is no key.
    #[error("the key file {} holds no key: {error}", path.display())]
    Content {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        error: KeyringError,
    },
}

impl KeyFile {
    /// The key file at `path`, which need not exist.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the key; `None` when there is no such file.
    ///
    /// # Errors
    /// When the file can't be read or holds no key.
    pub fn read(&self) -> Result<Option<Keyring>, KeyFileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("read", error)),
        };
        let mut text = Zeroizing::new(String::with_capacity(256));
        file.take(LARGEST).read_to_string(&mut text).map_err(|error| self.failed("read", error))?;
        Keyring::parse(&text).map(Some).map_err(|error| KeyFileError::Content { path: self.path.clone(), error })
    }

    /// Makes a new key and its file (mode 0600), durable when this returns. Never replaces a file: when another
    /// process was first, that process's key is read instead.
    ///
    /// # Errors
    /// When the file can't be written, or what is there holds no key.
    pub fn create(&self, randomness: &Randomness) -> Result<Keyring, KeyFileError> {
        let (keyring, text) = Keyring::generate(randomness);
        match self.publish(&text, randomness) {
            Ok(()) => Ok(keyring),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.read()?.ok_or_else(|| self.failed("created", error))
            }
            Err(error) => Err(self.failed("created", error)),
        }
    }

    /// Writes beside the target and links the finished file into place, so that nobody ever reads half a key, and a
    /// crash leaves either the whole file or none.
    fn publish(&self, text: &str, randomness: &Randomness) -> io::Result<()> {
        let suffix = base62::encode::<11>(&randomness.bytes::<8>());
        let mut draft = self.path.clone().into_os_string();
        draft.push(format!(".{suffix}.new"));
        let draft = PathBuf::from(draft);
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::hard_link(&draft, &self.path)
        })();
        // A draft that stays behind is a copy of the key, of the same mode; the answer counts more than the tidying.
        let _ = fs::remove_file(&draft);
        written?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn failed(&self, action: &'static str, error: io::Error) -> KeyFileError {
        KeyFileError::Io { path: self.path.clone(), action, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = KeyFile::at(folder.path().join("hub.key"));
        let randomness = Randomness::system();
        assert!(file.read().expect("no file is no error").is_none());
        let made = file.create(&randomness).expect("creates");
        let read = file.read().expect("reads").expect("exists");
        assert_eq!(made.check_value(), read.check_value());
        let again = file.create(&randomness).expect("reads the first");
        assert_eq!(made.check_value(), again.check_value());
        let permissions = fs::metadata(file.path()).expect("exists").permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1, "no draft stays");
    }

    #[test]
    fn a_file_without_a_key_is_refused_with_its_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hub.key");
        fs::write(&path, "").expect("writes");
        let error = KeyFile::at(&path).read().expect_err("empty").to_string();
        assert!(error.contains("hub.key") && error.contains("32"), "{error}");
        let error = KeyFile::at("/nonexistent/hub.key").create(&Randomness::system()).expect_err("no folder");
        assert!(error.to_string().contains("created"), "{error}");
    }
}
