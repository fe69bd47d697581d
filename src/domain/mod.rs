//! Types and pure rules: what an application, a role, a grant and a data filter are, and what they allow.
//!
//! Nothing here reads a clock, a file or a database, so every rule can be tested on its own.

pub mod access;
pub mod application;
pub mod audit_event;
pub mod console_user;
pub mod data_filter;
pub mod denial;
pub mod entity;
pub mod gateway;
pub mod grant;
pub mod json;
pub mod name;
pub mod node;
pub mod prometheus;
pub mod resource;
pub mod role;
pub mod scope;
pub mod time;
