//! The tree of a filter and its meaning in memory.

use std::collections::{BTreeMap, HashSet};

use super::{Glob, Pattern};

/// A filter's tree. `And` and `Or` have at least two parts, none of their own kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expression {
    /// Every part holds.
    And(Vec<Expression>),
    /// At least one part holds.
    Or(Vec<Expression>),
    /// The part does not hold.
    Not(Box<Expression>),
    /// A test of one attribute.
    Condition {
        /// The attribute's name, never empty.
        key: String,
        /// What its value must be.
        test: Test,
    },
}

/// What one attribute's value must be. An absent attribute's value is the empty string.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// `key = value` and its like.
    Compare(Comparison, String),
    /// `key IN (…)`: one of these; at least one, none twice.
    In(Vec<String>),
    /// `key NOT IN (…)`: none of these.
    NotIn(Vec<String>),
    /// `key EXISTS`: not empty.
    Exists,
    /// `key NOT EXISTS`: empty.
    NotExists,
    /// `key LIKE "web-*"`.
    Like(Glob),
    /// `key MATCHES "…"`.
    Matches(Pattern),
}

/// A comparison by the bytes of UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

impl Expression {
    /// All of `parts`, which must not be empty; parts of the same kind are merged in.
    pub(super) fn all_of(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::And(inner) => inner,
            other => vec![other],
        });
        Self::single_or(flat.collect(), Self::And)
    }

    /// At least one of `parts`, which must not be empty; parts of the same kind are merged in.
    pub(super) fn any_of(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Or(inner) => inner,
            other => vec![other],
        });
        Self::single_or(flat.collect(), Self::Or)
    }

    fn single_or(mut parts: Vec<Self>, many: fn(Vec<Self>) -> Self) -> Self {
        if parts.len() == 1 { parts.remove(0) } else { many(parts) }
    }

    pub(super) fn matches(&self, attributes: &BTreeMap<String, String>) -> bool {
        self.matches_by(&|key| attributes.get(key).map_or("", String::as_str))
    }

    /// `value` gives an attribute's value, the empty string if it is absent.
    pub(super) fn matches_by<'a>(&self, value: &dyn Fn(&str) -> &'a str) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches_by(value)),
            Self::Or(parts) => parts.iter().any(|part| part.matches_by(value)),
            Self::Not(part) => !part.matches_by(value),
            Self::Condition { key, test } => test.matches(value(key)),
        }
    }
}

impl Test {
    /// `IN` or `NOT IN` these values, each kept once in the order written.
    pub(super) fn list(negated: bool, mut values: Vec<String>) -> Self {
        let mut seen = HashSet::new();
        values.retain(|value| seen.insert(value.clone()));
        if negated { Self::NotIn(values) } else { Self::In(values) }
    }

    /// Whether an attribute with this value passes.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        match self {
            Self::Compare(comparison, wanted) => comparison.holds(value, wanted),
            Self::In(values) => values.iter().any(|wanted| wanted == value),
            Self::NotIn(values) => values.iter().all(|unwanted| unwanted != value),
            Self::Exists => !value.is_empty(),
            Self::NotExists => value.is_empty(),
            Self::Like(glob) => glob.matches(value),
            Self::Matches(pattern) => pattern.matches(value),
        }
    }
}

impl Comparison {
    /// How it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    fn holds(self, left: &str, right: &str) -> bool {
        // `str` compares by bytes.
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }
}
