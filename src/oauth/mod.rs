//! The authorization server: `/oauth2/*` and `/.well-known/*` (RFC 6749, 7009, 7662, 8414, 8707, 9068, 9728).
//!
//! Nothing on the way of a token request touches the database: clients, roles and keys are in the snapshot.

pub mod credentials;
pub mod error;
pub mod form;
pub mod throttle;
