//! Filters and queries, from the outside: what is permitted, what is sent, what is refused.

mod enforcing;
mod rewriting;
mod series;

use std::sync::Arc;

use super::{Enforcement, LabelMap, LabelName, Unenforceable};
use crate::domain::data_filter::DataFilter;

/// A label map as a gateway has it.
fn labels() -> LabelMap {
    let pairs = [
        ("user.department", "department"),
        ("itrs.os-type", "os"),
        ("region", "region"),
        ("job", "job"),
        ("env", "env"),
        ("metric", "__name__"),
    ];
    pairs.into_iter().map(|(key, label)| (key.to_owned(), LabelName::parse(label).expect("a label"))).collect()
}

fn compile(filters: &[&str]) -> Result<Enforcement, Unenforceable> {
    let parsed: Vec<Arc<DataFilter>> =
        filters.iter().map(|text| Arc::new(text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))).collect();
    Enforcement::compile(&parsed, &labels())
}

#[track_caller]
fn enforcement(filters: &[&str]) -> Enforcement {
    compile(filters).unwrap_or_else(|error| panic!("{filters:?}: {error}"))
}
