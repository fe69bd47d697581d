//! The real program: its commands, and `serve` under real clients.

#[path = "../support/mod.rs"]
mod support;

mod check_config;
mod concurrency;
mod demo;
mod hub_key;
mod keys;
mod roles;
mod serve;
mod users;
