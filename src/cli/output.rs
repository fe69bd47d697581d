//! Standard output: text for people, or exactly one JSON value.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use super::failure::Failure;

/// How a command answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Writes the answer in the form that was asked for; `text` ends its own lines.
    pub(super) fn answer(self, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json {
            let mut line = serde_json::to_string(json).map_err(Failure::refused)?;
            line.push('\n');
            write(&line)
        } else {
            write(&text())
        }
    }
}

/// A reader that went away early (`| head`) is no failure.
fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::refused(format!(
            "standard output: {error}; what was asked is done, but it could not be shown"
        ))),
        _ => Ok(()),
    }
}
