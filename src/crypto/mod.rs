//! Secrets, passwords, access tokens and the wrapping of stored keys: pure functions over aws-lc-rs.
//!
//! Nothing here knows HTTP or the database, and nothing logs. Randomness always comes in as a parameter.

pub mod base62;
mod concealed;
pub mod key_file;
pub mod keyring;
pub mod password;
pub mod pem;
pub mod secret;
pub mod token;
