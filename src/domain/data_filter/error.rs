//! Why a text is not a filter.

use std::fmt;

/// A refused filter: where, what would have been right, and what stood there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The place, counted in characters from 1; one past the last character for a text that ends too early.
    pub column: usize,
    /// What the language allows there.
    pub expected: String,
    /// What was there instead.
    pub found: String,
}

impl FilterError {
    pub(super) fn new(column: usize, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { column, expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: expected {}, found {}", self.column, self.expected, self.found)
    }
}

impl std::error::Error for FilterError {}
