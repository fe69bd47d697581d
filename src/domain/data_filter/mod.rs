//! The data filter: a boolean expression over attributes that limits which rows a role reaches.
//!
//! ```text
//! filter     = and { OR and }
//! and        = unary { AND unary }
//! unary      = NOT unary | "(" filter ")" | condition
//! condition  = key ( "=" | "!=" | ">" | ">=" | "<" | "<=" ) value
//!            | key [ NOT ] IN "(" value { "," value } ")"
//!            | key [ NOT ] EXISTS
//!            | key LIKE value            * stands for any run of characters
//!            | key MATCHES value         a pattern, see `pattern`
//! key, value = a word of letters, digits and - . _ / : or text in double quotes, where \" and \\ are the escapes
//! ```
//!
//! Keywords may be written in any case; a word in quotes is never a keyword. Comparisons go by the bytes of UTF-8.
//! **An absent attribute is the empty string for every operator.**
//!
//! Memory decides ([`DataFilter::matches`]). A database may narrow the rows first ([`DataFilter::sql_superset`]), never
//! more than memory would. Every input is bounded (see [`limits`]), so that parsing and matching cannot run away.

mod equalities;
mod error;
mod expression;
mod glob;
mod lexer;
pub mod limits;
mod parser;
mod pattern;
mod print;
mod sql;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use equalities::Equalities;
pub use error::FilterError;
pub use expression::{Comparison, Expression, Test};
pub use glob::Glob;
pub use pattern::Pattern;
pub use sql::SqlSuperset;

/// A parsed filter within the limits. Two filters are equal if their canonical texts are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DataFilter {
    expression: Expression,
}

impl DataFilter {
    /// Reads a filter.
    ///
    /// # Errors
    /// Text that is not in the language, or beyond its [`limits`]; the error names the column and what was expected.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text).map(|expression| Self { expression })
    }

    /// Whether the filter selects a row with these attributes.
    #[must_use]
    pub fn matches(&self, attributes: &BTreeMap<String, String>) -> bool {
        self.expression.matches(attributes)
    }

    /// The same for a row that is not a map: `value` gives an attribute's value, the empty string if it is absent.
    #[must_use]
    pub fn matches_by<'a>(&self, value: &dyn Fn(&str) -> &'a str) -> bool {
        self.expression.matches_by(value)
    }

    /// The filter that selects what at least one of these selects; `None` if there are none, which selects **nothing**.
    ///
    /// Equal filters count once and their order does not matter, so equal sets give equal filters. The result is for
    /// deciding, not for saving: it may hold more conditions than a written filter may.
    #[must_use]
    pub fn any(filters: Vec<Arc<Self>>) -> Option<Arc<Self>> {
        let mut by_text: BTreeMap<String, Arc<Self>> = filters.into_iter().map(|f| (f.to_string(), f)).collect();
        if by_text.len() <= 1 {
            return by_text.pop_first().map(|(_, filter)| filter);
        }
        let alternatives = by_text.into_values().map(|filter| filter.expression.clone()).collect();
        Some(Arc::new(Self { expression: Expression::any_of(alternatives) }))
    }

    /// What the filter says, for translating it into another language.
    #[must_use]
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// Sets of attributes with values, such that whatever the filter selects has one of each set: where an index can find
    /// the rows. Empty if the filter says nothing of the kind.
    #[must_use]
    pub fn equalities(&self) -> Vec<Equalities<'_>> {
        equalities::of(&self.expression)
    }

    /// SQL that selects at least every entity which the filter selects; `None` if that would be all of them.
    ///
    /// See [`SqlSuperset`] for the tables it speaks of. Placeholders are numbered from `first_bind`.
    #[must_use]
    pub fn sql_superset(&self, first_bind: usize) -> Option<SqlSuperset> {
        sql::superset(&self.expression, first_bind)
    }
}

/// The canonical text: parsing it gives an equal filter.
impl fmt::Display for DataFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

impl FromStr for DataFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}
