//! How large a filter may be.

/// Bytes of a filter's text.
pub const TEXT_BYTES: usize = 8 * 1024;
/// Parentheses and `NOT` inside each other.
pub const NESTING: usize = 50;
/// Conditions in one filter.
pub const CONDITIONS: usize = 200;
/// Values in the list of one `IN`.
pub const IN_VALUES: usize = 500;
/// `MATCHES` conditions in one filter.
pub const PATTERNS: usize = 20;
/// Bytes of one pattern.
pub const PATTERN_BYTES: usize = 512;
/// Groups and classes inside each other in one pattern.
pub const PATTERN_NESTING: u32 = 50;
/// The largest repetition count of a pattern, nested counts multiplied. The same limit as in Go's engine.
pub const PATTERN_REPETITIONS: u32 = 1000;
/// Bytes that one compiled pattern may take.
pub const PATTERN_COMPILED_BYTES: usize = 512 * 1024;
