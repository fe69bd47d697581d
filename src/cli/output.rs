//! Standard output: text for people, or exactly one JSON value.

use std::io::{ErrorKind, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use super::failure::Failure;

/// What a command answers, to be written when all is done.
#[must_use]
pub(super) struct Answer {
    text: Zeroizing<String>,
    /// Whether nobody can have it again.
    once: bool,
}

/// How a command answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// The answer in the form that was asked for; `text` ends its own lines.
    pub(super) fn answer(self, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<Answer, Failure> {
        Ok(Answer { text: self.form(json, text)?, once: false })
    }

    /// The same for what is shown once.
    pub(super) fn answer_once(self, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<Answer, Failure> {
        Ok(Answer { text: self.form(json, text)?, once: true })
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

impl Answer {
    /// Writes it. A reader that went away early (`| head`) is no failure, unless nobody has the answer then.
    pub(super) fn write(&self) -> Result<(), Failure> {
        match write(&self.text) {
            Err(error) if self.once => Err(Failure::refused(format!(
                "the key is made, but its secret could not be shown ({error}) and can't be shown again: regenerate it"
            ))),
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::refused(format!("it is done, but standard output could not be written: {error}")))
            }
            _ => Ok(()),
        }
    }
}

fn write(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}
