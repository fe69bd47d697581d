//! `PromQL` as Prometheus 2 and 3 and VictoriaMetrics read it alike: a strict parser, a tree, a printer.
//!
//! What one of them reads in another way, or what can't be limited to permitted series, is refused by name: `or` within
//! braces, `info()`, escapes of single bytes, duration arithmetic, `fill`. Numbers and durations stay as written, so
//! that the upstream alone gives them their meaning. All work is bounded by [`Limits`]; nothing here panics.

mod expression;
mod function;
mod lexer;
mod parser;
mod print;
mod scan;
#[cfg(test)]
mod tests;
mod types;

pub(super) use expression::{BinaryOperator, Expression, LabelMatcher, Matching, Selector};
pub(super) use function::{Function, ReadsRaw};
pub(super) use parser::{parse, parse_selector};
pub(super) use scan::selectors;

/// How large a query may be, so that neither work nor stack run away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of text.
    pub(super) bytes: usize,
    /// Parentheses, calls and the like inside each other.
    pub(super) nesting: usize,
    /// Operators, unary ones included.
    pub(super) operators: usize,
}

impl Limits {
    /// For what callers send.
    pub(super) const QUERY: Self = Self { bytes: 16 * 1024, nesting: 100, operators: 500 };
}

/// How many bytes a query may grow to.
pub(super) const REWRITTEN_BYTES: usize = 512 * 1024;

/// Why a text is not a query that can be limited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Fault(pub(super) String);

impl Fault {
    /// With the place, in characters from 1.
    fn at(text: &str, offset: usize, what: &str) -> Self {
        let character = text.get(..offset).map_or(0, |before| before.chars().count()) + 1;
        Self(format!("character {character}: {what}"))
    }
}
