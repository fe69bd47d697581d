//! The real program: its commands, and `serve` under real clients.

#[path = "../support/mod.rs"]
mod support;
