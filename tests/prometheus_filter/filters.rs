//! The filters under test.

use std::sync::Arc;

use gateway_hub::domain::data_filter::DataFilter;
use gateway_hub::domain::prometheus::{Enforcement, LabelMap, LabelName};

use super::data::Labels;

/// Each is the filters of one application's roles, and whether all of its queries must be possible.
pub const FILTERS: &[(&[&str], bool)] = &[
    (&["user.department = fx"], true),
    (&["user.department IN (fx, it) AND env = prod"], true),
    // Several conjunctions over different labels.
    (&["user.department = fx OR region = eu"], true),
    (&["itrs.os-type = Linux AND region = eu OR itrs.os-type = Windows AND job = db", "user.department = hr"], true),
    // An absent label.
    (&["region NOT EXISTS"], true),
    (&["user.department NOT EXISTS OR NOT (job = node OR region IN (eu, us))"], true),
    (&["host LIKE \"host-1*\" AND user.department != fx"], true),
    (&["env MATCHES \"pre.prod|[a-c][^x]b\" OR region EXISTS AND NOT env LIKE \"p*\""], true),
    (&["user.department = \"r&d\" OR env = \"a|b\" OR job = db AND region NOT IN (\"\", us)"], true),
    // Metric names; with several conjunctions, selectors without a name are refused.
    (&["metric LIKE \"*_total\" OR metric IN (up, memory_bytes)"], true),
    (&["metric = up OR region = eu OR metric LIKE \"cpu*\" AND user.department = it"], false),
    // All, and nothing.
    (&["region EXISTS OR region NOT EXISTS"], true),
    (&["job = node AND job = db"], true),
];

/// Attributes and their labels.
pub const MAP: [(&str, &str); 7] = [
    ("user.department", "department"),
    ("itrs.os-type", "os"),
    ("region", "region"),
    ("job", "job"),
    ("env", "env"),
    ("host", "instance"),
    ("metric", "__name__"),
];

pub struct Filter {
    pub texts: &'static [&'static str],
    pub all_possible: bool,
    filters: Vec<Arc<DataFilter>>,
    pub enforcement: Enforcement,
}

impl Filter {
    pub fn all() -> Vec<Self> {
        let labels: LabelMap =
            MAP.iter().map(|(key, label)| ((*key).to_owned(), LabelName::parse(label).expect("a label"))).collect();
        let filter = |(texts, all_possible): &(&'static [&'static str], bool)| {
            let filters: Vec<Arc<DataFilter>> =
                texts.iter().map(|text| Arc::new(text.parse().expect("a filter"))).collect();
            let enforcement = Enforcement::compile(&filters, &labels).expect("enforceable");
            Self { texts, all_possible: *all_possible, filters, enforcement }
        };
        FILTERS.iter().map(filter).collect()
    }

    /// Whether it lets some through and not all.
    pub fn is_telling(&self) -> bool {
        let [only] = self.enforcement.conjunctions() else { return true };
        !only.matchers().is_empty() && !only.matchers().iter().any(|matcher| matcher.value == "-none-")
    }

    /// Decided by the filters over attributes, as everywhere else in the hub.
    pub fn permits(&self, labels: &Labels) -> bool {
        let attributes =
            MAP.iter().filter_map(|(key, label)| Some(((*key).to_owned(), labels.get(*label)?.clone()))).collect();
        self.filters.iter().any(|filter| filter.matches(&attributes))
    }
}
