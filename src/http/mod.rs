//! What all surfaces share about HTTP.

pub mod assets;
