//! All SQL: one text for SQLite and PostgreSQL, a file per noun.
//!
//! A function takes a [`Tx`] and does one thing to one noun; what belongs together is decided above, in `actions`.

mod db;
mod error;
mod migrate;
mod notify;
mod rows;
mod shape;
mod tx;

pub mod application;
pub mod application_bulk;
pub mod application_list;
pub mod attribute;
pub mod audit_event;
pub mod changes;
pub mod console_user;
pub mod denial;
pub mod entity;
pub mod entity_bulk;
pub mod entity_search;
pub mod gateway;
pub mod keys;
pub mod live_application;
pub mod meta;
pub mod node;
pub mod role;
pub mod session;
pub mod token;
pub mod usage;

pub use db::{Store, StoreSettings};
pub use error::StoreError;
pub use migrate::{Migration, MigrationReport, check_readable};
pub use notify::Listener;
pub use shape::Shape;
pub use tx::Tx;

/// Names a module's statements, so that a test can prepare each of them on both databases.
macro_rules! statements {
    ($($(#[$attribute:meta])* $name:ident = $sql:literal;)*) => {
        $($(#[$attribute])* pub(in crate::store) const $name: &str = $sql;)*
        /// Every statement of this file, by name.
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}
use statements;

/// Expands one body for both databases: `on!(tx, connection => …)` binds a connection of either kind.
macro_rules! on {
    ($tx:expr, $connection:ident => $body:expr) => {
        match $tx.inner() {
            crate::store::tx::Inner::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
            crate::store::tx::Inner::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
        }
    };
}
use on;

/// Every statement against the security state: its file, its name and its text.
pub fn security_statements() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let files = [
        ("application", application::STATEMENTS),
        ("application_bulk", application_bulk::STATEMENTS),
        ("audit_event", audit_event::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("console_user", console_user::STATEMENTS),
        ("denial", denial::STATEMENTS),
        ("gateway", gateway::STATEMENTS),
        ("keys", keys::STATEMENTS),
        ("live_application", live_application::STATEMENTS),
        ("meta", meta::STATEMENTS),
        ("node", node::STATEMENTS),
        ("role", role::STATEMENTS),
        ("session", session::STATEMENTS),
        ("token", token::STATEMENTS),
        ("usage", usage::STATEMENTS),
    ];
    files.into_iter().flat_map(|(file, statements)| statements.iter().map(move |(name, sql)| (file, *name, *sql)))
}

/// Every statement against the entities, in the same form.
pub fn entity_statements() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let files = [
        ("attribute", attribute::STATEMENTS),
        ("entity", entity::STATEMENTS),
        ("entity_bulk", entity_bulk::STATEMENTS),
        ("entity_search", entity_search::STATEMENTS),
    ];
    files.into_iter().flat_map(|(file, statements)| statements.iter().map(move |(name, sql)| (file, *name, *sql)))
}
