//! Why a command did not do what it was asked.

use std::{fmt::Display, io::Write, process::ExitCode};

use crate::{
    actions::ActionError,
    config::{ConfigError, Fault, Origin},
    store::StoreError,
};

/// A reason for people to read, and the exit status that goes with it.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command was not called as it should be: status 2.
    Usage(String),
    /// The command was refused, or failed: status 1.
    Refused(String),
}

impl Failure {
    pub(super) fn usage(reason: impl Display) -> Self {
        Self::Usage(reason.to_string())
    }

    pub(super) fn refused(reason: impl Display) -> Self {
        Self::Refused(reason.to_string())
    }

    /// The reason.
    pub(super) fn reason(&self) -> &str {
        let (Self::Usage(reason) | Self::Refused(reason)) = self;
        reason
    }

    /// Writes the reason to standard error, one line for each part of it.
    pub(super) fn report(&self) -> ExitCode {
        let (reason, status) = match self {
            Self::Usage(reason) => (reason, 2),
            Self::Refused(reason) => (reason, 1),
        };
        let mut stderr = std::io::stderr().lock();
        for line in reason.lines() {
            // Where standard error is gone, the status still tells.
            let _ = writeln!(stderr, "error: {line}");
        }
        ExitCode::from(status)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::refused(error)
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        Self::refused(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let by_flag = |fault: &Fault| matches!(fault, Fault::BadValue { origin: Origin::Flag(_), .. });
        if error.faults.iter().all(by_flag) { Self::usage(error) } else { Self::refused(error) }
    }
}
