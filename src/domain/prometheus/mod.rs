//! Enforcing a data filter on a Prometheus-compatible gateway. For every query and filter, the answer through the hub
//! equals the answer of a store that holds only the series which satisfy the filter.
//!
//! Attributes become labels ([`LabelMap`]), the filters of a permit become an OR of conjunctions of label matchers
//! ([`Enforcement`]), and every selector of a query gets them ([`rewrite()`]). What can't be said so is refused.

mod label_map;
mod matchers;
mod rewrite;

pub use label_map::{LabelMap, LabelName};
pub use matchers::{Conjunction, Enforcement, MatchOp, Matcher, Unenforceable};
pub use rewrite::{QueryFault, all_selectors, rewrite, rewrite_selectors};
