//! Being told to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// How a process was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGTERM, from whoever runs the node: callers may be told first.
    Gently,
    /// SIGINT, from a person at the terminal.
    AtOnce,
}

/// Listens for SIGTERM and SIGINT from its making on.
#[derive(Debug)]
pub struct Termination {
    terminate: Signal,
    interrupt: Signal,
}

impl Termination {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the signals can't be listened for.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next signal.
    pub async fn asked(&mut self) -> Stop {
        tokio::select! {
            _ = self.terminate.recv() => Stop::Gently,
            _ = self.interrupt.recv() => Stop::AtOnce,
        }
    }
}
