//! Standard output: text for people, or exactly one JSON value.

use std::io::{ErrorKind, Write};

use serde::Serialize;
use zeroize::Zeroizing;

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

    /// Writes the answer in the form that was asked for; `text` ends its own lines. A reader that went away early
    /// (`| head`) is no failure.
    pub(super) fn answer(self, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        match write(&self.form(json, text)?) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::refused(format!("it is done, but standard output could not be written: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// The same for what is shown once: nobody has it if it can't be written.
    pub(super) fn answer_once(self, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        write(&self.form(json, text)?).map_err(|error| {
            Failure::refused(format!(
                "the key is made, but its secret could not be shown ({error}) and can't be shown again: regenerate it"
            ))
        })
    }

    fn form(self, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<Zeroizing<String>, Failure> {
        if !self.json {
            return Ok(Zeroizing::new(text()));
        }
        let mut line = Zeroizing::new(serde_json::to_string(json).map_err(Failure::refused)?);
        line.push('\n');
        Ok(line)
    }
}

fn write(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}
