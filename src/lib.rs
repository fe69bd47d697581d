//! Gateway Hub: external applications reach an organisation's data with OAuth 2.0, and administrators decide, key by
//! key, what each may view and edit. `docs/architecture.md` walks through it.

pub mod actions;
pub mod ambient;
pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod console;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod http1;
pub mod jobs;
pub mod oauth;
pub mod proxy;
pub mod server;
pub mod store;
pub mod upstream;
