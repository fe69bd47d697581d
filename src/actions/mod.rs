//! State changes: a file per noun. Console and command line share them, so nothing escapes the audit.
//!
//! Each is one transaction with its audit event, done again as a whole if it got into another's way, and acknowledged
//! once it is in effect on this node.

mod actor;
mod assertion_key;
mod error;
mod transact;

pub mod api_key;
pub mod application;
pub mod attribute;
pub mod console_user;
pub mod demo;
pub mod entity;
pub mod entity_bulk;
pub mod gateway;
pub mod hub;
pub mod key_import;
pub mod node;
pub mod role;
pub mod seen;
pub mod session;
pub mod shown_key;
pub mod token;
pub mod upkeep;
pub mod usage;

pub use actor::Actor;
pub use error::ActionError;
use transact::transact;
