//! Filters as an OR of conjunctions of label matchers.

use std::sync::Arc;

use super::alternatives::{Alternative, alternatives, apart};
use super::{Conjunction, LabelMap};
use crate::domain::data_filter::DataFilter;

/// How many alternatives a filter may have, each of which multiplies a query's selectors.
pub const MOST_ALTERNATIVES: usize = 32;

/// What is permitted: an OR of conjunctions of matchers, and the same as filters, to judge single series.
#[derive(Clone, Debug)]
pub struct Enforcement {
    filters: Vec<Arc<DataFilter>>,
    labels: LabelMap,
    alternatives: Vec<Alternative>,
    overlap: bool,
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
        let mut alternatives = alternatives(filters.iter().map(|filter| filter.expression()), labels)?;
        if alternatives.is_empty() {
            alternatives.push(Alternative::nothing());
        }
        let apart = apart(&alternatives);
        let overlap = apart.is_none();
        let alternatives = apart.unwrap_or(alternatives);
        let conjunctions = alternatives.iter().map(|alternative| Conjunction(alternative.matchers())).collect();
        Ok(Self { filters: filters.to_vec(), labels: labels.clone(), alternatives, overlap, conjunctions })
    }

    /// The alternatives; never empty.
    #[must_use]
    pub fn conjunctions(&self) -> &[Conjunction] {
        &self.conjunctions
    }

    /// Whether a series may satisfy several alternatives.
    pub(super) fn overlap(&self) -> bool {
        self.overlap
    }

    /// The same, as tests in memory.
    pub(super) fn alternatives(&self) -> &[Alternative] {
        &self.alternatives
    }

    /// Whether a series is permitted, decided by the filters themselves; `series` gives the value of a label, `None` or
    /// the empty string if it has none.
    #[must_use]
    pub fn permits<'a>(&self, series: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        // Compiling made sure that every attribute has its label.
        let value = |attribute: &str| self.labels.get(attribute).and_then(|label| series(label.as_str())).unwrap_or("");
        self.filters.iter().any(|filter| filter.matches_by(&value))
    }
}
