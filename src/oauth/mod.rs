//! The authorization server: `/oauth2/*` and `/.well-known/*` (RFC 6749, 7009, 7662, 8414, 8707, 9068, 9728).
//!
//! Nothing on the way of a token request touches the database: clients, roles and keys are in the snapshot.

pub mod client_auth;
pub mod credentials;
pub mod error;
pub mod form;
pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod request;
pub mod revoke;
pub mod routes;
pub mod token;
