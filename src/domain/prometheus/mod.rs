//! Enforcing a data filter on a Prometheus-compatible gateway. For every query and filter, the answer through the hub
//! equals the answer of a store that holds only the series which satisfy the filter.
//!
//! Attributes become labels ([`LabelMap`]), the filters of a permit become an OR of conjunctions of label matchers
//! ([`Enforcement`]), and every selector of a query gets them ([`rewrite()`]). What can't be said so is refused.

mod alternatives;
pub mod answer;
pub mod endpoint;
mod enforcement;
mod fault;
mod label_map;
mod label_test;
mod limit;
mod matchers;
pub mod media;
mod parameters;
mod promql;
mod regex_text;
mod remote_read;
mod remote_write;
mod request;
mod rewrite;
#[cfg(test)]
mod samples;
mod selector;
#[cfg(test)]
mod tests;
mod wire;

pub use enforcement::{Enforcement, MOST_ALTERNATIVES, Unenforceable};
pub use fault::RequestFault;
pub use label_map::{LabelMap, LabelName};
pub use limit::{Limit, Memory};
pub use matchers::{Conjunction, MatchOp, Matcher};
pub use remote_read::{ReadAnswer, UnreadableAnswer};
pub use request::{EnforcedRequest, Received, enforce};
pub use rewrite::{QueryFault, all_selectors, rewrite, rewrite_selectors};
