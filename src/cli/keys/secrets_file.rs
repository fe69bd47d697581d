//! The file that an import writes its secrets to: new, for its owner alone, and on disk before the keys exist.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::view::NewKeyView;
use crate::{
    actions::{key_import::Keeper, shown_key::ShownKey},
    cli::failure::Failure,
};

/// The open file.
pub(super) struct SecretsFile {
    path: PathBuf,
    file: File,
    /// Where the last batch begins, and where it ends.
    last: (u64, u64),
}

impl SecretsFile {
    /// Makes the file. One that is there already is not touched.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::refused(format!("{}: {error}", path.display()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                let path = path.display();
                return Failure::refused(format!(
                    "{path} is there already, perhaps with secrets in it: name a new file with --secrets-out"
                ));
            }
            failed(error)
        })?;
        // The file's name is durable too.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, last: (0, 0) })
    }

    /// Ends with the file. One without a key in it is removed.
    pub(super) fn close(self) {
        if self.last.1 == 0 {
            // Left behind it would do no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Keeper for SecretsFile {
    fn keep(&mut self, keys: &[ShownKey]) -> io::Result<()> {
        let mut lines = Zeroizing::new(Vec::with_capacity(keys.len() * 512));
        for key in keys {
            let view = NewKeyView {
                client_id: key.client_id.as_str(),
                client_secret: key.client_secret.expose(),
                name: &key.name,
                roles: &key.roles,
                old_secret_ends_at: None,
            };
            serde_json::to_writer(&mut *lines, &view)?;
            lines.push(b'\n');
        }
        let begin = self.last.1;
        let length = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        self.last = (begin, begin + length);
        if let Err(error) = self.file.write_all(&lines).and_then(|()| self.file.sync_all()) {
            // What is half written belongs to no key.
            self.take_back()?;
            return Err(error);
        }
        Ok(())
    }

    fn take_back(&mut self) -> io::Result<()> {
        let (begin, _) = self.last;
        self.last = (begin, begin);
        self.file.set_len(begin)?;
        self.file.seek(SeekFrom::Start(begin))?;
        self.file.sync_all()
    }
}
