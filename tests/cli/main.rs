//! The real program: its commands, and `serve` under real clients, in the search for secrets, and under `kill -9`.

#![allow(clippy::format_collect, reason = "in tests the shorter way is the better one")]

#[path = "../support/mod.rs"]
mod support;

mod check_config;
mod concurrency;
mod demo;
mod deploying;
mod effect;
mod gateways;
mod gateways_memory;
mod guide;
mod hub_key;
mod keys;
mod keys_import;
mod kill_nine;
mod postgres;
mod real_clients;
mod roles;
mod secrets;
mod serve;
mod snippets;
mod users;
