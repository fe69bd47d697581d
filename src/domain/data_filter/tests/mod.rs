//! The language by example and by its laws.

mod examples;
mod laws;
