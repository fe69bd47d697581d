//! How an example ends.

use std::process::ExitCode;

/// Whatever went wrong.
pub(crate) type Fault = Box<dyn std::error::Error>;

/// The exit code, after saying on standard error what went wrong.
pub(crate) fn exit_code(outcome: Result<(), Fault>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}
