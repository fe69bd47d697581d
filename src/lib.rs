//! Gateway Hub: external applications reach an organisation's data with OAuth 2.0, and administrators decide, key by
//! key, what each may view and edit. `docs/architecture.md` walks through it.

pub mod ambient;
pub mod app;
pub mod config;
pub mod crypto;
pub mod console;
pub mod domain;
pub mod store;
pub mod http;
pub mod oauth;
