//! Filters as label matchers.

use std::sync::Arc;

use super::{LabelMap, LabelName};
use crate::domain::data_filter::DataFilter;

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// A test of one label, whose value is the empty string if a series does not have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matcher {
    /// Which label.
    pub label: LabelName,
    /// How to compare.
    pub op: MatchOp,
    /// With what: a text, or a regular expression of the whole value.
    pub value: String,
}

/// Matchers that all must hold. None at all is what a filter that selects everything gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conjunction(Vec<Matcher>);

impl Conjunction {
    /// The matchers, in a fixed order.
    #[must_use]
    pub fn matchers(&self) -> &[Matcher] {
        &self.0
    }
}

/// What is permitted: an OR of conjunctions of matchers, and the same as filters, to judge single series.
#[derive(Clone, Debug)]
pub struct Enforcement {
    filters: Vec<Arc<DataFilter>>,
    labels: LabelMap,
    conjunctions: Vec<Conjunction>,
}

/// Why filters can't be enforced on a gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unenforceable {
    /// The label map says nothing about it.
    #[error("the attribute \"{attribute}\" is not in the gateway's label map")]
    UnknownAttribute {
        /// Which.
        attribute: String,
    },
    /// No label matcher can say it.
    #[error("the operator {operator} on the attribute \"{attribute}\" can't be said with label matchers")]
    Operator {
        /// Of which attribute.
        attribute: String,
        /// As written, such as `<`.
        operator: String,
    },
    /// The OR of conjunctions grows beyond what a query should be multiplied by.
    #[error("the filter has too many alternatives for label matchers; at most {most} are possible")]
    TooManyAlternatives {
        /// The limit.
        most: usize,
    },
}

impl Enforcement {
    /// Compiles what at least one of these filters selects. No filters at all select nothing.
    ///
    /// # Errors
    /// [`Unenforceable`] names the attribute or operator.
    pub fn compile(filters: &[Arc<DataFilter>], labels: &LabelMap) -> Result<Self, Unenforceable> {
        let _ = (filters, labels);
        Err(Unenforceable::TooManyAlternatives { most: 0 })
    }

    /// The alternatives; never empty.
    #[must_use]
    pub fn conjunctions(&self) -> &[Conjunction] {
        &self.conjunctions
    }

    /// Whether a series is permitted; `series` gives the value of a label, `None` or the empty string if it has none.
    #[must_use]
    pub fn permits<'a>(&self, series: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        let attributes = self
            .labels
            .iter()
            .filter_map(|(attribute, label)| Some((attribute.to_owned(), series(label.as_str())?.to_owned())))
            .collect();
        self.filters.iter().any(|filter| filter.matches(&attributes))
    }
}
