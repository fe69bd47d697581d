//! How long an upstream may take, and how much is let through to it.

use std::time::Duration;

/// How long an upstream may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// From the request's end to the answer's headers.
    pub answer: Duration,
    /// Between two pieces of a body, either way.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_mins(1), idle: Duration::from_mins(1) }
    }
}

/// How much is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest request body, in bytes; `None` for any.
    pub body: Option<u64>,
    /// The most requests under way at once, on each node.
    pub concurrent: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: None, concurrent: 1_024 }
    }
}
