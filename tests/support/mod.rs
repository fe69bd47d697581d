//! The harness of all tests: a hub in this process, the real program beside it, databases, and typed callers.
//!
//! A test reads like the story of a caller: `hub.anonymous()`, `hub.console_user("Administrator")`,
//! `hub.application(&["Operator"])`. Every hub has its own folder and its own database, and leaves nothing behind.
#![allow(clippy::format_push_string, clippy::format_collect, reason = "in tests the shorter way is the better one")]
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test binary uses its own part of the harness")]

pub mod callers;
pub mod certificates;
pub mod chance;
pub mod forge;
pub mod html;
pub mod http2;
pub mod hub;
pub mod postgres;
pub mod process;
pub mod prometheus;
pub mod remote;
pub mod rows;
pub mod upstream;
pub mod wire;

/// Held by tests that load the machine for long, and by those that measure time: they would disturb one another.
pub static MACHINE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

pub use callers::{Application, ConsoleUser};
pub use hub::Hub;
pub use process::{HubProcess, Installation};
pub use prometheus::Prometheus;
pub use upstream::Upstream;
pub use wire::{Answer, Connection, Request, Site};
